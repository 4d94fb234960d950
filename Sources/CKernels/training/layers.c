// Derivatives of RMSNorm, the rotary embedding, SwiGLU and the log-softmax.
#include "../include/CKernelsTraining.h"
#include "training_common.h"

TRAINING_CLONES void ck_training_rms_norm_backward(
    const float *input, const float *weight, float epsilon, const float *output_gradient, float *input_gradient,
    float *weight_gradient, size_t rows, size_t width, int accumulate) {
#pragma clang fp reassociate(on) contract(fast)
    for (size_t row = 0; row < rows; row++) {
        const float *x = input + row * width;
        const float *dy = output_gradient + row * width;
        float *dx = input_gradient + row * width;
        float squares = 0, slope = 0;
        for (size_t i = 0; i < width; i++) {
            squares += x[i] * x[i];
            slope += dy[i] * weight[i] * x[i];
        }
        float r = 1.0f / __builtin_elementwise_sqrt(squares / (float)width + epsilon);
        float shared = r * r * r * slope / (float)width;
        for (size_t i = 0; i < width; i++) weight_gradient[i] += dy[i] * x[i] * r;
        if (accumulate) {
            for (size_t i = 0; i < width; i++) dx[i] += r * dy[i] * weight[i] - shared * x[i];
        } else {
            for (size_t i = 0; i < width; i++) dx[i] = r * dy[i] * weight[i] - shared * x[i];
        }
    }
}

TRAINING_CLONES void ck_training_rotary_backward(
    float *gradient, const float *cosines, const float *sines, size_t heads, size_t width) {
    size_t half = width / 2;
    for (size_t head = 0; head < heads; head++) {
        float *a = gradient + head * width;
        float *b = a + half;
        for (size_t i = 0; i < half; i++) {
            float da = a[i], db = b[i];
            a[i] = da * cosines[i] + db * sines[i];
            b[i] = db * cosines[i] - da * sines[i];
        }
    }
}

TRAINING_CLONES void ck_training_swiglu_backward(
    const float *gate, const float *up, const float *output_gradient, float *gate_gradient, float *up_gradient,
    size_t count) {
    for (size_t i = 0; i < count; i++) {
        float g = gate[i], d = output_gradient[i];
        float sigmoid = 1.0f / (1.0f + training_exp(-g));
        gate_gradient[i] = d * up[i] * sigmoid * (1.0f + g * (1.0f - sigmoid));
        up_gradient[i] = d * g * sigmoid;
    }
}

TRAINING_CLONES float ck_training_log_softmax_backward(
    float *logits, size_t count, size_t target, float temperature, float slope) {
#pragma clang fp reassociate(on) contract(fast)
    float inverse = 1.0f / temperature;
    float maximum = logits[0];
    for (size_t j = 0; j < count; j++) maximum = __builtin_elementwise_maximum(maximum, logits[j]);
    float sum = 0, weighted = 0;
    for (size_t j = 0; j < count; j++) {
        float z = (logits[j] - maximum) * inverse;
        float e = training_exp(z);
        sum += e;
        weighted += e * z;
        logits[j] = e;
    }
    float entropy = __builtin_logf(sum) - weighted / sum;
    float step = slope * inverse;
    if (step == 0) {
        memset(logits, 0, count * sizeof(float));
        return entropy;
    }
    float factor = -step / sum;
    for (size_t j = 0; j < count; j++) logits[j] *= factor;
    logits[target] += step;
    return entropy;
}
