// SwiGLU (rule 5): g / (1 + exp(0 - g)) * u.
#include "row.h"
#include "transcendental.h"

void scalar_swiglu(
    const float *gate, const float *up, size_t in_stride, size_t rows, size_t width, uint16_t *out, size_t out_stride
) {
    for (size_t m = 0; m < rows; m++) {
        for (size_t i = 0; i < width; i++) {
            float g = gate[m * in_stride + i];
            float sigmoid_inverse = f32_add(1.0f, exp_of(f32_sub(0.0f, g)));
            float y = f32_mul(f32_div(g, sigmoid_inverse), up[m * in_stride + i]);
            out[m * out_stride + i] = round_to_bf16(y);
        }
    }
}
