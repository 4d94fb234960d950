// A pair of bf16 products as one VDPBF16PS lane: the instruction fuses odd, then even, and always flushes denormals.
#ifndef CK_AVX512BF16_PAIRS_H
#define CK_AVX512BF16_PAIRS_H

typedef words pairs;

ALWAYS_INLINE pairs pairs_load(const uint16_t *p) { return _mm512_loadu_si512(p); }
ALWAYS_INLINE pairs pairs_load_clean(const uint16_t *p) { return pairs_load(p); }
ALWAYS_INLINE pairs pairs_load_part(const uint16_t *p, size_t n) {
    return _mm512_maskz_loadu_epi32(mask_first(n), p);
}
ALWAYS_INLINE pairs pairs_broadcast(uint32_t x) { return words_set(x); }
ALWAYS_INLINE lanes pairs_accumulate(lanes acc, pairs w, pairs x) {
    return _mm512_dpbf16_ps(acc, (__m512bh)w, (__m512bh)x);
}

// bf16 roundings of 16 values.
ALWAYS_INLINE void lanes_store_narrow(uint16_t *p, lanes x) { lanes_store_rounded(p, x); }

#endif
