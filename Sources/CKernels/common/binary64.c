// exp, log, sine and cosine of binary64 for the rotary tables (rules 6 and 13), from + and x alone: no fused
// multiply-add, so that every processor gives the same bits. Plain Taylor series on reduced arguments.
#include <string.h>

#include "../include/CKernels.h"

#define LN2_HIGH 0x1.62e42feep-1
#define LN2_LOW 0x1.a39ef35793c76p-33
#define LOG2_E 0x1.71547652b82fep+0
#define TWO_OVER_PI 0x1.45f306dc9c883p-1

static double power_of_two(int exponent) {
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double nearest_integer(double x) { return (double)(int64_t)(x < 0 ? x - 0.5 : x + 0.5); }

// Sum of x^i / i! from the highest term down: ((x/n + 1) x/(n-1) + 1) ...
double ck_exp64(double x) {
    if (x < -700) return 0;
    if (x > 700) x = 700;
    double n = nearest_integer(x * LOG2_E);
    double r = (x - n * LN2_HIGH) - n * LN2_LOW;
    double sum = 1;
    for (int i = 14; i >= 1; i--) sum = 1 + sum * r / i;
    return sum * power_of_two((int)n);
}

// ln x = e ln 2 + 2 atanh(s), s = (m - 1) / (m + 1), for positive normal x.
double ck_log64(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int e = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        e += 1;
    }
    double s = (m - 1) / (m + 1);
    double square = s * s;
    double series = 0;
    for (int i = 23; i >= 3; i -= 2) series = (series + 1.0 / i) * square;
    return e * LN2_HIGH + (2 * (s + s * series) + e * LN2_LOW);
}

// x - n * pi/2 in two words. pi/2 comes in parts of 29 bits, so that n * part is exact for n below 2^24.
static double reduce(double x, double n, double *low) {
    static const double parts[4] = {
        0x1.921fb54p+0, 0x1.10b4611p-30, 0x1.4c4c662p-59, 0x1.1701b83p-88,
    };
    double r = x - n * parts[0];
    double rest = 0;
    for (int i = 1; i < 4; i++) {
        double part = n * parts[i];
        double next = r - part;
        rest = ((r - next) - part) + rest;
        r = next;
    }
    double sum = r + rest;
    *low = (r - sum) + rest;
    return sum;
}

static double sine_series(double r, double low) {
    double square = r * r;
    double sum = 0;
    for (int i = 17; i >= 3; i -= 2) sum = (1 + sum) * (-square / (i * (i - 1)));
    return r + (r * sum + low * (1 - square * 0.5));
}

static double cosine_series(double r, double low) {
    double square = r * r;
    double sum = 0;
    for (int i = 18; i >= 4; i -= 2) sum = (1 + sum) * (-square / (i * (i - 1)));
    double half = square * 0.5;
    double head = 1 - half;
    return head + (((1 - head) - half) - (half * sum + r * low));
}

void ck_sin_cos64(double x, double *sine, double *cosine) {
    double n = nearest_integer(x * TWO_OVER_PI);
    double low;
    double r = reduce(x, n, &low);
    double s = sine_series(r, low);
    double c = cosine_series(r, low);
    switch ((int64_t)n & 3) {
    case 0: *sine = s, *cosine = c; break;
    case 1: *sine = c, *cosine = -s; break;
    case 2: *sine = -s, *cosine = -c; break;
    default: *sine = -c, *cosine = s; break;
    }
}
