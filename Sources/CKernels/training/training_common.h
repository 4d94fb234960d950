// Shared by the training files: per-machine clones, a 16-lane vector and an exponential.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// One source, compiled for several instruction sets and chosen by the loader. Elsewhere the plain build is used.
#if defined(__x86_64__) && defined(__linux__)
#define TRAINING_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TRAINING_CLONES
#endif

#define TRAINING_INLINE static inline __attribute__((always_inline))

typedef float training_lanes __attribute__((vector_size(64), aligned(4)));

// exp(x) for x <= 0 or moderate x, about 2 ulp; 0 below -87. Not the canonical exponential: nobody commits to it.
TRAINING_INLINE float training_exp(float x) {
    float clamped = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
    float n = __builtin_elementwise_rint(clamped * 1.44269504088896341f);
    float f = __builtin_fmaf(n, -0.693359375f, clamped);
    f = __builtin_fmaf(n, 2.12194440e-4f, f);
    float p = 1.9875691500e-4f;
    p = __builtin_fmaf(p, f, 1.3981999507e-3f);
    p = __builtin_fmaf(p, f, 8.3334519073e-3f);
    p = __builtin_fmaf(p, f, 4.1665795894e-2f);
    p = __builtin_fmaf(p, f, 1.6666665459e-1f);
    p = __builtin_fmaf(p, f, 5.0000001201e-1f);
    p = __builtin_fmaf(p, f * f, f) + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return x < -87.0f ? 0.0f : p * power;
}

// The nearest bf16 (ties to even) as a float. Finite input only.
TRAINING_INLINE float training_round(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7FFFu + ((bits >> 16) & 1u)) & 0xFFFF0000u;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

TRAINING_INLINE float training_widen_one(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float x;
    memcpy(&x, &bits, sizeof bits);
    return x;
}
