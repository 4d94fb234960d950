// exp, log and log1p on 16 lanes: the expression trees of scalar/transcendental.h, operation by operation.
#include "../common/constants.h"

ALWAYS_INLINE lanes lanes_exp(lanes x) {
    mask low = lanes_less(x, lanes_set(CK_EXP_LOWEST));
    x = lanes_min(lanes_set(CK_EXP_HIGHEST), x);  // in this order a NaN stays one on x86
    lanes shifted = lanes_fma(x, lanes_set(CK_LOG2_E), lanes_set(CK_ROUND_SHIFT));
    lanes n = lanes_sub(shifted, lanes_set(CK_ROUND_SHIFT));
    lanes r = lanes_fma(n, lanes_set(-CK_LN2_HIGH), x);
    r = lanes_fma(n, lanes_set(-CK_LN2_LOW), r);
    lanes q = lanes_set(CK_EXP_4);
    q = lanes_fma(q, r, lanes_set(CK_EXP_3));
    q = lanes_fma(q, r, lanes_set(CK_EXP_2));
    q = lanes_fma(q, r, lanes_set(CK_EXP_1));
    q = lanes_fma(q, r, lanes_set(CK_EXP_0));
    lanes p = lanes_fma(lanes_mul(r, r), q, r);
    p = lanes_add(p, lanes_set(1.0f));
    p = lanes_of(words_add(words_of(p), words_shift_left(words_of(shifted), 23)));
    return lanes_select(low, lanes_set(0.0f), p);
}

ALWAYS_INLINE lanes lanes_log_core(lanes f, lanes e) {
    lanes s = lanes_mul(f, f);
    lanes q = lanes_set(CK_LOG_8);
    q = lanes_fma(q, f, lanes_set(CK_LOG_7));
    q = lanes_fma(q, f, lanes_set(CK_LOG_6));
    q = lanes_fma(q, f, lanes_set(CK_LOG_5));
    q = lanes_fma(q, f, lanes_set(CK_LOG_4));
    q = lanes_fma(q, f, lanes_set(CK_LOG_3));
    q = lanes_fma(q, f, lanes_set(CK_LOG_2));
    q = lanes_fma(q, f, lanes_set(CK_LOG_1));
    q = lanes_fma(q, f, lanes_set(CK_LOG_0));
    lanes y = lanes_mul(lanes_mul(q, f), s);
    y = lanes_fma(e, lanes_set(CK_LN2_LOW), y);
    y = lanes_fma(lanes_set(-0.5f), s, y);
    y = lanes_add(f, y);
    return lanes_fma(e, lanes_set(CK_LN2_HIGH), y);
}

// Splits u = m * 2^e with m around 1: the exponent field of 2^e, and m.
ALWAYS_INLINE words lanes_split(lanes u, lanes *m) {
    words exponent = words_and(words_sub(words_of(u), words_set(CK_SQRT_HALF_BITS)), words_set(0xff800000u));
    *m = lanes_of(words_sub(words_of(u), exponent));
    return exponent;
}

ALWAYS_INLINE lanes lanes_log(lanes x) {
    lanes m;
    words exponent = lanes_split(x, &m);
    lanes e = lanes_from_signed(words_shift_right_signed(exponent, 23));
    lanes y = lanes_log_core(lanes_sub(m, lanes_set(1.0f)), e);
    return lanes_select(lanes_not_less(x, lanes_set(0x1p-126f)), y, lanes_set(-__builtin_inff()));
}

ALWAYS_INLINE lanes lanes_log1p(lanes y) {
    lanes u = lanes_add(lanes_set(1.0f), y);
    lanes error = lanes_sub(y, lanes_sub(u, lanes_set(1.0f)));
    lanes m;
    words exponent = lanes_split(u, &m);
    lanes e = lanes_from_signed(words_shift_right_signed(exponent, 23));
    lanes scale = lanes_of(words_sub(words_set(0x3f800000u), exponent));
    lanes f = lanes_fma(error, scale, lanes_sub(m, lanes_set(1.0f)));
    return lanes_select(lanes_not_less(u, lanes_set(0x1p-126f)), lanes_log_core(f, e), lanes_set(-__builtin_inff()));
}
