/* What of pki.h needs no OpenSSL: a board has certificates too. */
#include "support/pki.h"

void test_pki_make(struct test_pki *pki, int64_t now_s)
{
    struct test_cert_options options = {
        .purpose = TEST_PURPOSE_CA,
        .common_name = "Test site CA",
        .not_before_s = now_s - TEST_DAY_S,
        .not_after_s = now_s + 365 * TEST_DAY_S,
    };
    test_cert_make(&pki->ca, &options);
    options.issuer = &pki->ca;
    options.purpose = TEST_PURPOSE_SERVER;
    options.common_name = options.dns = "broker.test";
    test_cert_make(&pki->server, &options);
    options.purpose = TEST_PURPOSE_CLIENT;
    options.common_name = "garden";
    options.dns = "garden.device.invalid";
    test_cert_make(&pki->client, &options);
}

void test_pki_free(struct test_pki *pki)
{
    test_cert_free(&pki->ca);
    test_cert_free(&pki->server);
    test_cert_free(&pki->client);
}

struct sl_view test_cert_der(const struct test_cert *cert)
{
    return (struct sl_view){cert->der, cert->der_len};
}

struct sl_view test_cert_subject(const struct test_cert *cert)
{
    return (struct sl_view){cert->subject, cert->subject_len};
}

struct sl_view test_cert_point(const struct test_cert *cert)
{
    return (struct sl_view){cert->point, sizeof cert->point};
}

struct sl_view test_cert_private_key(const struct test_cert *cert)
{
    return (struct sl_view){cert->private_key, sizeof cert->private_key};
}
