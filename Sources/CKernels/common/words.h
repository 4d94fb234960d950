// 16 words at once, and squares of them transposed: what packing is made of.
#ifndef CK_WORDS_H
#define CK_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t ck_words __attribute__((vector_size(64), aligned(4)));

#define CK_LOW_WORDS 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define CK_HIGH_WORDS 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

// 16 vectors of 16 words, rows to columns: four rounds of riffling vector i with vector i + 8.
static inline __attribute__((always_inline)) void ck_transpose_words(ck_words *rows) {
    ck_words other[16];
    for (size_t round = 0; round < 4; round++) {
        for (size_t i = 0; i < 8; i++) {
            other[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], CK_LOW_WORDS);
            other[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 8], CK_HIGH_WORDS);
        }
        memcpy(rows, other, sizeof other);
    }
}

#endif
