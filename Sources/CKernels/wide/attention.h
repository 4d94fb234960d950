// Attention (rule 7) for a tile of query vectors that share keys and values: rows of a prefill and heads of a group.
// Scores and weighted sums are the chains of rule 3. Masked positions carry a score of minus infinity, whose
// exponential is an exact 0, so a tile may run as far as its last row needs.

// One tile: `count` query vectors and the pages [first_page, last_page] that at least one of them sees.
typedef struct attention_tile {
    const ck_attention_job *job;
    size_t count, first_page, pages;
    const uint16_t *query[ATTENTION_ROWS];
    uint16_t *out[ATTENTION_ROWS];
    size_t first[ATTENTION_ROWS], last[ATTENTION_ROWS];  // absolute positions that each vector sees
    float *scores[ATTENTION_ROWS];
    uint16_t *weights[ATTENTION_ROWS];
    float denominator[ATTENTION_ROWS];
} attention_tile;

// Hides what a query vector does not see, and stores the scores of one page.
ALWAYS_INLINE void store_scores(const attention_tile *tile, size_t page, size_t r, lanes chain) {
    size_t position = (tile->first_page + page) * CK_PAGE_POSITIONS;
    lanes s = lanes_mul(lanes_add(chain, lanes_set(0.0f)), lanes_set(tile->job->scale));
    if (tile->last[r] < position + 15) {
        mask seen = mask_first(tile->last[r] < position ? 0 : tile->last[r] - position + 1);
        s = lanes_select(seen, s, lanes_set(-__builtin_inff()));
    }
    if (tile->first[r] > position) {
        mask hidden = mask_first(tile->first[r] - position);
        s = lanes_select(hidden, lanes_set(-__builtin_inff()), s);
    }
    lanes_store(tile->scores[r] + page * CK_PAGE_POSITIONS, s);
}

// Several pages at once where there are few query vectors: independent chains hide the latency of one.
ALWAYS_INLINE void score_pages(const attention_tile *tile, size_t page, const size_t rows, const size_t pages) {
    const ck_attention_job *job = tile->job;
    const uint16_t *keys[4];
    lanes acc[ATTENTION_ROWS][4];
    UNROLL for (size_t g = 0; g < pages; g++) {
        keys[g] = job->pages[tile->first_page + page + g] + job->key_offset;
        UNROLL for (size_t r = 0; r < rows; r++) acc[r][g] = lanes_set(0.0f);
    }
    for (size_t p = 0; p < job->head_dimension / 2; p++) {
        pairs key[4];
        UNROLL for (size_t g = 0; g < pages; g++) key[g] = pairs_load_clean(keys[g] + p * 2 * CK_PAGE_POSITIONS);
        UNROLL for (size_t r = 0; r < rows; r++) {
            pairs query = pairs_broadcast(input_pair(tile->query[r] + 2 * p));
            UNROLL for (size_t g = 0; g < pages; g++) acc[r][g] = pairs_accumulate(acc[r][g], key[g], query);
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t g = 0; g < pages; g++) store_scores(tile, page + g, r, acc[r][g]);
    }
}

ALWAYS_INLINE void score(const attention_tile *tile, const size_t rows) {
    size_t page = 0;
    for (; page + SCORE_PAGES(rows) <= tile->pages; page += SCORE_PAGES(rows)) {
        score_pages(tile, page, rows, SCORE_PAGES(rows));
    }
    for (; page < tile->pages; page++) score_pages(tile, page, rows, 1);
}

// Exponentials, their sum, and their bf16 roundings; lane = absolute position mod 16 because pages are aligned.
ALWAYS_INLINE void soften(attention_tile *tile, size_t r) {
    size_t count = tile->pages * CK_PAGE_POSITIONS;
    lanes highest = lanes_load(tile->scores[r]);
    for (size_t i = 16; i < count; i += 16) highest = lanes_max(highest, lanes_load(tile->scores[r] + i));
    lanes maximum = lanes_set(f32_add(lanes_maximum(highest), 0.0f));
    lanes sum = lanes_set(0.0f);
    for (size_t i = 0; i < count; i += 16) {
        lanes e = lanes_exp(lanes_sub(lanes_load(tile->scores[r] + i), maximum));
        sum = lanes_add(sum, e);
        lanes_store_rounded(tile->weights[r] + i, e);
    }
    tile->denominator[r] = lanes_sum(sum);
}

