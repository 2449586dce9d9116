/* What a request must be for the authority to sign it, and what the journal keeps of it. */
#include "ca/crl.h"
#include "ca/image.h"
#include "ca/issue.h"
#include "ca/passphrase.h"
#include "site/journal.h"
#include <bearssl.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[32];
    struct sl_authority authority;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/test_issue.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(sl_issue_authority(place->folder, &place->authority.current), SL_EXIT_DONE);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    sl_folder_remove(place->folder);
    sl_authority_close(&place->authority);
    free(place);
    return 0;
}

/* A request in DER; names with a slash between them are several. */
static size_t make_request(EVP_PKEY *key, const EVP_MD *hash, const char *names, uint8_t *out)
{
    X509_REQ *request = X509_REQ_new();
    X509_NAME *subject = X509_REQ_get_subject_name(request);
    char copy[64], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name = strtok_r(copy, "/", &rest); name; name = strtok_r(NULL, "/", &rest))
        assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                    (const unsigned char *)name, -1, -1, 0),
                         1);
    assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
    assert_int_not_equal(X509_REQ_sign(request, key, hash), 0);
    int len = i2d_X509_REQ(request, &out);
    X509_REQ_free(request);
    assert_true(len > 0);
    return (size_t)len;
}

static enum sl_exit ask(struct place *place, const char *name, const uint8_t *der, size_t len)
{
    X509 *certificate = NULL;
    enum sl_exit code = sl_issue_for_request(&place->authority, place->folder, name,
                                             (struct sl_view){der, len}, &certificate);
    assert_true((certificate != NULL) == (code == SL_EXIT_DONE));
    X509_free(certificate);
    return code;
}

static size_t count_lines(const struct place *place)
{
    struct sl_journal journal;
    struct sl_journal_entry entry;
    size_t count = 0;
    assert_int_equal(sl_journal_open(place->folder, &journal), SL_EXIT_DONE);
    while (sl_journal_next(&journal, &entry))
        count++;
    sl_journal_close(&journal);
    return count;
}

static void a_good_request_gets_a_certificate_of_that_key(void **state)
{
    struct place *place = *state;
    uint8_t der[SL_ISSUE_REQUEST_MAX];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = NULL;
    size_t len = make_request(key, EVP_sha256(), "garden", der);
    assert_int_equal(sl_issue_for_request(&place->authority, place->folder, "garden",
                                          (struct sl_view){der, len}, &certificate),
                     SL_EXIT_DONE);
    assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), key), 1);
    assert_true(sl_pki_days_left(certificate, place->authority.current.certificate) > 1000);
    assert_int_equal(X509_check_host(certificate, "garden.device.invalid", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ca(certificate), 0);
    X509_free(certificate);
    /* Its answer was lost: the node asks again with the same key. */
    assert_int_equal(ask(place, "garden", der, len), SL_EXIT_DONE);
    assert_int_equal(count_lines(place), 3);
    EVP_PKEY_free(key);
}

static void a_request_for_another_name_is_refused(void **state)
{
    struct place *place = *state;
    uint8_t der[SL_ISSUE_REQUEST_MAX];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    static const char *const names[] = {"pond",          "garde",       "gardens", "Garden",
                                        "garden/garden", "garden/pond", ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(ask(place, "garden", der, make_request(key, EVP_sha256(), names[i], der)),
                         SL_EXIT_REFUSED);
    assert_int_equal(count_lines(place), 1);
    EVP_PKEY_free(key);
}

static void other_keys_and_signatures_are_refused(void **state)
{
    struct place *place = *state;
    uint8_t der[4096];
    EVP_PKEY *keys[] = {EVP_EC_gen("P-384"), EVP_EC_gen("secp256k1"), EVP_RSA_gen(2048)};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(
            ask(place, "garden", der, make_request(keys[i], EVP_sha256(), "garden", der)),
            SL_EXIT_REFUSED);
        EVP_PKEY_free(keys[i]);
    }
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_int_equal(ask(place, "garden", der, make_request(key, EVP_sha384(), "garden", der)),
                     SL_EXIT_REFUSED);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "point-format", "compressed"), 1);
    assert_int_equal(ask(place, "garden", der, make_request(key, EVP_sha256(), "garden", der)),
                     SL_EXIT_REFUSED);
    EVP_PKEY_free(key);
    assert_int_equal(count_lines(place), 1);
}

