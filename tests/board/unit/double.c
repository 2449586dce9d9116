/* Arithmetic of double that the compiler calls for and its library lacks: on the chip it lies in
 * ROM. cmocka and cJSON need it; src/ has no such numbers. The names are the compiler's (GCC
 * internals, section "Routines for floating point emulation").
 *
 * IEEE 754 binary64, rounded to nearest, ties to even; below the smallest normal number there is
 * zero, above the largest infinity, and no NaN comes in. */
#include <stdbool.h>
#include <stdint.h>

#define FRACTION_BITS 52
#define BIAS          1023
#define EXPONENT_MAX  2047
#define TOP           (UINT64_C(1) << 63)

/* mantissa * 2^exponent; the top bit of mantissa is set, but for zero. */
struct number {
    bool is_negative;
    int32_t exponent;
    uint64_t mantissa;
};

double __adddf3(double a, double b);
double __subdf3(double a, double b);
double __muldf3(double a, double b);
double __divdf3(double a, double b);
double __floatsidf(int32_t a);
double __floatunsidf(uint32_t a);
int32_t __fixdfsi(double a);
uint32_t __fixunsdfsi(double a);
double __extendsfdf2(float a);
float __truncdfsf2(double a);

static struct number unpack(double value);
static double pack(struct number number);
static double add(struct number a, struct number b);
static struct number normal(struct number number);
static uint64_t shifted(uint64_t mantissa, int32_t bits);

double __adddf3(double a, double b)
{
    return add(unpack(a), unpack(b));
}

double __subdf3(double a, double b)
{
    struct number less = unpack(b);

    less.is_negative = !less.is_negative;
    return add(unpack(a), less);
}

double __muldf3(double a, double b)
{
    const struct number x = unpack(a), y = unpack(b);
    const uint64_t x0 = (uint32_t)x.mantissa, x1 = x.mantissa >> 32;
    const uint64_t y0 = (uint32_t)y.mantissa, y1 = y.mantissa >> 32;
    const uint64_t middle = x1 * y0 + (x0 * y0 >> 32);
    const uint64_t low_middle = x0 * y1 + (uint32_t)middle;
    uint64_t high = x1 * y1 + (middle >> 32) + (low_middle >> 32);

    if ((uint32_t)low_middle != 0 || (uint32_t)(x0 * y0) != 0)
        high |= 1; /* for the rounding: something follows */
    return pack(normal((struct number){.is_negative = x.is_negative != y.is_negative,
                                       .exponent = x.exponent + y.exponent + 64,
                                       .mantissa = high}));
}

double __divdf3(double a, double b)
{
    const struct number x = unpack(a), y = unpack(b);
    struct number quotient = {.is_negative = x.is_negative != y.is_negative,
                              .exponent = x.exponent - y.exponent - 62};
    uint64_t rest = x.mantissa >> 1; /* one bit of room */
    const uint64_t divisor = y.mantissa >> 1;

    if (y.mantissa == 0)
        return __builtin_inf();
    for (int bit = 62; bit >= 0; bit--) {
        quotient.mantissa <<= 1;
        if (rest >= divisor) {
            rest -= divisor;
            quotient.mantissa |= 1;
        }
        rest <<= 1;
    }
    if (rest != 0)
        quotient.mantissa |= 1;
    return pack(normal(quotient));
}

double __floatsidf(int32_t a)
{
    const uint32_t size = a < 0 ? 0 - (uint32_t)a : (uint32_t)a;

    return pack(normal((struct number){.is_negative = a < 0, .mantissa = size}));
}

double __floatunsidf(uint32_t a)
{
    return pack(normal((struct number){.mantissa = a}));
}

int32_t __fixdfsi(double a)
{
    const struct number number = unpack(a);
    const uint32_t size =
        (uint32_t)(number.exponent > -64 ? number.mantissa >> -number.exponent : 0);

    return (int32_t)(number.is_negative ? 0 - size : size);
}

uint32_t __fixunsdfsi(double a)
{
    const struct number number = unpack(a);

    return (uint32_t)(number.exponent > -64 ? number.mantissa >> -number.exponent : 0);
}

