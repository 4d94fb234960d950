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

// Vectors are handed only to functions that are always inlined, so no calling convention is concerned.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpsabi"
#endif

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

// The same for 16 numbers at once.
TRAINING_INLINE training_lanes training_exp_lanes(training_lanes x) {
    typedef int32_t integers __attribute__((vector_size(64)));
    training_lanes zero = {0}, low = zero - 87.0f, high = zero + 88.0f;
    training_lanes clamped = __builtin_elementwise_min(__builtin_elementwise_max(x, low), high);
    training_lanes n = __builtin_elementwise_rint(clamped * 1.44269504088896341f);
    training_lanes f = __builtin_elementwise_fma(n, zero - 0.693359375f, clamped);
    f = __builtin_elementwise_fma(n, zero + 2.12194440e-4f, f);
    training_lanes p = zero + 1.9875691500e-4f;
    p = __builtin_elementwise_fma(p, f, zero + 1.3981999507e-3f);
    p = __builtin_elementwise_fma(p, f, zero + 8.3334519073e-3f);
    p = __builtin_elementwise_fma(p, f, zero + 4.1665795894e-2f);
    p = __builtin_elementwise_fma(p, f, zero + 1.6666665459e-1f);
    p = __builtin_elementwise_fma(p, f, zero + 5.0000001201e-1f);
    p = __builtin_elementwise_fma(p, f * f, f) + 1.0f;
    integers bits = (__builtin_convertvector(n, integers) + 127) << 23;
    integers result = (integers)(p * (training_lanes)bits) & ~(integers)(x < low);
    return (training_lanes)result;
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
