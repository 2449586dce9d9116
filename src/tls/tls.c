/* The TLS client engine: BearSSL with one fixed profile, and the checks that BearSSL leaves to its
 * user. Nothing is open until all of them have passed. */
#include "tls/tls.h"

#define POINT_LEN        65
#define KEY_LEN          32
#define DAYS_BEFORE_UNIX 719528 /* from year 0 to 1970, as br_x509_minimal_set_time counts */
#define UNIX_MAX         UINT64_C(253402300799) /* 9999-12-31T23:59:59Z, the last X.509 date */
#define DAY_S            86400

static bool is_usable(const struct sl_tls_credentials *credentials);
static void configure(struct sl_tls *tls);
static void load_anchors(struct sl_tls *tls);
static bool is_session(const struct sl_tls_session *session);
static void update(struct sl_tls *tls);
static void check_opened(struct sl_tls *tls);
static void end(struct sl_tls *tls, uint16_t error);
static void derive(void *out, size_t len, const void *secret, size_t secret_len, const char *label,
                   size_t seeds_len, const br_tls_prf_seed_chunk *seeds);

enum sl_status sl_tls_init(struct sl_tls *tls, const struct sl_tls_credentials *credentials)
{
    memset(tls, 0, sizeof *tls);
    if (!is_usable(credentials))
        return SL_BAD_ARGUMENT;
    tls->credentials = *credentials;
    sl_verifier_init(&tls->verifier);
    return SL_OK;
}

void sl_tls_open(struct sl_tls *tls, const char *server_name, uint64_t unix_s,
                 const uint8_t seed[SL_TLS_SEED_LEN], const struct sl_tls_session *session)
{
    br_ssl_engine_context *engine = &tls->client.eng;

    if (tls->phase != SL_TLS_IDLE)
        sl_tls_reset(tls);
    tls->phase = SL_TLS_HANDSHAKE;
    if (tls->credentials.anchors_len == 0) {
        end(tls, SL_TLS_ERR_CREDENTIALS);
        return;
    }
    uint32_t days, seconds;
    if (!sl_tls_split_time(unix_s, &days, &seconds)) {
        end(tls, SL_TLS_ERR_NO_TIME);
        return;
    }
    /* BearSSL takes an empty name for "any server will do". */
    if (server_name == NULL || server_name[0] == '\0' ||
        strlen(server_name) >= sizeof engine->server_name) {
        end(tls, SL_TLS_ERR_NO_NAME);
        return;
    }

    configure(tls);
    br_x509_minimal_set_time(&tls->chain.checks, days, seconds);
    br_ssl_engine_inject_entropy(engine, seed, SL_TLS_SEED_LEN);
    bool resumes = is_session(session);
    if (resumes) {
        br_ssl_engine_set_session_parameters(engine, &session->parameters);
        tls->has_offered = true;
    }
    br_ssl_client_reset(&tls->client, server_name, resumes);
    update(tls); /* a refusal shows as closed */
}

size_t sl_tls_feed(struct sl_tls *tls, const uint8_t *in, size_t len)
{
    br_ssl_engine_context *engine = &tls->client.eng;
    size_t used = 0;

    if (tls->phase == SL_TLS_IDLE || tls->phase == SL_TLS_ENDED)
        return len;
    while (used < len && tls->phase != SL_TLS_ENDED) {
        unsigned state = br_ssl_engine_current_state(engine);
        /* In the handshake, what must go out goes first: so events come in the same order
         * however the input is cut. */
        if (!(state & BR_SSL_RECVREC) ||
            (tls->phase == SL_TLS_HANDSHAKE && (state & BR_SSL_SENDREC)))
            return used;
        size_t room;
        uint8_t *to = br_ssl_engine_recvrec_buf(engine, &room);
        size_t part = len - used < room ? len - used : room;
        sl_hello_feed(&tls->hello, in + used, part);
        memcpy(to, in + used, part);
        br_ssl_engine_recvrec_ack(engine, part);
        used += part;
        update(tls);
    }
    return tls->phase == SL_TLS_ENDED ? len : used;
}

