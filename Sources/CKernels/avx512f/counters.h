// 16 counter words of Philox, each in the low half of 64 bits: products need no shuffles, and what the high halves hold
// is never read.
#ifndef CK_AVX512F_COUNTERS_H
#define CK_AVX512F_COUNTERS_H

typedef struct counters {
    __m512i a, b;
} counters;

#define COUNTERS(a, b) ((counters){a, b})

ALWAYS_INLINE counters counters_set(uint64_t x) {
    __m512i all = _mm512_set1_epi64((long long)x);
    return COUNTERS(all, all);
}
// block ..< block + 16, dealt so that counters_words finds them in order.
ALWAYS_INLINE counters counters_blocks(uint32_t block) {
    __m512i first = _mm512_set1_epi64(block);
    return COUNTERS(
        _mm512_add_epi64(first, _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7)),
        _mm512_add_epi64(first, _mm512_setr_epi64(8, 12, 9, 13, 10, 14, 11, 15)));
}
ALWAYS_INLINE counters counters_xor(counters x, counters y) {
    return COUNTERS(_mm512_xor_si512(x.a, y.a), _mm512_xor_si512(x.b, y.b));
}
// High and low words of the products.
ALWAYS_INLINE void counters_multiply(counters x, uint32_t factor, counters *high, counters *low) {
    __m512i f = _mm512_set1_epi64(factor);
    *low = COUNTERS(_mm512_mul_epu32(x.a, f), _mm512_mul_epu32(x.b, f));
    *high = COUNTERS(_mm512_srli_epi64(low->a, 32), _mm512_srli_epi64(low->b, 32));
}

#define JOIN(x, y, lanes) _mm512_shuffle_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(y), lanes)
#define EVEN_ODD(x, y, lanes) _mm512_castps_si512(_mm512_shuffle_ps(x, y, lanes))
// The four results of every block, block after block.
ALWAYS_INLINE void counters_words(const counters c[4], words v[4]) {
    __m512 a01 = JOIN(c[0].a, c[1].a, 0x88), a23 = JOIN(c[2].a, c[3].a, 0x88);
    __m512 b01 = JOIN(c[0].b, c[1].b, 0x88), b23 = JOIN(c[2].b, c[3].b, 0x88);
    v[0] = EVEN_ODD(a01, a23, 0x88), v[1] = EVEN_ODD(a01, a23, 0xdd);
    v[2] = EVEN_ODD(b01, b23, 0x88), v[3] = EVEN_ODD(b01, b23, 0xdd);
}
#undef JOIN
#undef EVEN_ODD

#undef COUNTERS
#endif
