// Non-finite values fail a rollout before anything is hashed (rule 2).
#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"

bool ck_is_finite_f32(const float *x, size_t count) {
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++) bad |= (bits_of(x[i]) & 0x7f800000u) == 0x7f800000u;
    return bad == 0;
}

bool ck_is_finite_bf16(const uint16_t *x, size_t count) {
    uint32_t bad = 0;
    for (size_t i = 0; i < count; i++) bad |= (x[i] & 0x7f80u) == 0x7f80u;
    return bad == 0;
}
