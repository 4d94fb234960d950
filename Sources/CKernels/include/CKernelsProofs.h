// Polynomials over GF(65497), the field of TOPLOC proofs: exact integers, the same on every machine.
#pragma once

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#else
#define _Nullable
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define CK_FIELD_PRIME 65497  // 2^16 - 39: every bit pattern of a finite bf16 value lies below it

/// One build of the arithmetic, for one instruction set. All builds give the same numbers.
typedef struct ck_field {
    /// The `count` coefficients, ascending, of the polynomial of degree below `count` through points with distinct x
    /// below the prime. `y` may be any bits; they count modulo the prime.
    void (*interpolate)(
        const uint16_t *x, const uint16_t *y, size_t count, uint16_t *scratch, uint16_t *coefficients);
    /// The polynomial's value at every x, below the prime. Coefficients lie below the prime, x may be any bits.
    void (*evaluate)(
        const uint16_t *coefficients, size_t degrees, const uint16_t *x, size_t count, uint16_t *values);
} ck_field;

typedef enum ck_field_id { CK_FIELD_PLAIN, CK_FIELD_AVX2, CK_FIELD_AVX512, CK_FIELD_COUNT } ck_field_id;

/// NULL when this machine or this build cannot run it. Plain is never NULL.
const ck_field *_Nullable ck_field_get(ck_field_id id);

/// The fastest build that this machine can run.
const ck_field *ck_field_fastest(void);

/// Elements of scratch, aligned to 64 bytes, that `interpolate` takes for `count` points.
size_t ck_field_scratch(size_t count);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
