/* Products of points and scalars, and signatures, kept by what they were made from. */
#include "support/quick_curves.h"
#include <bearssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ENTRIES 4096
#define POINT   65
#define OUTPUT  80 /* a signature in ASN.1 is the longest */
#define SCALAR  66
#define INPUT   (2 * POINT + 2 * SCALAR)
#define CALCULUS                                                                                   \
    (&br_ec_all_m31) /* what br_ec_get_default gives on a computer with 32-bit products */

enum operation { NOTHING, MUL, MULGEN, MULADD, SIGN, VERIFY };

struct product {
    uint8_t operation, curve;
    size_t input_len, output_len;
    uint8_t input[INPUT];
    uint8_t output[OUTPUT];
    uint32_t result;
};

static struct product products[ENTRIES];

static struct product start(enum operation operation, int curve)
{
    return (struct product){.operation = (uint8_t)operation, .curve = (uint8_t)curve};
}

/* Length first, so that no two inputs are written alike. */
static bool add(struct product *product, const uint8_t *bytes, size_t len)
{
    if (len > UINT8_MAX || product->input_len + 1 + len > sizeof product->input)
        return false;
    product->input[product->input_len++] = (uint8_t)len;
    if (len > 0)
        memcpy(product->input + product->input_len, bytes, len);
    product->input_len += len;
    return true;
}

static struct product *find(const struct product *wanted)
{
    uint32_t hash = 2166136261; /* FNV-1a */
    for (size_t i = 0; i < wanted->input_len; i++)
        hash = (hash ^ wanted->input[i]) * 16777619;
    return &products[(hash ^ hash >> 16) % ENTRIES];
}

static bool is_same(const struct product *a, const struct product *b)
{
    return a->operation == b->operation && a->curve == b->curve && a->input_len == b->input_len &&
           memcmp(a->input, b->input, a->input_len) == 0;
}

static void keep(struct product *entry, struct product *made, const uint8_t *output, size_t len,
                 uint32_t result)
{
    if (len > sizeof made->output)
        return;
    if (len > 0)
        memcpy(made->output, output, len);
    made->output_len = len;
    made->result = result;
    *entry = *made;
}

static uint32_t mul(unsigned char *point, size_t point_len, const unsigned char *x, size_t x_len,
                    int curve)
{
    struct product wanted = start(MUL, curve);
    if (!add(&wanted, point, point_len) || !add(&wanted, x, x_len))
        return CALCULUS->mul(point, point_len, x, x_len, curve);
    struct product *entry = find(&wanted);
    if (!is_same(entry, &wanted)) {
        uint32_t result = CALCULUS->mul(point, point_len, x, x_len, curve);
        keep(entry, &wanted, point, point_len, result);
        return result;
    }
    memcpy(point, entry->output, entry->output_len);
    return entry->result;
}

static size_t mulgen(unsigned char *out, const unsigned char *x, size_t x_len, int curve)
{
    struct product wanted = start(MULGEN, curve);
    if (!add(&wanted, x, x_len))
        return CALCULUS->mulgen(out, x, x_len, curve);
    struct product *entry = find(&wanted);
    if (!is_same(entry, &wanted)) {
        size_t len = CALCULUS->mulgen(out, x, x_len, curve);
        keep(entry, &wanted, out, len, (uint32_t)len);
        return len;
    }
    memcpy(out, entry->output, entry->output_len);
    return entry->output_len;
}

static uint32_t muladd(unsigned char *a, const unsigned char *b, size_t len, const unsigned char *x,
                       size_t x_len, const unsigned char *y, size_t y_len, int curve)
{
    struct product wanted = start(MULADD, curve);
    if (!add(&wanted, a, len) || !add(&wanted, b, b != NULL ? len : 0) || !add(&wanted, x, x_len) ||
        !add(&wanted, y, y_len))
        return CALCULUS->muladd(a, b, len, x, x_len, y, y_len, curve);
    struct product *entry = find(&wanted);
    if (!is_same(entry, &wanted)) {
        uint32_t result = CALCULUS->muladd(a, b, len, x, x_len, y, y_len, curve);
        keep(entry, &wanted, a, len, result);
        return result;
    }
    memcpy(a, entry->output, entry->output_len);
    return entry->result;
}

static size_t sign(const br_ec_impl *impl, const br_hash_class *hash_class, const void *hash,
                   const br_ec_private_key *key, void *signature)
{
    struct product wanted = start(SIGN, key->curve);
    size_t hash_len = hash_class->desc >> BR_HASHDESC_OUT_OFF & BR_HASHDESC_OUT_MASK;
    if (!add(&wanted, hash, hash_len) || !add(&wanted, key->x, key->xlen))
        return br_ecdsa_i31_sign_asn1(impl, hash_class, hash, key, signature);
    struct product *entry = find(&wanted);
    if (!is_same(entry, &wanted)) {
        size_t len = br_ecdsa_i31_sign_asn1(impl, hash_class, hash, key, signature);
        keep(entry, &wanted, signature, len, (uint32_t)len);
        return len;
    }
    memcpy(signature, entry->output, entry->output_len);
    return entry->output_len;
}

static uint32_t verify(const br_ec_impl *impl, const void *hash, size_t hash_len,
                       const br_ec_public_key *key, const void *signature, size_t len)
{
    struct product wanted = start(VERIFY, key->curve);
    if (!add(&wanted, hash, hash_len) || !add(&wanted, key->q, key->qlen) ||
        !add(&wanted, signature, len))
        return br_ecdsa_i31_vrfy_asn1(impl, hash, hash_len, key, signature, len);
    struct product *entry = find(&wanted);
    if (is_same(entry, &wanted))
        return entry->result;
    uint32_t result = br_ecdsa_i31_vrfy_asn1(impl, hash, hash_len, key, signature, len);
    keep(entry, &wanted, NULL, 0, result);
    return result;
}

/* In place of the library's own. */

br_ecdsa_sign br_ecdsa_sign_asn1_get_default(void)
{
    return sign;
}

br_ecdsa_vrfy br_ecdsa_vrfy_asn1_get_default(void)
{
    return verify;
}

const br_ec_impl *br_ec_get_default(void)
{
    static br_ec_impl curves;
    if (curves.mul == NULL) {
        curves = *CALCULUS;
        curves.mul = mul;
        curves.mulgen = mulgen;
        curves.muladd = muladd;
    }
    return &curves;
}

void test_curves_remember(void)
{
    (void)br_ec_get_default();
}
