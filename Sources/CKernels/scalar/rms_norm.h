// RMSNorm of one row (rules 4 and 5); also used per head.
#ifndef CK_SCALAR_RMS_NORM_H
#define CK_SCALAR_RMS_NORM_H

#include "arithmetic.h"

static inline void rms_norm_row(const float *x, const uint16_t *weight, float epsilon, size_t width, uint16_t *out) {
    float lanes[16] = {0};
    for (size_t i = 0; i < width; i++) lanes[i % 16] = f32_fma(x[i], x[i], lanes[i % 16]);
    float mean = f32_div(sum_of_lanes(lanes), (float)width);
    float r = f32_div(1.0f, f32_sqrt(f32_add(mean, epsilon)));
    for (size_t i = 0; i < width; i++) {
        out[i] = round_to_bf16(f32_mul(f32_mul(x[i], r), widen_bf16(weight[i])));
    }
}

#endif
