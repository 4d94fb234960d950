// The chain of rule 3: odd element first, then even; +0 at the end.
#include "arithmetic.h"
#include "row.h"

// One row of x against one panel: 48 chains side by side, which changes nothing for any of them.
static void multiply_panel(const uint16_t *x, size_t k, const uint16_t *w, float acc[CK_PANEL_COLUMNS]) {
    for (size_t n = 0; n < CK_PANEL_COLUMNS; n++) acc[n] = 0.0f;
    for (size_t p = 0; p < (k + 1) / 2; p++, w += 2 * CK_PANEL_COLUMNS) {
        float even = widen_bf16(x[2 * p]);
        float odd = 2 * p + 1 < k ? widen_bf16(x[2 * p + 1]) : 0.0f;
        for (size_t n = 0; n < CK_PANEL_COLUMNS; n++) acc[n] = f32_fma(odd, widen_bf16(w[2 * n + 1]), acc[n]);
        for (size_t n = 0; n < CK_PANEL_COLUMNS; n++) acc[n] = f32_fma(even, widen_bf16(w[2 * n]), acc[n]);
    }
}

void scalar_matmul(const ck_matmul_job *job) {
    size_t panel_size = (job->k + 1) / 2 * 2 * CK_PANEL_COLUMNS;
    for (size_t m = 0; m < job->rows; m++) {
        for (size_t first = 0; first < job->columns; first += CK_PANEL_COLUMNS) {
            float acc[CK_PANEL_COLUMNS];
            const uint16_t *panel = job->panels + first / CK_PANEL_COLUMNS * panel_size;
            multiply_panel(job->x + m * job->x_stride, job->k, panel, acc);
            for (size_t n = first; n < job->columns && n < first + CK_PANEL_COLUMNS; n++) {
                float y = f32_add(acc[n - first], 0.0f);
                if (job->bias) y = f32_add(y, job->bias[n]);
                float *out = job->out + m * job->out_stride + n;
                *out = job->accumulate ? f32_add(*out, y) : y;
            }
        }
    }
}
