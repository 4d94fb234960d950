// The derivative of log-softmax over blocks of ids. What is kept of a block of logits is exp(z − the block's maximum) in
// 16 bits: half the memory of the logits. It is at most 1, so the two highest bits of its f32 form are 0; the next 16 hold
// two bits more than bf16 does, and add next to nothing to the rounding that the derivative gets in any case. The
// largest one of a block is 1 but for a rounding of the division by the temperature (16 bits hold up to 2), so nothing
// cancels where a probability is near 1. A NaN becomes some number here; its row's factor is NaN too, so the row stays one.
#include "../include/CKernelsTraining.h"
#include "tiles.h"

TRAINING_CLONES float ck_training_softmax_numerators(
    const float *logits, size_t count, float temperature, float maximum, uint16_t *numerators) {
#pragma clang fp reassociate(on) contract(fast)
    float inverse = 1.0f / temperature, weighted = 0;
    if (!numerators) {
        for (size_t j = 0; j < count; j++) {
            float z = logits[j] * inverse - maximum;
            weighted += training_exp(z) * z;
        }
        return weighted;
    }
    for (size_t j = 0; j < count; j++) {
        float z = logits[j] * inverse - maximum;
        float e = training_exp(z);
        weighted += e * z;
        uint32_t bits;
        memcpy(&bits, &e, sizeof bits);
        numerators[j] = (uint16_t)((bits + 0x1FFFu + ((bits >> 14) & 1u)) >> 14);
    }
    return weighted;
}

TRAINING_INLINE void softmax_tile(
    const uint16_t *numerators, size_t stride, const float *factors, size_t row, size_t column, size_t rows,
    size_t columns, const training_rounded *target) {
    ck_words tile[tile_rows];
    for (size_t r = 0; r < rows; r++) {
        training_halves halves = {0};
        memcpy(&halves, numerators + (row + r) * stride + column, columns * sizeof *numerators);
        ck_words bits = __builtin_convertvector(halves, ck_words) << 14;
        training_lanes e;
        memcpy(&e, &bits, sizeof e);
        tile[r] = rounded_words(e * factors[row + r]);
    }
    for (size_t r = rows; r < tile_rows; r++) tile[r] = (ck_words){0};
    emit_tile(tile, target, row, column, rows, columns);
}

TRAINING_CLONES void ck_training_softmax_backward(
    const uint16_t *numerators, size_t stride, const float *factors, size_t first_row, size_t last_row, size_t count,
    uint16_t *rounded, size_t rounded_stride, uint16_t *transposed, size_t transposed_stride) {
    const training_rounded target = {rounded, rounded_stride, transposed, transposed_stride};
    for (size_t row = first_row; row < last_row; row += tile_rows) {
        size_t rows = last_row - row < tile_rows ? last_row - row : tile_rows, column = 0;
        if (rows == tile_rows)
            for (; column + tile_columns <= count; column += tile_columns)
                softmax_tile(numerators, stride, factors, row, column, tile_rows, tile_columns, &target);
        for (; column < count; column += tile_columns) {
            size_t width = count - column < tile_columns ? count - column : tile_columns;
            softmax_tile(numerators, stride, factors, row, column, rows, width, &target);
        }
    }
}
