// The chain of rule 3 in register tiles: up to TILE_ROWS rows of x against TILE_VECTORS * 16 columns.
// Panels outside, rows inside: a panel stays in the second-level cache while all rows pass it. One row alone takes
// SINGLE_VECTORS, across panels, so that enough independent chains are in flight to hide the latency.

#define PANEL_VECTORS (CK_PANEL_COLUMNS / 16)
#define MOST_VECTORS 12

ALWAYS_INLINE uint32_t input_pair(const uint16_t *x) {
    uint32_t pair;
    memcpy(&pair, x, sizeof pair);
    return CLEAN_PAIR(pair);
}

ALWAYS_INLINE void store_tile_vector(const ck_matmul_job *job, lanes acc, size_t row, size_t column) {
    if (column >= job->columns) return;
    size_t left = job->columns - column;
    lanes y = lanes_add(acc, lanes_set(0.0f));
    float *out = job->out + row * job->out_stride + column;
    if (left >= 16) {
        if (job->bias) y = lanes_add(y, lanes_load(job->bias + column));
        if (job->accumulate) y = lanes_add(lanes_load(out), y);
        lanes_store(out, y);
    } else {
        if (job->bias) y = lanes_add(y, lanes_load_part(job->bias + column, left));
        if (job->accumulate) y = lanes_add(lanes_load_part(out, left), y);
        lanes_store_part(out, left, y);
    }
}

// `rows` and `vectors` are constants at every call, so the loops over them disappear and the accumulators stay in
// registers.
ALWAYS_INLINE void matmul_tile(
    const ck_matmul_job *job, size_t row, size_t column, const size_t rows, const size_t vectors
) {
    size_t whole = job->k / 2;
    size_t panel_size = (job->k + 1) / 2 * 2 * CK_PANEL_COLUMNS;
    const uint16_t *w[MOST_VECTORS];
    UNROLL for (size_t v = 0; v < vectors; v++) {
        size_t first = column + 16 * v;
        w[v] = job->panels + first / CK_PANEL_COLUMNS * panel_size + first % CK_PANEL_COLUMNS * 2;
    }
    const uint16_t *x[TILE_ROWS];
    UNROLL for (size_t r = 0; r < rows; r++) x[r] = job->x + (row + r) * job->x_stride;
    lanes acc[TILE_ROWS][MOST_VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_set(0.0f);
    }
    for (size_t p = 0; p < whole; p++) {
        pairs weight[MOST_VECTORS];
        UNROLL for (size_t v = 0; v < vectors; v++) {
            weight[v] = pairs_load(w[v] + p * 2 * CK_PANEL_COLUMNS);
        }
        UNROLL for (size_t r = 0; r < rows; r++) {
            pairs input = pairs_broadcast(input_pair(x[r] + 2 * p));
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = pairs_accumulate(acc[r][v], weight[v], input);
        }
    }
    if (job->k % 2) {
        UNROLL for (size_t v = 0; v < vectors; v++) {
            pairs weight = pairs_load(w[v] + whole * 2 * CK_PANEL_COLUMNS);
            UNROLL for (size_t r = 0; r < rows; r++) {
                pairs input = pairs_broadcast(CLEAN_PAIR((uint32_t)x[r][2 * whole]));
                acc[r][v] = pairs_accumulate(acc[r][v], weight, input);
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) store_tile_vector(job, acc[r][v], row + r, column + 16 * v);
    }
}

static void matmul_columns(const ck_matmul_job *job, size_t column) {
    size_t row = 0;
    for (; row + TILE_ROWS <= job->rows; row += TILE_ROWS) matmul_tile(job, row, column, TILE_ROWS, TILE_VECTORS);
    switch (job->rows - row) {
    case 1: matmul_tile(job, row, column, 1, TILE_VECTORS); break;
    case 2: matmul_tile(job, row, column, 2, TILE_VECTORS); break;
    case 3: matmul_tile(job, row, column, 3, TILE_VECTORS); break;
#if TILE_ROWS > 4
    case 4: matmul_tile(job, row, column, 4, TILE_VECTORS); break;
    case 5: matmul_tile(job, row, column, 5, TILE_VECTORS); break;
#endif
#if TILE_ROWS > 6
    case 6: matmul_tile(job, row, column, 6, TILE_VECTORS); break;
    case 7: matmul_tile(job, row, column, 7, TILE_VECTORS); break;
#endif
    }
}

void ROW(matmul)(const ck_matmul_job *job) {
    size_t column = 0;
    size_t padded = (job->columns + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS * CK_PANEL_COLUMNS;
    if (job->rows == 1) {
        for (; column + 16 * SINGLE_VECTORS <= padded; column += 16 * SINGLE_VECTORS) {
            matmul_tile(job, 0, column, 1, SINGLE_VECTORS);
        }
    }
    for (; column < job->columns; column += 16 * TILE_VECTORS) matmul_columns(job, column);
}
