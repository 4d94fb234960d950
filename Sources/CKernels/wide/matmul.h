// The chain of rule 3 in register tiles: up to TILE_ROWS rows of x against TILE_VECTORS * 16 columns.
// Panels outside, rows inside: a panel stays in the second-level cache while all rows pass it, and these passes fetch
// the panel that comes next, a share each. Weights come from memory, which is slower than the arithmetic only where it
// has to be waited for.

#define PANEL_VECTORS (CK_PANEL_COLUMNS / 16)
#define PAIR_BYTES (4 * CK_PANEL_COLUMNS)  // of one panel for one step of the chain
#define LINE_BYTES 64
// One pass alone runs this far ahead of itself: enough to cover the latency of memory, little enough to stay cached.
#define NEAR_BYTES 4096

// What a pass over a panel fetches on the way: `step` bytes further at every pair, `lines` cache lines of it.
typedef struct fetch {
    const char *ahead;
    size_t step;
    size_t lines;
} fetch;

ALWAYS_INLINE uint32_t input_pair(const uint16_t *x) {
    uint32_t pair;
    memcpy(&pair, x, sizeof pair);
    return CLEAN_PAIR(pair);
}

// The last columns of a matrix, fewer than a tile has: `sums` are its chains, [rows][16 * vectors].
static void store_part_tile(
    const ck_matmul_job *job, const float *sums, size_t row, size_t column, size_t rows, size_t vectors
) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t v = 0; v < vectors && column + 16 * v < job->columns; v++) {
            size_t first = column + 16 * v, left = job->columns - first;
            lanes y = lanes_add(lanes_load(sums + 16 * (r * vectors + v)), lanes_set(0.0f));
            float *out = job->out + (row + r) * job->out_stride + first;
            if (job->bias) y = lanes_add(y, lanes_load_part(job->bias + first, left));
            if (job->accumulate) y = lanes_add(lanes_load_part(out, left), y);
            lanes_store_part(out, left, y);
        }
    }
}

// All columns exist: no masks, and what every row needs is asked and loaded once.
ALWAYS_INLINE void store_whole_tile(
    const ck_matmul_job *job, lanes acc[TILE_ROWS][PANEL_VECTORS], size_t row, size_t column, const size_t rows,
    const size_t vectors
) {
    float *out = job->out + row * job->out_stride + column;
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_add(acc[r][v], lanes_set(0.0f));
    }
    if (job->bias) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            lanes bias = lanes_load(job->bias + column + 16 * v);
            UNROLL for (size_t r = 0; r < rows; r++) acc[r][v] = lanes_add(acc[r][v], bias);
        }
    }
    if (job->accumulate) {
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) {
                acc[r][v] = lanes_add(lanes_load(out + r * job->out_stride + 16 * v), acc[r][v]);
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) lanes_store(out + r * job->out_stride + 16 * v, acc[r][v]);
    }
}

// `rows`, `vectors` and `lines` are constants at every call, so the loops over them disappear and the accumulators stay
// in registers.
ALWAYS_INLINE void matmul_tile(
    const ck_matmul_job *job, size_t row, size_t column, const size_t rows, const size_t vectors, fetch next,
    const size_t lines
) {
    size_t whole = job->k / 2;
    const uint16_t *w = job->panels + column / CK_PANEL_COLUMNS * ((job->k + 1) / 2 * 2 * CK_PANEL_COLUMNS)
        + column % CK_PANEL_COLUMNS * 2;
    const uint16_t *x[TILE_ROWS];
    UNROLL for (size_t r = 0; r < rows; r++) x[r] = job->x + (row + r) * job->x_stride;
    lanes acc[TILE_ROWS][PANEL_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_set(0.0f);
    }
    for (size_t p = 0; p < whole; p++) {
        UNROLL for (size_t l = 0; l < lines; l++) __builtin_prefetch(next.ahead + l * LINE_BYTES);
        next.ahead += next.step;
        pairs weight[PANEL_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) weight[v] = pairs_load(w + p * 2 * CK_PANEL_COLUMNS + 32 * v);
        UNROLL for (size_t r = 0; r < rows; r++) {
            pairs input = pairs_broadcast(input_pair(x[r] + 2 * p));
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = pairs_accumulate(acc[r][v], weight[v], input);
        }
    }
    if (job->k % 2) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            pairs weight = pairs_load(w + whole * 2 * CK_PANEL_COLUMNS + 32 * v);
            UNROLL for (size_t r = 0; r < rows; r++) {
                pairs input = pairs_broadcast(CLEAN_PAIR((uint32_t)x[r][2 * whole]));
                acc[r][v] = pairs_accumulate(acc[r][v], weight, input);
            }
        }
    }
    if (column + 16 * vectors <= job->columns) {
        store_whole_tile(job, acc, row, column, rows, vectors);
    } else {
        float sums[TILE_ROWS * CK_PANEL_COLUMNS];
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) lanes_store(sums + 16 * (r * vectors + v), acc[r][v]);
        }
        store_part_tile(job, sums, row, column, rows, vectors);
    }
}