struct sl_view sl_tls_peek(struct sl_tls *tls)
{
    struct sl_view view = {NULL, 0};

    if (tls->phase != SL_TLS_IDLE && tls->phase != SL_TLS_ENDED)
        view.data = br_ssl_engine_sendrec_buf(&tls->client.eng, &view.len);
    return view;
}

void sl_tls_sent(struct sl_tls *tls, size_t len)
{
    if (len == 0 || sl_tls_peek(tls).len < len)
        return;
    br_ssl_engine_sendrec_ack(&tls->client.eng, len);
    update(tls);
}

bool sl_tls_next(struct sl_tls *tls, struct sl_tls_event *event)
{
    event->kind = SL_TLS_NONE;
    event->is_resumed = tls->is_resumed;
    if (tls->has_opened_event) {
        tls->has_opened_event = false;
        event->kind = SL_TLS_OPENED;
    } else if (tls->has_ended_event) {
        tls->has_ended_event = false;
        event->kind = tls->error == 0 ? SL_TLS_CLOSED : SL_TLS_FAILED;
    }
    return event->kind != SL_TLS_NONE;
}

struct sl_view sl_tls_peek_plain(struct sl_tls *tls)
{
    struct sl_view view = {NULL, 0};

    if (tls->phase == SL_TLS_OPEN)
        view.data = br_ssl_engine_recvapp_buf(&tls->client.eng, &view.len);
    return view;
}

void sl_tls_taken(struct sl_tls *tls, size_t len)
{
    if (len == 0 || sl_tls_peek_plain(tls).len < len)
        return;
    br_ssl_engine_recvapp_ack(&tls->client.eng, len);
    update(tls);
}

size_t sl_tls_write(struct sl_tls *tls, const uint8_t *data, size_t len)
{
    size_t used = 0;

    while (tls->phase == SL_TLS_OPEN && used < len) {
        size_t room = 0;
        uint8_t *to = br_ssl_engine_sendapp_buf(&tls->client.eng, &room);
        size_t part = len - used < room ? len - used : room;
        if (part == 0)
            break;
        memcpy(to, data + used, part);
        br_ssl_engine_sendapp_ack(&tls->client.eng, part);
        used += part;
        update(tls);
    }
    return used;
}

void sl_tls_flush(struct sl_tls *tls)
{
    if (tls->phase == SL_TLS_OPEN)
        br_ssl_engine_flush(&tls->client.eng, 0);
}

void sl_tls_close(struct sl_tls *tls)
{
    if (tls->phase != SL_TLS_OPEN)
        return;
    tls->phase = SL_TLS_CLOSING;
    br_ssl_engine_close(&tls->client.eng);
    update(tls);
}

void sl_tls_reset(struct sl_tls *tls)
{
    struct sl_tls_credentials credentials = tls->credentials;
    struct sl_tls_known known = tls->verifier.known;

    sl_wipe(tls, sizeof *tls);
    tls->credentials = credentials;
    sl_verifier_init(&tls->verifier);
    tls->verifier.known = known;
}

enum sl_status sl_tls_status(const struct sl_tls *tls)
{
    if (tls->phase != SL_TLS_ENDED)
        return SL_OK;
    if (tls->error == 0)
        return SL_CLOSED;
    bool is_identity = (tls->error > BR_ERR_X509_OK && tls->error <= BR_ERR_X509_NOT_TRUSTED) ||
                       tls->error == BR_ERR_BAD_SIGNATURE || tls->error == BR_ERR_WRONG_KEY_USAGE;
    return is_identity ? SL_UNTRUSTED : SL_PROTOCOL;
}

uint16_t sl_tls_error(const struct sl_tls *tls)
{
    return tls->error;
}

