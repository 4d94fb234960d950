// A whole small model on the kernels alone: what a processor without our Swift binaries needs to generate one sample.
//
// The dump (little-endian), written by a test from a model directory:
//   "APUSDUMP", u32 version 1, u32 vocabulary, hidden, layers, heads, kv heads, head dimension, intermediate,
//   u32 tied, u32 q/k norms, f32 epsilon, f64 rope theta,
//   u32 prompt tokens, u32 maximum new tokens, i32 stop token or -1, f32 temperature, u32 noise key[2], counter[2],
//   i32 prompt[], then bf16 tensors: embedding [V, H]; per layer input norm [H], q [heads * D, H], k, v [kv * D, H],
//   o [H, heads * D], (q norm, k norm [D]), second norm [H], gate, up [F, H], down [H, F]; final norm [H];
//   (output projection [V, H] unless tied).
#ifndef APUS_NEON_MODEL_H
#define APUS_NEON_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "CKernels.h"

typedef struct header {
    char magic[8];
    uint32_t version, vocabulary, hidden, layers, heads, kv_heads, dimension, intermediate, tied, norms;
    float epsilon;
    double theta;
    uint32_t prompt_count, most_new;
    int32_t stop;
    float temperature;
    ck_noise_key noise;
} header;

typedef struct layer {
    const uint16_t *input_norm, *q_norm, *k_norm, *second_norm;
    uint16_t *qkv, *o, *gate_up, *down;  // packed
} layer;

typedef struct model {
    header h;
    int32_t *tokens;  // prompt, then what was generated
    const uint16_t *embedding, *final_norm;
    uint16_t *output;  // packed
    layer *layers;
} model;

// Reads a dump; exits with a sentence when it is not one.
model load_model(FILE *file);
// A model with random weights, for a comparison that needs no dump.
model make_model(void);

#endif
