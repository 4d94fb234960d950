// Rows of packed weights, read back: what lookup, hashing, writing and backward products need of them.
#include "../include/CKernels.h"
#include "words.h"

static const uint16_t *first_pair(const uint16_t *packed, size_t pairs, size_t row) {
    return packed + ((row / CK_PANEL_COLUMNS) * pairs * CK_PANEL_COLUMNS + row % CK_PANEL_COLUMNS) * 2;
}

// 16 rows that lie in one panel, 16 pairs at a time; returns the first pair that is left.
static inline __attribute__((always_inline)) size_t unpack_sixteen(
    const uint16_t *source, size_t k, uint16_t *out, size_t stride) {
    size_t p = 0;
    for (; 2 * p + 32 <= k; p += 16) {
        ck_words tile[16];
        for (size_t i = 0; i < 16; i++) memcpy(&tile[i], source + (p + i) * 2 * CK_PANEL_COLUMNS, sizeof tile[i]);
        ck_transpose_words(tile);
        for (size_t r = 0; r < 16; r++) memcpy(out + r * stride + 2 * p, &tile[r], sizeof tile[r]);
    }
    return p;
}

// Compiled twice on x86, as packing is: every new version of the weights is read back once, to be hashed.
#if defined(__x86_64__) && defined(__linux__)
__attribute__((target_clones("avx2", "default")))
#endif
void ck_unpack_rows(
    const uint16_t *packed, size_t k, size_t first_row, size_t n, uint16_t *out, size_t stride) {
    size_t pairs = (k + 1) / 2;
    for (size_t r = 0; r < n;) {
        size_t row = first_row + r, first = 0, rows = 1;
        const uint16_t *panel = first_pair(packed, pairs, row);
        if (row % 16 == 0 && r + 16 <= n) {
            rows = 16;
            first = unpack_sixteen(panel, k, out + r * stride, stride);
        }
        for (size_t i = 0; i < rows; i++) {
            const uint16_t *source = panel + 2 * i + first * 2 * CK_PANEL_COLUMNS;
            uint16_t *target = out + (r + i) * stride;
            for (size_t p = first; p < k / 2; p++, source += 2 * CK_PANEL_COLUMNS) {
                memcpy(target + 2 * p, source, 2 * sizeof *source);
            }
            if (k % 2 != 0) target[k - 1] = source[0];
        }
        r += rows;
    }
}

static float widened(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Packing left no denormals, so widening is a shift.
void ck_embed_packed(const uint16_t *packed, size_t k, const int32_t *tokens, size_t count, float *out) {
    size_t pairs = (k + 1) / 2;
    for (size_t t = 0; t < count; t++) {
        const uint16_t *source = first_pair(packed, pairs, (size_t)tokens[t]);
        float *target = out + t * k;
        for (size_t p = 0; p < k / 2; p++, source += 2 * CK_PANEL_COLUMNS) {
            target[2 * p] = widened(source[0]);
            target[2 * p + 1] = widened(source[1]);
        }
        if (k % 2 != 0) target[k - 1] = widened(source[0]);
    }
}
