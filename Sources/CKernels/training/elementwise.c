// Conversions, additions and the squared norm.
#include "../include/CKernelsTraining.h"
#include "training_common.h"

TRAINING_CLONES void ck_training_widen(const uint16_t *source, float *target, size_t count) {
    for (size_t i = 0; i < count; i++) target[i] = training_widen_one(source[i]);
}

TRAINING_CLONES void ck_training_add(float *target, const float *source, size_t count) {
    for (size_t i = 0; i < count; i++) target[i] += source[i];
}

enum { block_length = 4096 };

TRAINING_CLONES double ck_training_sum_of_squares(const float *values, size_t count) {
    double total = 0;
    for (size_t start = 0; start < count; start += block_length) {
        size_t end = start + block_length < count ? start + block_length : count;
        double lanes[8] = {0};
        size_t i = start;
        for (; i + 8 <= end; i += 8)
            for (size_t l = 0; l < 8; l++) lanes[l] += (double)values[i + l] * (double)values[i + l];
        for (; i < end; i++) lanes[0] += (double)values[i] * (double)values[i];
        total += ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    }
    return total;
}
