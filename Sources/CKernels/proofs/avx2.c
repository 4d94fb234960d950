// Polynomials over GF(65497) with AVX2.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../common/target.h"
#include "../include/CKernelsProofs.h"

#define LANES 16

typedef uint16_t field __attribute__((vector_size(2 * LANES)));

TARGET_BEGIN("avx2")
ALWAYS_INLINE field field_set(uint16_t a) { return (field)_mm256_set1_epi16((short)a); }
ALWAYS_INLINE field field_high(field a, field b) { return (field)_mm256_mulhi_epu16((__m256i)a, (__m256i)b); }
ALWAYS_INLINE field field_less(field a, field b) {
    // Not less where a is the larger one.
    return ~(field)_mm256_cmpeq_epi16(_mm256_max_epu16((__m256i)a, (__m256i)b), (__m256i)a);
}
ALWAYS_INLINE field field_one_below(field below, field block) {
    return __builtin_shufflevector(below, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30);
}
ALWAYS_INLINE field field_two_below(field below, field block) {
    return __builtin_shufflevector(below, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29);
}
#include "polynomials.h"
TARGET_END

const ck_field ck_field_avx2 = {.interpolate = interpolate, .evaluate = evaluate};
#endif
