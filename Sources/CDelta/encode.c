// The shorter of a list of changes and a difference for every element.
#include "bits.h"

typedef uint16_t cd_lanes __attribute__((vector_size(64)));
typedef bool cd_flags __attribute__((ext_vector_type(32)));

size_t cd_bound(size_t count) { return 1 + 2 * count; }

// Above this many changes a difference for every element is hardly longer and quicker both ways; no list is made.
static size_t most_changes(size_t count) { return count / 5 * 2 + CD_GROUP; }

size_t cd_scratch_bytes(size_t count) {
    size_t groups = (count + CD_GROUP - 1) / CD_GROUP;
    return (most_changes(count) + CD_GROUP) * (sizeof(uint32_t) + sizeof(uint16_t)) + groups + CD_SLACK;
}

// One bit for each of 32 elements that differs.
CD_INLINE uint32_t differing(const uint16_t *base, const uint16_t *next) {
    cd_lanes a, b;
    memcpy(&a, base, sizeof a);
    memcpy(&b, next, sizeof b);
    cd_flags flags = __builtin_convertvector(a != b, cd_flags);
    uint32_t mask;
    memcpy(&mask, &flags, sizeof mask);
    return mask;
}

// The same for the last elements of a block, of which there are fewer.
CD_INLINE uint32_t differing_tail(const uint16_t *base, const uint16_t *next, size_t count) {
    uint32_t mask = 0;
    for (size_t i = 0; i < count; i++) mask |= (uint32_t)(base[i] != next[i]) << i;
    return mask;
}

CD_CLONES
size_t cd_changes(const uint16_t *base, const uint16_t *next, size_t count) {
    size_t changes = 0, i = 0;
    for (; i + CD_GROUP <= count; i += CD_GROUP) changes += (size_t)__builtin_popcount(differing(base + i, next + i));
    return changes + (size_t)__builtin_popcount(differing_tail(base + i, next + i, count - i));
}

// Lists positions and folded differences; returns their number, or more than the limit where there are more.
CD_INLINE size_t list_changes(
    const uint16_t *base, const uint16_t *next, size_t count, uint32_t *positions, uint16_t *values, size_t limit) {
    size_t found = 0;
    for (size_t i = 0; i < count; i += CD_GROUP) {
        uint32_t mask = i + CD_GROUP <= count ? differing(base + i, next + i)
                                              : differing_tail(base + i, next + i, count - i);
        if (found > limit) return found;
        while (mask != 0) {
            size_t place = i + (size_t)__builtin_ctz(mask);
            positions[found] = (uint32_t)place;
            values[found] = cd_fold((uint16_t)(cd_order(next[place]) - cd_order(base[place])));
            found++;
            mask &= mask - 1;
        }
    }
    return found;
}

// Bits of all gaps under a parameter.
CD_INLINE size_t gap_cost(const uint32_t *positions, size_t changes, unsigned k) {
    // 2^20 changes of at most 41 bits: 32 bits are enough, and twice as many fit a vector.
    uint32_t first = positions[0] >> k;
    uint32_t bits = first < CD_GAP_LIMIT ? first + 1 + k : CD_GAP_LIMIT + 1 + CD_GAP_RAW;
    for (size_t i = 1; i < changes; i++) {
        uint32_t quotient = (positions[i] - positions[i - 1] - 1) >> k;
        bits += quotient < CD_GAP_LIMIT ? quotient + 1 + k : CD_GAP_LIMIT + 1 + CD_GAP_RAW;
    }
    return bits;
}

CD_INLINE size_t value_cost(const uint16_t *values, size_t changes, unsigned k) {
    uint32_t bits = 0;
    for (size_t i = 0; i < changes; i++) {
        uint32_t quotient = (uint32_t)values[i] >> k;
        bits += quotient < CD_VALUE_LIMIT ? quotient + 1 + k : CD_VALUE_LIMIT + 1 + CD_VALUE_RAW;
    }
    return bits;
}

CD_INLINE unsigned floor_log2(size_t value) { return value < 2 ? 0 : 63u - (unsigned)__builtin_clzll(value); }

// The best parameter is within one of what the mean suggests, however the changes lie.
#define BEST(function, list, suggested, most, best, bits)                                                            \
    do {                                                                                                               \
        unsigned first = (suggested) > 0 ? (suggested) - 1 : 0;                                                        \
        for (unsigned k = first; k <= (suggested) + 1 && k <= (most); k++) {                                           \
            size_t cost = function(list, changes, k);                                                                  \
            if (k == first || cost < (bits)) (bits) = cost, (best) = k;                                                \
        }                                                                                                              \
    } while (0)

