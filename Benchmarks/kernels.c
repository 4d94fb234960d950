// Rates of the canonical kernels per row: scripts/bench-kernels.sh compiles and runs this. Without an argument everything
// that fits the caches, on one thread; with `streamed` the products of the fastest row with weights that come from memory,
// on one and on two threads, which is what a model does.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

enum { STREAMED_BYTES = 256 << 20, MOST_BATCH = 512, MOST_COLUMNS = 151936, MOST_DEPTH = 3072 };

// The panels first ..< last of each of `copies` matrices that lie one behind the other.
typedef struct stream {
    const ck_row *row;
    ck_matmul_job job;
    size_t panel_size, first, last, panels, copies;
} stream;

static void *run_stream(void *argument) {
    const stream *s = argument;
    ck_environment_enter();
    for (size_t copy = 0; copy < s->copies; copy++) {
        ck_matmul_job job = s->job;
        job.panels += (copy * s->panels + s->first) * s->panel_size;
        job.out += s->first * CK_PANEL_COLUMNS;
        size_t end = s->last * CK_PANEL_COLUMNS < s->job.columns ? s->last * CK_PANEL_COLUMNS : s->job.columns;
        job.columns = end - s->first * CK_PANEL_COLUMNS;
        s->row->matmul(&job);
    }
    return NULL;
}

static double streamed_rate(stream half[2], size_t threads) {
    half[0].first = 0, half[1].last = half[0].panels;
    half[0].last = half[1].first = threads == 2 ? half[0].panels / 2 : half[0].panels;
    double seconds = BEST(1, ({
        pthread_t other;
        if (threads == 2 && pthread_create(&other, NULL, run_stream, &half[1])) exit(71);
        run_stream(&half[0]);
        if (threads == 2) pthread_join(other, NULL);
    }));
    return 2e-9 * (double)(half[0].job.rows * half[0].job.k * half[0].job.columns * half[0].copies) / seconds;
}

static void streamed_rates(const ck_row *row) {
    static const size_t shapes[][2] = {
        {576, 960}, {576, 576}, {576, 3072}, {1536, 576}, {576, 49152},
        {1024, 4096}, {2048, 1024}, {1024, 6144}, {3072, 1024}, {1024, MOST_COLUMNS},
    };
    static const size_t batches[] = {1, 2, 4, 8, 16, 32, 64, 256, MOST_BATCH};
    size_t bytes = ck_packed_count(MOST_COLUMNS, 1024) * sizeof(uint16_t) + STREAMED_BYTES;
    uint16_t *w = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint16_t *x = bf16(MOST_BATCH * MOST_DEPTH);
    float *out = aligned_alloc(64, (size_t)MOST_BATCH * MOST_COLUMNS * sizeof *out);
    if (w == MAP_FAILED || !x || !out) exit(70);
    madvise(w, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < bytes / sizeof *w; i++) w[i] = (uint16_t)(0x3c00 + i * 7919 % 700);
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        size_t k = shapes[s][0], n = shapes[s][1], matrix = ck_packed_count(n, k) * sizeof *w;
        for (size_t b = 0; b < sizeof batches / sizeof batches[0]; b++) {
            // More than the caches hold, and a quarter of a second of arithmetic at most.
            double most = 1e11 / (2.0 * (double)(batches[b] * k * n));
            size_t copies = STREAMED_BYTES / matrix;
            if ((double)copies > most) copies = (size_t)most;
            if (copies < 1) copies = 1;
            stream half[2] = {{
                .row = row, .panels = (n + CK_PANEL_COLUMNS - 1) / CK_PANEL_COLUMNS, .copies = copies,
                .panel_size = (k + 1) / 2 * 2 * CK_PANEL_COLUMNS,
                .job = {
                    .x = x, .x_stride = k, .rows = batches[b], .k = k, .panels = w, .columns = n, .out = out,
                    .out_stride = n,
                },
            }};
            half[1] = half[0];
            double one = streamed_rate(half, 1), two = streamed_rate(half, 2);
            double gigabytes = (double)matrix / (2.0 * (double)(batches[b] * k * n));
            printf(
                "%-10s streamed K=%-4zu N=%-6zu M=%-3zu GFLOP/s: one thread %.1f, two %.1f (%.1f GB/s)\n", row->name, k,
                n, batches[b], one, two, two * gigabytes);
        }
    }
}

int main(int count, char **arguments) {
    ck_environment_enter();
    bool streamed = count > 1 && strcmp(arguments[1], "streamed") == 0;
    const ck_row *fastest = ck_row_get(CK_SCALAR);
    for (int id = 0; id < CK_ROW_COUNT; id++) {
        const ck_row *row = ck_row_get((ck_row_id)id);
        if (!row) continue;
        fastest = row;
        if (streamed) continue;
        matmul_rates(row);
        other_rates(row);
    }
    if (streamed) streamed_rates(fastest);
    return 0;
}
