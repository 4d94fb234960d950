#include "model.h"

#include <stdlib.h>
#include <string.h>

static void fail(const char *reason) {
    fprintf(stderr, "generate: %s\n", reason);
    exit(65);
}

static void *allocate(size_t count, size_t size) {
    void *memory = aligned_alloc(64, (count * size + 63) / 64 * 64 + 64);
    if (!memory) fail("out of memory");
    memset(memory, 0, (count * size + 63) / 64 * 64 + 64);
    return memory;
}

// Where tensors come from: a file, or a generator when there is none.
typedef struct source {
    FILE *file;
    uint64_t state;
} source;

static void read_exactly(FILE *file, void *target, size_t bytes) {
    if (fread(target, 1, bytes, file) != bytes) fail("the dump ends early");
}

// Random tensors: norms around 1, everything else around 0 with a deviation that keeps the model alive.
static uint16_t *tensor(source *from, size_t rows, size_t columns) {
    uint16_t *t = allocate(rows * columns, sizeof *t);
    if (from->file) {
        read_exactly(from->file, t, rows * columns * sizeof *t);
        return t;
    }
    for (size_t i = 0; i < rows * columns; i++) {
        from->state = from->state * 6364136223846793005u + 1442695040888963407u;
        float unit = (float)(int32_t)(from->state >> 32) * 0x1p-31f;
        t[i] = ck_round(rows == 1 ? 1.0f + 0.25f * unit : 0.25f * unit);
    }
    return t;
}

static uint16_t *packed(source *from, size_t parts, const size_t *rows, size_t k) {
    size_t total = 0;
    for (size_t i = 0; i < parts; i++) total += rows[i];
    uint16_t *target = allocate(ck_packed_count(total, k), sizeof *target);
    size_t first = 0;
    for (size_t i = 0; i < parts; first += rows[i++]) {
        uint16_t *plain = tensor(from, rows[i], k);
        ck_pack_rows(plain, k, rows[i], k, target, first);
        free(plain);
    }
    return target;
}

static void fill(model *m, source *from) {
    const header *h = &m->h;
    size_t q = (size_t)h->heads * h->dimension, kv = (size_t)h->kv_heads * h->dimension;
    m->embedding = tensor(from, h->vocabulary, h->hidden);
    m->layers = allocate(h->layers, sizeof *m->layers);
    for (uint32_t i = 0; i < h->layers; i++) {
        layer *l = &m->layers[i];
        l->input_norm = tensor(from, 1, h->hidden);
        l->qkv = packed(from, 3, (size_t[]){q, kv, kv}, h->hidden);
        l->o = packed(from, 1, (size_t[]){h->hidden}, q);
        l->q_norm = h->norms ? tensor(from, 1, h->dimension) : NULL;
        l->k_norm = h->norms ? tensor(from, 1, h->dimension) : NULL;
        l->second_norm = tensor(from, 1, h->hidden);
        l->gate_up = packed(from, 2, (size_t[]){h->intermediate, h->intermediate}, h->hidden);
        l->down = packed(from, 1, (size_t[]){h->hidden}, h->intermediate);
    }
    m->final_norm = tensor(from, 1, h->hidden);
    if (h->tied) {
        m->output = allocate(ck_packed_count(h->vocabulary, h->hidden), sizeof *m->output);
        ck_pack_rows(m->embedding, h->hidden, h->vocabulary, h->hidden, m->output, 0);
    } else {
        m->output = packed(from, 1, (size_t[]){h->vocabulary}, h->hidden);
    }
}

static void check(const header *h) {
    if (h->vocabulary == 0 || h->vocabulary > 1 << 20 || h->hidden == 0 || h->hidden > 1 << 14) fail("bad sizes");
    if (h->layers == 0 || h->layers > 256 || h->kv_heads == 0 || h->heads % h->kv_heads != 0) fail("bad heads");
    if (h->heads > 256 || h->dimension == 0 || h->dimension % 2 || h->dimension > 512) fail("bad head dimension");
    if (h->intermediate == 0 || h->intermediate > 1 << 16) fail("bad intermediate size");
    if (h->prompt_count == 0 || h->prompt_count > 4096 || h->most_new > 4096) fail("bad token counts");
    if (!(h->temperature >= 0)) fail("bad temperature");
}

#define READ(field) read_exactly(file, &m.h.field, sizeof m.h.field)

model load_model(FILE *file) {
    model m = {0};
    READ(magic);
    if (memcmp(m.h.magic, "APUSDUMP", 8) != 0) fail("this is not a dump");
    READ(version);
    if (m.h.version != 1) fail("unknown dump version");
    READ(vocabulary), READ(hidden), READ(layers), READ(heads), READ(kv_heads), READ(dimension), READ(intermediate);
    READ(tied), READ(norms), READ(epsilon), READ(theta);
    READ(prompt_count), READ(most_new), READ(stop), READ(temperature), READ(noise);
    check(&m.h);
    m.tokens = allocate(m.h.prompt_count + m.h.most_new, sizeof *m.tokens);
    read_exactly(file, m.tokens, m.h.prompt_count * sizeof *m.tokens);
    for (uint32_t i = 0; i < m.h.prompt_count; i++) {
        if (m.tokens[i] < 0 || m.tokens[i] >= (int32_t)m.h.vocabulary) fail("a prompt token is outside the vocabulary");
    }
    source from = {.file = file};
    fill(&m, &from);
    return m;
}

model make_model(void) {
    model m = {.h = {
        .vocabulary = 128, .hidden = 64, .layers = 2, .heads = 4, .kv_heads = 2, .dimension = 16, .intermediate = 128,
        .tied = 1, .norms = 1, .epsilon = 1e-6f, .theta = 1e4, .prompt_count = 6, .most_new = 40, .stop = 10,
        .temperature = 1.0f, .noise = {{1, 2}, {3, 4}},
    }};
    static const int32_t prompt[6] = {56, 51, 49, 53, 50, 62};
    m.tokens = allocate(m.h.prompt_count + m.h.most_new, sizeof *m.tokens);
    memcpy(m.tokens, prompt, sizeof prompt);
    source from = {.state = 7};
    fill(&m, &from);
    return m;
}
