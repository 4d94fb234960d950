// exp, log and log1p of binary32 from +, x and fma only (rule 13): one expression tree, which every row repeats.
#ifndef CK_SCALAR_TRANSCENDENTAL_H
#define CK_SCALAR_TRANSCENDENTAL_H

#include "../common/constants.h"
#include "arithmetic.h"

// e^x; exactly 0 below -87.33, clamped at 88.
static inline float exp_of(float x) {
    if (x < CK_EXP_LOWEST) return 0.0f;
    if (x > CK_EXP_HIGHEST) x = CK_EXP_HIGHEST;
    float shifted = f32_fma(x, CK_LOG2_E, CK_ROUND_SHIFT);  // the low bits now hold the nearest integer n
    float n = f32_sub(shifted, CK_ROUND_SHIFT);
    float r = f32_fma(n, -CK_LN2_HIGH, x);
    r = f32_fma(n, -CK_LN2_LOW, r);
    float q = CK_EXP_4;
    q = f32_fma(q, r, CK_EXP_3);
    q = f32_fma(q, r, CK_EXP_2);
    q = f32_fma(q, r, CK_EXP_1);
    q = f32_fma(q, r, CK_EXP_0);
    float p = f32_fma(f32_mul(r, r), q, r);
    p = f32_add(p, 1.0f);
    return float_of(bits_of(p) + (bits_of(shifted) << 23));
}

// log(1 + f) + e ln 2 for f in [sqrt(1/2) - 1, sqrt(2) - 1].
static inline float log_core(float f, float e) {
    float s = f32_mul(f, f);
    float q = CK_LOG_8;
    q = f32_fma(q, f, CK_LOG_7);
    q = f32_fma(q, f, CK_LOG_6);
    q = f32_fma(q, f, CK_LOG_5);
    q = f32_fma(q, f, CK_LOG_4);
    q = f32_fma(q, f, CK_LOG_3);
    q = f32_fma(q, f, CK_LOG_2);
    q = f32_fma(q, f, CK_LOG_1);
    q = f32_fma(q, f, CK_LOG_0);
    float y = f32_mul(f32_mul(q, f), s);
    y = f32_fma(e, CK_LN2_LOW, y);
    y = f32_fma(-0.5f, s, y);
    y = f32_add(f, y);
    return f32_fma(e, CK_LN2_HIGH, y);
}

// ln x for positive normal x; minus infinity for everything below.
static inline float log_of(float x) {
    if (!(x >= CK_MINIMUM_NORMAL)) return -__builtin_inff();
    uint32_t exponent = (bits_of(x) - CK_SQRT_HALF_BITS) & 0xff800000u;
    float m = float_of(bits_of(x) - exponent);
    float e = (float)((int32_t)exponent >> 23);
    return log_core(f32_sub(m, 1.0f), e);
}

// ln(1 + y) for y > -1: the rounding error of 1 + y is carried into the reduced argument.
static inline float log1p_of(float y) {
    float u = f32_add(1.0f, y);
    if (!(u >= CK_MINIMUM_NORMAL)) return -__builtin_inff();
    float error = f32_sub(y, f32_sub(u, 1.0f));
    uint32_t exponent = (bits_of(u) - CK_SQRT_HALF_BITS) & 0xff800000u;
    float m = float_of(bits_of(u) - exponent);
    float e = (float)((int32_t)exponent >> 23);
    float scale = float_of(0x3f800000u - exponent);  // 2^-e
    return log_core(f32_fma(error, scale, f32_sub(m, 1.0f)), e);
}

// E = -log1p(-t) of one random word (rule 10).
static inline float exponential_of(uint32_t word) {
    float wide = f32_fma((float)(word >> 16), 65536.0f, (float)(word & 0xffffu));  // f32(word), one rounding
    float t = f32_fma(wide, 0x1p-32f, 0x1p-33f);
    if (t > CK_NOISE_HIGHEST) t = CK_NOISE_HIGHEST;
    return f32_sub(0.0f, log1p_of(f32_sub(0.0f, t)));
}

#endif
