// Attention (rule 7) for tiles of query vectors that share keys and values: rows of a prefill, heads of a group, and
// sequences that continue one prompt. Scores and weighted sums are the chains of rule 3; a chain that goes from shared
// pages on to a sequence's own pages, or from one block of pages to the next, rests in memory in between. Masked
// positions carry a score of minus infinity, whose exponential is an exact 0, so a tile may run as far as its last
// vector needs.

// Bytes of keys or values that every tile passes before the next block of pages comes: half of a first-level cache.
#define BLOCK_BYTES 16384
// Pages between what is computed and what is fetched from memory: enough to hide its latency.
#define PAGES_AHEAD 4

// Query vectors that are scored, softened and weighed together.
typedef struct attention_span {
    const ck_attention_job *job;
    size_t count, first_page;
    size_t stride;              // floats between rows of scores
    size_t dimensions;          // floats between rows of sums
    float *scores, *sums;       // bf16 weights take the place of the scores
    const uint16_t *query[CK_ATTENTION_VECTORS];
    uint16_t *out[CK_ATTENTION_VECTORS];
    size_t first[CK_ATTENTION_VECTORS], last[CK_ATTENTION_VECTORS];  // absolute positions that each vector sees
    size_t pages[CK_ATTENTION_VECTORS];                              // the page behind the last one of its tile
    float denominator[CK_ATTENTION_VECTORS];
} attention_span;

// Panels of keys or values of the pages [from, to).
typedef struct attention_panels {
    const uint16_t *const *pages;
    size_t from, to, offset;
} attention_panels;

// Vectors of a span that see the same pages, and the panels that are read after this strip's.
typedef struct attention_strip {
    attention_span *span;
    size_t begin, end;           // vectors
    const uint16_t *const *pages;
    size_t from, to;             // pages
    attention_panels after_keys, after_values;
} attention_strip;

ALWAYS_INLINE float *score_row(const attention_span *span, size_t r) { return span->scores + r * span->stride; }

// What to fetch while `page` is computed.
ALWAYS_INLINE const uint16_t *ahead(
    const attention_strip *strip, size_t page, size_t offset, const attention_panels *after
) {
    size_t pages = strip->to - strip->from;
    size_t far = page + (pages < PAGES_AHEAD ? pages : PAGES_AHEAD);
    if (far < strip->to) return strip->pages[far] + offset;
    far = far - strip->to + after->from;
    return far < after->to ? after->pages[far] + after->offset : strip->pages[page] + offset;
}

// Hides what a query vector does not see, and stores the scores of one page.
ALWAYS_INLINE void store_scores(const attention_span *span, size_t page, size_t r, lanes chain) {
    size_t position = page * CK_PAGE_POSITIONS;
    lanes s = lanes_mul(lanes_add(chain, lanes_set(0.0f)), lanes_set(span->job->scale));
    if (span->last[r] < position + 15) {
        mask seen = mask_first(span->last[r] < position ? 0 : span->last[r] - position + 1);
        s = lanes_select(seen, s, lanes_set(-__builtin_inff()));
    }
    if (span->first[r] > position) {
        mask hidden = mask_first(span->first[r] - position);
        s = lanes_select(hidden, lanes_set(-__builtin_inff()), s);
    }
    lanes_store(score_row(span, r) + (page - span->first_page) * CK_PAGE_POSITIONS, s);
}

// Several pages at once where there are few query vectors: independent chains hide the latency of one.
ALWAYS_INLINE void score_pages(
    const attention_strip *strip, size_t row, size_t page, bool cold, const size_t rows, const size_t pages
) {
    const attention_span *span = strip->span;
    const ck_attention_job *job = span->job;
    const uint16_t *keys[4], *fetched[4];
    lanes acc[ATTENTION_ROWS][4];
    UNROLL for (size_t g = 0; g < pages; g++) {
        keys[g] = strip->pages[page + g] + job->key_offset;
        fetched[g] = cold ? ahead(strip, page + g, job->key_offset, &strip->after_keys) : keys[g];
        UNROLL for (size_t r = 0; r < rows; r++) acc[r][g] = lanes_set(0.0f);
    }
    for (size_t p = 0; p < job->head_dimension / 2; p++) {
        pairs key[4];
        UNROLL for (size_t g = 0; g < pages; g++) {
            key[g] = pairs_load_clean(keys[g] + p * 2 * CK_PAGE_POSITIONS);
            __builtin_prefetch(fetched[g] + p * 2 * CK_PAGE_POSITIONS);
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            pairs query = pairs_broadcast(input_pair(span->query[row + r] + 2 * p));
            UNROLL for (size_t g = 0; g < pages; g++) acc[r][g] = pairs_accumulate(acc[r][g], key[g], query);
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t g = 0; g < pages; g++) store_scores(span, page + g, row + r, acc[r][g]);
    }
}

