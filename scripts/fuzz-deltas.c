// Millions of mutated block bodies through the decoder under sanitizers; scripts/fuzz-weights.sh builds and runs it.
#include "CDelta.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;
static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

int main(int argc, char **argv) {
    size_t cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000, taken = 0;
    state = (argc > 2 ? strtoull(argv[2], NULL, 10) : 1) * 0x9E3779B97F4A7C15u + 1;
    for (size_t run = 0; run < cases;) {
        size_t count = 1 + next() % (next() % 4 == 0 ? 5000 : 300);
        uint16_t *base = malloc(2 * count), *target = malloc(2 * count), *changed = malloc(2 * count);
        uint64_t density = next() % 1024, spread = next() % 4 == 0 ? 65536 : 1 + next() % 40;
        for (size_t i = 0; i < count; i++) {
            base[i] = (uint16_t)next();
            changed[i] = next() % 1024 < density ? (uint16_t)(base[i] + next() % spread) : base[i];
        }
        void *scratch = malloc(cd_scratch_bytes(count));
        uint8_t *body = malloc(cd_bound(count) + CD_SLACK);
        size_t bytes = cd_encode(base, changed, count, scratch, body);
        memcpy(target, base, 2 * count);
        // Exactly as large as the contract says, so that the sanitizer sees every read behind it.
        uint8_t *exact = malloc(bytes + CD_SLACK);
        memcpy(exact, body, bytes);
        memset(exact + bytes, 0xff, CD_SLACK);
        if (!cd_decode(exact, bytes, target, count) || memcmp(target, changed, 2 * count) != 0) {
            printf("case %zu does not come back\n", run);
            return 1;
        }
        free(exact);
        for (int mutation = 0; mutation < 50; mutation++, run++) {
            size_t length = bytes;
            uint64_t how = next() % 8;
            if (how == 0 && bytes > 1) length = 1 + next() % (bytes - 1);
            if (how == 1) length = bytes + next() % 16;
            exact = malloc(length + CD_SLACK);
            for (size_t i = 0; i < length + CD_SLACK; i++) exact[i] = (uint8_t)next();
            memcpy(exact, body, length < bytes ? length : bytes);
            for (uint64_t flips = next() % 4; flips > 0; flips--) {
                size_t place = next() % 3 == 0 ? next() % (length < 12 ? length : 12) : next() % length;
                exact[place] = next() % 2 == 0 ? (uint8_t)(exact[place] ^ 1u << next() % 8) : (uint8_t)next();
            }
            memcpy(target, base, 2 * count);
            size_t known = cd_body_bytes(exact, length, count);
            if (known > cd_bound(count)) return 2;
            taken += cd_decode(exact, length, target, count);
            free(exact);
        }
        free(base), free(target), free(changed), free(scratch), free(body);
    }
    printf("%zu bodies, %zu of them taken, no fault\n", cases, taken);
    return 0;
}
