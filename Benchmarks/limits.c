// What this machine can do at most: bf16 dot products and memory reads, on every thread at once. One JSON line.
//
//   limits THREADS      (compiled for the machine that it runs on, as `make bench` does)
//
// The dot products are a loop over registers only, 24 sums that do not wait for each other. Where the processor has no bf16
// instruction, the limit is that of f32 multiply-add, with which bf16 products are computed there. The best of several rounds
// counts: this is a limit, not a rate to compare.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

enum { TURNS = 400000, ROUNDS = 7 };
static const size_t BUFFER = (size_t)192 << 20;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// One turn adds one product to each sum; `OPERATIONS` are the floating-point operations of one vector.
#if defined(__AVX512BF16__)
#define INSTRUCTIONS "avx512bf16"
#define OPERATIONS 64.0
typedef __m512 lanes;
#define LANES(x) _mm512_set1_ps(x)
#define ADD_PRODUCT(sum, a, b) _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b)
#elif defined(__AVX512F__)
#define INSTRUCTIONS "avx512f"
#define OPERATIONS 32.0
typedef __m512 lanes;
#define LANES(x) _mm512_set1_ps(x)
#define ADD_PRODUCT(sum, a, b) _mm512_fmadd_ps(a, b, sum)
#elif defined(__AVX2__) && defined(__FMA__)
#define INSTRUCTIONS "avx2"
#define OPERATIONS 16.0
typedef __m256 lanes;
#define LANES(x) _mm256_set1_ps(x)
#define ADD_PRODUCT(sum, a, b) _mm256_fmadd_ps(a, b, sum)
#elif defined(__ARM_NEON)
#define INSTRUCTIONS "neon"
#define OPERATIONS 8.0
typedef float32x4_t lanes;
#define LANES(x) vdupq_n_f32(x)
#define ADD_PRODUCT(sum, a, b) vfmaq_f32(sum, a, b)
#else
#error "this program knows x86-64 with AVX2 and later, and arm64"
#endif

// Sixteen registers hold fewer sums than thirty-two do.
#if defined(__AVX512F__) || defined(__ARM_NEON)
enum { SUMS = 24 };
#else
enum { SUMS = 12 };
#endif

// Returns the floating-point operations; `sink` keeps the sums alive.
static double dot(float *sink) {
    lanes sums[SUMS], a = LANES(1e-3f), b = LANES(1.01e-3f);
    for (int i = 0; i < SUMS; i++) sums[i] = LANES((float)i);
    for (int turn = 0; turn < TURNS; turn++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < SUMS; i++) sums[i] = ADD_PRODUCT(sums[i], a, b);
    }
    for (int i = 0; i < SUMS; i++) *sink += sums[i][0];
    return OPERATIONS * SUMS * TURNS;
}

typedef uint64_t wide __attribute__((vector_size(64)));

static uint64_t read_all(const wide *words, size_t count) {
    wide sums[8] = {{0}};
    for (size_t i = 0; i + 8 <= count; i += 8) {
#pragma clang loop unroll(full)
        for (size_t j = 0; j < 8; j++) sums[j] ^= words[i + j];
    }
    uint64_t all = 0;
    for (size_t j = 0; j < 8; j++) all ^= sums[j][0] ^ sums[j][7];
    return all;
}

static pthread_barrier_t barrier;
static int threads;

typedef struct {
    pthread_t thread;
    double operations[ROUNDS], dot_end[ROUNDS], read_end[ROUNDS], dot_begin[ROUNDS], read_begin[ROUNDS];
    float sink;
    uint64_t read;
} worker;

static void *work(void *argument) {
    worker *self = argument;
    wide *buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (buffer == MAP_FAILED) exit(70);
#ifdef MADV_HUGEPAGE
    madvise(buffer, BUFFER, MADV_HUGEPAGE);
#endif
    memset(buffer, 1, BUFFER);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        self->dot_begin[round] = now();
        self->operations[round] = dot(&self->sink);
        self->dot_end[round] = now();
        pthread_barrier_wait(&barrier);
        self->read_begin[round] = now();
        self->read += read_all(buffer, BUFFER / sizeof *buffer);
        self->read_end[round] = now();
    }
    return NULL;
}

int main(int count, char **arguments) {
    threads = count > 1 ? atoi(arguments[1]) : 1;
    if (threads < 1 || threads > 1024) return 64;
    worker *workers = calloc((size_t)threads, sizeof *workers);
    if (!workers || pthread_barrier_init(&barrier, NULL, (unsigned)threads)) return 70;
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i])) return 70;
    }
    for (int i = 0; i < threads; i++) pthread_join(workers[i].thread, NULL);
    double operations = 0, bytes = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double dot_begin = 1e300, dot_end = 0, read_begin = 1e300, read_end = 0, done = 0;
        for (int i = 0; i < threads; i++) {
            worker *w = &workers[i];
            done += w->operations[round];
            if (w->dot_begin[round] < dot_begin) dot_begin = w->dot_begin[round];
            if (w->dot_end[round] > dot_end) dot_end = w->dot_end[round];
            if (w->read_begin[round] < read_begin) read_begin = w->read_begin[round];
            if (w->read_end[round] > read_end) read_end = w->read_end[round];
        }
        double rate = done / (dot_end - dot_begin), read = (double)threads * (double)BUFFER / (read_end - read_begin);
        if (rate > operations) operations = rate;
        if (read > bytes) bytes = read;
    }
    float sink = 0;
    uint64_t read = 0;
    for (int i = 0; i < threads; i++) sink += workers[i].sink, read += workers[i].read;
    printf(
        "{\"threads\":%d,\"instructions\":\"%s\",\"gigaflops\":%.1f,\"gigabytes\":%.1f,\"check\":%d}\n", threads, INSTRUCTIONS,
        operations * 1e-9, bytes * 1e-9, sink != 0 && read != 1);
    return 0;
}
