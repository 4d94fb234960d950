// The 16 virtual lanes of rule 4 as one AVX-512 register.
#ifndef CK_AVX512F_LANES_H
#define CK_AVX512F_LANES_H

#include <immintrin.h>
#include <stdint.h>

#include "../common/target.h"

typedef __m512 lanes;
typedef __m512i words;
typedef __mmask16 mask;

ALWAYS_INLINE lanes lanes_set(float x) { return _mm512_set1_ps(x); }
ALWAYS_INLINE lanes lanes_load(const float *p) { return _mm512_loadu_ps(p); }
ALWAYS_INLINE void lanes_store(float *p, lanes x) { _mm512_storeu_ps(p, x); }
ALWAYS_INLINE mask mask_first(size_t n) { return (mask)(n >= 16 ? 0xffffu : (1u << n) - 1u); }
ALWAYS_INLINE lanes lanes_load_part(const float *p, size_t n) { return _mm512_maskz_loadu_ps(mask_first(n), p); }
ALWAYS_INLINE void lanes_store_part(float *p, size_t n, lanes x) { _mm512_mask_storeu_ps(p, mask_first(n), x); }

ALWAYS_INLINE lanes lanes_add(lanes a, lanes b) { return _mm512_add_ps(a, b); }
ALWAYS_INLINE lanes lanes_sub(lanes a, lanes b) { return _mm512_sub_ps(a, b); }
ALWAYS_INLINE lanes lanes_mul(lanes a, lanes b) { return _mm512_mul_ps(a, b); }
ALWAYS_INLINE lanes lanes_div(lanes a, lanes b) { return _mm512_div_ps(a, b); }
ALWAYS_INLINE lanes lanes_fma(lanes a, lanes b, lanes c) { return _mm512_fmadd_ps(a, b, c); }
#define lanes_fma_clean lanes_fma
ALWAYS_INLINE lanes lanes_max(lanes a, lanes b) { return _mm512_max_ps(a, b); }
ALWAYS_INLINE lanes lanes_min(lanes a, lanes b) { return _mm512_min_ps(a, b); }

ALWAYS_INLINE mask lanes_less(lanes a, lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
ALWAYS_INLINE mask lanes_not_less(lanes a, lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLT_UQ); }
ALWAYS_INLINE mask lanes_equal(lanes a, lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
ALWAYS_INLINE mask mask_and(mask a, mask b) { return (mask)(a & b); }
ALWAYS_INLINE uint32_t mask_bits(mask m) { return m; }
// m ? a : b
ALWAYS_INLINE lanes lanes_select(mask m, lanes a, lanes b) { return _mm512_mask_blend_ps(m, b, a); }

ALWAYS_INLINE words words_set(uint32_t x) { return _mm512_set1_epi32((int)x); }
ALWAYS_INLINE words words_load(const uint32_t *p) { return _mm512_loadu_si512(p); }
ALWAYS_INLINE words words_of(lanes x) { return _mm512_castps_si512(x); }
ALWAYS_INLINE lanes lanes_of(words x) { return _mm512_castsi512_ps(x); }
ALWAYS_INLINE words words_add(words a, words b) { return _mm512_add_epi32(a, b); }
ALWAYS_INLINE words words_sub(words a, words b) { return _mm512_sub_epi32(a, b); }
ALWAYS_INLINE words words_and(words a, words b) { return _mm512_and_si512(a, b); }
ALWAYS_INLINE words words_xor(words a, words b) { return _mm512_xor_si512(a, b); }
#define words_shift_left(x, n) _mm512_slli_epi32(x, n)
#define words_shift_right(x, n) _mm512_srli_epi32(x, n)
#define words_shift_right_signed(x, n) _mm512_srai_epi32(x, n)
ALWAYS_INLINE lanes lanes_from_signed(words x) { return _mm512_cvtepi32_ps(x); }

ALWAYS_INLINE lanes lanes_widen(const uint16_t *p) {
    __m512i bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p)), 16);
    __mmask16 denormal = _mm512_testn_epi32_mask(bits, _mm512_set1_epi32(0x7f800000));
    return _mm512_castsi512_ps(
        _mm512_mask_and_epi32(bits, denormal, bits, _mm512_set1_epi32((int)0x80000000u)));
}

#ifdef BF16_INSTRUCTIONS
// The instruction rounds as rule 2 says: to nearest even, denormals to zeros of their sign, NaNs quietly.
ALWAYS_INLINE __m256i lanes_round(lanes x) { return (__m256i)_mm512_cvtneps_pbh(x); }
#else
ALWAYS_INLINE __m256i lanes_round(lanes x) {
    __m512i bits = _mm512_castps_si512(x);
    __m512i magnitude = _mm512_and_si512(bits, _mm512_set1_epi32(0x7fffffff));
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __mmask16 nan = _mm512_cmpgt_epi32_mask(magnitude, _mm512_set1_epi32(0x7f800000));
    __mmask16 denormal = _mm512_cmplt_epi32_mask(magnitude, _mm512_set1_epi32(0x00800000));
    rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x00400000));
    rounded = _mm512_mask_and_epi32(rounded, denormal, bits, _mm512_set1_epi32((int)0x80000000u));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}
#endif
ALWAYS_INLINE void lanes_store_rounded(uint16_t *p, lanes x) { _mm256_storeu_si256((__m256i *)p, lanes_round(x)); }
ALWAYS_INLINE void lanes_store_rounded_part(uint16_t *p, size_t n, lanes x) {
    _mm256_mask_storeu_epi16(p, mask_first(n), lanes_round(x));
}
ALWAYS_INLINE lanes lanes_widen_part(const uint16_t *p, size_t n) {
    uint16_t copy[16];
    _mm256_storeu_si256((__m256i *)copy, _mm256_maskz_loadu_epi16(mask_first(n), p));
    return lanes_widen(copy);
}

// The tree 8-4-2-1.
ALWAYS_INLINE float lanes_sum(lanes x) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
ALWAYS_INLINE float lanes_maximum(lanes x) { return _mm512_reduce_max_ps(x); }

#endif
