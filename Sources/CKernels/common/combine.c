// What is left of rule 8 after the blocks: a handful of scalar operations per row.
#include "../include/CKernels.h"
#include "../scalar/transcendental.h"

void ck_combine_blocks(const ck_block_sum *blocks, size_t count, float *maximum, float *log_sum) {
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