void sl_tls_save(const struct sl_tls *tls, struct sl_tls_session *session)
{
    memset(session, 0, sizeof *session);
    if (!tls->was_opened)
        return;
    session->not_after_s = tls->chain.not_after_s;
    br_ssl_engine_get_session_parameters(&tls->client.eng, &session->parameters);
    session->is_valid = true;
    if (!is_session(session))
        sl_wipe(session, sizeof *session);
}

void sl_tls_recall(struct sl_tls *tls, const struct sl_tls_known *known)
{
    tls->verifier.known = *known;
    if (known->len > SL_TLS_KNOWN_MAX)
        tls->verifier.known.len = 0;
}

const struct sl_tls_known *sl_tls_known(const struct sl_tls *tls)
{
    return &tls->verifier.known;
}

bool sl_tls_is_known(const struct sl_tls *tls)
{
    return tls->verifier.met != 0 && tls->verifier.verified == 0;
}

/* After every step of BearSSL: see where it stands. */
static void update(struct sl_tls *tls)
{
    unsigned state = br_ssl_engine_current_state(&tls->client.eng);

    if (state == BR_SSL_CLOSED) {
        end(tls, (uint16_t)br_ssl_engine_last_error(&tls->client.eng));
    } else if (tls->phase == SL_TLS_HANDSHAKE && (state & BR_SSL_SENDAPP)) {
        check_opened(tls);
    }
}

/* The handshake is through. Without a certificate of the server it has resumed our session; then it
 * has not asked for ours either: it knows us from the full handshake in which the session was made.
 * BearSSL lets no other handshake end without one. */
static void check_opened(struct sl_tls *tls)
{
    tls->is_resumed = tls->has_offered && !tls->chain.is_started;
    if (!tls->hello.has_fragment) {
        end(tls, SL_TLS_ERR_NO_FRAGMENT);
    } else if (!tls->is_resumed && !tls->signer.was_asked) {
        end(tls, SL_TLS_ERR_NOT_ASKED);
    } else {
        if (!tls->is_resumed)
            sl_verifier_keep(&tls->verifier);
        tls->phase = SL_TLS_OPEN;
        tls->was_opened = true;
        tls->has_opened_event = true;
    }
}

/* error 0: closed in order. The phase keeps everybody from the engine after this. */
static void end(struct sl_tls *tls, uint16_t error)
{
    tls->phase = SL_TLS_ENDED;
    tls->error = error;
    tls->has_ended_event = true;
}

static bool is_session(const struct sl_tls_session *session)
{
    return session != NULL && session->is_valid && session->parameters.session_id_len > 0 &&
           session->parameters.session_id_len <= SL_HELLO_SESSION_ID &&
           session->parameters.version == BR_TLS12;
}

static bool is_usable(const struct sl_tls_credentials *credentials)
{
    size_t order_len = 0;
    const uint8_t *order = br_ec_get_default()->order(BR_EC_secp256r1, &order_len);
    const struct sl_view key = credentials->private_key;
    static const uint8_t zero[KEY_LEN];

    if (credentials->anchors_len < 1 || credentials->anchors_len > SL_TLS_ANCHORS_MAX)
        return false;
    for (uint8_t i = 0; i < credentials->anchors_len; i++) {
        const struct sl_tls_anchor *anchor = &credentials->anchors[i];
        if (anchor->subject.len == 0 || anchor->point.len != POINT_LEN ||
            anchor->point.data[0] != 0x04)
            return false;
    }
    return credentials->certificate.len > 0 && key.len == KEY_LEN && order_len == KEY_LEN &&
           memcmp(key.data, zero, KEY_LEN) > 0 && memcmp(key.data, order, KEY_LEN) < 0;
}

