/* A TLS server in memory over BearSSL, honest or not, for tests of clients and hostile brokers.
 *
 * It does no I/O: ciphertext in by feed, out by peek and sent; plaintext by read and write.
 * Big (two full record buffers): keep it in static memory.
 */
#ifndef TEST_SUPPORT_TLS_SERVER_H
#define TEST_SUPPORT_TLS_SERVER_H

#include "support/pki.h"
#include <bearssl.h>

struct test_tls_server_options {
    const struct test_cert *certificate; /* P-256 or RSA; outlives the server */
    const struct test_cert *client_ca;   /* NULL: do not ask for a client certificate */
    uint64_t unix_s;                     /* to check client certificates */
    uint16_t version_min, version_max;   /* BR_TLS10 .. BR_TLS12; 0: TLS 1.2 */
    uint16_t suite;                      /* BR_TLS_*; 0: any that BearSSL has */
    int curve;                           /* BR_EC_curve25519 or BR_EC_secp256r1; 0: both */
    bool ignores_fragment;               /* as if it did not know maximum fragment length */
    bool has_cache;                      /* sessions can be resumed */
};

struct test_tls_server {
    br_ssl_server_context context; /* first: the policy finds its server by it */
    br_x509_minimal_context x509;
    br_x509_certificate chain[1];
    br_x509_trust_anchor client_ca;
    br_skey_decoder_context key;
    br_ssl_server_policy_class policy;
    const br_ssl_server_policy_class *inner_policy;
    bool ignores_fragment;
    int curve;
    br_ssl_session_cache_lru cache;
    uint8_t cache_store[2000];
    br_name_element client_name;
    char client_common_name[64]; /* as the last full handshake showed it */
    uint8_t in[BR_SSL_BUFSIZE_INPUT];
    uint8_t out[BR_SSL_BUFSIZE_OUTPUT];
};

void test_tls_server_init(struct test_tls_server *server,
                          const struct test_tls_server_options *options);
/* A new connection; the session cache stays. seed: any number, the same one gives the same bytes
 * only on systems without entropy of their own. */
void test_tls_server_open(struct test_tls_server *server, uint64_t seed);

/* Ciphertext. feed: used < len means that plaintext must be read, or ciphertext sent, first. */
size_t test_tls_server_feed(struct test_tls_server *server, const uint8_t *in, size_t len);
struct sl_view test_tls_server_peek(struct test_tls_server *server);
void test_tls_server_sent(struct test_tls_server *server, size_t len);

/* Plaintext: both give how many bytes were moved. write makes a record at once. */
size_t test_tls_server_read(struct test_tls_server *server, uint8_t *out, size_t len);
size_t test_tls_server_write(struct test_tls_server *server, const uint8_t *data, size_t len);
void test_tls_server_close(struct test_tls_server *server);

bool test_tls_server_is_open(const struct test_tls_server *server);
bool test_tls_server_is_closed(const struct test_tls_server *server);
int test_tls_server_error(const struct test_tls_server *server); /* BR_ERR_*, 0: none */

#endif
