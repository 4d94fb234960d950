// The 16 virtual lanes of rule 4 as four NEON registers.
//
// FZ is off and every operation flushes its operands and its result by selection (rule 1). A result of exactly 2^-126
// may have been rounded up from a value that x86 calls tiny: such quarters are recomputed lane by lane with the scalar
// operation, which judges the exact value. It is rare enough to cost nothing.
#ifndef CK_NEON_LANES_H
#define CK_NEON_LANES_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "../common/target.h"
#include "../scalar/arithmetic.h"

typedef struct { float32x4_t v[4]; } lanes;
typedef struct { uint32x4_t v[4]; } words;
typedef words mask;  // all bits of a lane set or none

// One expression in `i` for each of the four registers.
#define EACH(type, expression)                                   \
    ({                                                           \
        type each;                                               \
        UNROLL for (int i = 0; i < 4; i++) each.v[i] = (expression); \
        each;                                                    \
    })

// MARK: - One register

ALWAYS_INLINE float32x4_t quad_flush(float32x4_t x) {
    uint32x4_t bits = vreinterpretq_u32_f32(x);
    uint32x4_t normal = vtstq_u32(bits, vdupq_n_u32(0x7f800000u));
    return vreinterpretq_f32_u32(vandq_u32(bits, vorrq_u32(normal, vdupq_n_u32(0x80000000u))));
}
ALWAYS_INLINE bool quad_on_boundary(float32x4_t x) {
    uint32x4_t magnitude = vandq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(0x7fffffffu));
    return vmaxvq_u32(vceqq_u32(magnitude, vdupq_n_u32(0x00800000u))) != 0;
}

#define LANE_BY_LANE(expression)                           \
    float result[4], a[4], b[4], c[4];                     \
    vst1q_f32(a, x), vst1q_f32(b, y), vst1q_f32(c, z);     \
    for (int i = 0; i < 4; i++) result[i] = (expression);  \
    return vld1q_f32(result)

static __attribute__((noinline)) float32x4_t quad_mul_exact(float32x4_t x, float32x4_t y, float32x4_t z) {
    LANE_BY_LANE(f32_mul(a[i], b[i]));
}
static __attribute__((noinline)) float32x4_t quad_div_exact(float32x4_t x, float32x4_t y, float32x4_t z) {
    LANE_BY_LANE(f32_div(a[i], b[i]));
}
static __attribute__((noinline)) float32x4_t quad_fma_exact(float32x4_t x, float32x4_t y, float32x4_t z) {
    LANE_BY_LANE(f32_fma(a[i], b[i], c[i]));
}

ALWAYS_INLINE float32x4_t quad_add(float32x4_t x, float32x4_t y) {
    return quad_flush(vaddq_f32(quad_flush(x), quad_flush(y)));  // exact wherever it is tiny
}
ALWAYS_INLINE float32x4_t quad_sub(float32x4_t x, float32x4_t y) {
    return quad_flush(vsubq_f32(quad_flush(x), quad_flush(y)));
}
ALWAYS_INLINE float32x4_t quad_mul(float32x4_t x, float32x4_t y) {
    float32x4_t r = vmulq_f32(quad_flush(x), quad_flush(y));
    return quad_on_boundary(r) ? quad_mul_exact(x, y, y) : quad_flush(r);
}
ALWAYS_INLINE float32x4_t quad_div(float32x4_t x, float32x4_t y) {
    float32x4_t r = vdivq_f32(quad_flush(x), quad_flush(y));
    return quad_on_boundary(r) ? quad_div_exact(x, y, y) : quad_flush(r);
}
// For operands that are known to hold no denormals.
ALWAYS_INLINE float32x4_t quad_fma_clean(float32x4_t x, float32x4_t y, float32x4_t z) {
    float32x4_t r = vfmaq_f32(z, x, y);
    return quad_on_boundary(r) ? quad_fma_exact(x, y, z) : quad_flush(r);
}
ALWAYS_INLINE float32x4_t quad_fma(float32x4_t x, float32x4_t y, float32x4_t z) {
    return quad_fma_clean(quad_flush(x), quad_flush(y), quad_flush(z));
}

