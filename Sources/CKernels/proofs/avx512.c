// Polynomials over GF(65497) with AVX-512.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../common/target.h"
#include "../include/CKernelsProofs.h"

#define LANES 32

typedef uint16_t field __attribute__((vector_size(2 * LANES)));

TARGET_BEGIN("avx512f,avx512bw,avx512vl,avx512dq")
ALWAYS_INLINE field field_set(uint16_t a) { return (field)_mm512_set1_epi16((short)a); }
ALWAYS_INLINE field field_high(field a, field b) { return (field)_mm512_mulhi_epu16((__m512i)a, (__m512i)b); }
ALWAYS_INLINE field field_less(field a, field b) {
    return (field)_mm512_movm_epi16(_mm512_cmplt_epu16_mask((__m512i)a, (__m512i)b));
}
ALWAYS_INLINE field field_one_below(field below, field block) {
    return __builtin_shufflevector(below, block, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62);
}
ALWAYS_INLINE field field_two_below(field below, field block) {
    return __builtin_shufflevector(below, block, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61);
}
#include "polynomials.h"
TARGET_END

const ck_field ck_field_avx512 = {.interpolate = interpolate, .evaluate = evaluate};
#endif
