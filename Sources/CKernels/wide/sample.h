// One pass over a block of logits while they are in the cache: finite check, log-sum-exp (rule 8) and the seeded choice
// of a token (rule 10), 64 ids per turn; logarithms only where the noise could win.
//
// A token can be left out if its score z - log E is below a score that some token reaches. `bound` is such a score: the
// best so far, or the block's maximum minus 3, because E <= 16.64 leaves the largest z a score above maximum - 2.82.
// E >= t gives -log E <= -log t, so t >= exp(z - bound) suffices for exact functions. exp(z - bound) is the exponential
// of the log-sum-exp times exp(maximum - bound). Differences of numbers below 1024, exp, log and log1p are off by less
// than 2^-16 in the exponent, and a score is rounded by at most 2^-14, so a factor of 1 + 2^-12 leaves out only scores
// strictly below the bound: the order in which blocks are seen cannot matter. For larger logits every score is computed.
// An exponential that is 0 belongs to a z 87 below the maximum, and noise stays below 22.9.

#define CK_SKIP_SCALE 0x1.001p+31f   // 1 + 2^-12, for words halved to 31 bits
#define CK_SKIP_LARGEST 1000.0f
#define CK_SKIP_NEVER 0.25f          // 2^31 times the smallest t, 2^-33

// t of rule 10: f32(word) with one rounding (two exact halves), then one fma.
ALWAYS_INLINE lanes uniform_lanes(words word) {
    lanes high = lanes_from_signed(words_shift_right(word, 16));
    lanes low = lanes_from_signed(words_and(word, words_set(0xffffu)));
    lanes wide = lanes_fma(high, lanes_set(65536.0f), low);
    return lanes_min(lanes_fma(wide, lanes_set(0x1p-32f), lanes_set(0x1p-33f)), lanes_set(CK_NOISE_HIGHEST));
}

// What exponentials of a block are multiplied by to bound the words that can win, on the scale of 31 bits.
static lanes skip_factor(float maximum, float best) {
    if (!(maximum >= -CK_SKIP_LARGEST && maximum <= CK_SKIP_LARGEST)) return lanes_set(__builtin_inff());
    float bound = f32_sub(maximum, 3.0f);
    if (best > bound) bound = best;
    return lanes_mul(lanes_exp(lanes_set(f32_sub(maximum, bound))), lanes_set(CK_SKIP_SCALE));
}

// Scores of 16 ids; true where one of them is the new choice.
static bool choose_lanes(lanes z, words word, const float *logits, size_t first_id, size_t left, ck_choice *choice) {
    lanes e = lanes_sub(lanes_set(0.0f), lanes_log1p(lanes_sub(lanes_set(0.0f), uniform_lanes(word))));
    lanes score = lanes_select(mask_first(left), lanes_sub(z, lanes_log(e)), lanes_set(-__builtin_inff()));
    float highest = lanes_maximum(score);
    if (!(highest >= choice->score)) return false;
    unsigned lane = (unsigned)__builtin_ctz(mask_bits(lanes_equal(score, lanes_set(highest))));
    int32_t token = (int32_t)(first_id + lane);
    if (highest == choice->score && token >= choice->token) return false;
    float scores[16];
    lanes_store(scores, score);  // not `highest`: a maximum may pick either sign of zero
    *choice = (ck_choice){scores[lane], logits[lane], token};
    return true;
}

static void draw_block(
    const ck_sample_job *job, const scaled_block *block, const float *exponentials, ck_choice *choice
) {
    row_noise noise = row_noise_start(job->noise, job->position);
    lanes factor = skip_factor(block->maximum, choice->score);
    for (size_t i = 0; i < job->count; i += 64) {
        lanes reach[4];
        UNROLL for (size_t j = 0; j < 4; j++) reach[j] = lanes_mul(lanes_load(exponentials + i + 16 * j), factor);
        lanes farthest = lanes_max(lanes_max(reach[0], reach[1]), lanes_max(reach[2], reach[3]));
        if (mask_bits(lanes_not_less(farthest, lanes_set(CK_SKIP_NEVER))) == 0) continue;
        words word[4];
        noise_words((uint32_t)((job->first_id + i) / 4), &noise, word);
        uint32_t near[4];
        UNROLL for (size_t j = 0; j < 4; j++) {
            near[j] = mask_bits(lanes_not_less(reach[j], lanes_from_signed(words_shift_right(word[j], 1))));
        }
        if ((near[0] | near[1] | near[2] | near[3]) == 0) continue;
        bool changed = false;
        for (size_t j = 0; j < 4; j++) {
            size_t start = i + 16 * j;
            if (near[j] == 0 || start >= job->count) continue;
            changed |= choose_lanes(
                lanes_load(block->z + start), word[j], job->logits + start, job->first_id + start, job->count - start,
                choice);
        }
        if (changed) factor = skip_factor(block->maximum, choice->score);
    }
}

// The first of the largest logits, looked for only where the block has one that counts.
static void take_largest(const ck_sample_job *job, const scaled_block *block, ck_choice *choice) {
    if (!(block->maximum >= choice->score)) return;
    for (size_t i = 0; i < job->count; i += 16) {
        lanes z = lanes_add(lanes_load(block->z + i), lanes_set(0.0f));  // as the maximum: zeros have no sign
        uint32_t equal = mask_bits(lanes_equal(z, lanes_set(block->maximum)));
        if (equal == 0) continue;
        size_t place = i + (unsigned)__builtin_ctz(equal);
        int32_t token = (int32_t)(job->first_id + place);
        if (block->maximum > choice->score || token < choice->token) {
            *choice = (ck_choice){job->logits[place], job->logits[place], token};
        }
        return;
    }
}

bool ROW(sample)(const ck_sample_job *job, ck_block_sum *sum, ck_choice *choice) {
    _Alignas(64) float copy[CK_VOCABULARY_BLOCK];
    scaled_block block = scale_block(job, copy);
    sum->maximum = block.maximum;
    if (job->noise) {
        _Alignas(64) float exponentials[CK_VOCABULARY_BLOCK];
        sum->sum = sum_block(job, &block, exponentials);
        draw_block(job, &block, exponentials, choice);
    } else {
        sum->sum = sum_block(job, &block, NULL);
        take_largest(job, &block, choice);
    }
    return block.finite;
}
