// The chain of rule 3 in register tiles: up to TILE_ROWS rows of x against TILE_VECTORS * 16 columns.
// Panels outside, rows inside: a panel stays in the second-level cache while all rows pass it, and these passes fetch
// the panel that comes next, a share each. Weights come from memory, which is slower than the arithmetic only where it
// has to be waited for.

#define PANEL_VECTORS (CK_PANEL_COLUMNS / 16)
// One row takes SINGLE_VECTORS, of several panels where registers suffice: several streams have more of memory under way
// than one, and then no fetching ahead helps.
#define SINGLE_PANELS (SINGLE_VECTORS / PANEL_VECTORS)
#define PAIR_BYTES (4 * CK_PANEL_COLUMNS)  // of one panel for one step of the chain
#define LINE_BYTES 64
// One pass alone runs this far ahead of itself: enough to cover the latency of memory, little enough to stay cached.
#define NEAR_BYTES 4096

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
    const ck_matmul_job *job, lanes acc[TILE_ROWS][SINGLE_VECTORS], size_t row, size_t column, const size_t rows,
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

// Where vector v of a step lies: beside the one before, or in the next panel.
#define TILE_VECTOR(v) ((v) / PANEL_VECTORS * panel_size + (v) % PANEL_VECTORS * 32)

// `rows`, `vectors` and `lines` are constants at every call, so the loops over them disappear and the accumulators stay
// in registers. At every pair `lines` cache lines from `ahead` on are fetched, `step` bytes further each time.
ALWAYS_INLINE void matmul_tile(
    const ck_matmul_job *job, size_t row, size_t column, const size_t rows, const size_t vectors, const char *ahead,
    size_t step, const size_t lines
) {
    size_t whole = job->k / 2;
    size_t panel_size = (job->k + 1) / 2 * 2 * CK_PANEL_COLUMNS;
    const uint16_t *w = job->panels + column / CK_PANEL_COLUMNS * panel_size + column % CK_PANEL_COLUMNS * 2;
    const uint16_t *x = job->x + row * job->x_stride;
    size_t stride = job->x_stride;
    lanes acc[TILE_ROWS][SINGLE_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_set(0.0f);
    }
    for (size_t p = 0; p < whole; p++, x += 2, w += 2 * CK_PANEL_COLUMNS) {
        UNROLL for (size_t l = 0; l < lines; l++) __builtin_prefetch(ahead + l * LINE_BYTES);
        ahead += step;
        pairs weight[SINGLE_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) weight[v] = pairs_load(w + TILE_VECTOR(v));
        UNROLL for (size_t r = 0; r < rows; r++) {
            pairs input = pairs_broadcast(input_pair(x + r * stride));
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = pairs_accumulate(acc[r][v], weight[v], input);
        }
    }
    if (job->k % 2) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            pairs weight = pairs_load(w + TILE_VECTOR(v));
            UNROLL for (size_t r = 0; r < rows; r++) {
                pairs input = pairs_broadcast(CLEAN_PAIR((uint32_t)x[r * stride]));
                acc[r][v] = pairs_accumulate(acc[r][v], weight, input);
            }
        }
    }
    if (column + 16 * vectors <= job->columns) {
        store_whole_tile(job, acc, row, column, rows, vectors);
    } else {
        float sums[TILE_ROWS * 16 * SINGLE_VECTORS];
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t v = 0; v < vectors; v++) lanes_store(sums + 16 * (r * vectors + v), acc[r][v]);
        }
        store_part_tile(job, sums, row, column, rows, vectors);
    }
}

#define TILE_CASE(rows, lines) \
    case rows: matmul_tile(job, row, column, rows, TILE_VECTORS, ahead, step, lines); break
#if TILE_ROWS > 6
#define LARGE_TILE_CASES(lines) TILE_CASE(5, lines); TILE_CASE(6, lines); TILE_CASE(7, lines); TILE_CASE(8, lines)
#elif TILE_ROWS > 4
#define LARGE_TILE_CASES(lines) TILE_CASE(5, lines); TILE_CASE(6, lines)
#else
#define LARGE_TILE_CASES(lines)
#endif
#define TILE_SWITCH(rows, lines) \
    switch (rows) { TILE_CASE(2, lines); TILE_CASE(3, lines); TILE_CASE(4, lines); LARGE_TILE_CASES(lines); }