// `rows` weighted sums over `vectors` * 16 head dimensions from `d` on; `part` values of the last vector exist.
ALWAYS_INLINE void weigh(
    const attention_tile *tile, size_t row, size_t d, const size_t rows, const size_t vectors, size_t part
) {
    const ck_attention_job *job = tile->job;
    size_t stride = 2 * job->head_dimension;
    lanes acc[ATTENTION_ROWS][VALUE_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_set(0.0f);
    }
    for (size_t page = 0; page < tile->pages; page++) {
        const uint16_t *values = job->pages[tile->first_page + page] + job->value_offset + 2 * d;
        for (size_t j = 0; j < CK_PAGE_POSITIONS / 2; j++, values += stride) {
            pairs value[VALUE_VECTORS];
            UNROLL for (size_t v = 0; v < vectors; v++) {
                value[v] = part < 16 ? pairs_load_part(values + 32 * v, part) : pairs_load_clean(values + 32 * v);
            }
            UNROLL for (size_t r = 0; r < rows; r++) {
                const uint16_t *weight = tile->weights[row + r] + page * CK_PAGE_POSITIONS + 2 * j;
                pairs p = pairs_broadcast(input_pair(weight));
                UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = pairs_accumulate(acc[r][v], value[v], p);
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        lanes denominator = lanes_set(tile->denominator[row + r]);
        UNROLL for (size_t v = 0; v < vectors; v++) {
            lanes y = lanes_div(lanes_add(acc[r][v], lanes_set(0.0f)), denominator);
            lanes_store_rounded_part(tile->out[row + r] + d + 16 * v, part, y);
        }
    }
}

ALWAYS_INLINE void weigh_rows(const attention_tile *tile, size_t row, const size_t rows) {
    size_t dimension = tile->job->head_dimension;
    size_t d = 0;
    for (; d + 16 * VALUE_VECTORS <= dimension; d += 16 * VALUE_VECTORS) {
        weigh(tile, row, d, rows, VALUE_VECTORS, 16);
    }
    for (; d + 16 <= dimension; d += 16) weigh(tile, row, d, rows, 1, 16);
    if (d < dimension) weigh(tile, row, d, rows, 1, dimension - d);
}

static void attend_tile(attention_tile *tile) {
    switch (tile->count) {
    case 1: score(tile, 1); break;
    case 2: score(tile, 2); break;
    case 3: score(tile, 3); break;
    case 4: score(tile, 4); break;
#if ATTENTION_ROWS > 4
    case 5: score(tile, 5); break;
    case 6: score(tile, 6); break;
    case 7: score(tile, 7); break;
    case 8: score(tile, 8); break;
#endif
    }
    for (size_t r = 0; r < tile->count; r++) soften(tile, r);
    size_t row = 0;
    for (; row + 4 <= tile->count; row += 4) weigh_rows(tile, row, 4);
    switch (tile->count - row) {
    case 1: weigh_rows(tile, row, 1); break;
    case 2: weigh_rows(tile, row, 2); break;
    case 3: weigh_rows(tile, row, 3); break;
    }
}

void ROW(attention)(const ck_attention_job *job) {
    size_t vectors = job->rows * job->group;
    size_t positions = job->first_position + job->rows;
    size_t padded = (positions + CK_PAGE_POSITIONS - 1) / CK_PAGE_POSITIONS * CK_PAGE_POSITIONS;
    for (size_t begin = 0; begin < vectors; begin += ATTENTION_ROWS) {
        attention_tile tile = {.job = job};
        tile.count = vectors - begin < ATTENTION_ROWS ? vectors - begin : ATTENTION_ROWS;
        for (size_t r = 0; r < tile.count; r++) {
            size_t m = (begin + r) / job->group, h = (begin + r) % job->group;
            tile.query[r] = job->query + m * job->query_stride + h * job->head_dimension;
            tile.out[r] = job->out + m * job->out_stride + h * job->head_dimension;
            tile.last[r] = job->first_position + m;
            tile.first[r] = job->window && tile.last[r] + 1 > job->window ? tile.last[r] + 1 - job->window : 0;
            tile.scores[r] = job->scratch + r * padded;
            tile.weights[r] = (uint16_t *)(void *)(job->scratch + ATTENTION_ROWS * padded) + r * padded;
        }
        tile.first_page = tile.first[0] / CK_PAGE_POSITIONS;
        tile.pages = tile.last[tile.count - 1] / CK_PAGE_POSITIONS - tile.first_page + 1;
        attend_tile(&tile);
    }
}
