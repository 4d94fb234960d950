// The 16 virtual lanes of rule 4 as two AVX2 registers.
#ifndef CK_AVX2_LANES_H
#define CK_AVX2_LANES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "../common/target.h"

typedef struct { __m256 a, b; } lanes;
typedef struct { __m256i a, b; } words;
typedef words mask;  // all bits of a lane set or none

#define BOTH(type, expression_a, expression_b) (type){expression_a, expression_b}
// The same instruction on both registers of two operands.
#define PAIRWISE(type, instruction) BOTH(type, instruction(x.a, y.a), instruction(x.b, y.b))

ALWAYS_INLINE lanes lanes_set(float x) { return BOTH(lanes, _mm256_set1_ps(x), _mm256_set1_ps(x)); }
ALWAYS_INLINE lanes lanes_load(const float *p) { return BOTH(lanes, _mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)); }
ALWAYS_INLINE void lanes_store(float *p, lanes x) { _mm256_storeu_ps(p, x.a), _mm256_storeu_ps(p + 8, x.b); }
ALWAYS_INLINE mask mask_first(size_t n) {
    const __m256i index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i limit = _mm256_set1_epi32(n > 16 ? 16 : (int)n);
    return BOTH(
        mask, _mm256_cmpgt_epi32(limit, index),
        _mm256_cmpgt_epi32(limit, _mm256_add_epi32(index, _mm256_set1_epi32(8))));
}
ALWAYS_INLINE lanes lanes_load_part(const float *p, size_t n) {
    mask m = mask_first(n);
    return BOTH(lanes, _mm256_maskload_ps(p, m.a), _mm256_maskload_ps(p + 8, m.b));
}
ALWAYS_INLINE void lanes_store_part(float *p, size_t n, lanes x) {
    mask m = mask_first(n);
    _mm256_maskstore_ps(p, m.a, x.a), _mm256_maskstore_ps(p + 8, m.b, x.b);
}

ALWAYS_INLINE lanes lanes_add(lanes x, lanes y) { return PAIRWISE(lanes, _mm256_add_ps); }
ALWAYS_INLINE lanes lanes_sub(lanes x, lanes y) { return PAIRWISE(lanes, _mm256_sub_ps); }
ALWAYS_INLINE lanes lanes_mul(lanes x, lanes y) { return PAIRWISE(lanes, _mm256_mul_ps); }
ALWAYS_INLINE lanes lanes_div(lanes x, lanes y) { return PAIRWISE(lanes, _mm256_div_ps); }
ALWAYS_INLINE lanes lanes_fma(lanes x, lanes y, lanes z) {
    return BOTH(lanes, _mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b));
}
#define lanes_fma_clean lanes_fma
ALWAYS_INLINE lanes lanes_max(lanes x, lanes y) { return PAIRWISE(lanes, _mm256_max_ps); }
ALWAYS_INLINE lanes lanes_min(lanes x, lanes y) { return PAIRWISE(lanes, _mm256_min_ps); }

#define COMPARE(x, y, how)                                 \
    BOTH(                                                  \
        mask, _mm256_castps_si256(_mm256_cmp_ps(x.a, y.a, how)), \
        _mm256_castps_si256(_mm256_cmp_ps(x.b, y.b, how)))
ALWAYS_INLINE mask lanes_less(lanes x, lanes y) { return COMPARE(x, y, _CMP_LT_OQ); }
ALWAYS_INLINE mask lanes_not_less(lanes x, lanes y) { return COMPARE(x, y, _CMP_NLT_UQ); }
ALWAYS_INLINE mask lanes_equal(lanes x, lanes y) { return COMPARE(x, y, _CMP_EQ_OQ); }
ALWAYS_INLINE mask mask_and(mask x, mask y) { return PAIRWISE(mask, _mm256_and_si256); }
ALWAYS_INLINE uint32_t mask_bits(mask m) {
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(m.a))
        | (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(m.b)) << 8;
}
// m ? x : y
ALWAYS_INLINE lanes lanes_select(mask m, lanes x, lanes y) {
    return BOTH(
        lanes, _mm256_blendv_ps(y.a, x.a, _mm256_castsi256_ps(m.a)),
        _mm256_blendv_ps(y.b, x.b, _mm256_castsi256_ps(m.b)));
}

