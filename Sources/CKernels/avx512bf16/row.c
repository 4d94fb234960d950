// The avx512bf16 row: products by the bf16 dot instruction, roundings by that for them, everything else from the avx512f
// row.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"
#include "../common/target.h"

// 24 accumulators, 3 registers of weights and the input from memory.
#define TILE_ROWS 8
#define TILE_VECTORS 3
#define SINGLE_VECTORS 6
#define SCORE_PAGES(rows) ((rows) <= 4 ? 4 : 2)
#define ATTENTION_ROWS 8
#define VALUE_VECTORS 4
#define CLEAN_PAIR(pair) (pair)
#define PRODUCT(name) avx512bf16_##name
#define ROUNDING(name) avx512bf16_##name
#define BF16_INSTRUCTIONS

#define ROW(name) avx512bf16_##name
#include "../wide/functions.h"

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")
#include "../avx512f/lanes.h"
#include "pairs.h"
#include "../wide/transcendental.h"
#include "../wide/elements.h"
#include "../wide/rms_norm.h"
#include "../wide/rotate.h"
#include "../wide/swiglu.h"
#include "../wide/matmul.h"
#include "../wide/attention.h"
TARGET_END
#undef ROW

#define ROW(name) avx512f_##name
#define ROW_SYMBOL ck_avx512bf16_row
#define ROW_NAME "avx512bf16"
#include "../wide/functions.h"
#include "../wide/table.h"
#endif
