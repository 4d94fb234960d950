// Vectors of the matrix product and of attention.
#include <string.h>

#include "vectors.h"

static void digest_matmul(
    const ck_row *row, digest *d, size_t rows, size_t k, size_t n, input_kind kind, uint32_t stream, bool biased,
    bool accumulate
) {
    enum { MOST_ROWS = 9, MOST_K = 71, MOST_N = 101 };
    uint16_t x[MOST_ROWS * MOST_K], w[MOST_N * MOST_K];
    _Alignas(64) uint16_t packed[3 * 36 * 2 * CK_PANEL_COLUMNS];
    float bias[MOST_N], y[MOST_ROWS * MOST_N];
    fill_bf16(x, rows * k, kind, stream);
    fill_bf16(w, n * k, kind, stream + 1);
    fill(bias, n, kind, stream + 2);
    fill(y, rows * n, kind, stream + 3);
    memset(packed, 0, sizeof packed);
    ck_pack_rows(w, k, n, k, packed, 0);
    ck_matmul_job job = {
        .x = x, .x_stride = k, .rows = rows, .k = k, .panels = packed, .columns = n, .out = y, .out_stride = n,
        .bias = biased ? bias : NULL, .accumulate = accumulate,
    };
    row->matmul(&job);
    digest_bytes(d, y, rows * n * sizeof *y);
}

void vector_matmul(const ck_row *row, digest *d) {
    digest_matmul(row, d, 9, 70, 101, INPUT_PLAIN, 200, false, false);
    digest_matmul(row, d, 1, 71, 101, INPUT_PLAIN, 210, true, true);
    digest_matmul(row, d, 7, 33, 48, INPUT_WIDE, 220, true, true);
    digest_matmul(row, d, 6, 48, 49, INPUT_SMALL, 230, false, false);
    digest_matmul(row, d, 5, 31, 17, INPUT_DENORMAL, 240, true, true);
}

// A bias without a residual, as q, k, v, gate and up have it, and a residual without a bias.
void vector_matmul_bias(const ck_row *row, digest *d) {
    digest_matmul(row, d, 9, 64, 101, INPUT_PLAIN, 250, true, false);
    digest_matmul(row, d, 1, 35, 101, INPUT_LOGITS, 260, true, false);
    digest_matmul(row, d, 3, 70, 99, INPUT_SMALL, 270, true, false);
    digest_matmul(row, d, 8, 16, 48, INPUT_DENORMAL, 280, true, false);
    digest_matmul(row, d, 7, 70, 97, INPUT_PLAIN, 290, false, true);
}

// Chains that end within a rounding of 2^-126, where x86 and Arm disagree about what is tiny (rule 1): a product of
// 2^-126 and one of (i - 16) * 2^-151, in both orders.
void vector_matmul_boundary(const ck_row *row, digest *d) {
    enum { CASES = 32, K = 4 };
    uint16_t x[K] = {0x2000, 0x1a00, 0x2000, 0x1a00};  // 2^-63, 2^-75, 2^-63, 2^-75
    uint16_t w[2 * CASES * K];
    _Alignas(64) uint16_t packed[2 * (K / 2) * 2 * CK_PANEL_COLUMNS];
    float y[2 * CASES];
    memset(w, 0, sizeof w);
    for (int i = 0; i < CASES; i++) {
        uint16_t small = ck_round(((float)i - 16) * 0x1p-76f);
        uint16_t *even_last = w + i * K, *odd_last = w + (CASES + i) * K;
        even_last[0] = 0x2000, even_last[1] = small;    // 2^-126 arrives on top of the small product
        odd_last[0] = 0x2000, odd_last[3] = small;      // the small product arrives on top of 2^-126
    }
    memset(packed, 0, sizeof packed);
    ck_pack_rows(w, K, 2 * CASES, K, packed, 0);
    ck_matmul_job job = {
        .x = x, .x_stride = K, .rows = 1, .k = K, .panels = packed, .columns = 2 * CASES, .out = y,
        .out_stride = 2 * CASES,
    };
    row->matmul(&job);
    digest_bytes(d, y, sizeof y);
}