double __extendsfdf2(float a)
{
    const union {
        float value;
        uint32_t bits;
    } in = {.value = a};
    const int32_t exponent = (int32_t)(in.bits >> 23 & 255);
    const uint64_t fraction = in.bits & 0x7fffff;

    return pack((struct number){.is_negative = in.bits >> 31 != 0,
                                .exponent = exponent - 127 - 63,
                                .mantissa = exponent == 0 ? 0 : TOP | fraction << 40});
}

/* Cut off, not rounded: nothing here looks at the last bit of a float. */
float __truncdfsf2(double a)
{
    const struct number number = unpack(a);
    const int32_t exponent = number.exponent + 63 + 127;
    union {
        uint32_t bits;
        float value;
    } out = {.bits = (uint32_t)number.is_negative << 31};

    if (number.mantissa != 0 && exponent >= 255)
        out.bits |= 0x7f800000;
    else if (number.mantissa != 0 && exponent > 0)
        out.bits |= (uint32_t)exponent << 23 | ((uint32_t)(number.mantissa >> 40) & 0x7fffff);
    return out.value;
}

static double add(struct number a, struct number b)
{
    if (a.mantissa == 0 || b.mantissa == 0)
        return pack(a.mantissa == 0 ? b : a);
    if (a.exponent < b.exponent) {
        const struct number swapped = a;
        a = b;
        b = swapped;
    }
    const uint64_t large = a.mantissa >> 1; /* one bit of room; the last ten carry nothing yet */
    const uint64_t small = shifted(b.mantissa, a.exponent - b.exponent + 1);
    struct number sum = {.is_negative = a.is_negative, .exponent = a.exponent + 1};
    if (a.is_negative == b.is_negative) {
        sum.mantissa = large + small;
    } else if (large >= small) {
        sum.mantissa = large - small;
    } else {
        sum.is_negative = b.is_negative;
        sum.mantissa = small - large;
    }
    return pack(normal(sum));
}

static struct number unpack(double value)
{
    const union {
        double value;
        uint64_t bits;
    } in = {.value = value};
    const int32_t exponent = (int32_t)(in.bits >> FRACTION_BITS & EXPONENT_MAX);
    const uint64_t fraction = in.bits & ((UINT64_C(1) << FRACTION_BITS) - 1);

    return (struct number){.is_negative = in.bits >> 63 != 0,
                           .exponent = exponent - BIAS - 63,
                           .mantissa = exponent == 0 ? 0 : TOP | fraction << (63 - FRACTION_BITS)};
}

static double pack(struct number number)
{
    const uint64_t half = UINT64_C(1) << (62 - FRACTION_BITS);
    const uint64_t rest = number.mantissa & (2 * half - 1);
    uint64_t mantissa = number.mantissa >> (63 - FRACTION_BITS);
    int32_t exponent = number.exponent + 63 + BIAS;
    union {
        uint64_t bits;
        double value;
    } out = {.bits = (uint64_t)number.is_negative << 63};

    if (rest > half || (rest == half && (mantissa & 1) != 0))
        mantissa++;
    if (mantissa >> (FRACTION_BITS + 1) != 0) { /* rounded up to the next power of two */
        mantissa >>= 1;
        exponent++;
    }
    if (mantissa != 0 && exponent >= EXPONENT_MAX)
        out.bits |= (uint64_t)EXPONENT_MAX << FRACTION_BITS;
    else if (mantissa != 0 && exponent > 0)
        out.bits |=
            (uint64_t)exponent << FRACTION_BITS | (mantissa & ((UINT64_C(1) << FRACTION_BITS) - 1));
    return out.value;
}

static struct number normal(struct number number)
{
    while (number.mantissa != 0 && (number.mantissa & TOP) == 0) {
        number.mantissa <<= 1;
        number.exponent--;
    }
    return number;
}

/* What falls out leaves its mark in the last bit. */
static uint64_t shifted(uint64_t mantissa, int32_t bits)
{
    if (bits > 63)
        return 1;
    return mantissa >> bits | (mantissa << (64 - bits) != 0);
}
