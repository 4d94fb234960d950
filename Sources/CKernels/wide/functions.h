// The functions of one wide row, as its table lists them.
void ROW(round)(const float *x, uint16_t *y, size_t count);
void ROW(widen)(const uint16_t *x, float *y, size_t count);
void ROW(embed)(const uint16_t *table, size_t width, const int32_t *tokens, size_t count, float *out);
void ROW(add)(float *x, const float *y, size_t count);
void ROW(rms_norm)(
    const float *x, size_t x_stride, const uint16_t *weight, float epsilon, size_t rows, size_t width, uint16_t *out,
    size_t out_stride);
void ROW(rotate)(const ck_rotary_job *job);
void ROW(swiglu)(
    const float *gate, const float *up, size_t in_stride, size_t rows, size_t width, uint16_t *out, size_t out_stride);
void ROW(matmul)(const ck_matmul_job *job);
void ROW(attention)(const ck_attention_job *job);
ck_block_sum ROW(block_sum)(const float *logits, size_t count, float temperature);
void ROW(combine)(const ck_block_sum *blocks, size_t count, float *maximum, float *log_sum);
bool ROW(sample)(const ck_sample_job *job, ck_block_sum *sum, ck_choice *choice);
void ROW(exp)(const float *x, float *y, size_t count);
void ROW(log)(const float *x, float *y, size_t count);
void ROW(log1p)(const float *x, float *y, size_t count);
