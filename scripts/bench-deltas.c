// Speed and size of the block coder against density, on one core, in processor time:
//     clang -O3 -I Sources/CDelta/include -o bench-deltas scripts/bench-deltas.c Sources/CDelta/*.c && ./bench-deltas
#include "CDelta.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCKS = 32, REPEATS = 5 };

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static uint64_t state = 88172645463325252u;
static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

int main(void) {
    const size_t block = CD_BLOCK_ELEMENTS, all = BLOCKS * block;
    uint16_t *base = malloc(2 * all), *changed = malloc(2 * all), *target = malloc(2 * all);
    uint8_t *bodies = malloc(BLOCKS * (cd_bound(block) + CD_SLACK));
    void *scratch = malloc(cd_scratch_bytes(block));
    for (size_t i = 0; i < all; i++) base[i] = (uint16_t)(0x3b00 + (next() >> 20 & 0x83ff));
    // The last but one is every value by 1, the last every value by up to 30.
    const double densities[] = {0, .001, .005, .01, .02, .05, .1, .2, .39, .5, 1, 2};
    printf("density  bits/value  bits/change  ratio  encode GB/s  decode GB/s\n");
    for (size_t row = 0; row < sizeof densities / sizeof *densities; row++) {
        double density = densities[row];
        for (size_t i = 0; i < all; i++) {
            uint64_t bits = next();
            changed[i] = base[i];
            if (density > 1) changed[i] = (uint16_t)(base[i] + bits % 61 - 30);
            else if ((double)(bits >> 11) * 0x1p-53 < density) changed[i] = (uint16_t)(base[i] + (bits % 2 ? 1 : -1));
        }
        double encode = 1e9, decode = 1e9;
        size_t lengths[BLOCKS], total = 0;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            double begin = seconds();
            total = 0;
            for (size_t i = 0; i < BLOCKS; i++) {
                lengths[i] = cd_encode(base + i * block, changed + i * block, block, scratch, bodies + total);
                total += lengths[i];
            }
            double end = seconds();
            if (end - begin < encode) encode = end - begin;
            // Copying the base is a part of decoding.
            begin = seconds();
            size_t place = 0;
            bool is_good = true;
            for (size_t i = 0; i < BLOCKS; i++) {
                memcpy(target + i * block, base + i * block, 2 * block);
                is_good &= cd_decode(bodies + place, lengths[i], target + i * block, block);
                place += lengths[i];
            }
            end = seconds();
            if (end - begin < decode) decode = end - begin;
            if (!is_good || memcmp(target, changed, 2 * all) != 0) return 1;
        }
        printf("%7.3f  %10.4f  %11.2f  %5.1f  %11.2f  %11.2f\n", density, 8.0 * (double)total / (double)all,
            density > 0 ? 8.0 * (double)total / (double)all / (density > 1 ? 1 : density) : 0,
            2.0 * (double)all / (double)total, 2e-9 * (double)all / encode, 2e-9 * (double)all / decode);
    }
    return 0;
}