/* Every byte of a request is under its signature, is the signature, or is structure. */
static void a_request_with_a_changed_byte_is_refused(void **state)
{
    struct place *place = *state;
    uint8_t der[SL_ISSUE_REQUEST_MAX];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    size_t len = make_request(key, EVP_sha256(), "garden", der);
    for (size_t i = 0; i < len; i++) {
        der[i] ^= (uint8_t)(1u << (i % 8));
        assert_int_equal(ask(place, "garden", der, len), SL_EXIT_REFUSED);
        der[i] ^= (uint8_t)(1u << (i % 8));
    }
    for (size_t i = 0; i < len; i++)
        assert_int_equal(ask(place, "garden", der, i), SL_EXIT_REFUSED);
    der[len] = 0;
    assert_int_equal(ask(place, "garden", der, len + 1), SL_EXIT_REFUSED);
    assert_int_equal(ask(place, "garden", der, SL_ISSUE_REQUEST_MAX + 1), SL_EXIT_REFUSED);
    assert_int_equal(count_lines(place), 1);
    EVP_PKEY_free(key);
}

static void the_key_of_somebody_else_is_refused(void **state)
{
    struct place *place = *state;
    uint8_t der[SL_ISSUE_REQUEST_MAX];
    struct sl_pki_pair operator= {NULL, NULL};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_int_equal(ask(place, "pond", der, make_request(key, EVP_sha256(), "pond", der)),
                     SL_EXIT_DONE);
    assert_int_equal(sl_issue_certificate(&place->authority, place->folder, SL_PKI_OPERATOR,
                                          "garden", "DNS:garden.operator.invalid", &operator),
                     SL_EXIT_DONE);
    EVP_PKEY *const taken[] = {key, place->authority.current.key, operator.key };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            ask(place, "garden", der, make_request(taken[i], EVP_sha256(), "garden", der)),
            SL_EXIT_REFUSED);
    assert_int_equal(count_lines(place), 3);
    sl_pki_free(&operator);
    EVP_PKEY_free(key);
}

/* As a node reads it. */
static bool is_sealed_by(struct sl_view point, struct sl_view grant)
{
    const struct sl_view sealed = sl_grant_sealed(grant), seal = sl_grant_seal(grant);
    const br_ec_public_key key = {
        .curve = BR_EC_secp256r1, .q = (unsigned char *)point.data, .qlen = point.len};
    unsigned char hash[32];

    assert_int_equal(EVP_Digest(sealed.data, sealed.len, hash, NULL, EVP_sha256(), NULL), 1);
    return br_ecdsa_vrfy_raw_get_default()(br_ec_get_default(), hash, sizeof hash, &key, seal.data,
                                           seal.len) == 1;
}

