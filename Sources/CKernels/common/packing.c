// The one weight layout of all rows: panels of 48 columns, pairs along K, padded with zeros.
#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"

size_t ck_packed_count(size_t n, size_t k) {
    size_t panels = (n + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS;
    return panels * ((k + 1) / 2) * 2 * CK_PANEL_COLUMNS;
}

static uint16_t flushed(uint16_t x) { return (x & 0x7f80u) == 0 ? (uint16_t)(x & 0x8000u) : x; }

void ck_pack_rows(const uint16_t *w, size_t stride, size_t n, size_t k, uint16_t *packed, size_t first_row) {
    size_t pairs = (k + 1) / 2;
    for (size_t r = 0; r < n; r++) {
        const uint16_t *source = w + r * stride;
        size_t row = first_row + r;
        uint16_t *target = packed
            + ((row / CK_PANEL_COLUMNS) * pairs * CK_PANEL_COLUMNS + row % CK_PANEL_COLUMNS) * 2;
        for (size_t p = 0; p < pairs; p++, target += 2 * CK_PANEL_COLUMNS) {
            target[0] = flushed(source[2 * p]);
            target[1] = 2 * p + 1 < k ? flushed(source[2 * p + 1]) : 0;
        }
    }
}

uint16_t ck_packed_element(const uint16_t *packed, size_t k, size_t row, size_t column) {
    size_t pairs = (k + 1) / 2;
    size_t panel = row / CK_PANEL_COLUMNS;
    return packed[((panel * pairs + column / 2) * CK_PANEL_COLUMNS + row % CK_PANEL_COLUMNS) * 2 + column % 2];
}
