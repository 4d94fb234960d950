// Rows of packed weights, read back: what lookup, hashing, writing and backward products need of them.
#include "../include/CKernels.h"

static const uint16_t *first_pair(const uint16_t *packed, size_t pairs, size_t row) {
    return packed + ((row / CK_PANEL_COLUMNS) * pairs * CK_PANEL_COLUMNS + row % CK_PANEL_COLUMNS) * 2;
}

void ck_unpack_rows(
    const uint16_t *packed, size_t k, size_t first_row, size_t n, uint16_t *out, size_t stride) {
    size_t pairs = (k + 1) / 2;
    for (size_t r = 0; r < n; r++) {
        const uint16_t *source = first_pair(packed, pairs, first_row + r);
        uint16_t *target = out + r * stride;
        for (size_t p = 0; p < k / 2; p++, source += 2 * CK_PANEL_COLUMNS) {
            __builtin_memcpy(target + 2 * p, source, 2 * sizeof *source);
        }
        if (k % 2 != 0) target[k - 1] = source[0];
    }
}

static float widened(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
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
