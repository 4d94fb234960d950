// RMSNorm over rows (rule 5).
#include "rms_norm.h"
#include "row.h"

void scalar_rms_norm(
    const float *x, size_t x_stride, const uint16_t *weight, float epsilon, size_t rows, size_t width, uint16_t *out,
    size_t out_stride
) {
    for (size_t m = 0; m < rows; m++) rms_norm_row(x + m * x_stride, weight, epsilon, width, out + m * out_stride);
}