/* Both authorities of a roll-over reach the node, and the next one signs for it. */
static void a_grant_has_every_anchor_and_no_key(void **state)
{
    struct place *place = *state;
    uint8_t der[SL_ISSUE_REQUEST_MAX], grant[SL_GRANT_MAX];
    size_t len = 0;
    X509 *certificate = NULL;
    struct sl_identity decoded;
    const struct sl_site site = {.broker_name = "sluice-broker"};
    const struct sl_site_node node = {
        .name = "garden", .base = "irrigation/garden", .host = "10.0.0.1", .port = 8883};
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_int_equal(sl_issue_authority(place->folder, &place->authority.next), SL_EXIT_DONE);
    struct sl_view request = {der, make_request(key, EVP_sha256(), "garden", der)};
    assert_int_equal(
        sl_issue_for_request(&place->authority, place->folder, "garden", request, &certificate),
        SL_EXIT_DONE);
    assert_int_equal(sl_pki_days_left(certificate, place->authority.current.certificate), 0);
    assert_true(sl_pki_days_left(certificate, place->authority.next.certificate) > 1000);
    assert_int_equal(sl_pki_encode_grant(&site, &node, &place->authority, certificate,
                                         sl_view_text("home"), sl_view_text("secret words"), grant,
                                         &len),
                     SL_EXIT_DONE);
    assert_int_equal(sl_grant_decode((struct sl_view){grant, len}, &decoded), SL_OK);
    assert_int_equal(decoded.anchors_len, 2);
    assert_false(sl_view_is_equal(decoded.anchors[0].subject, decoded.anchors[1].subject));
    assert_false(sl_view_is_equal(decoded.anchors[0].point, decoded.anchors[1].point));
    assert_true(sl_view_is_equal(decoded.wifi_passphrase, sl_view_text("secret words")));
    assert_int_equal(decoded.private_key.len, 0);
    assert_int_equal(decoded.not_after_s, sl_pki_not_after(certificate));
    /* Every node knows the current authority, so that one has sealed it. */
    const struct sl_view whole = {grant, len};
    const struct sl_view current = decoded.anchors[0].point, next = decoded.anchors[1].point;
    assert_true(is_sealed_by(current, whole));
    assert_false(is_sealed_by(next, whole));
    grant[len / 2] ^= 1;
    assert_false(is_sealed_by(current, whole));
    X509_free(certificate);
    EVP_PKEY_free(key);
}

/* --- revocation lists ----------------------------------------------------------------------- */

static X509_CRL *read_list(const char *path)
{
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    X509_CRL *crl = PEM_read_X509_CRL(in, NULL, NULL, NULL);
    fclose(in);
    assert_non_null(crl);
    return crl;
}

static uint64_t number_of(X509_CRL *crl)
{
    uint64_t number = 0;
    ASN1_INTEGER *found = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
    assert_int_equal(ASN1_INTEGER_get_uint64(&number, found), 1);
    ASN1_INTEGER_free(found);
    return number;
}

/* RFC 5280, 5.2.3; in one second, and after a clock that was years fast. */
static void each_list_has_a_higher_number(void **state)
{
    struct place *place = *state;
    assert_int_equal(sl_folder_make(sl_path_join(place->folder, "broker").text), SL_EXIT_DONE);
    struct sl_path path = sl_path_join(place->folder, "broker/crl.pem");
    assert_int_equal(sl_crl_write(&place->authority, place->folder, NULL, NULL), SL_EXIT_DONE);
    X509_CRL *before = read_list(path.text);
    const uint64_t first = number_of(before), far = first + 200000000;
    assert_int_equal(sl_crl_write(&place->authority, place->folder, before, NULL), SL_EXIT_DONE);
    X509_CRL *second = read_list(path.text);
    assert_true(number_of(second) > first);
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    assert_int_equal(ASN1_INTEGER_set_uint64(number, far), 1);
    assert_int_equal(X509_CRL_add1_ext_i2d(before, NID_crl_number, number, 0, X509V3_ADD_REPLACE),
                     1);
    assert_int_equal(sl_crl_write(&place->authority, place->folder, before, NULL), SL_EXIT_DONE);
    X509_CRL *third = read_list(path.text);
    assert_true(number_of(third) == far + 1);
    ASN1_INTEGER_free(number);
    X509_CRL_free(third);
    X509_CRL_free(second);
    X509_CRL_free(before);
}

/* --- passphrases ---------------------------------------------------------------------------- */

static void a_passphrase_is_not_for_a_child(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    sl_passphrase_use_fd(ends[0]);
    assert_int_equal(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
    sl_passphrase_use_fd(-1);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_request_gets_a_certificate_of_that_key, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_request_for_another_name_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_keys_and_signatures_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_with_a_changed_byte_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_key_of_somebody_else_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_list_has_a_higher_number, set_up, tear_down),
        cmocka_unit_test(a_passphrase_is_not_for_a_child),
        cmocka_unit_test_setup_teardown(a_grant_has_every_anchor_and_no_key, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
