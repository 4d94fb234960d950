// Tables of rotary position embedding (rule 6).
#include "../scalar/arithmetic.h"
#include "../include/CKernels.h"

void ck_inverse_frequencies(double base, size_t dimension, float *out) {
    double log_base = ck_log64(base);
    for (size_t i = 0; i < dimension / 2; i++) {
        out[i] = (float)ck_exp64(-((double)(2 * i) / (double)dimension * log_base));
    }
}

void ck_rotary_row(const float *inverse, size_t count, uint32_t position, float *cosines, float *sines) {
    for (size_t i = 0; i < count; i++) {
        double sine, cosine;
        ck_sin_cos64((double)f32_mul((float)position, inverse[i]), &sine, &cosine);
        cosines[i] = flush_input((float)cosine);
        sines[i] = flush_input((float)sine);
    }
}
