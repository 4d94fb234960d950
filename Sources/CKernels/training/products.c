// Operands of backward products for the canonical bf16 kernels: factors laid out as `matmul` reads them, pairs along the
// summed dimension.
#include "../include/CKernels.h"
#include "../include/CKernelsTraining.h"
#include "tiles.h"

TRAINING_CLONES void ck_training_pack_transposed(
    const uint16_t *source, size_t stride, size_t k, size_t n, size_t first_pair, size_t last_pair, uint16_t *packed) {
    size_t pairs = (k + 1) / 2;
    for (size_t column = 0; column < n; column += CK_PANEL_COLUMNS) {
        size_t width = n - column < CK_PANEL_COLUMNS ? n - column : CK_PANEL_COLUMNS;
        uint16_t *panel = packed + column * pairs * 2;
        for (size_t pair = first_pair; pair < last_pair; pair++) {
            const uint16_t *even = source + 2 * pair * stride + column;
            uint16_t *target = panel + pair * 2 * CK_PANEL_COLUMNS;
            if (width == CK_PANEL_COLUMNS && 2 * pair + 1 < k) {
                const uint16_t *odd = even + stride;
                for (size_t c = 0; c < CK_PANEL_COLUMNS; c++) {
                    uint32_t word = (uint32_t)even[c] | (uint32_t)odd[c] << 16;
                    memcpy(target + 2 * c, &word, sizeof word);
                }
            } else {
                for (size_t c = 0; c < CK_PANEL_COLUMNS; c++) {
                    target[2 * c] = c < width ? even[c] : 0;
                    target[2 * c + 1] = c < width && 2 * pair + 1 < k ? even[stride + c] : 0;
                }
            }
        }
    }
}

// The words (pairs along k) of 16 packed rows from `row` on, a multiple of 16: one vector every CK_PANEL_COLUMNS words.
TRAINING_INLINE const uint16_t *packed_words(const uint16_t *packed, size_t k, size_t row) {
    return packed + ((row / CK_PANEL_COLUMNS) * ((k + 1) / 2) * CK_PANEL_COLUMNS + row % CK_PANEL_COLUMNS) * 2;
}

#define EVEN_WORDS 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_WORDS 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31

// 32 packed rows and 16 columns: from pairs of columns to pairs of rows.
TRAINING_INLINE void transpose_tile(const uint16_t *low, const uint16_t *high, uint16_t *target) {
    ck_words tile[16];
    for (size_t p = 0; p < 8; p++) {
        ck_words a, b;
        memcpy(&a, low + p * 2 * CK_PANEL_COLUMNS, sizeof a);
        memcpy(&b, high + p * 2 * CK_PANEL_COLUMNS, sizeof b);
        ck_words even = __builtin_shufflevector(a, b, EVEN_WORDS);
        ck_words odd = __builtin_shufflevector(a, b, ODD_WORDS);
        tile[2 * p] = (even & 0xFFFFu) | odd << 16;
        tile[2 * p + 1] = even >> 16 | (odd & 0xFFFF0000u);
    }
    ck_transpose_words(tile);
    for (size_t q = 0; q < 16; q++) memcpy(target + q * 2 * CK_PANEL_COLUMNS, &tile[q], sizeof tile[q]);
}

// One pair of rows of a panel of columns, element by element; what does not exist is zero.
static void transpose_pair(
    const uint16_t *packed, size_t k, size_t first_row, size_t rows, size_t pair, size_t first_column,
    uint16_t *target) {
    for (size_t c = 0; c < tile_columns; c++)
        for (size_t half = 0; half < 2; half++) {
            size_t row = 2 * pair + half, column = first_column + c;
            target[2 * c + half] =
                row < rows && column < k ? ck_packed_element(packed, k, first_row + row, column) : 0;
        }
}

TRAINING_CLONES void ck_training_transpose_panels(
    const uint16_t *packed, size_t k, size_t first_row, size_t rows, size_t first_pair, size_t last_pair,
    uint16_t *transposed) {
    size_t padded = (k + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS * CK_PANEL_COLUMNS;
    size_t panel = (rows + 1) / 2 * 2 * CK_PANEL_COLUMNS;
    for (size_t pair = first_pair; pair < last_pair;) {
        int whole = first_row % 16 == 0 && pair + 16 <= last_pair && 2 * pair + 32 <= rows;
        size_t row = first_row + 2 * pair, step = whole ? 16 : 1;
        for (size_t column = 0; column < padded; column += tile_columns) {
            uint16_t *target = transposed + column / CK_PANEL_COLUMNS * panel
                + (pair * CK_PANEL_COLUMNS + column % CK_PANEL_COLUMNS) * 2;
            size_t offset = column / 2 * 2 * CK_PANEL_COLUMNS;
            if (whole && column + tile_columns <= k) {
                transpose_tile(
                    packed_words(packed, k, row) + offset, packed_words(packed, k, row + 16) + offset, target);
                continue;
            }
            for (size_t p = 0; p < step; p++)
                transpose_pair(
                    packed, k, first_row, rows, pair + p, column, target + p * 2 * CK_PANEL_COLUMNS);
        }
        pair += step;
    }
}

TRAINING_CLONES void ck_training_add_columns(
    const float *source, size_t stride, size_t rows, size_t count, float *sums) {
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < count; column++) sums[column] += source[row * stride + column];
}

TRAINING_CLONES void ck_training_add_row_sums(
    const uint16_t *source, size_t stride, size_t rows, size_t count, float *sums) {
#pragma clang fp reassociate(on)
    for (size_t row = 0; row < rows; row++) {
        float sum = 0;
        for (size_t i = 0; i < count; i++) sum += training_widen_one(source[row * stride + i]);
        sums[row] += sum;
    }
}
