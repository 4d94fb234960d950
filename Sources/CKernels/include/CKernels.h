// The canonical arithmetic, version 1: every number that is committed, replayed or re-scored is computed here.
// docs/arithmetic.md states the rules; the files under scalar/ decide where the text leaves a choice.
//
// Conventions: sizes and strides count elements; bf16 values travel as uint16_t; every function of a row expects the
// canonical floating-point environment (ck_environment_enter) and allocates nothing. Inputs must be finite; outputs
// of finite inputs may overflow, which the caller detects (ck_is_finite_*) before it commits to anything.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#else
#define _Nonnull
#define _Nullable
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define CK_ARITHMETIC_VERSION 1
#define CK_LANES 16           // virtual lanes of rule 4
#define CK_PANEL_COLUMNS 48   // columns (rows of W) of one weight panel
#define CK_PAGE_POSITIONS 16  // positions of one KV cache page
#define CK_ATTENTION_VECTORS 48  // query vectors that attention works on together at most
#define CK_VOCABULARY_BLOCK 2048  // ids of one log-sum-exp block (rule 8)

// MARK: - Floating-point environment (rule 1)

// Switches to round-to-nearest-even with flush-to-zero and denormals-are-zero (x86), or to the Arm state under which
// the neon row flushes by selection. Returns the state to hand to ck_environment_leave.
uint64_t ck_environment_enter(void);
void ck_environment_leave(uint64_t state);
bool ck_environment_is_canonical(void);

// One turn of a spin loop.
static inline void ck_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// MARK: - Jobs

// Memory that a job brings into the caches while it computes, for the one that comes next: `bytes` from `offset` on in
// each block. It is read by nobody here, so it changes nothing but time.
typedef struct ck_fetch {
    const uint16_t *_Nonnull const *_Nonnull blocks;
    size_t count;                  // of blocks
    size_t offset;                 // bytes
    size_t bytes;
} ck_fetch;

// y[m, n] = sum over k of x[m, k] * w[n, k] (rule 3), for whole panels.
// `out`, `bias` and `columns` are relative to the first column of `panels`: a caller that splits a matrix by panels
// advances all of them together.
typedef struct ck_matmul_job {
    const uint16_t *x;             // bf16 [rows, k]
    size_t x_stride;               // elements between rows of x
    size_t rows;
    size_t k;
    const uint16_t *panels;        // packed by ck_pack_rows
    size_t columns;                // valid columns from here on; panels = ceil(columns / 48)
    float *out;                    // f32 [rows, columns]
    size_t out_stride;
    const float *_Nullable bias;   // f32 [columns], added after the chain
    bool accumulate;               // true: out += y (the residual addition of rule 5), false: out = y
    const ck_fetch *_Nullable fetch;  // NULL: nothing
} ck_matmul_job;

// Consecutive positions of one sequence, for attention.
typedef struct ck_attention_segment {
    const uint16_t *_Nonnull const *_Nonnull pages;  // page i holds positions 16 i ..< 16 i + 16
    size_t rows;                   // consecutive positions, at least 1
    size_t first_position;         // absolute position of the first; row r sees positions 0...first_position + r
    size_t first_row;              // its place in `query` and `out`
} ck_attention_segment;

// Rows of attention of one layer and one key/value head (rule 7): of one sequence, or of several that share pages.
typedef struct ck_attention_job {
    const ck_attention_segment *segments;
    size_t segment_count;
    size_t shared_pages;           // leading pages that all segments have in common and no segment begins in
    const uint16_t *query;         // bf16 [rows, group, head_dimension] of this key/value head, rotated
    size_t query_stride;           // elements between rows
    uint16_t *out;                 // bf16, same shape
    size_t out_stride;
    size_t group;                  // query heads per key/value head
    size_t head_dimension;         // even
    size_t window;                 // 0: everything; otherwise row at position p sees max(0, p - window + 1)...p
    float scale;                   // f32(1 / sqrt(head_dimension)) unless the model says otherwise
    size_t key_offset;             // elements from a page's start to this layer's and head's key panel
    size_t value_offset;           // the same for the value panel
    float *scratch;                // ck_attention_scratch() floats, 64-byte aligned
} ck_attention_job;

