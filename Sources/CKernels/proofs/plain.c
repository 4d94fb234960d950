// Polynomials over GF(65497) on every machine: vectors of 16 bytes, which x86-64 and arm64 have, and others take apart.
#include <string.h>

#include "../common/target.h"
#include "../include/CKernelsProofs.h"

#define LANES 8

typedef uint16_t field __attribute__((vector_size(2 * LANES)));
typedef uint32_t field_products __attribute__((vector_size(4 * LANES)));

ALWAYS_INLINE field field_set(uint16_t a) { return (field){a, a, a, a, a, a, a, a}; }
#define field_high(a, b)                                                                                           \
    __builtin_convertvector(                                                                                       \
        (__builtin_convertvector(a, field_products) * __builtin_convertvector(b, field_products)) >> 16, field)
ALWAYS_INLINE field field_less(field a, field b) { return (field)(a < b); }
ALWAYS_INLINE field field_one_below(field below, field block) {
    return __builtin_shufflevector(below, block, 7, 8, 9, 10, 11, 12, 13, 14);
}
ALWAYS_INLINE field field_two_below(field below, field block) {
    return __builtin_shufflevector(below, block, 6, 7, 8, 9, 10, 11, 12, 13);
}
#include "polynomials.h"

const ck_field ck_field_plain = {.interpolate = interpolate, .evaluate = evaluate};
