// Which builds of proofs/polynomials.h this machine runs.
#include "../include/CKernels.h"

extern const ck_field ck_field_plain;

// Six arrays of whole vectors, of 32 elements at most.
size_t ck_field_scratch(size_t count) { return 6 * ((count + 31) / 32 * 32); }

#if defined(__x86_64__)
extern const ck_field ck_field_avx2, ck_field_avx512;

const ck_field *_Nullable ck_field_get(ck_field_id id) {
    switch (id) {
    case CK_FIELD_PLAIN: return &ck_field_plain;
    case CK_FIELD_AVX2: return ck_row_get(CK_AVX2) ? &ck_field_avx2 : NULL;
    case CK_FIELD_AVX512: return ck_row_get(CK_AVX512F) ? &ck_field_avx512 : NULL;
    default: return NULL;
    }
}
#else
const ck_field *_Nullable ck_field_get(ck_field_id id) { return id == CK_FIELD_PLAIN ? &ck_field_plain : NULL; }
#endif

const ck_field *ck_field_fastest(void) {
    const ck_field *fastest = &ck_field_plain;
    for (int id = 0; id < CK_FIELD_COUNT; id++) {
        const ck_field *field = ck_field_get((ck_field_id)id);
        if (field) fastest = field;
    }
    return fastest;
}
