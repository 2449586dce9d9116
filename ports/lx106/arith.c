/* Arithmetic that the compiler calls for and its library lacks: on the chip it lies in ROM.
 * The names are the compiler's (GCC internals, section "Routines for integer arithmetic"). */
#include <stdint.h>

uint32_t __udivsi3(uint32_t n, uint32_t d);
uint32_t __umodsi3(uint32_t n, uint32_t d);
int32_t __divsi3(int32_t n, int32_t d);
uint64_t __umulsidi3(uint32_t a, uint32_t b);
uint64_t __muldi3(uint64_t a, uint64_t b);
uint64_t __udivdi3(uint64_t n, uint64_t d);
uint64_t __umoddi3(uint64_t n, uint64_t d);
int64_t __divdi3(int64_t n, int64_t d);

static uint64_t divide(uint64_t n, uint64_t d, uint64_t *rest);

/* Long division, one bit a turn: as many turns as n has bits more than d. A division by zero gives
 * all ones. */
uint32_t __udivsi3(uint32_t n, uint32_t d)
{
    uint32_t quotient = 0;

    if (d == 0)
        return UINT32_MAX;
    if (n < d)
        return 0;
    for (int bit = __builtin_clz(d) - __builtin_clz(n); bit >= 0; bit--) {
        const uint32_t part = d << bit;
        quotient <<= 1;
        if (n >= part) {
            n -= part;
            quotient |= 1;
        }
    }
    return quotient;
}

uint32_t __umodsi3(uint32_t n, uint32_t d)
{
    return n - __udivsi3(n, d) * d;
}

int32_t __divsi3(int32_t n, int32_t d)
{
    const uint32_t un = n < 0 ? 0 - (uint32_t)n : (uint32_t)n;
    const uint32_t ud = d < 0 ? 0 - (uint32_t)d : (uint32_t)d;
    const uint32_t quotient = __udivsi3(un, ud);

    return (int32_t)((n < 0) != (d < 0) ? 0 - quotient : quotient);
}

/* Four products of halves: the processor multiplies 32 bits by 32 to 32. */
uint64_t __umulsidi3(uint32_t a, uint32_t b)
{
    const uint32_t a0 = a & 0xffff, a1 = a >> 16, b0 = b & 0xffff, b1 = b >> 16;
    const uint32_t middle = a1 * b0 + (a0 * b0 >> 16); /* cannot overflow */
    const uint32_t low_middle = a0 * b1 + (middle & 0xffff);
    const uint32_t high = a1 * b1 + (middle >> 16) + (low_middle >> 16);

    return (uint64_t)high << 32 | (low_middle << 16 | (a0 * b0 & 0xffff));
}

uint64_t __muldi3(uint64_t a, uint64_t b)
{
    const uint32_t high = (uint32_t)(a >> 32) * (uint32_t)b + (uint32_t)a * (uint32_t)(b >> 32);

    return __umulsidi3((uint32_t)a, (uint32_t)b) + ((uint64_t)high << 32);
}

uint64_t __udivdi3(uint64_t n, uint64_t d)
{
    uint64_t rest;

    return divide(n, d, &rest);
}

uint64_t __umoddi3(uint64_t n, uint64_t d)
{
    uint64_t rest;

    (void)divide(n, d, &rest);
    return rest;
}

int64_t __divdi3(int64_t n, int64_t d)
{
    const uint64_t un = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    const uint64_t ud = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    const uint64_t quotient = __udivdi3(un, ud);

    return (int64_t)((n < 0) != (d < 0) ? 0 - quotient : quotient);
}

static uint64_t divide(uint64_t n, uint64_t d, uint64_t *rest)
{
    uint64_t quotient = 0;

    *rest = 0;
    if ((n >> 32) == 0 && (d >> 32) == 0) {
        quotient = __udivsi3((uint32_t)n, (uint32_t)d);
        *rest = (uint32_t)n - (uint32_t)quotient * (uint32_t)d;
        return quotient;
    }
    for (int bit = 63; bit >= 0; bit--) {
        const uint64_t carry = *rest >> 63;
        *rest = *rest << 1 | (n >> bit & 1);
        quotient <<= 1;
        if (carry != 0 || *rest >= d) {
            *rest -= d;
            quotient |= 1;
        }
    }
    return quotient;
}
