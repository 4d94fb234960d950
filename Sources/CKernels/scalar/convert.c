// Storage conversions (rule 2) and the embedding lookup.
#include "arithmetic.h"
#include "row.h"

void scalar_round(const float *x, uint16_t *y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = round_to_bf16(x[i]);
}

void scalar_widen(const uint16_t *x, float *y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = widen_bf16(x[i]);
}

void scalar_embed(const uint16_t *table, size_t width, const int32_t *tokens, size_t count, float *out) {
    for (size_t t = 0; t < count; t++) scalar_widen(table + (size_t)tokens[t] * width, out + t * width, width);
}

uint16_t ck_round(float x) { return round_to_bf16(x); }

float ck_widen(uint16_t x) { return widen_bf16(x); }
