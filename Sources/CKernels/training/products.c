// Operands of backward products for the canonical bf16 kernels: derivatives are rounded once, and both factors are laid
// out as `matmul` reads them, pairs along the summed dimension.
#include "../include/CKernels.h"
#include "../include/CKernelsTraining.h"
#include "training_common.h"

typedef uint32_t training_words __attribute__((vector_size(64), aligned(4)));

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

TRAINING_INLINE uint32_t rounded_bits(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
}

// Pairs of two rows at 16 columns: the even row in the low halves.
TRAINING_INLINE void round_pairs(const float *even, const float *odd, training_words *result) {
    training_words low, high;
    memcpy(&low, even, sizeof low);
    memcpy(&high, odd, sizeof high);
    low = (low + 0x7FFFu + ((low >> 16) & 1u)) >> 16;
    high = (high + 0x7FFFu + ((high >> 16) & 1u)) >> 16;
    *result = low | high << 16;
}

#define LOW_HALVES 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_HALVES 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

// 16 vectors of 16 words, rows to columns: four rounds of riffling vector i with vector i + 8.
TRAINING_INLINE void transpose_words(training_words *rows) {
    training_words other[16];
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < 8; i++) {
            other[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], LOW_HALVES);
            other[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 8], HIGH_HALVES);
        }
        memcpy(rows, other, sizeof other);
    }
}

TRAINING_CLONES void ck_training_round_transposed(
    const float *source, size_t stride, size_t rows, size_t first_column, size_t last_column, uint16_t *target,
    size_t target_stride) {
    enum { block_rows = 32, block_columns = 16 };
    size_t row = 0;
    for (; row + block_rows <= rows; row += block_rows) {
        size_t column = first_column;
        for (; column + block_columns <= last_column; column += block_columns) {
            training_words words[16];
            for (size_t p = 0; p < 16; p++) {
                const float *even = source + (row + 2 * p) * stride + column;
                round_pairs(even, even + stride, &words[p]);
            }
            transpose_words(words);
            for (size_t c = 0; c < block_columns; c++)
                memcpy(target + (column + c) * target_stride + row, &words[c], sizeof words[c]);
        }
        for (; column < last_column; column++)
            for (size_t r = row; r < row + block_rows; r++)
                target[column * target_stride + r] = (uint16_t)rounded_bits(source[r * stride + column]);
    }
    for (; row < rows; row++)
        for (size_t column = first_column; column < last_column; column++)
            target[column * target_stride + row] = (uint16_t)rounded_bits(source[row * stride + column]);
}

TRAINING_CLONES void ck_training_add_columns(
    const float *source, size_t stride, size_t rows, size_t count, float *sums) {
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < count; column++) sums[column] += source[row * stride + column];
}
