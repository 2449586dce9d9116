/* BearSSL's choice of curves for this processor, cut to the two that Sluice speaks.
 *
 * The library asks for br_ec_get_default; its own answer would link the generic curves too (17 KB).
 * Multiplications of 15-bit limbs suit a processor whose products have 32 bits. */
#include <bearssl.h>

static const br_ec_impl *impl_of(int curve)
{
    return curve == BR_EC_curve25519 ? &br_ec_c25519_m15 : &br_ec_p256_m15;
}

static const unsigned char *generator(int curve, size_t *len)
{
    return impl_of(curve)->generator(curve, len);
}

static const unsigned char *order(int curve, size_t *len)
{
    return impl_of(curve)->order(curve, len);
}

static size_t xoff(int curve, size_t *len)
{
    return impl_of(curve)->xoff(curve, len);
}

static uint32_t mul(unsigned char *point, size_t point_len, const unsigned char *scalar,
                    size_t scalar_len, int curve)
{
    return impl_of(curve)->mul(point, point_len, scalar, scalar_len, curve);
}

static size_t mulgen(unsigned char *out, const unsigned char *scalar, size_t scalar_len, int curve)
{
    return impl_of(curve)->mulgen(out, scalar, scalar_len, curve);
}

static uint32_t muladd(unsigned char *point, const unsigned char *other, size_t len,
                       const unsigned char *x, size_t x_len, const unsigned char *y, size_t y_len,
                       int curve)
{
    return impl_of(curve)->muladd(point, other, len, x, x_len, y, y_len, curve);
}

static const br_ec_impl curves = {
    .supported_curves = UINT32_C(1) << BR_EC_secp256r1 | UINT32_C(1) << BR_EC_curve25519,
    .generator = generator,
    .order = order,
    .xoff = xoff,
    .mul = mul,
    .mulgen = mulgen,
    .muladd = muladd,
};

const br_ec_impl *br_ec_get_default(void)
{
    return &curves;
}
