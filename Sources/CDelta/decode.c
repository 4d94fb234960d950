// Reads bodies that anybody may have written.
#include "bits.h"

size_t cd_body_bytes(const uint8_t *body, size_t available, size_t count) {
    if (available < 1 || count == 0 || count > CD_BLOCK_ELEMENTS) return 0;
    size_t bytes = 0;
    switch (body[0]) {
    case CD_UNCHANGED: return 1;
    case CD_FULL: return 1 + 2 * count;
    case CD_SPARSE:
        if (available < CD_SPARSE_HEAD) return 0;
        bytes = CD_SPARSE_HEAD + (size_t)cd_load24(body + 6) + cd_load24(body + 9);
        break;
    case CD_DENSE:
        if (available < CD_DENSE_HEAD) return 0;
        bytes = CD_DENSE_HEAD + (size_t)cd_load24(body + 1);
        break;
    default: return 0;
    }
    // No writer takes more than the values themselves.
    return bytes < cd_bound(count) ? bytes : 0;
}

CD_INLINE bool decode_sparse(const uint8_t *body, uint16_t *target, size_t count) {
    unsigned gap_k = body[1], value_k = body[2];
    size_t changes = cd_load24(body + 3), gap_bytes = cd_load24(body + 6), value_bytes = cd_load24(body + 9);
    bool is_absolute = value_k == CD_ABSOLUTE;
    if (gap_k > CD_MOST_GAP_BITS || (value_k > CD_MOST_VALUE_BITS && !is_absolute)) return false;
    if (changes == 0 || changes > count || (is_absolute && value_bytes != 2 * changes)) return false;
    const uint8_t *raw = body + CD_SPARSE_HEAD + gap_bytes;
    cd_reader gaps = cd_reader_make(body + CD_SPARSE_HEAD, gap_bytes);
    cd_reader values = cd_reader_make(raw, is_absolute ? 0 : value_bytes);
    uint64_t gap_mask = (1ull << gap_k) - 1, value_mask = is_absolute ? 0 : (1ull << value_k) - 1;
    size_t place = 0;
    for (size_t i = 0; i < changes; i++) {
        if (!cd_refill(&gaps)) return false;
        unsigned quotient = (unsigned)__builtin_ctzll(gaps.window | 1ull << 40);
        uint64_t rest = gaps.window >> 1 >> quotient;
        if (__builtin_expect(quotient < CD_GAP_LIMIT, 1)) {
            place += ((size_t)quotient << gap_k) + (rest & gap_mask);
            cd_skip(&gaps, quotient + 1 + gap_k);
        } else {
            if (quotient != CD_GAP_LIMIT) return false;
            place += rest & ((1u << CD_GAP_RAW) - 1u);
            cd_skip(&gaps, CD_GAP_LIMIT + 1 + CD_GAP_RAW);
        }
        if (__builtin_expect(place >= count, 0)) return false;
        if (is_absolute) {
            memcpy(target + place, raw + 2 * i, 2);
        } else {
            if (!cd_refill(&values)) return false;
            quotient = (unsigned)__builtin_ctzll(values.window | 1ull << 40);
            rest = values.window >> 1 >> quotient;
            if (__builtin_expect(quotient < CD_VALUE_LIMIT, 1)) {
                uint32_t folded = (quotient << value_k) + (uint32_t)(rest & value_mask);
                if (__builtin_expect(folded > 0xffff, 0)) return false;
                target[place] = cd_pattern((uint16_t)(cd_order(target[place]) + cd_unfold((uint16_t)folded)));
                cd_skip(&values, quotient + 1 + value_k);
            } else {
                if (quotient != CD_VALUE_LIMIT) return false;
                target[place] = (uint16_t)rest;
                cd_skip(&values, CD_VALUE_LIMIT + 1 + CD_VALUE_RAW);
            }
        }
        place++;
    }
    return cd_reader_finished(&gaps) && (is_absolute || cd_reader_finished(&values));
}

CD_INLINE void unpack_group(const uint8_t *packed, unsigned width, uint16_t *target) {
    for (size_t i = 0; i < CD_GROUP; i++) {
        uint32_t word;
        memcpy(&word, packed + i * width / 8, 4);
        uint16_t folded = (uint16_t)(word >> i * width % 8 & ((1u << width) - 1u));
        uint16_t difference = (uint16_t)((folded >> 1) ^ (uint16_t)-(folded & 1u));
        target[i] = cd_pattern((uint16_t)(cd_order(target[i]) + difference));
    }
}

#define UNPACK(width) case width: unpack_group(packed, width, values); break;

CD_INLINE bool decode_dense(const uint8_t *body, size_t bytes, uint16_t *target, size_t count) {
    size_t groups = (count + CD_GROUP - 1) / CD_GROUP, used = CD_DENSE_HEAD + (groups + 1) / 2;
    if (bytes < used) return false;
    const uint8_t *widths = body + CD_DENSE_HEAD, *packed = body + used;
    if (groups % 2 == 1 && widths[groups / 2] >> 4 != 0) return false;
    uint16_t last[CD_GROUP] = {0};
    for (size_t group = 0; group < groups; group++) {
        unsigned width = widths[group / 2] >> group % 2 * 4 & 15;
        if (width == 0) continue;
        if (width == 15) width = 16;
        size_t first = group * CD_GROUP, taken = width * (CD_GROUP / 8);
        used += taken;
        if (used > bytes) return false;
        bool is_whole = first + CD_GROUP <= count;
        uint16_t *values = is_whole ? target + first : last;
        if (!is_whole) memcpy(last, target + first, 2 * (count - first));
        switch (width) {
            UNPACK(1) UNPACK(2) UNPACK(3) UNPACK(4) UNPACK(5) UNPACK(6) UNPACK(7) UNPACK(8)
            UNPACK(9) UNPACK(10) UNPACK(11) UNPACK(12) UNPACK(13) UNPACK(14) UNPACK(16)
        }
        if (!is_whole) {
            memcpy(target + first, last, 2 * (count - first));
            // What stands behind the end was zero and must be left so.
            for (size_t i = count - first; i < CD_GROUP; i++) if (last[i] != 0) return false;
        }
        packed += taken;
    }
    return used == bytes;
}

CD_CLONES
bool cd_decode(const uint8_t *body, size_t bytes, uint16_t *target, size_t count) {
    if (bytes == 0 || cd_body_bytes(body, bytes, count) != bytes) return false;
    switch (body[0]) {
    case CD_UNCHANGED: return true;
    case CD_SPARSE: return decode_sparse(body, target, count);
    case CD_DENSE: return decode_dense(body, bytes, target, count);
    default:
        memcpy(target, body + 1, 2 * count);
        return true;
    }
}
