// The avx512f row: one register is 16 lanes, bf16 products are pairs of fused multiply-adds.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"
#include "../common/target.h"

#define ROW(name) avx512f_##name
#define PRODUCT(name) avx512f_##name
#define ROUNDING(name) avx512f_##name
#define ROW_SYMBOL ck_avx512f_row
#define ROW_NAME "avx512f"
// 18 accumulators, 6 registers of weights and 2 of input; with 8 rows the compiler spills.
#define TILE_ROWS 6
#define TILE_VECTORS 3
#define SINGLE_VECTORS 6
#define SCORE_PAGES(rows) ((rows) <= 2 ? 4 : (rows) <= 4 ? 2 : 1)
#define ATTENTION_ROWS 8
#define VALUE_VECTORS 4
#define CLEAN_PAIR(pair) (pair)
#define CLEAN_WORDS(words) (words)

TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")
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
