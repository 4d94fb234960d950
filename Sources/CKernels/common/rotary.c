// Tables of rotary position embedding (rule 6).
#include "../scalar/arithmetic.h"
#include "../include/CKernels.h"

#define TWO_PI 0x1.921fb54442d18p+2

// Waves longer than original / low positions are stretched, those shorter than original / high stay, and between the
// two the frequency goes from one to the other in a straight line over original / wave.
static double llama3(double inverse, const ck_rotary_scaling *scaling) {
    double wave = TWO_PI / inverse;
    if (wave < scaling->original / scaling->high) return inverse;
    if (wave > scaling->original / scaling->low) return inverse / scaling->factor;
    double smooth = (scaling->original / wave - scaling->low) / (scaling->high - scaling->low);
    return (1 - smooth) * inverse / scaling->factor + smooth * inverse;
}

void ck_scaled_inverse_frequencies(double base, size_t dimension, const ck_rotary_scaling *scaling, float *out) {
    double log_base = ck_log64(base);
    for (size_t i = 0; i < dimension / 2; i++) {
        double inverse = ck_exp64(-((double)(2 * i) / (double)dimension * log_base));
        switch (scaling->kind) {
        case CK_ROTARY_PLAIN: break;
        case CK_ROTARY_LINEAR: inverse /= scaling->factor; break;
        case CK_ROTARY_LLAMA3: inverse = llama3(inverse, scaling); break;
        }
        out[i] = (float)inverse;
    }
}

void ck_inverse_frequencies(double base, size_t dimension, float *out) {
    static const ck_rotary_scaling plain = {.kind = CK_ROTARY_PLAIN, .factor = 1};
    ck_scaled_inverse_frequencies(base, dimension, &plain, out);
}

void ck_rotary_row(const float *inverse, size_t count, uint32_t position, float *cosines, float *sines) {
    for (size_t i = 0; i < count; i++) {
        double sine, cosine;
        ck_sin_cos64((double)f32_mul((float)position, inverse[i]), &sine, &cosine);
        cosines[i] = flush_input((float)cosine);
        sines[i] = flush_input((float)sine);
    }
}