// `rows` rows, at most a tile, against the columns of one panel.
static void matmul_rows(
    const ck_matmul_job *job, size_t row, size_t rows, size_t panel, const char *ahead, size_t step, size_t lines
) {
    size_t column = panel * CK_PANEL_COLUMNS;
    if (rows == 1) {  // all columns at once
        matmul_tile(job, row, column, 1, PANEL_VECTORS, ahead, step, PANEL_VECTORS);
        return;
    }
    size_t end = column + CK_PANEL_COLUMNS < job->columns ? column + CK_PANEL_COLUMNS : job->columns;
    for (; column < end; column += 16 * TILE_VECTORS, ahead += job->k / 2 * step) {
        if (lines == 1) {
            TILE_SWITCH(rows, 1)
        } else {
            TILE_SWITCH(rows, PANEL_VECTORS)
        }
    }
}

// Passes that fetch the next panel where the others fetch blocks for whoever comes next.
#define PANEL_PASSES (PAIR_BYTES / LINE_BYTES)

// What fetch number `index` of `count` brings: a piece of one block, as long as a pass can fetch. Pieces are spread over
// the fetches, and those for which there is none stay where they are.
static const char *fetched_piece(const ck_matmul_job *job, size_t index, size_t count, size_t *step) {
    const ck_fetch *fetch = job->fetch;
    size_t most = job->k / 2 * LINE_BYTES, each = (fetch->bytes + most - 1) / most, pieces = fetch->count * each;
    size_t piece = pieces < count ? index * pieces / count : index;
    bool repeats = pieces < count && (index + 1) * pieces / count == piece;
    *step = 0;
    if (piece >= pieces || repeats) return (const char *)job->x;
    size_t bytes = (fetch->bytes + each - 1) / each;
    *step = (bytes + job->k / 2 - 1) / (job->k / 2);
    return (const char *)fetch->blocks[piece / each] + fetch->offset + piece % each * bytes;
}

void ROW(matmul)(const ck_matmul_job *job) {
    // Tiles of nearly equal height: full ones and a rest would leave a tile too low to be fast.
    size_t tiles = (job->rows + TILE_ROWS - 1) / TILE_ROWS;
    size_t height = job->rows / tiles, higher = job->rows % tiles;
    size_t panel_bytes = (job->k + 1) / 2 * PAIR_BYTES;
    bool fetches = job->fetch && tiles > PANEL_PASSES && TILE_VECTORS == PANEL_VECTORS && job->k > 1;
    // Every pass of a tile over columns of a panel fetches an equal share of the next panel.
    size_t passes = fetches ? PANEL_PASSES : tiles * (PANEL_VECTORS / TILE_VECTORS);
    size_t others = tiles - passes;  // of each panel, where there are any
    size_t step = (PAIR_BYTES + passes - 1) / passes;
    size_t lines = step <= LINE_BYTES ? 1 : PANEL_VECTORS;
    size_t share = job->k / 2 * step * (PANEL_VECTORS / TILE_VECTORS);
    const char *w = (const char *)job->panels;
    size_t panel = 0, panels = (job->columns + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS;
    if (job->rows == 1) {
        for (; panel + SINGLE_PANELS <= panels; panel += SINGLE_PANELS, w += SINGLE_PANELS * panel_bytes) {
            matmul_tile(job, 0, panel * CK_PANEL_COLUMNS, 1, SINGLE_VECTORS, w, 0, 0);
        }
    }
    for (; panel < panels; panel++, w += panel_bytes) {
        const char *ahead = w + (tiles == 1 ? NEAR_BYTES : panel_bytes);
        size_t row = 0;
        for (size_t tile = 0; tile < tiles; tile++, ahead += share) {
            size_t rows = height + (tile < higher);
            if (fetches && tile >= passes) {
                size_t other_step;
                const char *other = fetched_piece(job, panel * others + tile - passes, panels * others, &other_step);
                matmul_rows(job, row, rows, panel, other, other_step, lines);
            } else {
                matmul_rows(job, row, rows, panel, ahead, step, lines);
            }
            row += rows;
        }
    }
}
