/* A TLS server in memory over BearSSL. */
#include "support/tls_server.h"
#include <stdio.h>
#include <stdlib.h>

static void load_key(struct test_tls_server *server, const struct test_cert *certificate);
static void start_with_curve(struct test_tls_server *server);
static void limit(struct test_tls_server *server, const struct test_tls_server_options *options);
static void ask_for_certificate(struct test_tls_server *server,
                                const struct test_tls_server_options *options);
static int choose_as_told(const br_ssl_server_policy_class **policy,
                          const br_ssl_server_context *context, br_ssl_server_choices *choices);

void test_tls_server_init(struct test_tls_server *server,
                          const struct test_tls_server_options *options)
{
    memset(server, 0, sizeof *server);
    server->chain[0].data = (unsigned char *)options->certificate->der;
    server->chain[0].data_len = options->certificate->der_len;
    load_key(server, options->certificate);
    if (br_skey_decoder_key_type(&server->key) == BR_KEYTYPE_RSA)
        br_ssl_server_init_full_rsa(&server->context, server->chain, 1,
                                    br_skey_decoder_get_rsa(&server->key));
    else
        start_with_curve(server);
    limit(server, options);
    if (options->client_ca != NULL)
        ask_for_certificate(server, options);
    if (options->has_cache) {
        br_ssl_session_cache_lru_init(&server->cache, server->cache_store,
                                      sizeof server->cache_store);
        br_ssl_server_set_cache(&server->context, &server->cache.vtable);
    }
    br_ssl_engine_set_buffers_bidi(&server->context.eng, server->in, sizeof server->in, server->out,
                                   sizeof server->out);
}

void test_tls_server_open(struct test_tls_server *server, uint64_t seed)
{
    server->client_common_name[0] = '\0';
    br_ssl_engine_inject_entropy(&server->context.eng, &seed, sizeof seed);
    if (!br_ssl_server_reset(&server->context)) {
        fprintf(stderr, "tls_server: error %d\n", test_tls_server_error(server));
        abort();
    }
}

/* With the arithmetic of br_ec_get_default throughout, as the client has it. */
static void start_with_curve(struct test_tls_server *server)
{
    const br_ec_private_key *key = br_skey_decoder_get_ec(&server->key);
    br_ssl_server_init_full_ec(&server->context, server->chain, 1, BR_KEYTYPE_EC, key);
    br_ssl_server_set_single_ec(&server->context, server->chain, 1, key,
                                BR_KEYTYPE_KEYX | BR_KEYTYPE_SIGN, BR_KEYTYPE_EC,
                                br_ec_get_default(), br_ecdsa_sign_asn1_get_default());
    br_ssl_engine_set_ec(&server->context.eng, br_ec_get_default());
    br_ssl_engine_set_ecdsa(&server->context.eng, br_ecdsa_vrfy_asn1_get_default());
}

size_t test_tls_server_feed(struct test_tls_server *server, const uint8_t *in, size_t len)
{
    br_ssl_engine_context *engine = &server->context.eng;
    size_t used = 0;

    while (used < len && (br_ssl_engine_current_state(engine) & BR_SSL_RECVREC)) {
        size_t room;
        uint8_t *to = br_ssl_engine_recvrec_buf(engine, &room);
        size_t part = len - used < room ? len - used : room;
        memcpy(to, in + used, part);
        br_ssl_engine_recvrec_ack(engine, part);
        used += part;
    }
    return used;
}

struct sl_view test_tls_server_peek(struct test_tls_server *server)
{
    struct sl_view view = {NULL, 0};
    view.data = br_ssl_engine_sendrec_buf(&server->context.eng, &view.len);
    return view;
}

void test_tls_server_sent(struct test_tls_server *server, size_t len)
{
    br_ssl_engine_sendrec_ack(&server->context.eng, len);
}

size_t test_tls_server_read(struct test_tls_server *server, uint8_t *out, size_t len)
{
    size_t ready = 0;
    const uint8_t *from = br_ssl_engine_recvapp_buf(&server->context.eng, &ready);
    size_t part = len < ready ? len : ready;

    if (from == NULL || part == 0)
        return 0;
    memcpy(out, from, part);
    br_ssl_engine_recvapp_ack(&server->context.eng, part);
    return part;
}

