// The chain of rule 3: odd element first, then even; +0 at the end.
#include "arithmetic.h"
#include "row.h"

void scalar_matmul(const ck_matmul_job *job) {
    size_t pairs = (job->k + 1) / 2;
    for (size_t m = 0; m < job->rows; m++) {
        const uint16_t *x = job->x + m * job->x_stride;
        for (size_t n = 0; n < job->columns; n++) {
            const uint16_t *w = job->panels + (n / CK_PANEL_COLUMNS) * pairs * 2 * CK_PANEL_COLUMNS
                + (n % CK_PANEL_COLUMNS) * 2;
            float acc = 0.0f;
            for (size_t p = 0; p < pairs; p++, w += 2 * CK_PANEL_COLUMNS) {
                float odd = 2 * p + 1 < job->k ? widen_bf16(x[2 * p + 1]) : 0.0f;
                acc = f32_fma(odd, widen_bf16(w[1]), acc);
                acc = f32_fma(widen_bf16(x[2 * p]), widen_bf16(w[0]), acc);
            }
            float y = f32_add(acc, 0.0f);
            if (job->bias) y = f32_add(y, job->bias[n]);
            float *out = job->out + m * job->out_stride + n;
            *out = job->accumulate ? f32_add(*out, y) : y;
        }
    }
}
