// Seeded choice of a token (rule 10): 64 ids per turn, noise skipped where it provably cannot win.
//
// A later id replaces the best one only if z - log E > best in binary32. Rounding is monotone and `best` is a binary32
// number, so z - log E <= best over the reals is enough to skip. E >= t gives -log E <= -log t, so t >= exp(z - best)
// suffices for exact functions. The computed E, log and exp are off by a few ulp each: less than 2^-16 in the
// exponent for every t in [2^-33, 1), so a factor of 1 + 2^-12 is more slack than they can use. Without looking at t:
// t >= 2^-33 bounds the noise by 22.9, so ids whose z is 24 below the best need not even draw.

#define CK_SKIP_SLACK 0x1.001p+0f
#define CK_SKIP_DISTANCE (-24.0f)

// Words of the 16 Philox blocks from `block` on: v[i] holds, in lane order, ids 4 * block + 16 i ..< + 16.
ALWAYS_INLINE void philox_lanes(uint32_t block, const ck_noise_key *key, uint32_t position, words v[4]) {
    // Blocks are dealt to lanes so that transposing quarters leaves ids in ascending order.
    static const uint32_t order[16] = {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15};
    words c0 = words_set(position), c1 = words_add(words_set(block), words_load(order));
    words c2 = words_set(key->counter[0]), c3 = words_set(key->counter[1]);
    words m0 = words_set(CK_PHILOX_MULTIPLIER_0), m1 = words_set(CK_PHILOX_MULTIPLIER_1);
    uint32_t k0 = key->key[0], k1 = key->key[1];
    for (int round = 0; round < 10; round++) {
        words high0, low0, high1, low1;
        words_multiply(m0, c0, &high0, &low0);
        words_multiply(m1, c2, &high1, &low1);
        c0 = words_xor(words_xor(high1, c1), words_set(k0));
        c1 = low1;
        c2 = words_xor(words_xor(high0, c3), words_set(k1));
        c3 = low0;
        k0 += CK_PHILOX_WEYL_0;
        k1 += CK_PHILOX_WEYL_1;
    }
    v[0] = c0, v[1] = c1, v[2] = c2, v[3] = c3;
    words_transpose_quarters(v);
}

// t of rule 10: f32(word) with one rounding (two exact halves), then one fma.
ALWAYS_INLINE lanes uniform_lanes(words word) {
    lanes high = lanes_from_signed(words_shift_right(word, 16));
    lanes low = lanes_from_signed(words_and(word, words_set(0xffffu)));
    lanes wide = lanes_fma(high, lanes_set(65536.0f), low);
    return lanes_min(lanes_fma(wide, lanes_set(0x1p-32f), lanes_set(0x1p-33f)), lanes_set(CK_NOISE_HIGHEST));
}

ALWAYS_INLINE void choose_lanes(lanes z, mask valid, words word, const float *logits, size_t id, ck_choice *choice) {
    lanes t = uniform_lanes(word);
    lanes reach = lanes_mul(lanes_exp(lanes_sub(z, lanes_set(choice->score))), lanes_set(CK_SKIP_SLACK));
    mask candidates = mask_and(valid, lanes_not_less(reach, t));
    if (mask_bits(candidates) == 0) return;
    lanes e = lanes_sub(lanes_set(0.0f), lanes_log1p(lanes_sub(lanes_set(0.0f), t)));
    lanes score = lanes_sub(z, lanes_log(e));
    score = lanes_select(candidates, score, lanes_set(-__builtin_inff()));
    float highest = lanes_maximum(score);
    if (!(highest > choice->score)) return;
    unsigned lane = (unsigned)__builtin_ctz(mask_bits(lanes_equal(score, lanes_set(highest))));
    float scores[16];
    lanes_store(scores, score);  // not `highest`: a maximum may pick either sign of zero
    *choice = (ck_choice){scores[lane], logits[lane], (int32_t)(id + lane)};
}

void ROW(choose)(
    const float *logits, size_t first_id, size_t count, float temperature, const ck_noise_key *key, uint32_t position,
    ck_choice *choice
) {
    lanes divisor = lanes_set(temperature);
    for (size_t i = 0; i < count; i += 64) {
        lanes z[4];
        mask valid[4];
        lanes highest = lanes_set(-__builtin_inff());
        for (size_t j = 0; j < 4; j++) {
            size_t start = i + 16 * j;
            size_t left = start < count ? count - start : 0;
            valid[j] = mask_first(left);
            z[j] = lanes_div(lanes_load_part(logits + start, left), divisor);
            highest = lanes_max(highest, lanes_select(valid[j], z[j], highest));
        }
        if (f32_sub(lanes_maximum(highest), choice->score) < CK_SKIP_DISTANCE) continue;
        words word[4];
        philox_lanes((uint32_t)((first_id + i) / 4), key, position, word);
        for (size_t j = 0; j < 4; j++) {
            size_t start = i + 16 * j;
            if (start < count) choose_lanes(z[j], valid[j], word[j], logits + start, first_id + start, choice);
        }
    }
}

void ROW(greedy)(const float *logits, size_t first_id, size_t count, ck_choice *choice) {
    for (size_t i = 0; i < count; i += 16) {
        mask valid = mask_first(count - i);
        lanes z = lanes_select(valid, lanes_load_part(logits + i, count - i), lanes_set(-__builtin_inff()));
        float highest = lanes_maximum(z);
        if (!(highest > choice->score)) continue;
        unsigned lane = (unsigned)__builtin_ctz(mask_bits(lanes_equal(z, lanes_set(highest))));
        *choice = (ck_choice){logits[i + lane], logits[i + lane], (int32_t)(first_id + i + lane)};
    }
}
