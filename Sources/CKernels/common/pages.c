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
    uint16_t *pairs = panel + (slot / 2) * 2 * head_dimension;
    for (size_t d = 0; d < head_dimension; d++) {
        uint32_t pair = 0;
        if (slot % 2) memcpy(&pair, pairs + 2 * d, sizeof pair);
        pair = slot % 2 ? (pair & 0xffff) | (uint32_t)row[d] << 16 : row[d];
        memcpy(pairs + 2 * d, &pair, sizeof pair);
    }
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

// Scores of this many floats stay in the second-level cache beside the keys and values that pass.
enum { SCORES = 98304, FEWEST_VECTORS = 8 };

static size_t padded(size_t positions) {
    return (positions + CK_PAGE_POSITIONS - 1) / CK_PAGE_POSITIONS * CK_PAGE_POSITIONS;
}

size_t ck_attention_vectors(size_t positions) {
    size_t vectors = SCORES / padded(positions + 1) / FEWEST_VECTORS * FEWEST_VECTORS;
    if (vectors > CK_ATTENTION_VECTORS) return CK_ATTENTION_VECTORS;
    return vectors < FEWEST_VECTORS ? FEWEST_VECTORS : vectors;
}

size_t ck_attention_scratch(size_t head_dimension, size_t positions) {
    // As much as any smaller number of positions needs, too.
    size_t most = CK_ATTENTION_VECTORS * padded(positions), least = FEWEST_VECTORS * padded(positions);
    size_t scores = most < SCORES ? most : least > SCORES ? least : SCORES;
    return scores + CK_ATTENTION_VECTORS * padded(head_dimension);
}
