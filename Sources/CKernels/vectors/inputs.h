// Deterministic inputs and the digest of the hash vectors.
#ifndef CK_VECTORS_INPUTS_H
#define CK_VECTORS_INPUTS_H

#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"

// A counter generator: value i of stream s depends on (s, i) alone.
static inline uint32_t input_word(uint32_t stream, uint32_t index) {
    uint64_t z = ((uint64_t)stream << 32 | index) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 16);
}

// What kind of numbers an input holds.
typedef enum input_kind {
    INPUT_PLAIN,      // uniform in [-2, 2)
    INPUT_LOGITS,     // uniform in [-16, 16)
    INPUT_WIDE,       // any sign and fraction, exponents -60 to 60
    INPUT_SMALL,      // exponents -126 to -50: products underflow
    INPUT_DENORMAL,   // denormals, zeros of both signs and the smallest normal numbers
} input_kind;

static inline float input_float(input_kind kind, uint32_t stream, uint32_t index) {
    uint32_t word = input_word(stream, index);
    uint32_t exponent = input_word(stream + 0x8000u, index);
    switch (kind) {
    case INPUT_PLAIN: return ((float)(int32_t)(word >> 8) - 0x1p23f) * 0x1p-22f;
    case INPUT_LOGITS: return ((float)(int32_t)(word >> 8) - 0x1p23f) * 0x1p-19f;
    case INPUT_WIDE: return float_of((word & 0x807fffffu) | (67 + exponent % 121) << 23);
    case INPUT_SMALL: return float_of((word & 0x807fffffu) | (1 + exponent % 77) << 23);
    default: return float_of(exponent % 5 == 0 ? word & 0x80000000u : word & 0x80ffffffu);
    }
}

static inline void fill(float *x, size_t count, input_kind kind, uint32_t stream) {
    for (size_t i = 0; i < count; i++) x[i] = input_float(kind, stream, (uint32_t)i);
}

static inline void fill_bf16(uint16_t *x, size_t count, input_kind kind, uint32_t stream) {
    // The upper half of the bits, not a rounding: denormals must reach the kernels.
    for (size_t i = 0; i < count; i++) x[i] = (uint16_t)(bits_of(input_float(kind, stream, (uint32_t)i)) >> 16);
}

// FNV-1a, 64 bits.
typedef struct digest { uint64_t state; } digest;

static inline digest digest_start(void) { return (digest){0xcbf29ce484222325u}; }

static inline void digest_bytes(digest *d, const void *bytes, size_t count) {
    const uint8_t *p = bytes;
    for (size_t i = 0; i < count; i++) d->state = (d->state ^ p[i]) * 0x100000001b3u;
}

#endif
