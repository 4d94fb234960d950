// Vectors of the operations that take one pass over their inputs.
#include "vectors.h"

#define COUNT 333
static const input_kind kinds[] = {INPUT_PLAIN, INPUT_LOGITS, INPUT_WIDE, INPUT_SMALL, INPUT_DENORMAL};
#define KINDS (sizeof kinds / sizeof kinds[0])

void vector_round(const ck_row *row, digest *d) {
    float x[COUNT];
    uint16_t y[COUNT];
    for (uint32_t k = 0; k < KINDS; k++) {
        fill(x, COUNT, kinds[k], k);
        row->round(x, y, COUNT);
        digest_bytes(d, y, sizeof y);
    }
}

void vector_widen(const ck_row *row, digest *d) {
    uint16_t x[COUNT];
    float y[COUNT];
    for (uint32_t k = 0; k < KINDS; k++) {
        fill_bf16(x, COUNT, kinds[k], 10 + k);
        row->widen(x, y, COUNT);
        digest_bytes(d, y, sizeof y);
    }
}

void vector_embed(const ck_row *row, digest *d) {
    uint16_t table[7 * 37];
    float y[5 * 37];
    const int32_t tokens[5] = {6, 0, 3, 3, 1};
    fill_bf16(table, 7 * 37, INPUT_PLAIN, 20);
    row->embed(table, 37, tokens, 5, y);
    digest_bytes(d, y, sizeof y);
}

void vector_add(const ck_row *row, digest *d) {
    float x[COUNT], y[COUNT];
    for (uint32_t k = 0; k < KINDS; k++) {
        fill(x, COUNT, kinds[k], 30 + k);
        fill(y, COUNT, kinds[k], 40 + k);
        row->add(x, y, COUNT);
        digest_bytes(d, x, sizeof x);
    }
}

void vector_rms_norm(const ck_row *row, digest *d) {
    enum { ROWS = 3, WIDTH = 75 };
    float x[ROWS * WIDTH];
    uint16_t w[WIDTH], y[ROWS * WIDTH];
    for (uint32_t k = 0; k < KINDS; k++) {
        fill(x, ROWS * WIDTH, kinds[k], 50 + k);
        fill_bf16(w, WIDTH, kinds[k] == INPUT_WIDE ? INPUT_PLAIN : kinds[k], 60 + k);
        row->rms_norm(x, WIDTH, w, 1e-6f, ROWS, WIDTH, y, WIDTH);
        digest_bytes(d, y, sizeof y);
    }
}

void vector_swiglu(const ck_row *row, digest *d) {
    float gate[COUNT], up[COUNT];
    uint16_t y[COUNT];
    for (uint32_t k = 0; k < KINDS; k++) {
        fill(gate, COUNT, kinds[k], 70 + k);
        fill(up, COUNT, kinds[k] == INPUT_WIDE ? INPUT_PLAIN : kinds[k], 80 + k);
        // Gates of 2 * 2^-63 * (1 - a) times 2^-63 * (1 + a): products in a row around 2^-126.
        for (int i = 0; i < 64; i++) {
            gate[i] = 0x1p-62f * (1 - (float)i * 0x1p-16f);
            up[i] = 0x1p-63f * (1 + (float)i * 0x1p-16f);
        }
        row->swiglu(gate, up, COUNT, 1, COUNT, y, COUNT);
        digest_bytes(d, y, sizeof y);
    }
}

void vector_rotate(const ck_row *row, digest *d) {
    enum { ROWS = 4, HEADS = 2, DIMENSION = 44, POSITIONS = 9 };
    static const int32_t positions[ROWS] = {8, 0, 3, 7};
    float x[ROWS * HEADS * DIMENSION];
    float inverse[DIMENSION / 2], cosines[POSITIONS * DIMENSION / 2], sines[POSITIONS * DIMENSION / 2];
    uint16_t weight[DIMENSION], y[ROWS * HEADS * DIMENSION];
    ck_inverse_frequencies(1e4, DIMENSION, inverse);
    for (uint32_t p = 0; p < POSITIONS; p++) {
        size_t at = p * DIMENSION / 2;
        ck_rotary_row(inverse, DIMENSION / 2, p * p * p, cosines + at, sines + at);
    }
    for (uint32_t k = 0; k < KINDS; k++) {
        fill(x, ROWS * HEADS * DIMENSION, kinds[k], 90 + k);
        fill_bf16(weight, DIMENSION, INPUT_PLAIN, 95 + k);
        ck_rotary_job job = {
            .x = x, .x_stride = HEADS * DIMENSION, .out = y, .out_stride = HEADS * DIMENSION, .rows = ROWS,
            .heads = HEADS, .head_dimension = DIMENSION, .norm_weight = NULL, .epsilon = 1e-6f,
            .positions = positions, .cosines = cosines, .sines = sines,
        };
        row->rotate(&job);
        digest_bytes(d, y, sizeof y);
        job.norm_weight = weight;
        row->rotate(&job);
        digest_bytes(d, y, sizeof y);
    }
}

// exp, log and log1p over their whole ranges, edges included.
void vector_exp(const ck_row *row, digest *d) {
    static const float edges[8] = {-87.33f, -87.330009f, 88.0f, 88.00001f, 0.0f, -0.0f, -200.0f, 200.0f};
    float x[1024];
    for (int i = 0; i < 1024; i++) x[i] = i < 8 ? edges[i] : input_float(INPUT_LOGITS, 100, (uint32_t)i) * 6;
    row->exp(x, x, 1024);
    digest_bytes(d, x, sizeof x);
    fill(x, 1024, INPUT_DENORMAL, 101);
    row->exp(x, x, 1021);
    digest_bytes(d, x, sizeof x);
}

void vector_log(const ck_row *row, digest *d) {
    float x[1024];
    for (int i = 0; i < 1024; i++) {
        uint32_t word = input_word(110, (uint32_t)i);
        x[i] = i < 512 ? float_of(word % 0x7f000000u) : 0.5f + (float)(word >> 8) * 0x1p-24f;
    }
    row->log(x, x, 1021);
    digest_bytes(d, x, sizeof x);
}

void vector_log1p(const ck_row *row, digest *d) {
    float x[1024];
    for (int i = 0; i < 1024; i++) {
        uint32_t word = input_word(120, (uint32_t)i);
        x[i] = -float_of((word & 0x007fffffu) | (94 + word % 33) << 23);  // (-1, -2^-33]
    }
    row->log1p(x, x, 1021);
    digest_bytes(d, x, sizeof x);
}