// A low-rank adapter merged into a base (rule 16): products of both ranks' parities, scales that round and that do not,
// empty factors, and changes within a rounding of 2^-126.
void vector_merge(const ck_row *row, digest *d) {
    enum { OUT = 5, IN = 53, MOST_RANK = 6 };
    static const size_t ranks[] = {1, 4, 6};
    static const float scales[] = {2.0f, 0x1.555556p-2f, 0x1p-63f};
    uint16_t base[OUT * IN], up[OUT * MOST_RANK], down[IN * MOST_RANK], merged[OUT * IN];
    _Alignas(64) uint16_t packed[2 * (MOST_RANK / 2) * 2 * CK_PANEL_COLUMNS];
    float product[OUT * IN];
    for (uint32_t k = 0; k < 3; k++) {
        size_t rank = ranks[k];
        input_kind kind = k == 2 ? INPUT_DENORMAL : INPUT_PLAIN;
        fill_bf16(base, OUT * IN, kind, 250 + 3 * k);
        fill_bf16(up, OUT * rank, kind, 251 + 3 * k);
        fill_bf16(down, IN * rank, kind, 252 + 3 * k);
        for (size_t i = 0; i < rank; i++) up[i] = 0;
        for (size_t i = 0; i < IN; i += 5) base[i] = 0x8000;
        memset(packed, 0, sizeof packed);
        ck_pack_rows(down, rank, IN, rank, packed, 0);
        ck_matmul_job job = {
            .x = up, .x_stride = rank, .rows = OUT, .k = rank, .panels = packed, .columns = IN, .out = product,
            .out_stride = IN,
        };
        row->matmul(&job);
        // Scaled by 2^-63, these lie around 2^-126.
        for (int i = 0; i < 32; i++) product[IN + i] = 0x1p-63f * (1 + (float)(i - 16) * 0x1p-24f);
        ck_merge(base, product, scales[k], merged, OUT * IN);
        digest_bytes(d, merged, sizeof merged);
    }
}

static void digest_attention(
    const ck_row *row, digest *d, size_t rows, size_t first, size_t group, size_t dimension, size_t window,
    input_kind kind, uint32_t stream
) {
    enum { PAGES = 4, MOST_DIMENSION = 80, MOST_ROWS = 5, MOST_GROUP = 3 };
    _Alignas(64) uint16_t pages[PAGES][2 * CK_PAGE_POSITIONS * MOST_DIMENSION];
    uint16_t query[MOST_ROWS * MOST_GROUP * MOST_DIMENSION], out[MOST_ROWS * MOST_GROUP * MOST_DIMENSION];
    _Alignas(64) float scratch[CK_ATTENTION_VECTORS * (PAGES * CK_PAGE_POSITIONS + MOST_DIMENSION)];
    const uint16_t *table[PAGES];
    uint16_t line[MOST_DIMENSION];
    size_t panel = ck_page_panel_count(dimension);
    memset(pages, 0, sizeof pages);
    for (size_t p = 0; p < PAGES; p++) table[p] = pages[p];
    for (size_t position = 0; position < first + rows; position++) {
        uint16_t *page = pages[position / CK_PAGE_POSITIONS];
        size_t slot = position % CK_PAGE_POSITIONS;
        fill_bf16(line, dimension, kind, stream + (uint32_t)position);
        ck_write_key(page, dimension, slot, line);
        fill_bf16(line, dimension, kind, stream + 1000 + (uint32_t)position);
        ck_write_value(page + panel, dimension, slot, line);
    }
    fill_bf16(query, rows * group * dimension, kind, stream + 2000);
    ck_attention_segment segment = {.pages = table, .rows = rows, .first_position = first};
    ck_attention_job job = {
        .segments = &segment, .segment_count = 1, .query = query, .query_stride = group * dimension, .out = out,
        .out_stride = group * dimension, .group = group, .head_dimension = dimension, .window = window,
        .scale = 0.25f, .key_offset = 0, .value_offset = panel, .scratch = scratch,
    };
    row->attention(&job);
    digest_bytes(d, out, rows * group * dimension * sizeof *out);
}

void vector_attention(const ck_row *row, digest *d) {
    digest_attention(row, d, 5, 0, 2, 16, 0, INPUT_PLAIN, 3000);
    digest_attention(row, d, 3, 42, 3, 64, 0, INPUT_PLAIN, 6000);
    digest_attention(row, d, 1, 50, 1, 80, 0, INPUT_LOGITS, 9000);
    digest_attention(row, d, 5, 37, 2, 34, 21, INPUT_PLAIN, 12000);
    digest_attention(row, d, 4, 5, 1, 16, 0, INPUT_DENORMAL, 15000);
}

// Windows of one position, of whole pages and across their borders, longer than the text, and around a decoded row.
void vector_attention_window(const ck_row *row, digest *d) {
    static const size_t windows[] = {1, 2, 15, 16, 17, 31, 32, 33, 64};
    for (uint32_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
        digest_attention(row, d, 5, 43, 3, 32, windows[i], INPUT_PLAIN, 20000 + 4000 * i);
        digest_attention(row, d, 1, 47, 2, 18, windows[i], INPUT_LOGITS, 60000 + 4000 * i);
        digest_attention(row, d, 4, 14, 1, 16, windows[i], INPUT_PLAIN, 100000 + 4000 * i);
    }
}
