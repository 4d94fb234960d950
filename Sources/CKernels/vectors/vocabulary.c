// Vectors of everything that happens over the vocabulary, and of the functions that all rows share.
#include "vectors.h"

void vector_block_sum(const ck_row *row, digest *d) {
    float z[1000];
    fill(z, 1000, INPUT_LOGITS, 300);
    ck_block_sum blocks[5];
    blocks[0] = row->block_sum(z, 1000, 1.0f);
    blocks[1] = row->block_sum(z, 333, 0.7f);
    fill(z, 1000, INPUT_DENORMAL, 301);
    blocks[2] = row->block_sum(z, 77, 1.0f);
    const float edge = 0x1.fffffep-126f;  // half of it is tiny but rounds to 2^-126 on a denormal grid
    blocks[3] = row->block_sum(&edge, 1, 2.0f);
    const float zeros[3] = {-0.0f, -0.0f, -0.0f};
    blocks[4] = row->block_sum(zeros, 3, 1.0f);
    digest_bytes(d, blocks, sizeof blocks);
    float combined[3];
    row->combine(blocks, 3, &combined[0], &combined[1]);
    combined[2] = ck_log_probability(z[5], 0.7f, combined[0], combined[1]);
    digest_bytes(d, combined, sizeof combined);
}

void vector_choose(const ck_row *row, digest *d) {
    float z[700];
    for (uint32_t i = 0; i < 24; i++) {
        float spread = i % 3 == 0 ? 0.0f : i % 3 == 1 ? 0.25f : 2.0f;
        for (uint32_t v = 0; v < 700; v++) z[v] = input_float(INPUT_LOGITS, 310 + i, v) * spread;
        ck_noise_key key = {{input_word(400, i), input_word(401, i)}, {input_word(402, i), input_word(403, i)}};
        ck_choice choice = ck_choice_none();
        ck_sample_job job = {z, 0, 320 + i, i % 2 ? 1.0f : 0.6f, &key, i};
        ck_block_sum sum;
        row->sample(&job, &sum, &choice);
        job.logits = z + 352, job.first_id = 352, job.count = 300 + i;
        row->sample(&job, &sum, &choice);
        digest_bytes(d, &choice, sizeof choice);
    }
}

void vector_greedy(const ck_row *row, digest *d) {
    float z[300];
    for (uint32_t i = 0; i < 16; i++) {
        fill(z, 300, i % 2 ? INPUT_PLAIN : INPUT_DENORMAL, 420 + i);
        if (i % 4 == 3) z[17] = z[250] = 3.0f;
        ck_choice choice = ck_choice_none();
        ck_sample_job job = {z, 0, 160 + i, 1.0f, NULL, 0};
        ck_block_sum sum;
        row->sample(&job, &sum, &choice);
        job.logits = z + 176, job.first_id = 176, job.count = 100 + i;
        row->sample(&job, &sum, &choice);
        digest_bytes(d, &choice, sizeof choice);
    }
}

// Philox, the noise and the binary64 functions do not differ between rows, but between processors they might.
void vector_shared(const ck_row *row, digest *d) {
    (void)row;
    for (uint32_t i = 0; i < 64; i++) {
        uint32_t counter[4] = {i, input_word(500, i), 2, 3}, key[2] = {input_word(501, i), i}, out[4];
        ck_philox4x32_10(counter, key, out);
        digest_bytes(d, out, sizeof out);
        float noise = ck_exponential(i == 0 ? 0 : i == 1 ? 0xffffffffu : out[0]);
        digest_bytes(d, &noise, sizeof noise);
    }
    float inverse[32], cosines[32], sines[32];
    static const uint32_t positions[5] = {0, 1, 17, 40959, 1u << 24};
    ck_inverse_frequencies(1e6, 64, inverse);
    digest_bytes(d, inverse, sizeof inverse);
    for (int i = 0; i < 5; i++) {
        ck_rotary_row(inverse, 32, positions[i], cosines, sines);
        digest_bytes(d, cosines, sizeof cosines);
        digest_bytes(d, sines, sizeof sines);
    }
}

// Stretched rotary frequencies: both kinds, with waves on each side of llama3's borders and between them.
void vector_rotary_scaling(const ck_row *row, digest *d) {
    (void)row;
    static const ck_rotary_scaling scalings[] = {
        {.kind = CK_ROTARY_PLAIN, .factor = 1},
        {.kind = CK_ROTARY_LINEAR, .factor = 2.5},
        {.kind = CK_ROTARY_LLAMA3, .factor = 8, .low = 1, .high = 4, .original = 8192},
        {.kind = CK_ROTARY_LLAMA3, .factor = 32, .low = 0.5, .high = 3, .original = 77},
    };
    float inverse[64];
    for (size_t i = 0; i < sizeof scalings / sizeof scalings[0]; i++) {
        ck_scaled_inverse_frequencies(5e5, 128, &scalings[i], inverse);
        digest_bytes(d, inverse, sizeof inverse);
    }
}