#define TILE_CASE(rows, lines) \
    case rows: matmul_tile(job, row, column, rows, TILE_VECTORS, next, lines); break
#if TILE_ROWS > 6
#define LARGE_TILE_CASES(lines) TILE_CASE(5, lines); TILE_CASE(6, lines); TILE_CASE(7, lines); TILE_CASE(8, lines)
#elif TILE_ROWS > 4
#define LARGE_TILE_CASES(lines) TILE_CASE(5, lines); TILE_CASE(6, lines)
#else
#define LARGE_TILE_CASES(lines)
#endif
#define TILE_SWITCH(rows, lines) \
    switch (rows) { TILE_CASE(2, lines); TILE_CASE(3, lines); TILE_CASE(4, lines); LARGE_TILE_CASES(lines); }

// `rows` rows, at most a tile, against the columns of one panel; one row takes all of them at once.
static void matmul_rows(const ck_matmul_job *job, size_t row, size_t rows, size_t panel, fetch next) {
    size_t column = panel * CK_PANEL_COLUMNS;
    if (rows == 1) {
        matmul_tile(job, row, column, 1, PANEL_VECTORS, next, PANEL_VECTORS);
        return;
    }
    size_t end = column + CK_PANEL_COLUMNS < job->columns ? column + CK_PANEL_COLUMNS : job->columns;
    for (; column < end; column += 16 * TILE_VECTORS, next.ahead += job->k / 2 * next.step) {
        if (next.lines == 1) {
            TILE_SWITCH(rows, 1)
        } else {
            TILE_SWITCH(rows, PANEL_VECTORS)
        }
    }
}

// How the passes of `tiles` tiles over a panel fetch the next one, which lies at `ahead`.
static fetch fetch_share(size_t tiles, const void *panel, const void *ahead) {
    size_t passes = tiles * (PANEL_VECTORS / TILE_VECTORS);
    if (tiles == 1) return (fetch){(const char *)panel + NEAR_BYTES, PAIR_BYTES * TILE_VECTORS / PANEL_VECTORS, 3};
    size_t step = (PAIR_BYTES + passes - 1) / passes;
    return (fetch){ahead, step, step <= LINE_BYTES ? 1 : 3};
}

void ROW(matmul)(const ck_matmul_job *job) {
    // Tiles of nearly equal height: full ones and a rest would leave a tile too low to be fast.
    size_t tiles = (job->rows + TILE_ROWS - 1) / TILE_ROWS;
    size_t height = job->rows / tiles, higher = job->rows % tiles;
    size_t panel_size = (job->k + 1) / 2 * 2 * CK_PANEL_COLUMNS;
    for (size_t panel = 0; panel * CK_PANEL_COLUMNS < job->columns; panel++) {
        const uint16_t *w = job->panels + panel * panel_size;
        fetch next = fetch_share(tiles, w, w + panel_size);
        size_t row = 0;
        for (size_t tile = 0; tile < tiles; tile++) {
            size_t rows = height + (tile < higher);
            matmul_rows(job, row, rows, panel, next);
            next.ahead += job->k / 2 * next.step * (PANEL_VECTORS / TILE_VECTORS);
            row += rows;
        }
    }
}