ALWAYS_INLINE words words_set(uint32_t x) {
    return BOTH(words, _mm256_set1_epi32((int)x), _mm256_set1_epi32((int)x));
}
ALWAYS_INLINE words words_load(const uint32_t *p) {
    return BOTH(words, _mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)(p + 8)));
}
ALWAYS_INLINE words words_of(lanes x) { return BOTH(words, _mm256_castps_si256(x.a), _mm256_castps_si256(x.b)); }
ALWAYS_INLINE lanes lanes_of(words x) { return BOTH(lanes, _mm256_castsi256_ps(x.a), _mm256_castsi256_ps(x.b)); }
ALWAYS_INLINE words words_add(words x, words y) { return PAIRWISE(words, _mm256_add_epi32); }
ALWAYS_INLINE words words_sub(words x, words y) { return PAIRWISE(words, _mm256_sub_epi32); }
ALWAYS_INLINE words words_and(words x, words y) { return PAIRWISE(words, _mm256_and_si256); }
ALWAYS_INLINE words words_xor(words x, words y) { return PAIRWISE(words, _mm256_xor_si256); }
#define words_shift_left(x, n) BOTH(words, _mm256_slli_epi32((x).a, n), _mm256_slli_epi32((x).b, n))
#define words_shift_right(x, n) BOTH(words, _mm256_srli_epi32((x).a, n), _mm256_srli_epi32((x).b, n))
#define words_shift_right_signed(x, n) BOTH(words, _mm256_srai_epi32((x).a, n), _mm256_srai_epi32((x).b, n))
ALWAYS_INLINE lanes lanes_from_signed(words x) {
    return BOTH(lanes, _mm256_cvtepi32_ps(x.a), _mm256_cvtepi32_ps(x.b));
}

ALWAYS_INLINE __m256 widen_half(const uint16_t *p) {
    __m256i bits = _mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p)), 16);
    __m256i exponent = _mm256_and_si256(bits, _mm256_set1_epi32(0x7f800000));
    __m256i denormal = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
    return _mm256_castsi256_ps(
        _mm256_andnot_si256(_mm256_and_si256(denormal, _mm256_set1_epi32(0x7fffffff)), bits));
}
ALWAYS_INLINE lanes lanes_widen(const uint16_t *p) { return BOTH(lanes, widen_half(p), widen_half(p + 8)); }
ALWAYS_INLINE lanes lanes_widen_part(const uint16_t *p, size_t n) {
    uint16_t copy[16] = {0};
    memcpy(copy, p, (n < 16 ? n : 16) * sizeof *p);
    return lanes_widen(copy);
}

ALWAYS_INLINE __m256i round_half(__m256 x) {
    __m256i bits = _mm256_castps_si256(x);
    __m256i magnitude = _mm256_and_si256(bits, _mm256_set1_epi32(0x7fffffff));
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i nan = _mm256_cmpgt_epi32(magnitude, _mm256_set1_epi32(0x7f800000));
    __m256i denormal = _mm256_cmpgt_epi32(_mm256_set1_epi32(0x00800000), magnitude);
    rounded = _mm256_blendv_epi8(rounded, _mm256_or_si256(bits, _mm256_set1_epi32(0x00400000)), nan);
    rounded = _mm256_blendv_epi8(rounded, _mm256_and_si256(bits, _mm256_set1_epi32((int)0x80000000u)), denormal);
    return _mm256_srli_epi32(rounded, 16);
}
ALWAYS_INLINE void lanes_store_rounded(uint16_t *p, lanes x) {
    __m256i packed = _mm256_packus_epi32(round_half(x.a), round_half(x.b));
    _mm256_storeu_si256((__m256i *)p, _mm256_permute4x64_epi64(packed, 0xd8));
}
ALWAYS_INLINE void lanes_store_rounded_part(uint16_t *p, size_t n, lanes x) {
    uint16_t copy[16];
    lanes_store_rounded(copy, x);
    memcpy(p, copy, (n < 16 ? n : 16) * sizeof *p);
}

// The tree 8-4-2-1.
ALWAYS_INLINE float lanes_sum(lanes x) {
    __m256 eight = _mm256_add_ps(x.a, x.b);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
ALWAYS_INLINE float lanes_maximum(lanes x) {
    __m256 eight = _mm256_max_ps(x.a, x.b);
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#endif
