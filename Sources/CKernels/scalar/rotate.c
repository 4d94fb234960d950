// Optional per-head RMSNorm, then rotary position embedding by halves (rules 5 and 6).
#include "rms_norm.h"
#include "row.h"

static void rotate_head(
    const float *a, const float *b, const float *cosine, const float *sine, size_t half, uint16_t *out
) {
    for (size_t i = 0; i < half; i++) {
        float first = f32_fma(a[i], cosine[i], -f32_mul(b[i], sine[i]));
        float second = f32_fma(b[i], cosine[i], f32_mul(a[i], sine[i]));
        out[i] = round_to_bf16(first);
        out[half + i] = round_to_bf16(second);
    }
}

void scalar_rotate(const ck_rotary_job *job) {
    size_t half = job->head_dimension / 2;
    for (size_t m = 0; m < job->rows; m++) {
        const float *cosine = job->cosines + (size_t)job->positions[m] * half;
        const float *sine = job->sines + (size_t)job->positions[m] * half;
        for (size_t h = 0; h < job->heads; h++) {
            const float *x = job->x + m * job->x_stride + h * job->head_dimension;
            uint16_t *out = job->out + m * job->out_stride + h * job->head_dimension;
            if (!job->norm_weight) {
                rotate_head(x, x + half, cosine, sine, half, out);
                continue;
            }
            // The normed head is rounded to bf16 in place, then read back half by half: each output element depends on
            // its own pair only, so overwriting pair by pair is safe.
            rms_norm_row(x, job->norm_weight, job->epsilon, job->head_dimension, out);
            for (size_t i = 0; i < half; i++) {
                float a = widen_bf16(out[i]), b = widen_bf16(out[half + i]);
                out[i] = round_to_bf16(f32_fma(a, cosine[i], -f32_mul(b, sine[i])));
                out[half + i] = round_to_bf16(f32_fma(b, cosine[i], f32_mul(a, sine[i])));
            }
        }
    }
}
