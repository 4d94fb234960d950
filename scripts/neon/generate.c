// Generates one sample from a dump (see model.h) on one kernel row, without Swift.
//   generate ROW [DUMP]      ROW is scalar, avx2, avx512f, avx512bf16 or neon; without DUMP a random nano model
// Prints one line of JSON: tokens, the bit patterns of their log-probabilities, and the committed rows in hexadecimal
// (final hidden states, bf16, little-endian), of which a caller can compute the commitments of rule 12.
#include <stdlib.h>
#include <string.h>

#include "model.h"

typedef struct state {
    model *m;
    const ck_row *row;
    uint16_t *pages;  // page after page; each holds every layer
    const uint16_t **page_table;
    size_t page_size, positions;
    float *cosines, *sines, *residual, *wide, *scratch, *logits;
    uint16_t *normed, *heads, *mixed;
} state;

static void *allocate(size_t count, size_t size) {
    void *memory = aligned_alloc(64, (count * size + 127) / 64 * 64);
    if (!memory) exit(70);
    memset(memory, 0, (count * size + 127) / 64 * 64);
    return memory;
}

static size_t key_offset(const header *h, size_t l, size_t head) {
    return (l * h->kv_heads + head) * 2 * ck_page_panel_count(h->dimension);
}

static state start(model *m, const ck_row *row) {
    const header *h = &m->h;
    state s = {.m = m, .row = row, .positions = h->prompt_count + h->most_new};
    size_t pages = s.positions / CK_PAGE_POSITIONS + 1;
    size_t q = (size_t)h->heads * h->dimension, kv = (size_t)h->kv_heads * h->dimension;
    size_t widest = q + 2 * kv > 2 * h->intermediate ? q + 2 * kv : 2 * h->intermediate;
    s.page_size = key_offset(h, h->layers, 0);
    s.pages = allocate(pages * s.page_size, sizeof *s.pages);
    s.page_table = allocate(pages, sizeof *s.page_table);
    for (size_t i = 0; i < pages; i++) s.page_table[i] = s.pages + i * s.page_size;
    s.cosines = allocate(s.positions * h->dimension / 2, sizeof(float));
    s.sines = allocate(s.positions * h->dimension / 2, sizeof(float));
    float *inverse = allocate(h->dimension / 2, sizeof(float));
    ck_inverse_frequencies(h->theta, h->dimension, inverse);
    for (size_t p = 0; p < s.positions; p++) {
        size_t at = p * h->dimension / 2;
        ck_rotary_row(inverse, h->dimension / 2, (uint32_t)p, s.cosines + at, s.sines + at);
    }
    free(inverse);
    s.residual = allocate(h->hidden, sizeof(float));
    s.wide = allocate(widest, sizeof(float));
    s.scratch = allocate(ck_attention_scratch(h->dimension, s.positions), sizeof(float));
    s.logits = allocate(h->vocabulary, sizeof(float));
    s.normed = allocate(h->hidden, sizeof(uint16_t));
    s.heads = allocate(q + 2 * kv, sizeof(uint16_t));
    s.mixed = allocate(q > h->intermediate ? q : h->intermediate, sizeof(uint16_t));
    return s;
}

static void multiply(state *s, const uint16_t *x, size_t k, const uint16_t *w, size_t n, float *out, bool add) {
    ck_matmul_job job = {
        .x = x, .x_stride = k, .rows = 1, .k = k, .panels = w, .columns = n, .out = out, .out_stride = n,
        .accumulate = add,
    };
    s->row->matmul(&job);
}

static void rotate(state *s, const float *x, uint16_t *out, size_t heads, const uint16_t *norm, int32_t position) {
    ck_rotary_job job = {
        .x = x, .out = out, .rows = 1, .heads = heads, .head_dimension = s->m->h.dimension, .norm_weight = norm,
        .epsilon = s->m->h.epsilon, .positions = &position, .cosines = s->cosines, .sines = s->sines,
    };
    s->row->rotate(&job);
}

static void attend(state *s, size_t l, size_t position) {
    const header *h = &s->m->h;
    size_t q = (size_t)h->heads * h->dimension, kv = (size_t)h->kv_heads * h->dimension;
    size_t group = h->heads / h->kv_heads, panel = ck_page_panel_count(h->dimension);
    uint16_t *page = s->pages + position / CK_PAGE_POSITIONS * s->page_size;
    size_t slot = position % CK_PAGE_POSITIONS;
    s->row->round(s->wide + q + kv, s->heads + q + kv, kv);
    for (size_t head = 0; head < h->kv_heads; head++) {
        size_t offset = key_offset(h, l, head);
        ck_write_key(page + offset, h->dimension, slot, s->heads + q + head * h->dimension);
        ck_write_value(page + offset + panel, h->dimension, slot, s->heads + q + kv + head * h->dimension);
    }
    ck_attention_segment segment = {.pages = s->page_table, .rows = 1, .first_position = position};
    for (size_t head = 0; head < h->kv_heads; head++) {
        ck_attention_job job = {
            .segments = &segment, .segment_count = 1, .query = s->heads + head * group * h->dimension,
            .query_stride = q, .out = s->mixed + head * group * h->dimension, .out_stride = q, .group = group,
            .head_dimension = h->dimension, .scale = (float)(1 / __builtin_sqrt((double)h->dimension)),
            .key_offset = key_offset(h, l, head), .value_offset = key_offset(h, l, head) + panel,
            .scratch = s->scratch,
        };
        s->row->attention(&job);
    }
}

