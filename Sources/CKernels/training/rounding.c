// Derivatives rounded to bf16 where they enter products: as they come, and straight from SwiGLU's backward.
#include "../include/CKernelsTraining.h"
#include "tiles.h"

TRAINING_INLINE void round_tile(
    const float *source, size_t stride, size_t row, size_t column, size_t rows, size_t columns,
    const training_rounded *target) {
    ck_words tile[tile_rows];
    for (size_t r = 0; r < rows; r++)
        tile[r] = rounded_words(load_part(source + (row + r) * stride + column, columns));
    for (size_t r = rows; r < tile_rows; r++) tile[r] = (ck_words){0};
    emit_tile(tile, target, row, column, rows, columns);
}

TRAINING_CLONES void ck_training_round_both(
    const float *source, size_t stride, size_t first_row, size_t last_row, size_t columns, uint16_t *rounded,
    size_t rounded_stride, uint16_t *transposed, size_t transposed_stride) {
    const training_rounded target = {rounded, rounded_stride, transposed, transposed_stride};
    for (size_t row = first_row; row < last_row; row += tile_rows) {
        size_t rows = last_row - row < tile_rows ? last_row - row : tile_rows, column = 0;
        if (rows == tile_rows)
            for (; column + tile_columns <= columns; column += tile_columns)
                round_tile(source, stride, row, column, tile_rows, tile_columns, &target);
        for (; column < columns; column += tile_columns) {
            size_t width = columns - column < tile_columns ? columns - column : tile_columns;
            round_tile(source, stride, row, column, rows, width, &target);
        }
    }
}

TRAINING_CLONES void ck_training_round_transposed(
    const float *source, size_t stride, size_t rows, size_t columns, uint16_t *target, size_t target_stride) {
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++) {
            float x = training_round(source[row * stride + column]);
            uint32_t bits;
            memcpy(&bits, &x, sizeof bits);
            target[column * target_stride + row] = (uint16_t)(bits >> 16);
        }
}

TRAINING_INLINE void swiglu_tile(
    const float *gate_up, size_t stride, const float *output_gradient, size_t row, size_t column, size_t rows,
    size_t columns, size_t width, const training_rounded *target) {
    ck_words gates[tile_rows], ups[tile_rows];
    for (size_t r = 0; r < rows; r++) {
        const float *gate = gate_up + (row + r) * stride + column;
        training_lanes g = load_part(gate, columns), u = load_part(gate + width, columns);
        training_lanes d = load_part(output_gradient + (row + r) * width + column, columns);
        training_lanes sigmoid = 1.0f / (1.0f + training_exp_lanes(-g));
        gates[r] = rounded_words(d * u * sigmoid * (1.0f + g * (1.0f - sigmoid)));
        ups[r] = rounded_words(d * g * sigmoid);
    }
    for (size_t r = rows; r < tile_rows; r++) gates[r] = ups[r] = (ck_words){0};
    emit_tile(gates, target, row, column, rows, columns);
    emit_tile(ups, target, row, width + column, rows, columns);
}

TRAINING_CLONES void ck_training_swiglu_backward_rounded(
    const float *gate_up, size_t stride, const float *output_gradient, size_t first_row, size_t last_row, size_t width,
    uint16_t *rounded, size_t rounded_stride, uint16_t *transposed, size_t transposed_stride) {
    const training_rounded target = {rounded, rounded_stride, transposed, transposed_stride};
    for (size_t row = first_row; row < last_row; row += tile_rows) {
        size_t rows = last_row - row < tile_rows ? last_row - row : tile_rows, column = 0;
        for (; column + tile_columns <= width; column += tile_columns)
            swiglu_tile(gate_up, stride, output_gradient, row, column, rows, tile_columns, width, &target);
        if (column < width)
            swiglu_tile(gate_up, stride, output_gradient, row, column, rows, width - column, width, &target);
    }
}