// The list's parameters and the bytes of both streams.
typedef struct {
    unsigned gap_k, value_k;
    size_t gap_bytes, value_bytes;
} sparse_plan;

CD_INLINE sparse_plan plan_sparse(const uint32_t *positions, const uint16_t *values, size_t changes, size_t count) {
    sparse_plan plan = {0};
    size_t bits = 0, sum = 0;
    BEST(gap_cost, positions, floor_log2((count - changes) * 7 / 10 / changes), CD_MOST_GAP_BITS, plan.gap_k, bits);
    plan.gap_bytes = (bits + 7) / 8;
    for (size_t i = 0; i < changes; i++) sum += values[i];
    BEST(value_cost, values, floor_log2(sum / changes), CD_MOST_VALUE_BITS, plan.value_k, bits);
    plan.value_bytes = (bits + 7) / 8;
    if (plan.value_bytes >= 2 * changes) plan.value_k = CD_ABSOLUTE, plan.value_bytes = 2 * changes;
    return plan;
}

CD_INLINE uint8_t *write_sparse(
    const uint16_t *next, const uint32_t *positions, const uint16_t *values, size_t changes, const sparse_plan *plan,
    uint8_t *body) {
    body[0] = CD_SPARSE;
    body[1] = (uint8_t)plan->gap_k;
    body[2] = (uint8_t)plan->value_k;
    cd_store24(body + 3, changes);
    cd_store24(body + 6, plan->gap_bytes);
    cd_store24(body + 9, plan->value_bytes);
    cd_writer gaps = {.next = body + CD_SPARSE_HEAD};
    unsigned k = plan->gap_k;
    uint32_t before = UINT32_MAX;
    for (size_t i = 0; i < changes; i++) {
        uint32_t gap = positions[i] - before - 1, quotient = gap >> k;
        before = positions[i];
        if (__builtin_expect(quotient < CD_GAP_LIMIT, 1)) {
            uint64_t rest = gap & ((1u << k) - 1u);
            cd_put(&gaps, (1ull | rest << 1) << quotient, quotient + 1 + k);
        } else {
            cd_put(&gaps, (1ull | (uint64_t)gap << 1) << CD_GAP_LIMIT, CD_GAP_LIMIT + 1 + CD_GAP_RAW);
        }
    }
    cd_writer writer = {.next = cd_finish(&gaps)};
    if (plan->value_k == CD_ABSOLUTE) {
        for (size_t i = 0; i < changes; i++) memcpy(writer.next + 2 * i, &next[positions[i]], 2);
        return writer.next + 2 * changes;
    }
    k = plan->value_k;
    for (size_t i = 0; i < changes; i++) {
        uint32_t value = values[i], quotient = value >> k;
        if (__builtin_expect(quotient < CD_VALUE_LIMIT, 1)) {
            uint64_t rest = value & ((1u << k) - 1u);
            cd_put(&writer, (1ull | rest << 1) << quotient, quotient + 1 + k);
        } else {
            cd_put(&writer, (1ull | (uint64_t)next[positions[i]] << 1) << CD_VALUE_LIMIT,
                CD_VALUE_LIMIT + 1 + CD_VALUE_RAW);
        }
    }
    return cd_finish(&writer);
}

// Differences of 32 elements with the sign in the lowest bit; elements behind the end count as equal.
CD_INLINE void group_differences(const uint16_t *base, const uint16_t *next, size_t count, uint16_t *differences) {
    for (size_t i = 0; i < CD_GROUP; i++) {
        uint16_t difference = i < count ? (uint16_t)(cd_order(next[i]) - cd_order(base[i])) : 0;
        differences[i] = (uint16_t)((uint16_t)(difference << 1) ^ (uint16_t)((int16_t)difference >> 15));
    }
}

CD_INLINE unsigned group_width(const uint16_t *differences) {
    uint16_t all = 0;
    for (size_t i = 0; i < CD_GROUP; i++) all |= differences[i];
    unsigned width = all == 0 ? 0 : 32u - (unsigned)__builtin_clz(all);
    return width == 15 ? 16 : width;
}

