// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011).
#include "../include/CKernels.h"
#include "constants.h"

void ck_philox4x32_10(const uint32_t *counter, const uint32_t *key, uint32_t *out) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t first = (uint64_t)CK_PHILOX_MULTIPLIER_0 * c0;
        uint64_t second = (uint64_t)CK_PHILOX_MULTIPLIER_1 * c2;
        c0 = (uint32_t)(second >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)second;
        c2 = (uint32_t)(first >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)first;
        k0 += CK_PHILOX_WEYL_0;
        k1 += CK_PHILOX_WEYL_1;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}
