// exp, log and log1p over arrays, and one at a time.
#include "transcendental.h"

#include "row.h"

void scalar_exp(const float *x, float *y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = exp_of(x[i]);
}

void scalar_log(const float *x, float *y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = log_of(x[i]);
}

void scalar_log1p(const float *x, float *y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = log1p_of(x[i]);
}

float ck_exp(float x) { return exp_of(x); }
float ck_log(float x) { return log_of(x); }
float ck_log1p(float x) { return log1p_of(x); }
float ck_exponential(uint32_t word) { return exponential_of(word); }
