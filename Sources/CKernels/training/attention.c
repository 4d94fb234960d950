// Backward of causal attention. The forward pass multiplies values by probabilities whose numerator was rounded to
// bf16; the derivative passes straight through that rounding, and the value gradient uses the rounded probability.
#include "../include/CKernelsTraining.h"
#include "training_common.h"

// One query row: scores (q·k, unscaled) become rounded probabilities, slopes (dL/dp) become dL/d(q·k).
TRAINING_INLINE void attention_row(float *scores, float *slopes, size_t visible, size_t padded, float scale) {
#pragma clang fp reassociate(on) contract(fast)
    float maximum = scores[0] * scale;
    for (size_t j = 0; j < visible; j++) {
        scores[j] *= scale;
        maximum = __builtin_elementwise_maximum(maximum, scores[j]);
    }
    float sum = 0;
    for (size_t j = 0; j < visible; j++) {
        scores[j] = training_exp(scores[j] - maximum);
        sum += scores[j];
    }
    float inverse = 1.0f / sum, mean = 0;
    for (size_t j = 0; j < visible; j++) mean += training_round(scores[j]) * slopes[j];
    mean *= inverse;
    for (size_t j = 0; j < visible; j++) {
        slopes[j] = scores[j] * inverse * (slopes[j] - mean) * scale;
        scores[j] = training_round(scores[j]) * inverse;
    }
    for (size_t j = visible; j < padded; j++) scores[j] = slopes[j] = 0;
}

TRAINING_CLONES void ck_training_attention_rows(
    float *scores, float *slopes, size_t rows, size_t first, size_t keys, size_t stride, size_t window, float scale) {
    for (size_t row = 0; row < rows; row++) {
        size_t end = first + row + 1 < keys ? first + row + 1 : keys;
        size_t start = window && end > window ? end - window : 0;
        float *row_scores = scores + row * stride, *row_slopes = slopes + row * stride;
        for (size_t j = 0; j < start; j++) row_scores[j] = row_slopes[j] = 0;
        attention_row(row_scores + start, row_slopes + start, end - start, keys - start, scale);
    }
}

static size_t round_up_to_lanes(size_t length) { return (length + 15) & ~(size_t)15; }

size_t ck_training_attention_scratch(size_t length, size_t width) {
    size_t padded = round_up_to_lanes(length);
    return 2 * width * padded + 2 * padded + 2 * length * width + width;
}

// out[j] = Σ_d row[d] · columns[d][j] for two pairs at once, j up to `padded`.
TRAINING_INLINE void two_products(
    const float *row_a, const float *columns_a, float *out_a, const float *row_b, const float *columns_b, float *out_b,
    size_t width, size_t padded, size_t needed) {
#pragma clang fp contract(fast)
    for (size_t j = 0; j < needed; j += 16) {
        training_lanes a = {0}, b = {0};
        for (size_t d = 0; d < width; d++) {
            a += row_a[d] * *(const training_lanes *)(columns_a + d * padded + j);
            b += row_b[d] * *(const training_lanes *)(columns_b + d * padded + j);
        }
        *(training_lanes *)(out_a + j) = a;
        *(training_lanes *)(out_b + j) = b;
    }
}

TRAINING_INLINE void accumulate(float *restrict target, const float *restrict source, float factor, size_t width) {
#pragma clang fp contract(fast)
    for (size_t d = 0; d < width; d++) target[d] += factor * source[d];
}

TRAINING_CLONES void ck_training_attention_backward(
    const uint16_t *query, const uint16_t *key, const uint16_t *value, const float *output_gradient,
    float *query_gradient, float *key_gradient, float *value_gradient, size_t gradient_stride, size_t length,
    size_t heads, size_t key_value_heads, size_t width, float scale, float *scratch) {
    size_t padded = (length + 15) & ~(size_t)15;
    float *key_columns = scratch;
    float *value_columns = key_columns + width * padded;
    float *scores = value_columns + width * padded;
    float *slopes = scores + padded;
    float *key_rows = slopes + padded;
    float *query_row = key_rows + 2 * length * width;
    size_t group = heads / key_value_heads;
    size_t row_width = heads * width, cache_width = key_value_heads * width;
    memset(key_columns, 0, 2 * width * padded * sizeof(float));
    for (size_t i = 0; i < length; i++) {
        memset(query_gradient + i * gradient_stride, 0, row_width * sizeof(float));
        memset(key_gradient + i * gradient_stride, 0, cache_width * sizeof(float));
        memset(value_gradient + i * gradient_stride, 0, cache_width * sizeof(float));
    }
    for (size_t shared = 0; shared < key_value_heads; shared++) {
        for (size_t j = 0; j < length; j++) {
            for (size_t d = 0; d < width; d++) {
                float k = training_widen_one(key[j * cache_width + shared * width + d]);
                key_rows[j * width + d] = k;
                key_columns[d * padded + j] = k;
                value_columns[d * padded + j] = training_widen_one(value[j * cache_width + shared * width + d]);
            }
        }
        for (size_t head = shared * group; head < (shared + 1) * group; head++) {
            for (size_t i = 0; i < length; i++) {
                const float *out = output_gradient + i * row_width + head * width;
                float *dq = query_gradient + i * gradient_stride + head * width;
                for (size_t d = 0; d < width; d++)
                    query_row[d] = training_widen_one(query[i * row_width + head * width + d]);
                two_products(query_row, key_columns, scores, out, value_columns, slopes, width, padded, i + 1);
                attention_row(scores, slopes, i + 1, i + 1, scale);
                for (size_t j = 0; j <= i; j++) {
                    accumulate(dq, key_rows + j * width, slopes[j], width);
                    accumulate(key_gradient + j * gradient_stride + shared * width, query_row, slopes[j], width);
                    accumulate(value_gradient + j * gradient_stride + shared * width, out, scores[j], width);
                }
            }
        }
    }
}
