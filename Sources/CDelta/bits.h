// Bits from the lowest up, in little-endian words, and bf16 patterns as numbers in order.
#ifndef CDELTA_BITS_H
#define CDELTA_BITS_H

#include "include/CDelta.h"
#include <string.h>

#define CD_INLINE static inline __attribute__((always_inline))

// Compiled twice on x86, where shifts by a variable and 32-byte vectors are what this code is made of.
#if defined(__x86_64__) && defined(__linux__)
#define CD_CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CD_CLONES
#endif

// A gap or value whose quotient reaches the limit is written raw behind that many zeros and a one.
#define CD_GAP_LIMIT 20
#define CD_GAP_RAW 20
#define CD_VALUE_LIMIT 16
#define CD_VALUE_RAW 16
#define CD_MOST_GAP_BITS 20
#define CD_MOST_VALUE_BITS 15
// In place of a value's parameter: every value is the new pattern itself.
#define CD_ABSOLUTE 31
#define CD_SPARSE_HEAD 12
#define CD_DENSE_HEAD 4
#define CD_GROUP 32

// Patterns in the order of the numbers that they stand for, −NaN first; neighbours are one unit in the last place apart.
CD_INLINE uint16_t cd_order(uint16_t pattern) {
    return (uint16_t)(pattern ^ ((uint16_t)((int16_t)pattern >> 15) | 0x8000u));
}
CD_INLINE uint16_t cd_pattern(uint16_t order) {
    return (uint16_t)(order ^ ((uint16_t)~(uint16_t)((int16_t)order >> 15) | 0x8000u));
}

// A difference other than 0 as +1, −1, +2, −2, … = 0, 1, 2, 3, …
CD_INLINE uint16_t cd_fold(uint16_t difference) {
    uint16_t sign = (uint16_t)((int16_t)difference >> 15);
    return (uint16_t)(((difference ^ sign) - 1u - sign) * 2u + (sign & 1u));
}
CD_INLINE uint16_t cd_unfold(uint16_t folded) {
    uint16_t sign = (uint16_t)-(folded & 1u);
    return (uint16_t)(((folded >> 1) + 1u + sign) ^ sign);
}

CD_INLINE uint32_t cd_load24(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
}
CD_INLINE void cd_store24(uint8_t *bytes, size_t value) {
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
}

// Reads up to 56 bits at a time, each load at most CD_SLACK bytes behind the end.
typedef struct {
    const uint8_t *next, *end, *begin;
    uint64_t window;
    unsigned held;
} cd_reader;

CD_INLINE cd_reader cd_reader_make(const uint8_t *bytes, size_t count) {
    return (cd_reader){.next = bytes, .end = bytes + count, .begin = bytes, .window = 0, .held = 0};
}

// At least 56 bits are in the window afterwards; false behind the end, where only nonsense would follow.
CD_INLINE bool cd_refill(cd_reader *reader) {
    if (__builtin_expect(reader->next > reader->end + 8, 0)) return false;
    uint64_t word;
    memcpy(&word, reader->next, 8);
    reader->window |= word << reader->held;
    reader->next += (63 - reader->held) >> 3;
    reader->held |= 56;
    return true;
}

CD_INLINE void cd_skip(cd_reader *reader, unsigned bits) {
    reader->window >>= bits;
    reader->held -= bits;
}

// Whether exactly the bytes were used: less than one byte is left, and it is zeros.
CD_INLINE bool cd_reader_finished(const cd_reader *reader) {
    size_t total = (size_t)(reader->end - reader->begin) * 8;
    size_t used = (size_t)(reader->next - reader->begin) * 8 - reader->held;
    if (used > total || total - used >= 8) return false;
    return (reader->window & ((1u << (total - used)) - 1u)) == 0;
}

typedef struct {
    uint8_t *next;
    uint64_t window;
    unsigned held;
} cd_writer;

// At most 56 bits.
CD_INLINE void cd_put(cd_writer *writer, uint64_t value, unsigned bits) {
    writer->window |= value << writer->held;
    writer->held += bits;
    memcpy(writer->next, &writer->window, 8);
    writer->next += writer->held >> 3;
    writer->window >>= writer->held & ~7u;
    writer->held &= 7;
}

// The end of the last byte that holds bits; what is left of it is zeros.
CD_INLINE uint8_t *cd_finish(cd_writer *writer) { return writer->next + (writer->held > 0); }

#endif
