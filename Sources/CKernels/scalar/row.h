// The scalar row: the reference that every other row must equal.
#ifndef CK_SCALAR_ROW_H
#define CK_SCALAR_ROW_H

#include "../include/CKernels.h"

void scalar_round(const float *x, uint16_t *y, size_t count);
void scalar_widen(const uint16_t *x, float *y, size_t count);
void scalar_embed(const uint16_t *table, size_t width, const int32_t *tokens, size_t count, float *out);
void scalar_add(float *x, const float *y, size_t count);
void scalar_rms_norm(
    const float *x, size_t x_stride, const uint16_t *weight, float epsilon, size_t rows, size_t width, uint16_t *out,
    size_t out_stride);
void scalar_rotate(const ck_rotary_job *job);
void scalar_swiglu(
    const float *gate, const float *up, size_t in_stride, size_t rows, size_t width, uint16_t *out, size_t out_stride);
void scalar_matmul(const ck_matmul_job *job);
void scalar_attention(const ck_attention_job *job);
ck_block_sum scalar_block_sum(const float *logits, size_t count, float temperature);
void scalar_combine(const ck_block_sum *blocks, size_t count, float *maximum, float *log_sum);
bool scalar_sample(const ck_sample_job *job, ck_block_sum *sum, ck_choice *choice);
void scalar_exp(const float *x, float *y, size_t count);
void scalar_log(const float *x, float *y, size_t count);
void scalar_log1p(const float *x, float *y, size_t count);

#endif
