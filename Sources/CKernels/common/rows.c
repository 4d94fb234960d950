// The one dispatch table: which rows this build contains and this machine can run.
#include "../include/CKernels.h"

extern const ck_row ck_scalar_row;

#if defined(__x86_64__)
extern const ck_row ck_avx2_row, ck_avx512f_row, ck_avx512bf16_row;

static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

static bool has_avx512f(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx512bf16(void) { return has_avx512f() && __builtin_cpu_supports("avx512bf16"); }

const ck_row *_Nullable ck_row_get(ck_row_id id) {
    __builtin_cpu_init();
    switch (id) {
    case CK_SCALAR: return &ck_scalar_row;
    case CK_AVX2: return has_avx2() ? &ck_avx2_row : NULL;
    case CK_AVX512F: return has_avx512f() ? &ck_avx512f_row : NULL;
    case CK_AVX512BF16: return has_avx512bf16() ? &ck_avx512bf16_row : NULL;
    default: return NULL;
    }
}

#else
extern const ck_row ck_neon_row;

const ck_row *_Nullable ck_row_get(ck_row_id id) {
    switch (id) {
    case CK_SCALAR: return &ck_scalar_row;
    case CK_NEON: return &ck_neon_row;
    default: return NULL;
    }
}
#endif