// The width of every group, and the bytes of the body.
CD_INLINE size_t plan_dense(const uint16_t *base, const uint16_t *next, size_t count, uint8_t *widths) {
    size_t groups = (count + CD_GROUP - 1) / CD_GROUP, bytes = CD_DENSE_HEAD + (groups + 1) / 2;
    uint16_t differences[CD_GROUP];
    for (size_t group = 0; group < count / CD_GROUP; group++) {
        group_differences(base + group * CD_GROUP, next + group * CD_GROUP, CD_GROUP, differences);
        widths[group] = (uint8_t)group_width(differences);
        bytes += widths[group] * (CD_GROUP / 8);
    }
    if (count % CD_GROUP != 0) {
        size_t first = count - count % CD_GROUP;
        group_differences(base + first, next + first, count % CD_GROUP, differences);
        widths[groups - 1] = (uint8_t)group_width(differences);
        bytes += widths[groups - 1] * (CD_GROUP / 8);
    }
    return bytes;
}

CD_INLINE void pack_group(const uint16_t *differences, unsigned width, uint8_t *target) {
    uint64_t window = 0;
    unsigned held = 0;
    for (size_t i = 0; i < CD_GROUP; i++) {
        window |= (uint64_t)differences[i] << held;
        held += width;
        if (held >= 32) {
            uint32_t word = (uint32_t)window;
            memcpy(target, &word, 4);
            target += 4;
            window >>= 32;
            held -= 32;
        }
    }
}

#define PACK(width) case width: pack_group(differences, width, body); break;

CD_INLINE uint8_t *write_dense(
    const uint16_t *base, const uint16_t *next, size_t count, const uint8_t *widths, size_t bytes, uint8_t *body) {
    size_t groups = (count + CD_GROUP - 1) / CD_GROUP;
    body[0] = CD_DENSE;
    cd_store24(body + 1, bytes - CD_DENSE_HEAD);
    body += CD_DENSE_HEAD;
    for (size_t group = 0; group < groups; group += 2) {
        unsigned low = widths[group], high = group + 1 < groups ? widths[group + 1] : 0;
        *body++ = (uint8_t)((low == 16 ? 15 : low) | (high == 16 ? 15 : high) << 4);
    }
    uint16_t differences[CD_GROUP];
    for (size_t group = 0; group < groups; group++) {
        size_t first = group * CD_GROUP;
        if (widths[group] == 0) continue;
        if (first + CD_GROUP <= count) group_differences(base + first, next + first, CD_GROUP, differences);
        else group_differences(base + first, next + first, count - first, differences);
        switch (widths[group]) {
            PACK(1) PACK(2) PACK(3) PACK(4) PACK(5) PACK(6) PACK(7) PACK(8)
            PACK(9) PACK(10) PACK(11) PACK(12) PACK(13) PACK(14) PACK(16)
        }
        body += widths[group] * (CD_GROUP / 8);
    }
    return body;
}

CD_CLONES
size_t cd_encode(const uint16_t *base, const uint16_t *next, size_t count, void *scratch, uint8_t *body) {
    size_t limit = most_changes(count);
    uint32_t *positions = scratch;
    uint16_t *values = (uint16_t *)(positions + limit + CD_GROUP);
    uint8_t *widths = (uint8_t *)(values + limit + CD_GROUP);
    size_t changes = list_changes(base, next, count, positions, values, limit);
    if (changes == 0) {
        body[0] = CD_UNCHANGED;
        return 1;
    }
    size_t best = cd_bound(count);
    sparse_plan plan = {0};
    bool is_sparse = false;
    if (changes <= limit) {
        plan = plan_sparse(positions, values, changes, count);
        size_t bytes = CD_SPARSE_HEAD + plan.gap_bytes + plan.value_bytes;
        if (bytes < best) best = bytes, is_sparse = true;
    }
    // Every group costs half a byte, so a short list needs no rival.
    if (best > CD_DENSE_HEAD + count / (2 * CD_GROUP)) {
        size_t bytes = plan_dense(base, next, count, widths);
        if (bytes < best) return (size_t)(write_dense(base, next, count, widths, bytes, body) - body);
    }
    if (is_sparse) return (size_t)(write_sparse(next, positions, values, changes, &plan, body) - body);
    body[0] = CD_FULL;
    memcpy(body + 1, next, 2 * count);
    return 1 + 2 * count;
}
