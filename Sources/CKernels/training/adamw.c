// AdamW, elementwise and without contraction: the same bits on every machine and for every split over threads.
#include "../include/CKernelsTraining.h"
#include "training_common.h"

TRAINING_CLONES void ck_training_adamw(
    float *parameters, const float *gradients, float *first_moments, float *second_moments, size_t count,
    const ck_training_adamw_settings *settings) {
    const float decay = settings->decay, step = settings->step, root = settings->root;
    const float rest1 = settings->rest1, beta2 = settings->beta2, rest2 = settings->rest2;
    const float epsilon = settings->epsilon, scale = settings->gradient_scale;
    for (size_t i = 0; i < count; i++) {
        float g = gradients[i] * scale;
        float m = first_moments[i] + (g - first_moments[i]) * rest1;
        float v = second_moments[i] * beta2 + g * g * rest2;
        float p = parameters[i] * decay;
        first_moments[i] = m;
        second_moments[i] = v;
        parameters[i] = p - step * (m / (__builtin_elementwise_sqrt(v) / root + epsilon));
    }
}