// MARK: - Sixteen lanes

ALWAYS_INLINE lanes lanes_set(float x) { return EACH(lanes, vdupq_n_f32(x)); }
ALWAYS_INLINE lanes lanes_load(const float *p) { return EACH(lanes, vld1q_f32(p + 4 * i)); }
ALWAYS_INLINE void lanes_store(float *p, lanes x) {
    UNROLL for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, x.v[i]);
}
ALWAYS_INLINE lanes lanes_load_part(const float *p, size_t n) {
    float copy[16] = {0};
    memcpy(copy, p, (n < 16 ? n : 16) * sizeof *p);
    return lanes_load(copy);
}
ALWAYS_INLINE void lanes_store_part(float *p, size_t n, lanes x) {
    float copy[16];
    lanes_store(copy, x);
    memcpy(p, copy, (n < 16 ? n : 16) * sizeof *p);
}
ALWAYS_INLINE mask mask_first(size_t n) {
    static const uint32_t index[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint32x4_t limit = vdupq_n_u32(n < 16 ? (uint32_t)n : 16);
    return EACH(mask, vcltq_u32(vld1q_u32(index + 4 * i), limit));
}

ALWAYS_INLINE lanes lanes_add(lanes x, lanes y) { return EACH(lanes, quad_add(x.v[i], y.v[i])); }
ALWAYS_INLINE lanes lanes_sub(lanes x, lanes y) { return EACH(lanes, quad_sub(x.v[i], y.v[i])); }
ALWAYS_INLINE lanes lanes_mul(lanes x, lanes y) { return EACH(lanes, quad_mul(x.v[i], y.v[i])); }
ALWAYS_INLINE lanes lanes_div(lanes x, lanes y) { return EACH(lanes, quad_div(x.v[i], y.v[i])); }
ALWAYS_INLINE lanes lanes_fma(lanes x, lanes y, lanes z) { return EACH(lanes, quad_fma(x.v[i], y.v[i], z.v[i])); }
ALWAYS_INLINE lanes lanes_fma_clean(lanes x, lanes y, lanes z) {
    return EACH(lanes, quad_fma_clean(x.v[i], y.v[i], z.v[i]));
}
ALWAYS_INLINE lanes lanes_max(lanes x, lanes y) { return EACH(lanes, vmaxq_f32(x.v[i], y.v[i])); }
ALWAYS_INLINE lanes lanes_min(lanes x, lanes y) { return EACH(lanes, vminq_f32(x.v[i], y.v[i])); }

ALWAYS_INLINE mask lanes_less(lanes x, lanes y) { return EACH(mask, vcltq_f32(x.v[i], y.v[i])); }
ALWAYS_INLINE mask lanes_not_less(lanes x, lanes y) { return EACH(mask, vmvnq_u32(vcltq_f32(x.v[i], y.v[i]))); }
ALWAYS_INLINE mask lanes_equal(lanes x, lanes y) { return EACH(mask, vceqq_f32(x.v[i], y.v[i])); }
ALWAYS_INLINE mask mask_and(mask x, mask y) { return EACH(mask, vandq_u32(x.v[i], y.v[i])); }
ALWAYS_INLINE uint32_t mask_bits(mask m) {
    static const uint32_t weights[4] = {1, 2, 4, 8};
    uint32_t bits = 0;
    for (int i = 0; i < 4; i++) bits |= vaddvq_u32(vandq_u32(m.v[i], vld1q_u32(weights))) << (4 * i);
    return bits;
}
// m ? x : y
ALWAYS_INLINE lanes lanes_select(mask m, lanes x, lanes y) { return EACH(lanes, vbslq_f32(m.v[i], x.v[i], y.v[i])); }

ALWAYS_INLINE words words_set(uint32_t x) { return EACH(words, vdupq_n_u32(x)); }
ALWAYS_INLINE words words_load(const uint32_t *p) { return EACH(words, vld1q_u32(p + 4 * i)); }
ALWAYS_INLINE words words_of(lanes x) { return EACH(words, vreinterpretq_u32_f32(x.v[i])); }
ALWAYS_INLINE lanes lanes_of(words x) { return EACH(lanes, vreinterpretq_f32_u32(x.v[i])); }
ALWAYS_INLINE words words_add(words x, words y) { return EACH(words, vaddq_u32(x.v[i], y.v[i])); }
ALWAYS_INLINE words words_sub(words x, words y) { return EACH(words, vsubq_u32(x.v[i], y.v[i])); }
ALWAYS_INLINE words words_and(words x, words y) { return EACH(words, vandq_u32(x.v[i], y.v[i])); }
ALWAYS_INLINE words words_xor(words x, words y) { return EACH(words, veorq_u32(x.v[i], y.v[i])); }
#define words_shift_left(x, n) \
    ({ words shifted_ = (x); EACH(words, vshlq_n_u32(shifted_.v[i], n)); })
#define words_shift_right(x, n) \
    ({ words shifted_ = (x); EACH(words, vshrq_n_u32(shifted_.v[i], n)); })
#define words_shift_right_signed(x, n) \
    ({ words shifted_ = (x); \
       EACH(words, vreinterpretq_u32_s32(vshrq_n_s32(vreinterpretq_s32_u32(shifted_.v[i]), n))); })
ALWAYS_INLINE lanes lanes_from_signed(words x) { return EACH(lanes, vcvtq_f32_s32(vreinterpretq_s32_u32(x.v[i]))); }

ALWAYS_INLINE lanes lanes_widen(const uint16_t *p) {
    return EACH(lanes, quad_flush(vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * i), 16))));
}
ALWAYS_INLINE lanes lanes_widen_part(const uint16_t *p, size_t n) {
    uint16_t copy[16] = {0};
    memcpy(copy, p, (n < 16 ? n : 16) * sizeof *p);
    return lanes_widen(copy);
}
ALWAYS_INLINE uint16x4_t quad_round(float32x4_t x) {
    uint32x4_t bits = vreinterpretq_u32_f32(x);
    uint32x4_t magnitude = vandq_u32(bits, vdupq_n_u32(0x7fffffffu));
    uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    uint32x4_t nan = vcgtq_u32(magnitude, vdupq_n_u32(0x7f800000u));
    uint32x4_t denormal = vcltq_u32(magnitude, vdupq_n_u32(0x00800000u));
    rounded = vbslq_u32(nan, vorrq_u32(bits, vdupq_n_u32(0x00400000u)), rounded);
    rounded = vbslq_u32(denormal, vandq_u32(bits, vdupq_n_u32(0x80000000u)), rounded);
    return vshrn_n_u32(rounded, 16);
}
ALWAYS_INLINE void lanes_store_rounded(uint16_t *p, lanes x) {
    UNROLL for (int i = 0; i < 4; i++) vst1_u16(p + 4 * i, quad_round(x.v[i]));
}
ALWAYS_INLINE void lanes_store_rounded_part(uint16_t *p, size_t n, lanes x) {
    uint16_t copy[16];
    lanes_store_rounded(copy, x);
    memcpy(p, copy, (n < 16 ? n : 16) * sizeof *p);
}

// The tree 8-4-2-1.
ALWAYS_INLINE float lanes_sum(lanes x) {
    float32x4_t four = quad_add(quad_add(x.v[0], x.v[2]), quad_add(x.v[1], x.v[3]));
    float32x4_t two = quad_add(four, vextq_f32(four, four, 2));
    return f32_add(vgetq_lane_f32(two, 0), vgetq_lane_f32(two, 1));
}
ALWAYS_INLINE float lanes_maximum(lanes x) {
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(x.v[0], x.v[1]), vmaxq_f32(x.v[2], x.v[3])));
}

#endif
