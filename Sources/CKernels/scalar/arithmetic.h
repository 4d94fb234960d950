// The five operations of binary32 under the canonical environment (rule 1), one value at a time.
//
// x86 with FTZ and DAZ does the flushing. Where the compiler may not assume an FMA instruction, the fused operation is
// built from binary64, so that this row depends on neither the processor nor libm.
// Arm runs with FZ off and flushes here: x86 calls a result tiny when it is below 2^-126 after rounding to 24 bits
// with an unbounded exponent, that is, when its exact magnitude is below 2^-126 - 2^-151. Gradual underflow rounds on a
// coarser grid there, so a result of exactly 2^-126 has to be judged by the exact value, which binary64 holds.
#ifndef CK_SCALAR_ARITHMETIC_H
#define CK_SCALAR_ARITHMETIC_H

#include <stdint.h>
#include <string.h>
#if defined(__aarch64__)
#include <arm_neon.h>
#else
#include <xmmintrin.h>
#endif

#define CK_MINIMUM_NORMAL 0x1p-126f
#define CK_TINY_LIMIT (0x1p-126 - 0x1p-151)

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float signed_zero_of(float x) {
    return float_of(bits_of(x) & 0x80000000u);
}

// Denormal to signed zero, by bits: the same in every environment.
static inline float flush_input(float x) {
    return (bits_of(x) & 0x7f800000u) == 0 ? signed_zero_of(x) : x;
}

#if defined(__aarch64__)

static inline float flush_result(float rounded, double exact) {
    double magnitude = exact < 0 ? -exact : exact;
    return magnitude < CK_TINY_LIMIT ? signed_zero_of(rounded) : rounded;
}

static inline float f32_add(float a, float b) {
    // Exact wherever the result is tiny: sums of normal numbers are multiples of 2^-149.
    return flush_input(flush_input(a) + flush_input(b));
}
static inline float f32_sub(float a, float b) {
    return flush_input(flush_input(a) - flush_input(b));
}
static inline float f32_mul(float a, float b) {
    a = flush_input(a), b = flush_input(b);
    return flush_result(a * b, (double)a * (double)b);
}
static inline float f32_div(float a, float b) {
    a = flush_input(a), b = flush_input(b);
    return flush_result(a / b, (double)a / (double)b);
}
static inline float f32_sqrt(float a) {
    return vget_lane_f32(vsqrt_f32(vdup_n_f32(flush_input(a))), 0);  // the instruction, never libm
}
static inline float f32_fma(float a, float b, float c) {
    a = flush_input(a), b = flush_input(b), c = flush_input(c);
    float rounded = __builtin_fmaf(a, b, c);
    if ((bits_of(rounded) & 0x7fffffffu) > 0x00800000u) return rounded;
    // A sum this small is exact in binary64: 48 bits of product, the addend on the same grid.
    return flush_result(rounded, (double)a * (double)b + (double)c);
}

#else

static inline float f32_add(float a, float b) { return a + b; }
static inline float f32_sub(float a, float b) { return a - b; }
static inline float f32_mul(float a, float b) { return a * b; }
static inline float f32_div(float a, float b) { return a / b; }
static inline float f32_sqrt(float a) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a))); }  // never libm

#if defined(__FMA__)
static inline float f32_fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
// The product is exact in binary64; the sum is rounded to odd there (Boldo and Melquiond), which makes the second
// rounding, to binary32, the only one that counts. Written without branches, so that compilers can do several at once:
// an inexact sum with an even last bit moves by one towards the exact value; a NaN or an infinity stays.
static inline float f32_fma(float a, float b, float c) {
    double product = (double)a * (double)b;
    double addend = (double)c;
    double sum = product + addend;
    double part = sum - product;
    double error = (product - (sum - part)) + (addend - part);
    int64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    int64_t inexact = -(int64_t)((error < 0) | (error > 0));  // false for the NaN that an infinity leaves
    int64_t even = (bits & 1) - 1;
    int64_t towards = (error > 0) == (sum > 0) ? 1 : -1;
    bits += inexact & even & towards;
    memcpy(&sum, &bits, sizeof sum);
    return (float)sum;
}
#endif
#endif

// Binary32 to bf16, to nearest even; denormals become signed zeros; a NaN stays a (quiet) NaN.
static inline uint16_t round_to_bf16(float x) {
    uint32_t bits = bits_of(x);
    uint32_t magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return (uint16_t)((bits >> 16) | 0x0040u);
    if (magnitude < 0x00800000u) return (uint16_t)((bits >> 16) & 0x8000u);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

static inline float widen_bf16(uint16_t x) {
    return flush_input(float_of((uint32_t)x << 16));
}

// The fixed tree of rule 4: 16 lanes to one, 8-4-2-1.
static inline float sum_of_lanes(float lanes[16]) {
    for (int width = 8; width >= 1; width /= 2) {
        for (int i = 0; i < width; i++) lanes[i] = f32_add(lanes[i], lanes[i + width]);
    }
    return lanes[0];
}

#endif
