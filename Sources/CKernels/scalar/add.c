// The residual addition (rule 5).
#include "arithmetic.h"
#include "row.h"

void scalar_add(float *x, const float *y, size_t count) {
    for (size_t i = 0; i < count; i++) x[i] = f32_add(x[i], y[i]);
}
