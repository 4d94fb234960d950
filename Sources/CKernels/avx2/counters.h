// 16 counter words of Philox, each in the low half of 64 bits: products need no shuffles, and what the high halves hold
// is never read.
#ifndef CK_AVX2_COUNTERS_H
#define CK_AVX2_COUNTERS_H

typedef struct counters {
    __m256i v[4];
} counters;

#define EACH_COUNTER(expression) \
    ({ counters r_; UNROLL for (int i = 0; i < 4; i++) r_.v[i] = (expression); r_; })

ALWAYS_INLINE counters counters_set(uint64_t x) { return EACH_COUNTER(_mm256_set1_epi64x((long long)x)); }
// block ..< block + 16, dealt so that counters_words finds them in order.
ALWAYS_INLINE counters counters_blocks(uint32_t block) {
    return EACH_COUNTER(
        _mm256_add_epi64(_mm256_set1_epi64x(block), _mm256_setr_epi64x(4 * i, 4 * i + 2, 4 * i + 1, 4 * i + 3)));
}
ALWAYS_INLINE counters counters_xor(counters x, counters y) { return EACH_COUNTER(_mm256_xor_si256(x.v[i], y.v[i])); }
// High and low words of the products.
ALWAYS_INLINE void counters_multiply(counters x, uint32_t factor, counters *high, counters *low) {
    __m256i f = _mm256_set1_epi64x(factor);
    *low = EACH_COUNTER(_mm256_mul_epu32(x.v[i], f));
    *high = EACH_COUNTER(_mm256_srli_epi64(low->v[i], 32));
}

#define JOIN(x, y, lanes) _mm256_shuffle_ps(_mm256_castsi256_ps(x), _mm256_castsi256_ps(y), lanes)
#define EVEN_ODD(x, y, lanes) _mm256_castps_si256(_mm256_shuffle_ps(x, y, lanes))
// The four results of every block, block after block.
ALWAYS_INLINE void counters_words(const counters c[4], words v[4]) {
    UNROLL for (int i = 0; i < 4; i++) {
        __m256 first = JOIN(c[0].v[i], c[1].v[i], 0x88), second = JOIN(c[2].v[i], c[3].v[i], 0x88);
        v[i].a = EVEN_ODD(first, second, 0x88), v[i].b = EVEN_ODD(first, second, 0xdd);
    }
}
#undef JOIN
#undef EVEN_ODD

#undef EACH_COUNTER
#endif
