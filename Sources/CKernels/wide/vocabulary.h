// The log-sum-exp over the vocabulary (rule 8): one block while it is in the cache, and all blocks of a row.

// z of a block, padded with minus infinity to whole turns of 64; `finite` tells about the logits.
typedef struct scaled_block {
    const float *z;
    float maximum;
    bool finite;
} scaled_block;

ALWAYS_INLINE scaled_block scale_block(const ck_sample_job *job, float *copy) {
    size_t count = job->count, turns = (count + 63) / 64;
    bool copies = job->temperature != 1.0f || count % 64 != 0;
    lanes divisor = lanes_set(job->temperature), zero = lanes_set(0.0f);
    lanes highest[4], bad[4];
    UNROLL for (size_t j = 0; j < 4; j++) highest[j] = lanes_set(-__builtin_inff()), bad[j] = zero;
    if (!copies) {
        for (size_t i = 0; i < count; i += 64) {
            UNROLL for (size_t j = 0; j < 4; j++) {
                lanes x = lanes_load(job->logits + i + 16 * j);
                highest[j] = lanes_max(highest[j], x);
                bad[j] = lanes_fma(x, zero, bad[j]);
            }
        }
    } else {
        for (size_t i = 0; i < turns * 64; i += 16) {
            size_t left = i < count ? count - i : 0;
            lanes x = lanes_load_part(job->logits + i, left);
            bad[0] = lanes_fma(x, zero, bad[0]);
            x = lanes_select(mask_first(left), lanes_div(x, divisor), lanes_set(-__builtin_inff()));
            lanes_store(copy + i, x);
            highest[0] = lanes_max(highest[0], x);
        }
    }
    lanes all = lanes_max(lanes_max(highest[0], highest[1]), lanes_max(highest[2], highest[3]));
    lanes sum = lanes_add(lanes_add(bad[0], bad[1]), lanes_add(bad[2], bad[3]));
    return (scaled_block){
        .z = copies ? copy : job->logits, .maximum = f32_add(lanes_maximum(all), 0.0f),
        .finite = mask_bits(lanes_equal(sum, sum)) == 0xffff,
    };
}

// The sum of a block's exponentials; keeps them where `exponentials` is given.
ALWAYS_INLINE float sum_block(const ck_sample_job *job, const scaled_block *block, float *exponentials) {
    lanes maximum = lanes_set(block->maximum), sum = lanes_set(0.0f);
    // Lanes past the end hold minus infinity, whose exponential is an exact 0.
    for (size_t i = 0; i < (job->count + 63) / 64 * 64; i += 16) {
        lanes e = lanes_exp(lanes_sub(lanes_load(block->z + i), maximum));
        sum = lanes_add(sum, e);
        if (exponentials) lanes_store(exponentials + i, e);
    }
    return lanes_sum(sum);
}

ck_block_sum ROW(block_sum)(const float *logits, size_t count, float temperature) {
    _Alignas(64) float copy[CK_VOCABULARY_BLOCK];
    ck_sample_job job = {.logits = logits, .count = count, .temperature = temperature};
    scaled_block block = scale_block(&job, copy);
    return (ck_block_sum){block.maximum, sum_block(&job, &block, NULL)};
}

void ROW(combine)(const ck_block_sum *blocks, size_t count, float *maximum, float *log_sum) {
    float highest = -__builtin_inff();
    for (size_t i = 0; i < count; i++) {
        if (blocks[i].maximum > highest) highest = blocks[i].maximum;
    }
    lanes sum = lanes_set(0.0f);
    for (size_t first = 0; first < count; first += 16) {
        float scales[16] = {0};
        size_t taken = count - first < 16 ? count - first : 16;
        for (size_t i = 0; i < taken; i++) scales[i] = blocks[first + i].maximum;
        lanes_store(scales, lanes_exp(lanes_sub(lanes_load(scales), lanes_set(highest))));
        // The chain of one row, in every lane.
        for (size_t i = 0; i < taken; i++) sum = lanes_fma(lanes_set(blocks[first + i].sum), lanes_set(scales[i]), sum);
    }
    float logs[16];
    lanes_store(logs, lanes_log(sum));
    *maximum = highest;
    *log_sum = logs[0];
}