ALWAYS_INLINE void score_tile(
    const attention_strip *strip, size_t row, size_t from, size_t to, bool cold, const size_t rows
) {
    for (; from + SCORE_PAGES(rows) <= to; from += SCORE_PAGES(rows)) {
        score_pages(strip, row, from, cold, rows, SCORE_PAGES(rows));
    }
    for (; from < to; from++) score_pages(strip, row, from, cold, rows, 1);
}

static void score_rows(const attention_strip *strip, size_t row, size_t rows, size_t from, size_t to, bool cold) {
    switch (rows) {
    case 1: score_tile(strip, row, from, to, cold, 1); break;
    case 2: score_tile(strip, row, from, to, cold, 2); break;
    case 3: score_tile(strip, row, from, to, cold, 3); break;
    case 4: score_tile(strip, row, from, to, cold, 4); break;
#if ATTENTION_ROWS > 4
    case 5: score_tile(strip, row, from, to, cold, 5); break;
    case 6: score_tile(strip, row, from, to, cold, 6); break;
    case 7: score_tile(strip, row, from, to, cold, 7); break;
    case 8: score_tile(strip, row, from, to, cold, 8); break;
#endif
    }
}

ALWAYS_INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

// Pages that all tiles pass together.
ALWAYS_INLINE size_t block_pages(const attention_strip *strip) {
    if (strip->end - strip->begin <= ATTENTION_ROWS) return strip->to - strip->from;
    size_t pages = BLOCK_BYTES / (2 * CK_PAGE_POSITIONS * strip->span->job->head_dimension) / 4 * 4;
    return pages > 4 ? pages : 4;
}

static void score_strip(const attention_strip *strip) {
    size_t block = block_pages(strip);
    for (size_t from = strip->from; from < strip->to; from += block) {
        for (size_t row = strip->begin; row < strip->end; row += ATTENTION_ROWS) {
            size_t to = smaller(smaller(from + block, strip->to), strip->span->pages[row]);
            score_rows(strip, row, smaller(strip->end - row, ATTENTION_ROWS), from, to, row == strip->begin);
        }
    }
}

// Exponentials, their sum, and their bf16 roundings; lane = absolute position mod 16 because pages are aligned.
ALWAYS_INLINE void soften(attention_span *span, size_t r) {
    size_t count = (span->pages[r] - span->first_page) * CK_PAGE_POSITIONS;
    const float *scores = score_row(span, r);
    // A weight is half as long as its score: what is written has been read.
    uint16_t *weights = (uint16_t *)(void *)score_row(span, r);
    lanes highest = lanes_load(scores);
    for (size_t i = 16; i < count; i += 16) highest = lanes_max(highest, lanes_load(scores + i));
    lanes maximum = lanes_set(f32_add(lanes_maximum(highest), 0.0f));
    lanes sum = lanes_set(0.0f);
    for (size_t i = 0; i < count; i += 16) {
        lanes e = lanes_exp(lanes_sub(lanes_load(scores + i), maximum));
        sum = lanes_add(sum, e);
        lanes_store_narrow(weights + i, e);
    }
    span->denominator[r] = lanes_sum(sum);
}

