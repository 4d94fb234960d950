// 16 counter words of Philox, one to a lane.
#ifndef CK_NEON_COUNTERS_H
#define CK_NEON_COUNTERS_H

typedef words counters;

ALWAYS_INLINE counters counters_set(uint64_t x) { return words_set((uint32_t)x); }
// block ..< block + 16, dealt so that counters_words finds them in order.
ALWAYS_INLINE counters counters_blocks(uint32_t block) {
    static const uint32_t order[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    return words_add(words_set(block), words_load(order));
}
#define counters_xor words_xor
// High and low words of the products.
ALWAYS_INLINE void counters_multiply(counters x, uint32_t factor, counters *high, counters *low) {
    uint32x4_t f = vdupq_n_u32(factor);
    UNROLL for (int i = 0; i < 4; i++) {
        uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(x.v[i]), vget_low_u32(f)));
        uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32(x.v[i], f));
        low->v[i] = vuzp1q_u32(first, second);
        high->v[i] = vuzp2q_u32(first, second);
    }
}

#define ZIP64(which, x, y) \
    vreinterpretq_u32_u64(which(vreinterpretq_u64_u32(x), vreinterpretq_u64_u32(y)))
// The four results of every block, block after block: inside each quarter of four lanes, a transposition.
ALWAYS_INLINE void counters_words(const counters c[4], words v[4]) {
    UNROLL for (int i = 0; i < 4; i++) {
        uint32x4_t t0 = vzip1q_u32(c[0].v[i], c[1].v[i]), t1 = vzip2q_u32(c[0].v[i], c[1].v[i]);
        uint32x4_t t2 = vzip1q_u32(c[2].v[i], c[3].v[i]), t3 = vzip2q_u32(c[2].v[i], c[3].v[i]);
        v[0].v[i] = ZIP64(vzip1q_u64, t0, t2), v[1].v[i] = ZIP64(vzip2q_u64, t0, t2);
        v[2].v[i] = ZIP64(vzip1q_u64, t1, t3), v[3].v[i] = ZIP64(vzip2q_u64, t1, t3);
    }
}
#undef ZIP64
#endif