/* The profile. Only what is named here is linked: no RSA, no CBC, no hash but SHA-256. */
static void configure(struct sl_tls *tls)
{
    static const uint16_t suites[] = {BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
                                      BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256};
    br_ssl_engine_context *engine = &tls->client.eng;
    br_x509_minimal_context *checks = &tls->chain.checks;

    sl_verifier_begin(&tls->verifier);
    br_ssl_client_zero(&tls->client);
    br_ssl_engine_set_versions(engine, BR_TLS12, BR_TLS12);
    br_ssl_engine_set_suites(engine, suites, sizeof suites / sizeof suites[0]);
    br_ssl_engine_add_flags(engine, BR_OPT_NO_RENEGOTIATION);
    br_ssl_engine_set_hash(engine, br_sha256_ID, &br_sha256_vtable);
    br_ssl_engine_set_prf_sha256(engine, derive);
    br_ssl_engine_set_ec(engine, &tls->verifier.curves);
    br_ssl_engine_set_ecdsa(engine, br_ecdsa_vrfy_asn1_get_default());
    br_ssl_engine_set_default_chapol(engine);
    br_ssl_engine_set_default_aes_gcm(engine);
    br_ssl_engine_set_buffers_bidi(engine, tls->in, sizeof tls->in, tls->out, sizeof tls->out);

    load_anchors(tls);
    br_x509_minimal_init(checks, &br_sha256_vtable, tls->anchors, tls->credentials.anchors_len);
    br_x509_minimal_set_hash(checks, br_sha256_ID, &br_sha256_vtable);
    br_x509_minimal_set_ecdsa(checks, &tls->verifier.curves, sl_verifier_verify);
    sl_chain_init(&tls->chain);
    br_ssl_engine_set_x509(engine, &tls->chain.vtable);

    sl_signer_init(&tls->signer, tls->credentials.certificate, tls->credentials.private_key,
                   &tls->verifier.curves);
    br_ssl_client_set_client_certificate(&tls->client, &tls->signer.vtable);
}

static void load_anchors(struct sl_tls *tls)
{
    for (uint8_t i = 0; i < tls->credentials.anchors_len; i++)
        tls->anchors[i] = sl_tls_make_anchor(tls->credentials.anchors[i].subject,
                                             tls->credentials.anchors[i].point);
}

br_x509_trust_anchor sl_tls_make_anchor(struct sl_view subject, struct sl_view point)
{
    br_x509_trust_anchor anchor = {.flags = BR_X509_TA_CA};

    anchor.dn.data = (unsigned char *)subject.data;
    anchor.dn.len = subject.len;
    anchor.pkey.key_type = BR_KEYTYPE_EC;
    anchor.pkey.key.ec.curve = BR_EC_secp256r1;
    anchor.pkey.key.ec.q = (unsigned char *)point.data;
    anchor.pkey.key.ec.qlen = point.len;
    return anchor;
}

bool sl_tls_split_time(uint64_t unix_s, uint32_t *days, uint32_t *seconds)
{
    *days = *seconds = 0;
    if (unix_s == 0 || unix_s > UNIX_MAX)
        return false;
    *days = (uint32_t)(unix_s / DAY_S + DAYS_BEFORE_UNIX);
    *seconds = (uint32_t)(unix_s % DAY_S);
    return true;
}

/* The PRF. BearSSL asks for the key block twice, for the keys of either direction: the second
 * answer is the first one, kept in between. It hands over no context, but the secret is our
 * session's. Source: RFC 5246, sections 5 and 6.3. */
static void derive(void *out, size_t len, const void *secret, size_t secret_len, const char *label,
                   size_t seeds_len, const br_tls_prf_seed_chunk *seeds)
{
    const uintptr_t at = offsetof(struct sl_tls, client.eng.session.master_secret);

    if (strcmp(label, "key expansion") != 0 || len > SL_TLS_KEYS_LEN) {
        br_tls12_sha256_prf(out, len, secret, secret_len, label, seeds_len, seeds);
        return;
    }
    struct sl_tls *tls = (struct sl_tls *)((uintptr_t)secret - at);
    if (tls->keys_len == len) {
        memcpy(out, tls->keys, len);
        sl_wipe(tls->keys, sizeof tls->keys);
        tls->keys_len = 0;
        return;
    }
    br_tls12_sha256_prf(out, len, secret, secret_len, label, seeds_len, seeds);
    memcpy(tls->keys, out, len);
    tls->keys_len = (uint8_t)len;
}