// `rows` weighted sums over `vectors` * 16 head dimensions from `d` on, over pages [from, to); `part` values of the last
// vector exist.
ALWAYS_INLINE void weigh(
    const attention_strip *strip, size_t row, size_t from, size_t to, bool cold, size_t d, const size_t rows,
    const size_t vectors, const size_t part
) {
    const attention_span *span = strip->span;
    const ck_attention_job *job = span->job;
    size_t stride = 2 * job->head_dimension;
    lanes acc[ATTENTION_ROWS][VALUE_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            acc[r][v] = from == span->first_page ? lanes_set(0.0f)
                                                 : lanes_load(span->sums + (row + r) * span->dimensions + d + 16 * v);
        }
    }
    size_t behind = span->last[row + rows - 1] / 2 + 1;  // pairs of positions up to the last one that is seen
    for (size_t page = from; page < to; page++) {
        const uint16_t *values = strip->pages[page] + job->value_offset + 2 * d;
        const uint16_t *fetched = cold ? ahead(strip, page, job->value_offset, &strip->after_values) + 2 * d : values;
        size_t pair = page * CK_PAGE_POSITIONS / 2;
        size_t count = behind > pair ? smaller(behind - pair, CK_PAGE_POSITIONS / 2) : 0;
        const uint16_t *weights = (const uint16_t *)(const void *)score_row(span, row)
            + (page - span->first_page) * CK_PAGE_POSITIONS;
        for (size_t j = 0; j < count; j++, values += stride, fetched += stride) {
            pairs value[VALUE_VECTORS];
            UNROLL for (size_t v = 0; v < vectors; v++) {
                value[v] = part < 16 ? pairs_load_part(values + 32 * v, part) : pairs_load_clean(values + 32 * v);
                __builtin_prefetch(fetched + 32 * v);
            }
            UNROLL for (size_t r = 0; r < rows; r++) {
                pairs p = pairs_broadcast(input_pair(weights + r * 2 * span->stride + 2 * j));
                UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = pairs_accumulate(acc[r][v], value[v], p);
            }
        }
    }
    bool last = to == span->pages[row];
    UNROLL for (size_t r = 0; r < rows; r++) {
        lanes denominator = lanes_set(span->denominator[row + r]);
        UNROLL for (size_t v = 0; v < vectors; v++) {
            if (last) {
                lanes y = lanes_div(lanes_add(acc[r][v], lanes_set(0.0f)), denominator);
                lanes_store_rounded_part(span->out[row + r] + d + 16 * v, part, y);
            } else {
                lanes_store(span->sums + (row + r) * span->dimensions + d + 16 * v, acc[r][v]);
            }
        }
    }
}

ALWAYS_INLINE void weigh_rows(
    const attention_strip *strip, size_t row, size_t from, size_t to, bool cold, const size_t rows
) {
    size_t dimension = strip->span->job->head_dimension;
    size_t d = 0;
    for (; d + 16 * VALUE_VECTORS <= dimension; d += 16 * VALUE_VECTORS) {
        weigh(strip, row, from, to, cold, d, rows, VALUE_VECTORS, 16);
    }
    for (; d + 16 <= dimension; d += 16) weigh(strip, row, from, to, cold, d, rows, 1, 16);
    if (d < dimension) weigh(strip, row, from, to, cold, d, rows, 1, dimension - d);
}

static void weigh_tile(const attention_strip *strip, size_t row, size_t rows, size_t from, size_t to, bool cold) {
    for (; rows >= 4; row += 4, rows -= 4, cold = false) weigh_rows(strip, row, from, to, cold, 4);
    switch (rows) {
    case 1: weigh_rows(strip, row, from, to, cold, 1); break;
    case 2: weigh_rows(strip, row, from, to, cold, 2); break;
    case 3: weigh_rows(strip, row, from, to, cold, 3); break;
    }
}

static void weigh_strip(const attention_strip *strip) {
    size_t block = block_pages(strip);
    for (size_t from = strip->from; from < strip->to; from += block) {
        for (size_t row = strip->begin; row < strip->end; row += ATTENTION_ROWS) {
            size_t to = smaller(smaller(from + block, strip->to), strip->span->pages[row]);
            if (from >= to) continue;
            weigh_tile(strip, row, smaller(strip->end - row, ATTENTION_ROWS), from, to, row == strip->begin);
        }
    }
}

// Where the next query vector is.
typedef struct attention_cursor {
    size_t segment, vector;
} attention_cursor;

