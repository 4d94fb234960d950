// Numbers that every row shares. A change of one bit here is a new arithmetic version.
#ifndef CK_CONSTANTS_H
#define CK_CONSTANTS_H

#define CK_EXP_LOWEST (-87.33f)
#define CK_EXP_HIGHEST 88.0f
#define CK_LOG2_E 0x1.715476p+0f
#define CK_ROUND_SHIFT 12582912.0f  // 1.5 * 2^23: adding it rounds to an integer
#define CK_LN2_HIGH 0x1.62e4p-1f    // 15 bits, so that n * high is exact
#define CK_LN2_LOW 0x1.7f7d1cp-20f

// (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2, interpolated at Chebyshev nodes.
#define CK_EXP_0 0x1.000000p-1f
#define CK_EXP_1 0x1.5554d8p-3f
#define CK_EXP_2 0x1.555516p-5f
#define CK_EXP_3 0x1.12106cp-7f
#define CK_EXP_4 0x1.6d1606p-10f

// (log(1 + f) - f + f^2 / 2) / f^3 on [sqrt(1/2) - 1, sqrt(2) - 1], interpolated at Chebyshev nodes.
#define CK_LOG_0 0x1.555554p-2f
#define CK_LOG_1 (-0x1.fffffcp-3f)
#define CK_LOG_2 0x1.999d5ap-3f
#define CK_LOG_3 (-0x1.555b4ap-3f)
#define CK_LOG_4 0x1.23d21ap-3f
#define CK_LOG_5 (-0x1.fcf4c6p-4f)
#define CK_LOG_6 0x1.dea282p-4f
#define CK_LOG_7 (-0x1.d635bcp-4f)
#define CK_LOG_8 0x1.1d8ea6p-4f
#define CK_SQRT_HALF_BITS 0x3f3504f3u

// t of rule 10 stays below 1.
#define CK_NOISE_HIGHEST 0x1.fffffep-1f

// Philox4x32-10.
#define CK_PHILOX_MULTIPLIER_0 0xD2511F53u
#define CK_PHILOX_MULTIPLIER_1 0xCD9E8D57u
#define CK_PHILOX_WEYL_0 0x9E3779B9u
#define CK_PHILOX_WEYL_1 0xBB67AE85u

#endif
