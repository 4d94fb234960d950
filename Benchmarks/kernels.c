// Rates of the canonical kernels, one thread, per row: scripts/bench-kernels.sh compiles and runs this.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "CKernels.h"

static double now(void) {
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// The best of several rounds: on a busy machine the other rounds measure the neighbours.
#define BEST(iterations, call)                                    \
    ({                                                            \
        double best = 1e9;                                        \
        for (int round = 0; round < 9; round++) {                 \
            double begin = now();                                 \
            for (size_t i = 0; i < (iterations); i++) call;       \
            double each = (now() - begin) / (double)(iterations); \
            if (each < best) best = each;                         \
        }                                                         \
        best;                                                     \
    })

static uint16_t *bf16(size_t count) {
    uint16_t *x = aligned_alloc(64, (count * sizeof *x + 127) / 64 * 64);
    for (size_t i = 0; x && i < count; i++) x[i] = (uint16_t)(0x3c00 + i * 7919 % 700);
    return x;
}

static void matmul_rates(const ck_row *row) {
    static const size_t shapes[][2] = {{576, 1536}, {1536, 576}, {1024, 3072}, {64, 256}};
    static const size_t batches[] = {1, 2, 4, 8, 32, 256};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        size_t k = shapes[s][0], n = shapes[s][1];
        uint16_t *x = bf16(256 * k), *w = bf16(ck_packed_count(n, k));
        float *out = aligned_alloc(64, 256 * n * sizeof *out);
        if (!x || !w || !out) exit(70);
        printf("%-10s matmul K=%-4zu N=%-4zu GFLOP/s:", row->name, k, n);
        for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
            size_t rows = batches[b];
            if (row->name[0] == 's' && rows > 4) continue;  // the reference is a thousand times slower
            ck_matmul_job job = {
                .x = x, .x_stride = k, .rows = rows, .k = k, .panels = w, .columns = n, .out = out, .out_stride = n,
            };
            double work = 2.0 * (double)(rows * k * n);
            size_t rounds = (size_t)((row->name[0] == 's' ? 2e6 : 1e8) / work) + 1;
            printf("  M=%zu %.1f", rows, work * 1e-9 / BEST(rounds, row->matmul(&job)));
        }
        printf("\n");
        free(x), free(w), free(out);
    }
}

static void other_rates(const ck_row *row) {
    enum { VOCABULARY = 49152, POSITIONS = 128, DIMENSION = 64, GROUP = 3 };
    uint16_t *query = bf16(POSITIONS * GROUP * DIMENSION), *out = bf16(POSITIONS * GROUP * DIMENSION);
    const uint16_t *pages[POSITIONS / CK_PAGE_POSITIONS];
    for (size_t i = 0; i < POSITIONS / CK_PAGE_POSITIONS; i++) pages[i] = bf16(2 * CK_PAGE_POSITIONS * DIMENSION);
    float *scratch = aligned_alloc(64, (ck_attention_scratch(DIMENSION, POSITIONS) + 16) / 16 * 64);
    float *logits = aligned_alloc(64, VOCABULARY * sizeof *logits);
    if (!query || !out || !scratch || !logits) exit(70);
    for (uint32_t i = 0; i < VOCABULARY; i++) logits[i] = (float)((int32_t)(i * 2654435761u) >> 8) * 0x1p-20f;
    ck_attention_segment last = {.pages = pages, .rows = 1, .first_position = POSITIONS - 1};
    ck_attention_segment all_rows = {.pages = pages, .rows = POSITIONS};
    ck_attention_job decode = {
        .segments = &last, .segment_count = 1, .query = query, .query_stride = GROUP * DIMENSION, .out = out,
        .out_stride = GROUP * DIMENSION, .group = GROUP, .head_dimension = DIMENSION, .scale = 0.125f,
        .key_offset = 0, .value_offset = CK_PAGE_POSITIONS * DIMENSION, .scratch = scratch,
    };
    ck_attention_job prefill = decode;
    prefill.segments = &all_rows;
    ck_noise_key key = {{1, 2}, {3, 4}};
    ck_choice choice;
    size_t rounds = row->name[0] == 's' ? 1 : 20;
    double one = BEST(rounds, row->attention(&decode)), all = BEST(rounds, row->attention(&prefill));
    double sample = BEST(rounds, ({
        choice = ck_choice_none();
        for (size_t v = 0; v < VOCABULARY; v += CK_VOCABULARY_BLOCK) {
            ck_sample_job job = {logits + v, v, CK_VOCABULARY_BLOCK, 1.0f, &key, 5};
            ck_block_sum sum;
            row->sample(&job, &sum, &choice);
        }
    }));
    double sums = BEST(rounds, ({
        for (size_t v = 0; v < VOCABULARY; v += CK_VOCABULARY_BLOCK) {
            row->block_sum(logits + v, CK_VOCABULARY_BLOCK, 1.0f);
        }
    }));
    printf(
        "%-10s µs: attention 3 heads of 64 at 128 positions %.2f, prefill of 128 %.1f; 49152 logits: sample %.1f, "
        "log-sum-exp alone %.1f\n", row->name, one * 1e6, all * 1e6, sample * 1e6, sums * 1e6);
}

int main(void) {
    ck_environment_enter();
    for (int id = 0; id < CK_ROW_COUNT; id++) {
        const ck_row *row = ck_row_get((ck_row_id)id);
        if (!row) continue;
        matmul_rates(row);
        other_rates(row);
    }
    return 0;
}
