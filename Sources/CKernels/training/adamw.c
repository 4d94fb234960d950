// AdamW, elementwise and without contraction: the same bits on every machine and for every split over threads.
#include "../include/CKernelsTraining.h"
#include "training_common.h"

TRAINING_CLONES void ck_training_adamw(
    float *parameters, const float *gradients, float *first_moments, float *second_moments, size_t count,
    const ck_training_adamw_settings *settings) {
    const float decay = 1.0f - settings->learning_rate * settings->weight_decay;
    const float step = settings->learning_rate / settings->bias_correction1;
    const float root = settings->bias_correction2_root, epsilon = settings->epsilon;
    const float beta2 = settings->beta2, scale = settings->gradient_scale;
    const float rest1 = 1.0f - settings->beta1, rest2 = 1.0f - beta2;
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