// One head-wise pass from a matmul's f32 rows to bf16: optional per-head RMSNorm (rounded to bf16), then rotation.
typedef struct ck_rotary_job {
    const float *x;                // f32 [rows, heads, head_dimension]
    size_t x_stride;
    uint16_t *out;                 // bf16 [rows, heads, head_dimension]
    size_t out_stride;
    size_t rows;
    size_t heads;
    size_t head_dimension;         // even
    const uint16_t *_Nullable norm_weight;  // bf16 [head_dimension], or NULL for models without q/k norm
    float epsilon;
    const int32_t *positions;      // [rows]
    const float *cosines;          // f32 [positions, head_dimension / 2]
    const float *sines;
} ck_rotary_job;

// Philox key and the counter words that stay the same for one sample (rule 10).
typedef struct ck_noise_key {
    uint32_t key[2];
    uint32_t counter[2];           // counter words 2 and 3
} ck_noise_key;

// A running argmax: ids may come in any order, and ties go to the lowest. Start from ck_choice_none().
typedef struct ck_choice {
    float score;                   // z - log(E), or z for greedy
    float logit;                   // the raw logit of `token`
    int32_t token;                 // -1 while nothing was chosen
} ck_choice;

static inline ck_choice ck_choice_none(void) {
    ck_choice none = {-__builtin_inff(), -__builtin_inff(), -1};
    return none;
}

// Maximum and sum of exp(z - maximum) of one block of ids (rule 8).
typedef struct ck_block_sum {
    float maximum;
    float sum;
} ck_block_sum;

// One block of a row's logits, from which a token is drawn (rules 8 and 10).
typedef struct ck_sample_job {
    const float *logits;           // [count]
    size_t first_id;               // a multiple of 16
    size_t count;                  // at most 2048
    float temperature;             // above 0, and 1 when greedy
    const ck_noise_key *_Nullable noise;  // NULL: greedy
    uint32_t position;             // absolute index of the token to be chosen
} ck_sample_job;

// MARK: - The dispatch table

// One instruction set. All rows give the same bits.
typedef struct ck_row {
    const char *name;
    void (*round)(const float *x, uint16_t *y, size_t count);
    void (*widen)(const uint16_t *x, float *y, size_t count);
    void (*embed)(const uint16_t *table, size_t width, const int32_t *tokens, size_t count, float *out);
    void (*add)(float *x, const float *y, size_t count);  // x += y
    void (*rms_norm)(
        const float *x, size_t x_stride, const uint16_t *weight, float epsilon, size_t rows, size_t width,
        uint16_t *out, size_t out_stride);
    void (*rotate)(const ck_rotary_job *job);
    void (*swiglu)(
        const float *gate, const float *up, size_t in_stride, size_t rows, size_t width, uint16_t *out,
        size_t out_stride);
    void (*matmul)(const ck_matmul_job *job);
    void (*attention)(const ck_attention_job *job);
    ck_block_sum (*block_sum)(const float *logits, size_t count, float temperature);  // count <= 2048
    // M and log S of a row from its blocks, in ascending order.
    void (*combine)(const ck_block_sum *blocks, size_t count, float *maximum, float *log_sum);
    // block_sum of the job, and its ids in `choice`; false when a logit is not finite, which makes both meaningless.
    bool (*sample)(const ck_sample_job *job, ck_block_sum *sum, ck_choice *choice);
    void (*exp)(const float *x, float *y, size_t count);
    void (*log)(const float *x, float *y, size_t count);
    void (*log1p)(const float *x, float *y, size_t count);
} ck_row;

typedef enum ck_row_id { CK_SCALAR, CK_AVX2, CK_AVX512F, CK_AVX512BF16, CK_NEON, CK_ROW_COUNT } ck_row_id;

// NULL when this machine or this build cannot run the row. Scalar is never NULL.
const ck_row *_Nullable ck_row_get(ck_row_id id);

// MARK: - Packing (no arithmetic: bits are moved)

