// The log-sum-exp over the vocabulary (rule 8): one block, and all blocks of a row.
#include "row.h"
#include "transcendental.h"

ck_block_sum scalar_block_sum(const float *logits, size_t count, float temperature) {
    float maximum = -__builtin_inff();
    for (size_t i = 0; i < count; i++) {
        float z = f32_div(logits[i], temperature);
        if (z > maximum) maximum = z;
    }
    maximum = f32_add(maximum, 0.0f);
    float lanes[16] = {0};
    for (size_t i = 0; i < count; i++) {
        float z = f32_div(logits[i], temperature);
        lanes[i % 16] = f32_add(lanes[i % 16], exp_of(f32_sub(z, maximum)));
    }
    ck_block_sum block = {maximum, sum_of_lanes(lanes)};
    return block;
}

void scalar_combine(const ck_block_sum *blocks, size_t count, float *maximum, float *log_sum) {
    float highest = -__builtin_inff();
    for (size_t i = 0; i < count; i++) {
        if (blocks[i].maximum > highest) highest = blocks[i].maximum;
    }
    float sum = 0.0f;
    for (size_t i = 0; i < count; i++) {
        sum = f32_fma(blocks[i].sum, exp_of(f32_sub(blocks[i].maximum, highest)), sum);
    }
    *maximum = highest;
    *log_sum = log_of(sum);
}

float ck_log_probability(float logit, float temperature, float maximum, float log_sum) {
    return f32_sub(f32_sub(f32_div(logit, temperature), maximum), log_sum);
}
