// Philox4x32-10 for 64 neighbouring ids at once (rule 10).
//
// Only one counter word differs between the blocks of a row, so half of the first three rounds is the same for all of
// them: it is computed once, and 16 blocks take 16 vector products instead of 20.

#define CK_PHILOX_ROUNDS 10

// What the blocks of a row share: the round keys, and rounds 1 to 3 as far as they do not depend on the block.
typedef struct row_noise {
    uint64_t first;       // round 1: c0 = block ^ first
    uint64_t second;      // round 2: c2 = high(m0 * c0) ^ second
    uint64_t third[2];    // round 3: c0 = high(m1 * c2) ^ third[0], c2 = c3 ^ third[1]
    uint64_t fourth;      // round 4: c2 = high(m0 * c0) ^ fourth
    uint64_t keys[CK_PHILOX_ROUNDS][2];
} row_noise;

static row_noise row_noise_start(const ck_noise_key *key, uint32_t position) {
    row_noise n;
    for (uint32_t round = 0; round < CK_PHILOX_ROUNDS; round++) {
        n.keys[round][0] = (uint32_t)(key->key[0] + round * CK_PHILOX_WEYL_0);
        n.keys[round][1] = (uint32_t)(key->key[1] + round * CK_PHILOX_WEYL_1);
    }
    uint64_t product0 = (uint64_t)CK_PHILOX_MULTIPLIER_0 * position;
    uint64_t product1 = (uint64_t)CK_PHILOX_MULTIPLIER_1 * key->counter[0];
    n.first = product1 >> 32 ^ n.keys[0][0];
    uint32_t c1 = (uint32_t)product1, c2 = (uint32_t)(product0 >> 32 ^ key->counter[1] ^ n.keys[0][1]);
    n.second = (uint32_t)product0 ^ n.keys[1][1];
    product1 = (uint64_t)CK_PHILOX_MULTIPLIER_1 * c2;
    uint32_t c0 = (uint32_t)(product1 >> 32 ^ c1 ^ n.keys[1][0]);
    product0 = (uint64_t)CK_PHILOX_MULTIPLIER_0 * c0;
    n.third[0] = (uint32_t)product1 ^ n.keys[2][0];
    n.third[1] = product0 >> 32 ^ n.keys[2][1];
    n.fourth = (uint32_t)product0 ^ n.keys[3][1];
    return n;
}

// Words of the 16 Philox blocks from `block` on: v[i] holds, in lane order, ids 4 * block + 16 i ..< + 16.
ALWAYS_INLINE void noise_words(uint32_t block, const row_noise *n, words v[4]) {
    counters c[4], high0, low0, high1, low1;
    counters_multiply(
        counters_xor(counters_blocks(block), counters_set(n->first)), CK_PHILOX_MULTIPLIER_0, &high0, &low0);
    counters_multiply(counters_xor(high0, counters_set(n->second)), CK_PHILOX_MULTIPLIER_1, &high1, &c[1]);
    c[0] = counters_xor(high1, counters_set(n->third[0]));
    c[2] = counters_xor(low0, counters_set(n->third[1]));
    c[3] = counters_set(0);
    UNROLL for (int round = 3; round < CK_PHILOX_ROUNDS; round++) {
        counters_multiply(c[0], CK_PHILOX_MULTIPLIER_0, &high0, &low0);
        counters_multiply(c[2], CK_PHILOX_MULTIPLIER_1, &high1, &low1);
        c[0] = counters_xor(counters_xor(high1, c[1]), counters_set(n->keys[round][0]));
        c[1] = low1;
        c[2] = counters_xor(counters_xor(high0, c[3]), counters_set(round == 3 ? n->fourth : n->keys[round][1]));
        c[3] = low0;
    }
    counters_words(c, v);
}
