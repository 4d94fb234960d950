// The polynomial through given points over GF(65497), and its values, on LANES numbers at once.
//
// The including file says what a vector is: `field`, `field_set`, `field_high` (the upper halves of 16-bit products),
// `field_less` (all bits or none), `field_one_below` and `field_two_below` (what lies one or two places below each element
// of `block`; under its first ones, the last ones of `below`). Products use Montgomery reduction with R = 2^16: two 16-bit products and a comparison,
// without any wider number.

enum {
    INVERSE = 36969,      // 1 / prime modulo R
    ONE = 39,             // R modulo the prime: 1 in Montgomery form
    SQUARED_RADIX = 1521  // R^2 modulo the prime, which brings a number into Montgomery form
};

// Chains of evaluation that are computed side by side: each waits for its own product.
#define CHAINS 4

// a - b, both below the prime.
ALWAYS_INLINE field field_difference(field a, field b) {
    return a - b + (field_less(a, b) & field_set(CK_FIELD_PRIME));
}

// a * b / R, both below the prime. With one of them in Montgomery form: the product with what that stands for.
ALWAYS_INLINE field field_multiply(field a, field b) {
    field quotient = a * b * field_set(INVERSE);
    return field_difference(field_high(a, b), field_high(quotient, field_set(CK_FIELD_PRIME)));
}

// Any bits modulo the prime.
ALWAYS_INLINE field field_reduce(field a) {
    return a - (~field_less(a, field_set(CK_FIELD_PRIME)) & field_set(CK_FIELD_PRIME));
}

ALWAYS_INLINE field field_montgomery(field a) { return field_multiply(a, field_set(SQUARED_RADIX)); }

// The same for single numbers.
ALWAYS_INLINE uint16_t difference_one(uint16_t a, uint16_t b) {
    return (uint16_t)(a - b + (a < b ? CK_FIELD_PRIME : 0));
}

ALWAYS_INLINE uint16_t multiply_one(uint16_t a, uint16_t b) {
    uint32_t product = (uint32_t)a * b;
    uint16_t quotient = (uint16_t)(product * INVERSE);
    uint32_t high = product >> 16, correction = (uint32_t)quotient * CK_FIELD_PRIME >> 16;
    return (uint16_t)(high - correction + (high < correction ? CK_FIELD_PRIME : 0));
}

ALWAYS_INLINE uint16_t sum_one(uint16_t a, uint16_t b) { return difference_one(a, b ? CK_FIELD_PRIME - b : 0); }

// a ^ (prime - 2), in Montgomery form as `a`; 0 for 0.
ALWAYS_INLINE field field_invert(field a) {
    field power = a;
    for (int bit = 14; bit >= 0; bit--) {
        power = field_multiply(power, power);
        if ((CK_FIELD_PRIME - 2) >> bit & 1) power = field_multiply(power, a);
    }
    return power;
}

ALWAYS_INLINE uint16_t element(const field *numbers, size_t index) {
    uint16_t value;
    memcpy(&value, (const char *)numbers + 2 * index, sizeof value);
    return value;
}

ALWAYS_INLINE void set_element(field *numbers, size_t index, uint16_t value) {
    memcpy((char *)numbers + 2 * index, &value, sizeof value);
}

// Newton's form: the coefficient of (X - x[0]) ... (X - x[j - 1]) is what is left of y[j] over the product of j's
// differences. All inverses are taken at once, so the products are computed twice. Two points at a time, because one
// step waits for the one before: blocks are even, and what is computed behind the last point is nobody's.
static void newton(const field *x, field *rest, size_t count, field *products, field *inverses, field *result) {
    size_t blocks = (count + LANES - 1) / LANES;
    for (size_t b = 0; b < blocks; b++) products[b] = field_set(ONE);
    for (size_t j = 0; j < count; j += 2) {
        uint16_t root = element(x, j), next = element(x, j + 1);
        set_element(inverses, j, element(products, j));
        set_element(inverses, j + 1, multiply_one(element(products, j + 1), difference_one(next, root)));
        for (size_t b = (j + 2) / LANES; b < blocks; b++) {
            field both = field_multiply(
                field_difference(x[b], field_set(root)), field_difference(x[b], field_set(next)));
            products[b] = field_multiply(products[b], both);
        }
    }
    for (size_t b = 0; b < blocks; b++) {
        inverses[b] = field_invert(inverses[b]);
        products[b] = field_set(ONE);
    }
    for (size_t j = 0; j < count; j += 2) {
        uint16_t root = element(x, j), next = element(x, j + 1);
        uint16_t first = multiply_one(element(rest, j), element(inverses, j));
        uint16_t left = difference_one(element(rest, j + 1), multiply_one(first, element(products, j + 1)));
        uint16_t second = multiply_one(left, element(inverses, j + 1));
        set_element(result, j, first);
        set_element(result, j + 1, second);
        for (size_t b = (j + 2) / LANES; b < blocks; b++) {
            field longer = field_multiply(products[b], field_difference(x[b], field_set(root)));
            field left = field_difference(rest[b], field_multiply(products[b], field_set(first)));
            rest[b] = field_difference(left, field_multiply(longer, field_set(second)));
            products[b] = field_multiply(longer, field_difference(x[b], field_set(next)));
        }
    }
}

