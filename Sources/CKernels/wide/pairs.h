// A pair of bf16 products as two fused multiply-adds: odd element first, then even (rule 3).
// lanes_fma_clean is lanes_fma for operands without denormals: the same thing where the processor flushes.
#ifndef CK_WIDE_PAIRS_H
#define CK_WIDE_PAIRS_H

// Sixteen weight pairs, or one input pair in every lane.
typedef struct { lanes odd, even; } pairs;

ALWAYS_INLINE pairs pairs_split(words x) {
    return (pairs){lanes_of(words_and(x, words_set(0xffff0000u))), lanes_of(words_shift_left(x, 16))};
}
ALWAYS_INLINE pairs pairs_load(const uint16_t *p) { return pairs_split(words_load((const uint32_t *)(const void *)p)); }
// The same for memory that was not cleaned of denormals when it was packed.
ALWAYS_INLINE pairs pairs_load_clean(const uint16_t *p) {
    return pairs_split(CLEAN_WORDS(words_load((const uint32_t *)(const void *)p)));
}
ALWAYS_INLINE pairs pairs_load_part(const uint16_t *p, size_t n) {
    return pairs_split(CLEAN_WORDS(words_of(lanes_load_part((const float *)(const void *)p, n))));
}
ALWAYS_INLINE pairs pairs_broadcast(uint32_t x) { return pairs_split(words_set(x)); }
ALWAYS_INLINE lanes pairs_accumulate(lanes acc, pairs w, pairs x) {
    acc = lanes_fma_clean(x.odd, w.odd, acc);
    return lanes_fma_clean(x.even, w.even, acc);
}

// bf16 roundings of 16 values.
ALWAYS_INLINE void lanes_store_narrow(uint16_t *p, lanes x) { lanes_store_rounded(p, x); }

#endif
