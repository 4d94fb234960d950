// One block of the log-sum-exp over the vocabulary (rule 8).
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
