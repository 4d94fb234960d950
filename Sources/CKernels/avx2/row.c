// The avx2 row: two registers make 16 lanes, bf16 products are pairs of fused multiply-adds.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"
#include "../common/target.h"

#define ROW(name) avx2_##name
#define PRODUCT(name) avx2_##name
#define ROUNDING(name) avx2_##name
#define ROW_SYMBOL ck_avx2_row
#define ROW_NAME "avx2"
// 8 accumulators, 4 registers of weights and 2 of input.
#define TILE_ROWS 4
#define TILE_VECTORS 1
#define SINGLE_VECTORS 3
#define SCORE_PAGES(rows) ((rows) == 1 ? 4 : (rows) == 2 ? 2 : 1)
#define ATTENTION_ROWS 4
#define VALUE_VECTORS 1
#define CLEAN_PAIR(pair) (pair)
#define CLEAN_WORDS(words) (words)

TARGET_BEGIN("avx2,fma")
#include "lanes.h"
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
TARGET_END

#include "../wide/table.h"
#endif