// Elements of the packed form of a bf16 [n, k] matrix: ceil(n / 48) panels of ceil(k / 2) * 96.
size_t ck_packed_count(size_t n, size_t k);
// Writes `n` rows of w as rows first_row... of a packed matrix whose padding the caller zeroed once. Denormals become
// signed zeros. Matrices that share an input (q, k, v) are concatenated by packing one after the other.
void ck_pack_rows(const uint16_t *w, size_t stride, size_t n, size_t k, uint16_t *packed, size_t first_row);
// The inverse: copies `n` rows from `first_row` on to out[n, k].
void ck_unpack_rows(const uint16_t *packed, size_t k, size_t first_row, size_t n, uint16_t *out, size_t stride);
// Looks up rows of a packed table as f32 [count, k]; the bits of `embed` on the unpacked table.
void ck_embed_packed(const uint16_t *packed, size_t k, const int32_t *tokens, size_t count, float *out);
// The inverse for one element: where a tail is read that no panel function reaches.
uint16_t ck_packed_element(const uint16_t *packed, size_t k, size_t row, size_t column);

// Elements of one key panel or one value panel of a page: 16 * head_dimension.
size_t ck_page_panel_count(size_t head_dimension);
void ck_write_key(uint16_t *panel, size_t head_dimension, size_t slot, const uint16_t *row);
// Positions are written in ascending order: an even one clears the odd one beside it, so that a pair is always whole.
void ck_write_value(uint16_t *panel, size_t head_dimension, size_t slot, const uint16_t *row);
void ck_read_key(const uint16_t *panel, size_t head_dimension, size_t slot, uint16_t *row);
void ck_read_value(const uint16_t *panel, size_t head_dimension, size_t slot, uint16_t *row);

// Query vectors that attention works on together when the last one sees `positions` positions.
size_t ck_attention_vectors(size_t positions);
// Floats of scratch that an attention job needs when its last row sees `positions` positions or fewer.
size_t ck_attention_scratch(size_t head_dimension, size_t positions);

// MARK: - Scalar pieces shared by every row

float ck_exp(float x);
float ck_log(float x);
float ck_log1p(float x);
uint16_t ck_round(float x);
float ck_widen(uint16_t x);

// Binary64 functions for RoPE tables (rule 6). |x| <= 2^25 for sine and cosine.
double ck_exp64(double x);
double ck_log64(double x);
void ck_sin_cos64(double x, double *sine, double *cosine);
// out[i] = f32(base^(-2 i / dimension)), i < dimension / 2.
void ck_inverse_frequencies(double base, size_t dimension, float *out);
// How inverse frequencies are stretched to longer texts; `low`, `high` and `original` (positions) are llama3's.
typedef enum ck_rotary_kind { CK_ROTARY_PLAIN, CK_ROTARY_LINEAR, CK_ROTARY_LLAMA3 } ck_rotary_kind;
typedef struct ck_rotary_scaling {
    ck_rotary_kind kind;
    double factor, low, high, original;
} ck_rotary_scaling;
// The same as ck_inverse_frequencies with a scaling applied in binary64, before the rounding.
void ck_scaled_inverse_frequencies(double base, size_t dimension, const ck_rotary_scaling *scaling, float *out);
// One row of a rotary table: cosines and sines of f32(position) * inverse[i].
void ck_rotary_row(const float *inverse, size_t count, uint32_t position, float *cosines, float *sines);

// (logit / temperature - maximum) - log_sum.
float ck_log_probability(float logit, float temperature, float maximum, float log_sum);

// Counter of four words, key of two, result of four.
void ck_philox4x32_10(const uint32_t *counter, const uint32_t *key, uint32_t *out);
// E = -log1p(-t) of one random word (rule 10).
float ck_exponential(uint32_t word);

// Merging a low-rank adapter: out[i] = bf16(base[i] + product[i] * scale), product and sum each rounded to binary32;
// where the scaled product is a zero of either sign, the bits of base[i]. `out` may be `base`.
void ck_merge(const uint16_t *base, const float *product, float scale, uint16_t *out, size_t count);

bool ck_is_finite_f32(const float *x, size_t count);
bool ck_is_finite_bf16(const uint16_t *x, size_t count);

// MARK: - Hash vectors

size_t ck_vector_count(void);
const char *ck_vector_name(size_t index);
// FNV-1a (64 bits) over the little-endian outputs of vector `index` on deterministic inputs: it recognises processors
// and builds that compute other numbers, and nobody is meant to be kept from forging it. Enters the canonical
// environment itself.
uint64_t ck_vector_digest(const ck_row *row, size_t index);
// The committed digest.
uint64_t ck_vector_expected(size_t index);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

// The umbrella of the module: what proofs and training add beside the canonical arithmetic.
#include "CKernelsProofs.h"
#include "CKernelsTraining.h"

#endif
