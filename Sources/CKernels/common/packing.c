// The one weight layout of all rows: panels of 48 columns, pairs along K, padded with zeros.
#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"
#include "words.h"

size_t ck_packed_count(size_t n, size_t k) {
    size_t panels = (n + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS;
    return panels * ((k + 1) / 2) * 2 * CK_PANEL_COLUMNS;
}

static uint16_t flushed(uint16_t x) { return (x & 0x7f80u) == 0 ? (uint16_t)(x & 0x8000u) : x; }

static inline __attribute__((always_inline)) void flush_words(ck_words *x) {
    *x &= ~((ck_words)((*x & 0x00007f80u) == 0) & 0x00007fffu);
    *x &= ~((ck_words)((*x & 0x7f800000u) == 0) & 0x7fff0000u);
}

// 16 rows that lie in one panel, 16 pairs at a time; returns the first pair that is left.
static inline __attribute__((always_inline)) size_t pack_sixteen(const uint16_t *w, size_t stride, size_t k, uint16_t *target) {
    size_t p = 0;
    for (; 2 * p + 32 <= k; p += 16) {
        ck_words tile[16];
        for (size_t r = 0; r < 16; r++) {
            memcpy(&tile[r], w + r * stride + 2 * p, sizeof tile[r]);
            flush_words(&tile[r]);
        }
        ck_transpose_words(tile);
        for (size_t i = 0; i < 16; i++) memcpy(target + (p + i) * 2 * CK_PANEL_COLUMNS, &tile[i], sizeof tile[i]);
    }
    return p;
}

// Compiled twice on x86, because packing is the last step of every optimizer update and of every start.
#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("avx2", "default")))
#endif
void ck_pack_rows(const uint16_t *w, size_t stride, size_t n, size_t k, uint16_t *packed, size_t first_row) {
    size_t pairs = (k + 1) / 2;
    for (size_t r = 0; r < n;) {
        size_t row = first_row + r, first_pair = 0, rows = 1;
        uint16_t *panel = packed
            + ((row / CK_PANEL_COLUMNS) * pairs * CK_PANEL_COLUMNS + row % CK_PANEL_COLUMNS) * 2;
        if (row % 16 == 0 && r + 16 <= n) {
            rows = 16;
            first_pair = pack_sixteen(w + r * stride, stride, k, panel);
        }
        for (size_t i = 0; i < rows; i++) {
            const uint16_t *source = w + (r + i) * stride;
            uint16_t *target = panel + 2 * i + first_pair * 2 * CK_PANEL_COLUMNS;
            for (size_t p = first_pair; p < pairs; p++, target += 2 * CK_PANEL_COLUMNS) {
                target[0] = flushed(source[2 * p]);
                target[1] = 2 * p + 1 < k ? flushed(source[2 * p + 1]) : 0;
            }
        }
        r += rows;
    }
}
uint16_t ck_packed_element(const uint16_t *packed, size_t k, size_t row, size_t column) {
    size_t pairs = (k + 1) / 2;
    size_t panel = row / CK_PANEL_COLUMNS;
    return packed[((panel * pairs + column / 2) * CK_PANEL_COLUMNS + row % CK_PANEL_COLUMNS) * 2 + column % 2];
}
