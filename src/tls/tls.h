/* TLS 1.2 client engine over BearSSL: mutual authentication or nothing.
 *
 * Two suites (ECDHE_ECDSA with ChaCha20-Poly1305 and with AES-128-GCM), X25519 and P-256, a P-256
 * client certificate, maximum fragment length 512 (RFC 6066, section 4). The server's name and
 * dates are checked in every full handshake; a handshake in which the server did not ask for our
 * certificate, or did not agree to the fragment length, fails. Session resumption by session id.
 */
#ifndef SL_TLS_TLS_H
#define SL_TLS_TLS_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"
#include "tls/chain.h"
#include "tls/hello.h"
#include "tls/signer.h"
#include "tls/verifier.h"
#include <bearssl.h>

#define SL_TLS_FRAGMENT    512
#define SL_TLS_IN_LEN      837 /* 512 + 325 bytes of record overhead (bearssl_ssl.h) */
#define SL_TLS_OUT_LEN     597 /* 512 + 85 */
#define SL_TLS_KEYS_LEN    88  /* the longest key block: 2 keys of 32 bytes, 2 IVs of 12 */
#define SL_TLS_ANCHORS_MAX 2   /* two during a CA roll-over */
#define SL_TLS_SEED_LEN    32

/* A trust anchor: the subject name (DER) and an uncompressed P-256 point (65 bytes). */
struct sl_tls_anchor {
    struct sl_view subject;
    struct sl_view point;
};

/* Views that must outlive the engine. */
struct sl_tls_credentials {
    struct sl_tls_anchor anchors[SL_TLS_ANCHORS_MAX];
    uint8_t anchors_len;        /* 1..SL_TLS_ANCHORS_MAX */
    struct sl_view certificate; /* our certificate, DER */
    struct sl_view private_key; /* P-256 scalar, 32 bytes big-endian */
};

/* What resumption needs; plain bytes, secret. A resumed session is a promise from before that
 * nobody checks again: its user bounds its life, and not_after_s with it. */
struct sl_tls_session {
    br_ssl_session_parameters parameters;
    uint64_t not_after_s; /* Unix seconds: the earliest end of the server's certificates, as the
                             full handshake saw them; 0: it saw none */
    bool is_valid;
};

enum sl_tls_event_kind {
    SL_TLS_NONE,
    SL_TLS_OPENED, /* both sides are authenticated: application bytes may flow */
    SL_TLS_CLOSED, /* the peer closed in order (close_notify), and our answer is out */
    SL_TLS_FAILED  /* the first failure: sl_tls_error says which */
};

struct sl_tls_event {
    enum sl_tls_event_kind kind;
    bool is_resumed;
};

/* Errors of our own beside BearSSL's BR_ERR_* (which end at 62, alerts at 256 and 512 + n). */
#define SL_TLS_ERR_NO_FRAGMENT 1001 /* maximum fragment length was not negotiated */
#define SL_TLS_ERR_NOT_ASKED   1002 /* the server did not ask for our certificate */
#define SL_TLS_ERR_NO_TIME     1003 /* the time is not known */
#define SL_TLS_ERR_CREDENTIALS 1004 /* our own credentials are unusable */
#define SL_TLS_ERR_NO_NAME     1005 /* no server name to check, or one over 255 bytes */

enum sl_tls_phase {
    SL_TLS_IDLE,
    SL_TLS_HANDSHAKE,
    SL_TLS_OPEN,
    SL_TLS_CLOSING, /* our close_notify is on its way, the peer's is awaited */
    SL_TLS_ENDED    /* closed in order or failed */
};

/* Points into itself once open: must not be moved then. */
struct sl_tls {
    br_ssl_client_context client;
    struct sl_chain chain;
    struct sl_tls_credentials credentials;
    br_x509_trust_anchor anchors[SL_TLS_ANCHORS_MAX];
    struct sl_verifier verifier;
    struct sl_signer signer;
    struct sl_hello hello;
    enum sl_tls_phase phase;
    uint16_t error;
    bool has_offered; /* a session, to be resumed */
    bool is_resumed, was_opened;
    bool has_opened_event, has_ended_event;
    uint8_t keys_len; /* of keys: made for one direction, awaited by the other; 0: none */
    uint8_t keys[SL_TLS_KEYS_LEN];
    uint8_t in[SL_TLS_IN_LEN];
    uint8_t out[SL_TLS_OUT_LEN];
};

