/* support/pki.h on the board: the desk makes certificates and keeps their keys. */
#include "desk.h"
#include "semihost.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each within one page of the host's (semihost.h). */
static struct desk_order order __attribute__((aligned(1024)));
static struct desk_answer answer __attribute__((aligned(4096)));

static void ask(void)
{
    const int32_t fd = (int32_t)lx106_argument_number("desk", 0);

    if (lx106_host_write(fd, &order, sizeof order) == (int32_t)sizeof order &&
        lx106_host_read(fd, &answer, sizeof answer) == (int32_t)sizeof answer)
        return;
    fprintf(stderr, "no certificate from the desk\n");
    abort();
}

/* A certificate's number stands where its key would be; 0 is no key. */
static struct evp_pkey_st *key_of(uint32_t number)
{
    return (struct evp_pkey_st *)(uintptr_t)(number + 1);
}

static uint32_t number_of(const struct test_cert *cert)
{
    return (uint32_t)(uintptr_t)cert->key - 1;
}

void test_cert_make(struct test_cert *cert, const struct test_cert_options *options)
{
    order = (struct desk_order){.kind = DESK_MAKE,
                                .number = options->issuer ? number_of(options->issuer) : DESK_SELF,
                                .key = options->key,
                                .purpose = options->purpose,
                                .not_before_s = options->not_before_s,
                                .not_after_s = options->not_after_s,
                                .serial = options->serial};
    snprintf(order.common_name, sizeof order.common_name, "%s", options->common_name);
    if (options->dns)
        snprintf(order.dns, sizeof order.dns, "%s", options->dns);
    ask();
    *cert = (struct test_cert){
        .key = key_of(answer.number), .der_len = answer.der_len, .subject_len = answer.subject_len};
    memcpy(cert->der, answer.der, sizeof cert->der);
    memcpy(cert->subject, answer.subject, sizeof cert->subject);
    memcpy(cert->point, answer.point, sizeof cert->point);
    memcpy(cert->private_key, answer.private_key, sizeof cert->private_key);
}

void test_cert_free(struct test_cert *cert)
{
    memset(cert, 0, sizeof *cert);
}

size_t test_cert_key_der(const struct test_cert *cert, uint8_t *out, size_t out_len)
{
    order = (struct desk_order){.kind = DESK_KEY, .number = number_of(cert)};
    ask();
    if (answer.der_len > out_len)
        abort();
    memcpy(out, answer.der, answer.der_len);
    return answer.der_len;
}
