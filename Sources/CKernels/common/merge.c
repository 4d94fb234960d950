// The elementwise end of merging a low-rank adapter (docs/arithmetic.md, rule 16): product, scale, sum, one rounding.
#include "../include/CKernels.h"
#include "../scalar/arithmetic.h"

void ck_merge(const uint16_t *base, const float *product, float scale, uint16_t *out, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float change = f32_mul(product[i], scale);
        uint16_t sum = round_to_bf16(f32_add(widen_bf16(base[i]), change));
        // A change of either zero keeps the bits, also of a weight that is -0: an empty adapter is the base itself.
        out[i] = (bits_of(change) & 0x7fffffffu) == 0 ? base[i] : sum;
    }
}