size_t test_tls_server_write(struct test_tls_server *server, const uint8_t *data, size_t len)
{
    size_t room = 0;
    uint8_t *to = br_ssl_engine_sendapp_buf(&server->context.eng, &room);
    size_t part = len < room ? len : room;

    if (to == NULL || part == 0)
        return 0;
    memcpy(to, data, part);
    br_ssl_engine_sendapp_ack(&server->context.eng, part);
    br_ssl_engine_flush(&server->context.eng, 0);
    return part;
}

void test_tls_server_close(struct test_tls_server *server)
{
    br_ssl_engine_close(&server->context.eng);
}

bool test_tls_server_is_open(const struct test_tls_server *server)
{
    return br_ssl_engine_current_state(&server->context.eng) & BR_SSL_SENDAPP;
}

bool test_tls_server_is_closed(const struct test_tls_server *server)
{
    return br_ssl_engine_current_state(&server->context.eng) == BR_SSL_CLOSED;
}

int test_tls_server_error(const struct test_tls_server *server)
{
    return br_ssl_engine_last_error(&server->context.eng);
}

static void load_key(struct test_tls_server *server, const struct test_cert *certificate)
{
    uint8_t der[TEST_CERT_MAX];
    size_t len = test_cert_key_der(certificate, der, sizeof der);

    br_skey_decoder_init(&server->key);
    br_skey_decoder_push(&server->key, der, len);
    if (br_skey_decoder_last_error(&server->key) != 0) {
        fprintf(stderr, "tls_server: key error %d\n", br_skey_decoder_last_error(&server->key));
        abort();
    }
}

static void limit(struct test_tls_server *server, const struct test_tls_server_options *options)
{
    br_ssl_engine_context *engine = &server->context.eng;
    unsigned version_min = options->version_min != 0 ? options->version_min : BR_TLS12;
    unsigned version_max = options->version_max != 0 ? options->version_max : BR_TLS12;

    br_ssl_engine_set_versions(engine, version_min, version_max);
    if (options->suite != 0)
        br_ssl_engine_set_suites(engine, &options->suite, 1);
    server->ignores_fragment = options->ignores_fragment;
    server->curve = options->curve;
    server->inner_policy = *server->context.policy_vtable;
    server->policy = *server->inner_policy;
    server->policy.choose = choose_as_told;
    *server->context.policy_vtable = &server->policy;
}

static void ask_for_certificate(struct test_tls_server *server,
                                const struct test_tls_server_options *options)
{
    static const unsigned char common_name[] = {3, 0x55, 0x04, 0x03};
    const struct test_cert *ca = options->client_ca;
    br_x509_trust_anchor *anchor = &server->client_ca;
    br_x509_minimal_context *x509 = &server->x509;

    anchor->dn.data = (unsigned char *)ca->subject;
    anchor->dn.len = ca->subject_len;
    anchor->flags = BR_X509_TA_CA;
    anchor->pkey.key_type = BR_KEYTYPE_EC;
    anchor->pkey.key.ec.curve = BR_EC_secp256r1;
    anchor->pkey.key.ec.q = (unsigned char *)ca->point;
    anchor->pkey.key.ec.qlen = sizeof ca->point;

    br_x509_minimal_init(x509, &br_sha256_vtable, anchor, 1);
    br_x509_minimal_set_hash(x509, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_ecdsa(x509, br_ec_get_default(), br_ecdsa_vrfy_asn1_get_default());
    br_x509_minimal_set_time(x509, (uint32_t)(options->unix_s / 86400 + 719528),
                             (uint32_t)(options->unix_s % 86400));
    server->client_name.oid = common_name;
    server->client_name.buf = server->client_common_name;
    server->client_name.len = sizeof server->client_common_name;
    br_x509_minimal_set_name_elements(x509, &server->client_name, 1);
    br_ssl_engine_set_x509(&server->context.eng, &x509->vtable);
    br_ssl_engine_set_ecdsa(&server->context.eng, br_ecdsa_vrfy_asn1_get_default());
    br_ssl_server_set_trust_anchor_names_alt(&server->context, anchor, 1);
}

/* Called between ClientHello and ServerHello: forgets a part of what the client offered. */
static int choose_as_told(const br_ssl_server_policy_class **policy,
                          const br_ssl_server_context *context, br_ssl_server_choices *choices)
{
    struct test_tls_server *server = (struct test_tls_server *)context;

    if (server->curve != 0)
        server->context.curves &= UINT32_C(1) << server->curve;
    if (server->ignores_fragment) {
        server->context.eng.peer_log_max_frag_len = 0;
        server->context.eng.max_frag_len = (uint16_t)(1u << server->context.eng.log_max_frag_len);
    }
    return server->inner_policy->choose(policy, context, choices);
}
