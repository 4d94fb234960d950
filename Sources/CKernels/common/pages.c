// KV cache pages: 16 positions. Keys as pairs along the head dimension for 16 positions, values as pairs of positions
// along the head dimension, so that scores and weighted sums run in the matmul's order.
#include <string.h>

#include "../include/CKernels.h"

size_t ck_page_panel_count(size_t head_dimension) { return CK_PAGE_POSITIONS * head_dimension; }

void ck_write_key(uint16_t *panel, size_t head_dimension, size_t slot, const uint16_t *row) {
    for (size_t p = 0; p < head_dimension / 2; p++) {
        memcpy(panel + (p * CK_PAGE_POSITIONS + slot) * 2, row + 2 * p, 2 * sizeof *row);
    }
}

void ck_write_value(uint16_t *panel, size_t head_dimension, size_t slot, const uint16_t *row) {
    uint16_t *pairs = panel + (slot / 2) * 2 * head_dimension + slot % 2;
    for (size_t d = 0; d < head_dimension; d++) pairs[2 * d] = row[d];
}

void ck_read_key(const uint16_t *panel, size_t head_dimension, size_t slot, uint16_t *row) {
    for (size_t p = 0; p < head_dimension / 2; p++) {
        memcpy(row + 2 * p, panel + (p * CK_PAGE_POSITIONS + slot) * 2, 2 * sizeof *row);
    }
}

void ck_read_value(const uint16_t *panel, size_t head_dimension, size_t slot, uint16_t *row) {
    const uint16_t *pairs = panel + (slot / 2) * 2 * head_dimension + slot % 2;
    for (size_t d = 0; d < head_dimension; d++) row[d] = pairs[2 * d];
}

size_t ck_attention_scratch(size_t group, size_t positions) {
    size_t padded = (positions + CK_PAGE_POSITIONS) / CK_PAGE_POSITIONS * CK_PAGE_POSITIONS;
    size_t heads = group > CK_ATTENTION_TILE ? group : CK_ATTENTION_TILE;
    return heads * (padded + padded / 2 + CK_PAGE_POSITIONS);
}