/* Fails: SL_BAD_ARGUMENT when the credentials are not of the shape above. */
SL_MUST_CHECK enum sl_status sl_tls_init(struct sl_tls *tls,
                                         const struct sl_tls_credentials *credentials);

/* A new transport is there: start the handshake, whatever was before.
 * server_name: NUL-terminated DNS name that the certificate must carry, 1..255 bytes.
 * unix_s: trusted time, for the certificates' dates; 0 (or after the year 9999) fails at once.
 * seed: fresh hardware or system entropy.
 * session: tried first when valid; NULL for none. Copied. */
void sl_tls_open(struct sl_tls *tls, const char *server_name, uint64_t unix_s,
                 const uint8_t seed[SL_TLS_SEED_LEN], const struct sl_tls_session *session);

/* Ciphertext from the transport; used < len is back-pressure: read the plaintext, or in the
 * handshake send what peek gives, first. After the end, bytes are taken and dropped; a transport
 * that ends before SL_TLS_CLOSED was cut off. */
size_t sl_tls_feed(struct sl_tls *tls, const uint8_t *in, size_t len);
/* Ciphertext for the transport; a short write is normal. */
struct sl_view sl_tls_peek(struct sl_tls *tls);
void sl_tls_sent(struct sl_tls *tls, size_t len);

bool sl_tls_next(struct sl_tls *tls, struct sl_tls_event *event);

/* Plaintext received: valid until the next call on this object; taken(n) frees it. */
struct sl_view sl_tls_peek_plain(struct sl_tls *tls);
void sl_tls_taken(struct sl_tls *tls, size_t len);
/* Plaintext to send: takes what fits, 0..len; nothing unless open. flush makes a record of what
 * was taken. */
size_t sl_tls_write(struct sl_tls *tls, const uint8_t *data, size_t len);
void sl_tls_flush(struct sl_tls *tls);

/* Close in order: send close_notify; SL_TLS_CLOSED follows when the peer has answered. Plaintext
 * that still arrives is dropped. No effect unless open. */
void sl_tls_close(struct sl_tls *tls);
/* Forget keys and session; back to the state after init. */
void sl_tls_reset(struct sl_tls *tls);

/* SL_OK, SL_CLOSED, SL_UNTRUSTED (the server's identity), SL_PROTOCOL (anything else). */
enum sl_status sl_tls_status(const struct sl_tls *tls);
/* BR_ERR_* (alerts included) or SL_TLS_ERR_*; 0 while all is well. */
uint16_t sl_tls_error(const struct sl_tls *tls);
/* The parameters of the session, for the next sl_tls_open: valid once both sides were
 * authenticated and the server named the session; else all zeros. */
void sl_tls_save(const struct sl_tls *tls, struct sl_tls_session *session);

/* For whoever checks a certificate as this engine does: a trust anchor in BearSSL's form (views
 * into subject and point), and a time in its form; false: no time, or one after the year 9999. */
br_x509_trust_anchor sl_tls_make_anchor(struct sl_view subject, struct sl_view point);
SL_MUST_CHECK bool sl_tls_split_time(uint64_t unix_s, uint32_t *days, uint32_t *seconds);

/* Signatures of the server's certificates that need not be verified again (tls/verifier.h).
 * recall: before sl_tls_open; outlasts reset. known: after a full handshake has opened, those that
 * it met. */
void sl_tls_recall(struct sl_tls *tls, const struct sl_tls_known *known);
const struct sl_tls_known *sl_tls_known(const struct sl_tls *tls);
/* The last full handshake verified no signature of a certificate: all of them were known. */
bool sl_tls_is_known(const struct sl_tls *tls);

#endif
