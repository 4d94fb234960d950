// The polynomial of a TOPLOC proof over GF(65497): integers, so that plain loops give one answer however they are
// vectorised. Montgomery products with R = 2^16 take two 16-bit multiplications and a comparison.
//
// Newton's divided differences, then expansion to monomials: O(count^2). Both steps are written so that an element is
// computed from itself and its right neighbour, in place and in ascending order.

#define CK_FIELD_PRIME 65497u
#define CK_FIELD_INVERSE 36969u  // of the prime, modulo 2^16
#define CK_FIELD_RADIX 1521u     // R^2 modulo the prime

ALWAYS_INLINE uint16_t field_product(uint16_t a, uint16_t b) {
    uint16_t low = (uint16_t)((uint32_t)a * b);
    uint16_t high = (uint16_t)((uint32_t)a * b >> 16);
    uint16_t quotient = (uint16_t)((uint32_t)low * CK_FIELD_INVERSE);
    uint16_t correction = (uint16_t)((uint32_t)quotient * CK_FIELD_PRIME >> 16);
    return (uint16_t)(high - correction + (high < correction ? CK_FIELD_PRIME : 0));
}

ALWAYS_INLINE uint16_t field_difference(uint16_t a, uint16_t b) {
    return (uint16_t)(a - b + (a < b ? CK_FIELD_PRIME : 0));
}

// Whole vectors, without a tail: arrays have CK_FIELD_LANES elements to spare, in which anything may stand.
#define CK_FIELD_LANES 32
#define EACH_FIELD(i, count, statement)                                           \
    for (size_t block_ = 0; block_ < (count); block_ += CK_FIELD_LANES) {         \
        for (size_t i = block_; i < block_ + CK_FIELD_LANES; i++) { statement; }  \
    }

// differences[i] = (differences[i + 1] - differences[i]) / (x[i + order] - x[i])
static void divide_differences(
    uint16_t *restrict differences, const uint16_t *restrict x, size_t order, size_t count,
    uint16_t *restrict inverses, const uint16_t *restrict table
) {
    EACH_FIELD(i, count, inverses[i] = field_difference(x[i + order], x[i]))
    // Table look-ups apart from the arithmetic, which is then free of gathers.
    for (size_t i = 0; i < count; i++) inverses[i] = table[inverses[i]];
    EACH_FIELD(i, count, (differences[i] = field_product(field_difference(differences[i + 1], differences[i]), inverses[i])))
}

// Coefficients times (X - root), where a zero stands below the lowest and above the highest.
static void multiply_root(uint16_t *restrict polynomial, uint16_t root, size_t powers) {
    uint16_t factor = field_product(root, CK_FIELD_RADIX);
    EACH_FIELD(
        i, powers, (polynomial[i] = field_difference(polynomial[i], field_product(polynomial[i + 1], factor))))
}

void ROW(interpolate)(const ck_interpolation *job) {
    size_t count = job->count;
    if (count == 0) return;
    size_t room = count + 2 * CK_FIELD_LANES;
    uint16_t *x = job->scratch, *differences = x + room, *inverses = differences + room;
    uint16_t *newton = inverses + room, *polynomial = newton + room + count - 1;
    memcpy(x, job->x, count * sizeof *x);
    for (size_t i = 0; i < count; i++) differences[i] = (uint16_t)(job->y[i] % CK_FIELD_PRIME);
    newton[0] = differences[0];
    for (size_t order = 1; order < count; order++) {
        divide_differences(differences, x, order, count - order, inverses, job->inverses);
        newton[order] = differences[0];
    }
    // From the last factor inwards: P <- P * (X - x[i]) + newton[i], which moves down by one place per factor.
    memset(newton + room, 0, 2 * room * sizeof *polynomial);
    polynomial[0] = newton[count - 1];
    for (size_t i = count - 1; i-- > 0;) {
        multiply_root(--polynomial, x[i], count - i);
        polynomial[0] = field_difference(
            polynomial[0], newton[i] == 0 ? 0 : (uint16_t)(CK_FIELD_PRIME - newton[i]));
    }
    memcpy(job->coefficients, polynomial, count * sizeof *polynomial);
}
