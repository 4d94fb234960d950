// The neon row: four registers make 16 lanes, bf16 products are pairs of fused multiply-adds, denormals are flushed by
// selection.
#if defined(__aarch64__)
#include <string.h>

#include "../include/CKernels.h"
#include "lanes.h"

#define ROW(name) neon_##name
#define PRODUCT(name) neon_##name
#define ROUNDING(name) neon_##name
#define ROW_SYMBOL ck_neon_row
#define ROW_NAME "neon"
// 16 accumulators, 8 registers of weights and 2 of input.
#define TILE_ROWS 4
#define TILE_VECTORS 1
#define SINGLE_VECTORS 3
#define SCORE_PAGES(rows) 1
#define ATTENTION_ROWS 4
#define VALUE_VECTORS 1
#define CLEAN_PAIR(pair) clean_pair(pair)
#define CLEAN_WORDS(words) clean_words(words)

// Both halves of a bf16 pair with denormals as signed zeros.
ALWAYS_INLINE uint32_t clean_pair(uint32_t pair) {
    if ((pair & 0x7f80u) == 0) pair &= 0xffff8000u;
    if ((pair & 0x7f800000u) == 0) pair &= 0x8000ffffu;
    return pair;
}
ALWAYS_INLINE words clean_words(words x) {
    return EACH(words, ({
        uint16x8_t halves = vreinterpretq_u16_u32(x.v[i]);
        uint16x8_t normal = vtstq_u16(halves, vdupq_n_u16(0x7f80));
        vreinterpretq_u32_u16(vandq_u16(halves, vorrq_u16(normal, vdupq_n_u16(0x8000))));
    }));
}

#include "../wide/functions.h"
#include "../wide/pairs.h"
#include "../wide/transcendental.h"
#include "../wide/arrays.h"
#include "../wide/elements.h"
#include "../wide/rms_norm.h"
#include "../wide/rotate.h"
#include "../wide/swiglu.h"
#include "../wide/matmul.h"
#include "../wide/attention.h"
#include "../wide/vocabulary.h"
#include "counters.h"
#include "../wide/philox.h"
#include "../wide/sample.h"
#include "../wide/table.h"
#endif