// One token through the model; leaves the committed row in `normed`.
static void forward(state *s, size_t position) {
    const header *h = &s->m->h;
    size_t q = (size_t)h->heads * h->dimension, kv = (size_t)h->kv_heads * h->dimension;
    s->row->embed(s->m->embedding, h->hidden, s->m->tokens + position, 1, s->residual);
    for (size_t l = 0; l < h->layers; l++) {
        const layer *layer = &s->m->layers[l];
        s->row->rms_norm(s->residual, 0, layer->input_norm, h->epsilon, 1, h->hidden, s->normed, 0);
        multiply(s, s->normed, h->hidden, layer->qkv, q + 2 * kv, s->wide, false);
        rotate(s, s->wide, s->heads, h->heads, layer->q_norm, (int32_t)position);
        rotate(s, s->wide + q, s->heads + q, h->kv_heads, layer->k_norm, (int32_t)position);
        attend(s, l, position);
        multiply(s, s->mixed, q, layer->o, h->hidden, s->residual, true);
        s->row->rms_norm(s->residual, 0, layer->second_norm, h->epsilon, 1, h->hidden, s->normed, 0);
        multiply(s, s->normed, h->hidden, layer->gate_up, 2 * (size_t)h->intermediate, s->wide, false);
        s->row->swiglu(s->wide, s->wide + h->intermediate, 0, 1, h->intermediate, s->mixed, 0);
        multiply(s, s->mixed, h->intermediate, layer->down, h->hidden, s->residual, true);
    }
    s->row->rms_norm(s->residual, 0, s->m->final_norm, h->epsilon, 1, h->hidden, s->normed, 0);
}

// Samples the token at `position` from the row in `normed`; returns its log-probability.
static float choose(state *s, size_t position) {
    const header *h = &s->m->h;
    multiply(s, s->normed, h->hidden, s->m->output, h->vocabulary, s->logits, false);
    float divisor = h->temperature == 0 ? 1.0f : h->temperature;
    size_t count = (h->vocabulary + CK_VOCABULARY_BLOCK - 1) / CK_VOCABULARY_BLOCK;
    ck_block_sum *blocks = allocate(count, sizeof *blocks);
    ck_choice choice = ck_choice_none();
    for (size_t b = 0; b < count; b++) {
        size_t first = b * CK_VOCABULARY_BLOCK, left = h->vocabulary - first;
        ck_sample_job job = {
            .logits = s->logits + first, .first_id = first,
            .count = left < CK_VOCABULARY_BLOCK ? left : CK_VOCABULARY_BLOCK, .temperature = divisor,
            .noise = h->temperature == 0 ? NULL : &h->noise, .position = (uint32_t)position,
        };
        s->row->sample(&job, &blocks[b], &choice);
    }
    float maximum, log_sum;
    s->row->combine(blocks, count, &maximum, &log_sum);
    free(blocks);
    s->m->tokens[position] = choice.token;
    return ck_log_probability(choice.logit, divisor, maximum, log_sum);
}

int main(int count, char **arguments) {
    static const char *const names[CK_ROW_COUNT] = {"scalar", "avx2", "avx512f", "avx512bf16", "neon"};
    const ck_row *row = NULL;
    for (int id = 0; count > 1 && id < CK_ROW_COUNT; id++) {
        if (strcmp(arguments[1], names[id]) == 0) row = ck_row_get((ck_row_id)id);
    }
    FILE *file = count > 2 ? fopen(arguments[2], "rb") : NULL;
    if (!row || (count > 2 && !file)) {
        fprintf(stderr, "generate: use 'generate ROW [DUMP]' with a row of this machine and a dump that can be read\n");
        return 64;
    }
    ck_environment_enter();
    model m = file ? load_model(file) : make_model();
    state s = start(&m, row);
    float *logprobs = allocate(m.h.most_new, sizeof *logprobs);
    uint16_t *rows = allocate((size_t)m.h.most_new * m.h.hidden, sizeof *rows);
    size_t generated = 0;
    for (size_t position = 0; position + 1 < s.positions; position++) {
        forward(&s, position);
        if (position + 1 < m.h.prompt_count) continue;
        memcpy(rows + generated * m.h.hidden, s.normed, m.h.hidden * sizeof *rows);
        logprobs[generated++] = choose(&s, position + 1);
        if (m.tokens[position + 1] == m.h.stop) break;
    }
    printf("{\"tokens\":[");
    for (size_t i = 0; i < generated; i++) printf("%s%d", i ? "," : "", (int)m.tokens[m.h.prompt_count + i]);
    printf("],\"logprob_bits\":[");
    for (size_t i = 0; i < generated; i++) {
        uint32_t bits;
        memcpy(&bits, &logprobs[i], sizeof bits);
        printf("%s%u", i ? "," : "", (unsigned)bits);
    }
    printf("],\"rows\":\"");
    const uint8_t *bytes = (const uint8_t *)rows;
    for (size_t i = 0; i < generated * m.h.hidden * 2; i++) printf("%02x", bytes[i]);
    printf("\"}\n");
    return 0;
}