// Takes vectors of one segment, as many as fit.
static void take_vectors(attention_span *span, attention_cursor *cursor, size_t most) {
    const ck_attention_job *job = span->job;
    const ck_attention_segment *segment = &job->segments[cursor->segment];
    size_t all = segment->rows * job->group;
    for (; cursor->vector < all && span->count < most; cursor->vector++, span->count++) {
        size_t m = cursor->vector / job->group, h = cursor->vector % job->group, r = span->count;
        span->query[r] = job->query + (segment->first_row + m) * job->query_stride + h * job->head_dimension;
        span->out[r] = job->out + (segment->first_row + m) * job->out_stride + h * job->head_dimension;
        span->last[r] = segment->first_position + m;
        span->first[r] = job->window && span->last[r] + 1 > job->window ? span->last[r] + 1 - job->window : 0;
    }
    if (cursor->vector == all) *cursor = (attention_cursor){cursor->segment + 1, 0};
}

// A span of the next vectors: of one segment, or of several that share pages.
static void attend_span(attention_span *span, attention_cursor *cursor, size_t most) {
    const ck_attention_job *job = span->job;
    attention_strip strips[CK_ATTENTION_VECTORS];
    size_t count = 0;
    span->count = 0;
    do {
        attention_strip *strip = &strips[count++];
        *strip = (attention_strip){.span = span, .begin = span->count, .pages = job->segments[cursor->segment].pages};
        take_vectors(span, cursor, most);
        strip->end = span->count;
        strip->to = span->last[span->count - 1] / CK_PAGE_POSITIONS + 1;
    } while (job->shared_pages && span->count < most && cursor->segment < job->segment_count);
    size_t first = span->first[0];
    for (size_t s = 1; s < count; s++) first = smaller(first, span->first[strips[s].begin]);
    span->first_page = first / CK_PAGE_POSITIONS;
    size_t shared = job->shared_pages > span->first_page ? job->shared_pages : span->first_page;
    for (size_t s = 0; s < count; s++) {
        attention_strip *strip = &strips[s];
        strip->from = shared;
        for (size_t row = strip->begin; row < strip->end; row += ATTENTION_ROWS) {
            size_t end = smaller(row + ATTENTION_ROWS, strip->end);
            size_t pages = span->last[end - 1] / CK_PAGE_POSITIONS + 1;
            for (size_t r = row; r < end; r++) span->pages[r] = pages;
        }
        attention_panels keys = {strip->pages, strip->from, strip->to, job->key_offset};
        attention_panels values = {strip->pages, strip->from, strip->to, job->value_offset};
        if (s > 0) strips[s - 1].after_keys = keys, strips[s - 1].after_values = values;
        if (s == 0) strips[count - 1].after_keys = values;
    }
    if (cursor->segment < job->segment_count) {
        const ck_attention_segment *next = &job->segments[cursor->segment];
        size_t to = next->first_position / CK_PAGE_POSITIONS + 1, seen = strips[0].to - span->first_page;
        strips[count - 1].after_values = (attention_panels){next->pages, to > seen ? to - seen : 0, to, job->key_offset};
    }
    attention_strip common = {
        .span = span, .end = span->count, .pages = strips[0].pages, .from = span->first_page, .to = shared,
    };
    score_strip(&common);
    for (size_t s = 0; s < count; s++) score_strip(&strips[s]);
    for (size_t r = 0; r < span->count; r++) soften(span, r);
    weigh_strip(&common);
    for (size_t s = 0; s < count; s++) weigh_strip(&strips[s]);
}

void ROW(attention)(const ck_attention_job *job) {
    size_t longest = 0;
    for (size_t s = 0; s < job->segment_count; s++) {
        size_t positions = job->segments[s].first_position + job->segments[s].rows;
        if (positions > longest) longest = positions;
    }
    attention_span span = {.job = job};
    span.stride = (longest + CK_PAGE_POSITIONS - 1) / CK_PAGE_POSITIONS * CK_PAGE_POSITIONS;
    span.dimensions = (job->head_dimension + 15) / 16 * 16;
    size_t most = ck_attention_vectors(longest);
    span.scores = job->scratch;
    span.sums = job->scratch + most * span.stride;
    attention_cursor cursor = {0, 0};
    while (cursor.segment < job->segment_count) attend_span(&span, &cursor, most);
}
