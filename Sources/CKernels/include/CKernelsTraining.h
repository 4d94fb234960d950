// Arithmetic that only training needs: derivatives of the canonical operations, and the optimizer.
//
// Nothing here is committed to or replayed by others, so it is free to be fast: sums may be reassociated and
// multiply-adds contracted (adamw.c excepted, which is elementwise and the same everywhere). Every function is
// single-threaded and deterministic for one machine; callers parallelise over independent data.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// target[i] = the float of the bf16 bits source[i].
void ck_training_widen(const uint16_t *source, float *target, size_t count);

/// target[i] += source[i].
void ck_training_add(float *target, const float *source, size_t count);

/// The sum of squares in double.
double ck_training_sum_of_squares(const float *values, size_t count);

/// sums[c] += Σ source[r, c] over `rows` rows, ascending: the derivative of a bias.
void ck_training_add_columns(const float *source, size_t stride, size_t rows, size_t count, float *sums);

/// Packs the transpose of a row-major bf16 matrix [k, n] for `matmul` (its panels hold n features summed over k), pairs
/// first_pair ..< last_pair of the (k + 1) / 2 along k. Padding becomes zero.
void ck_training_pack_transposed(
    const uint16_t *source, size_t stride, size_t k, size_t n, size_t first_pair, size_t last_pair, uint16_t *packed);

/// Packs the transpose of `rows` rows of a packed matrix with rows of length `k`, from `first_row` on: the result has `k`
/// rows and sums over `rows`. Pairs first_pair ..< last_pair of the (rows + 1) / 2 are written; padding becomes zero.
void ck_training_transpose_panels(
    const uint16_t *packed, size_t k, size_t first_row, size_t rows, size_t first_pair, size_t last_pair,
    uint16_t *transposed);

/// sums[r] += Σ source[r, i] over `count` bf16 values, for `rows` rows: the derivative of a bias from a transposed
/// derivative.
void ck_training_add_row_sums(const uint16_t *source, size_t stride, size_t rows, size_t count, float *sums);

/// rounded[r, c] = transposed[c, r] = bf16(source[r, c]) for rows first_row ..< last_row, first_row a multiple of 32;
/// finite input. `transposed_stride` is a multiple of 32 too: columns are written 32 rows at a time, zeros at the end.
void ck_training_round_both(
    const float *source, size_t stride, size_t first_row, size_t last_row, size_t columns, uint16_t *rounded,
    size_t rounded_stride, uint16_t *transposed, size_t transposed_stride);

/// target[c, r] = bf16(source[r, c]), for small matrices; finite input.
void ck_training_round_transposed(
    const float *source, size_t stride, size_t rows, size_t columns, uint16_t *target, size_t target_stride);

/// Backward of act = gate / (1 + exp(-gate)) · up, rounded and written as by ck_training_round_both: gate's derivatives,
/// then up's. `gate_up` holds both side by side, `output_gradient` is [rows, width].
void ck_training_swiglu_backward_rounded(
    const float *gate_up, size_t stride, const float *output_gradient, size_t first_row, size_t last_row, size_t width,
    uint16_t *rounded, size_t rounded_stride, uint16_t *transposed, size_t transposed_stride);

/// numerators[j] = bits 14 to 29 of exp(z - maximum), rounded, with z = logits / temperature, for a block of logits whose
/// largest z is `maximum`. Returns Σ exp(z - maximum) · (z - maximum), which the entropy needs; NULL keeps nothing else.
float ck_training_softmax_numerators(
    const float *logits, size_t count, float temperature, float maximum, uint16_t *_Nullable numerators);

/// factors[r] · numerators[r, j], rounded and written as by ck_training_round_both.
void ck_training_softmax_backward(
    const uint16_t *numerators, size_t stride, const float *factors, size_t first_row, size_t last_row, size_t count,
    uint16_t *rounded, size_t rounded_stride, uint16_t *transposed, size_t transposed_stride);

/// Backward of y = x · r · w with r = 1/sqrt(mean(x²) + eps), per row of `width`.
/// `input_gradient` is overwritten, or added to when `accumulate` is not 0. `weight_gradient` is always added to.
/// `output_gradient` and `input_gradient` may be the same rows when `accumulate` is 0.
void ck_training_rms_norm_backward(
    const float *input, const float *weight, float epsilon, const float *output_gradient, float *input_gradient,
    float *weight_gradient, size_t rows, size_t width, int accumulate);

/// Backward of the half-split rotation, in place over `gradient` [heads, width] of one token.
/// `cosines` and `sines` hold width/2 values for the token's position.
void ck_training_rotary_backward(
    float *gradient, const float *cosines, const float *sines, size_t heads, size_t width);

/// Backward of act = gate / (1 + exp(-gate)) · up, elementwise.
void ck_training_swiglu_backward(
    const float *gate, const float *up, const float *output_gradient, float *gate_gradient, float *up_gradient,
    size_t count);

/// Floats of scratch that `ck_training_attention_backward` needs.
size_t ck_training_attention_scratch(size_t length, size_t width);

/// Backward of causal attention over one short sequence; rows are bf16 as the forward pass saw them.
/// query and output_gradient are [length, heads · width], key and value [length, key_value_heads · width].
/// The three gradients are overwritten; their rows lie `gradient_stride` floats apart.
void ck_training_attention_backward(
    const uint16_t *query, const uint16_t *key, const uint16_t *value, const float *output_gradient,
    float *query_gradient, float *key_gradient, float *value_gradient, size_t gradient_stride, size_t length,
    size_t heads, size_t key_value_heads, size_t width, float scale, float *scratch);

/// The elementwise part of attention backward for a block of query rows of one head.
/// On entry `scores` holds q·k (unscaled) and `slopes` the derivatives of the probabilities, both [rows, stride] with
/// `keys` columns; row r is the query at position first + r and sees keys up to first + r, the last `window` of them
/// (0: all). On exit `scores` holds the rounded probabilities of the forward pass and `slopes` the derivatives of q·k;
/// masked columns are 0.
void ck_training_attention_rows(
    float *scores, float *slopes, size_t rows, size_t first, size_t keys, size_t stride, size_t window, float scale);

/// Turns one row of logits into the derivative of `slope` · log p(target) with p = softmax(logits / temperature).
/// Returns the entropy of p in nats. A slope of 0 leaves zeros.
float ck_training_log_softmax_backward(
    float *logits, size_t count, size_t target, float temperature, float slope);

/// What AdamW needs for one step, computed in double by the caller and rounded once.
typedef struct {
    float decay;            // 1 - learning rate * weight decay
    float step;             // learning rate / (1 - beta1^t)
    float rest1;            // 1 - beta1
    float beta2;
    float rest2;            // 1 - beta2
    float root;             // sqrt(1 - beta2^t)
    float epsilon;
    float gradient_scale;
} ck_training_adamw_settings;

/// One AdamW step with decoupled weight decay, in the order of torch.optim.AdamW:
/// g = gradient * gradient_scale; m += (g - m) * rest1; v = v * beta2 + g^2 * rest2;
/// p = p * decay - step * m / (sqrt(v) / root + epsilon).
void ck_training_adamw(
    float *parameters, const float *gradients, float *first_moments, float *second_moments, size_t count,
    const ck_training_adamw_settings *settings);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