// Monomials from Newton's form, from the last factor inwards: P = P * (X - x[j]) + coefficient j, again two at a time:
// P * (X - a) * (X - b) + A * X + (B - A * b) = P * X^2 - (a + b) * P * X + a * b * P + ..., where the last two terms
// are what A and B + A * a below the lowest power give.
static void expand(const field *x, const field *newton, size_t count, field *powers) {
    size_t j = count;
    if (count % 2) set_element(powers, 0, element(newton, --j));
    for (; j > 0; j -= 2) {
        uint16_t a = element(x, j - 1), b = element(x, j - 2), first = element(newton, j - 1);
        uint16_t second = sum_one(element(newton, j - 2), multiply_one(first, a));
        field sum = field_set(sum_one(a, b)), product = field_set(multiply_one(a, b));
        field lowest = field_set(0);
        set_element(&lowest, LANES - 1, first);
        set_element(&lowest, LANES - 2, second);
        for (size_t block = (count - j + 1) / LANES + 1; block-- > 0;) {
            field below = block > 0 ? powers[block - 1] : lowest, here = powers[block];
            field middle = field_multiply(field_one_below(below, here), sum);
            field low = field_difference(middle, field_multiply(here, product));
            powers[block] = field_difference(field_two_below(below, here), low);
        }
    }
}

static void interpolate(
    const uint16_t *x, const uint16_t *y, size_t count, uint16_t *scratch, uint16_t *coefficients
) {
    size_t blocks = (count + LANES - 1) / LANES;
    field *roots = (field *)(void *)scratch, *rest = roots + blocks, *products = rest + blocks;
    field *inverses = products + blocks, *newtons = inverses + blocks, *powers = newtons + blocks;
    memset(scratch, 0, 6 * blocks * sizeof(field));
    memcpy(roots, x, count * sizeof *x);
    memcpy(rest, y, count * sizeof *y);
    for (size_t b = 0; b < blocks; b++) {
        roots[b] = field_montgomery(field_reduce(roots[b]));
        rest[b] = field_reduce(rest[b]);
    }
    newton(roots, rest, count, products, inverses, newtons);
    expand(roots, newtons, count, powers);
    memcpy(coefficients, powers, count * sizeof *coefficients);
}

static void evaluate(
    const uint16_t *coefficients, size_t degrees, const uint16_t *x, size_t count, uint16_t *values
) {
    for (size_t first = 0; first < count; first += CHAINS * LANES) {
        size_t taken = count - first < CHAINS * LANES ? count - first : CHAINS * LANES;
        field points[CHAINS], sums[CHAINS];
        memset(points, 0, sizeof points);
        memcpy(points, x + first, taken * sizeof *x);
        UNROLL for (size_t i = 0; i < CHAINS; i++) {
            points[i] = field_montgomery(field_reduce(points[i]));
            sums[i] = field_set(0);
        }
        for (size_t power = degrees; power-- > 0;) {
            // a + b is a - (prime - b), which stays below the prime for every b that is not 0.
            uint16_t coefficient = coefficients[power];
            field complement = field_set((uint16_t)(coefficient ? CK_FIELD_PRIME - coefficient : 0));
            UNROLL for (size_t i = 0; i < CHAINS; i++) {
                sums[i] = field_difference(field_multiply(sums[i], points[i]), complement);
            }
        }
        memcpy(values + first, sums, taken * sizeof *values);
    }
}
