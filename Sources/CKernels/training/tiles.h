// Tiles of 32 rows and up to 16 columns of a derivative, rounded to bf16 and written in the two forms that its products
// read: row by row (to multiply weights) and transposed (to multiply inputs).
#pragma once

#include "../common/words.h"
#include "training_common.h"

typedef uint16_t training_halves __attribute__((vector_size(32), aligned(2)));

enum { tile_rows = 32, tile_columns = 16 };

// The places that a derivative is rounded to; strides count elements.
typedef struct training_rounded {
    uint16_t *rows;
    size_t row_stride;
    uint16_t *columns;
    size_t column_stride;
} training_rounded;

// The bf16 bits (ties to even) of 16 finite floats, in the low halves.
TRAINING_INLINE ck_words rounded_words(training_lanes x) {
    ck_words bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}

TRAINING_INLINE training_lanes load_part(const float *source, size_t columns) {
    training_lanes x = {0};
    memcpy(&x, source, columns * sizeof *source);
    return x;
}

// Writes a tile of rounded words whose first element is row `row`, column `column`. The transposed form gets all 32
// rows: its stride leaves room, and rows that do not exist are zeros in the tile.
TRAINING_INLINE void emit_tile(
    const ck_words *tile, const training_rounded *target, size_t row, size_t column, size_t rows, size_t columns) {
    ck_words pairs[16];
    for (size_t p = 0; p < 16; p++) pairs[p] = tile[2 * p] | tile[2 * p + 1] << 16;
    for (size_t r = 0; r < rows; r++) {
        training_halves halves = __builtin_convertvector(tile[r], training_halves);
        memcpy(target->rows + (row + r) * target->row_stride + column, &halves, columns * sizeof(uint16_t));
    }
    ck_transpose_words(pairs);
    for (size_t c = 0; c < columns; c++)
        memcpy(target->columns + (column + c) * target->column_stride + row, &pairs[c], sizeof pairs[c]);
}
