// Blocks of bf16 values as differences to an earlier block: lossless, and strict about what it reads.
//
// docs/fan-out.md states the format. All numbers are little-endian. The decoder reads strangers' bytes: every count is
// checked before it is used, and any irregularity ends it with `false`.
#ifndef CDELTA_H
#define CDELTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#endif

/// Most elements of a block.
#define CD_BLOCK_ELEMENTS ((size_t)1 << 20)
/// Bytes behind a body that must be readable, and behind a target of cd_encode that must be writable; their values do
/// not matter.
#define CD_SLACK ((size_t)64)

/// How a block is written; the first byte of its body.
enum {
    CD_UNCHANGED = 0,
    CD_SPARSE = 1,
    CD_DENSE = 2,
    CD_FULL = 3,
};

/// The largest body of a block of `count` elements.
size_t cd_bound(size_t count);

/// Bytes that cd_encode needs as scratch for a block of `count` elements.
size_t cd_scratch_bytes(size_t count);

/// Elements that differ in bits.
size_t cd_changes(const uint16_t *base, const uint16_t *next, size_t count);

/// Writes the shortest body that turns `base` into `next`.
///
/// `body` has room for cd_bound(count) + CD_SLACK bytes, `scratch` for cd_scratch_bytes(count), aligned to 4. `count` is at
/// most CD_BLOCK_ELEMENTS. Returns the length of the body.
size_t cd_encode(const uint16_t *base, const uint16_t *next, size_t count, void *scratch, uint8_t *body);

/// The length of the body that begins at `body`, read from its first bytes.
///
/// At most 12 bytes are read, and never more than `available`. Returns 0 where the body is irregular or `available` ends
/// before its length is known.
size_t cd_body_bytes(const uint8_t *body, size_t available, size_t count);

/// Bytes at the beginning of a body that always suffice for cd_body_bytes.
#define CD_HEAD_BYTES ((size_t)12)

/// Changes `target`, which holds the base's values, to what the body of exactly `bytes` bytes says.
///
/// CD_SLACK bytes behind the body must be readable. Returns false where the body is irregular; `target` is then worthless.
bool cd_decode(const uint8_t *body, size_t bytes, uint16_t *target, size_t count);

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif
#endif
