/* One MQTT 5 connection to the broker of a site, over libmosquitto, with an end to every wait.
 *
 * Every failure is told on stderr with cause and cure, and is SL_EXIT_NO_ANSWER unless a local
 * file is at fault.
 */
#ifndef SL_CLI_TALK_H
#define SL_CLI_TALK_H

#include "ca/pki.h"

#define SL_CORRELATION_LEN 32 /* hexadecimal digits: readable in any tool */

struct sl_talk;

/* A message that arrived. The views live until the callback returns. */
struct sl_talk_message {
    const char *topic;
    const void *payload;
    size_t len;
    bool is_retained;
    const void *correlation;
    size_t correlation_len;
};
typedef void (*sl_talk_receive)(void *context, const struct sl_talk_message *message);

/* Connect as operator (NULL: the site's first), for reading only when is_watching. The broker
 * keeps one connection a certificate: commands of one operator on this computer wait for each
 * other. */
SL_MUST_CHECK enum sl_exit sl_talk_open(const struct sl_site *site, const char *operator_name,
                                        bool is_watching, unsigned timeout_ms,
                                        sl_talk_receive receive, void *context,
                                        struct sl_talk **talk);
void sl_talk_close(struct sl_talk *talk);

/* Subscribe and wait for the broker's yes. Retained messages of earlier subscriptions have been
 * received by then. */
SL_MUST_CHECK enum sl_exit sl_talk_subscribe(struct sl_talk *talk, const char *topic);

/* What to do with a PUBLISH besides delivering it. */
struct sl_talk_request {
    const char *response_topic; /* NULL: none */
    const void *correlation;    /* SL_CORRELATION_LEN bytes; NULL: none */
    uint32_t expiry_s;          /* 0: never */
    size_t payload_len;         /* of bytes that are no text; 0: it is a text */
};
/* The broker's word on a PUBLISH with QoS 1. */
enum sl_talk_fate { SL_FATE_TAKEN, SL_FATE_NOBODY, SL_FATE_FORBIDDEN };
SL_MUST_CHECK enum sl_exit sl_talk_publish(struct sl_talk *talk, const char *topic,
                                           const char *payload,
                                           const struct sl_talk_request *request,
                                           enum sl_talk_fate *fate);

/* Let messages arrive until *done or the time is up; done may be NULL. SL_EXIT_DONE in both cases:
 * *done tells which. Ends early, with SL_EXIT_DONE, when a signal asks the command to stop. */
SL_MUST_CHECK enum sl_exit sl_talk_wait(struct sl_talk *talk, const bool *done,
                                        unsigned timeout_ms);
/* SIGINT or SIGTERM came since the first sl_talk_open. */
bool sl_talk_is_stopping(void);

/* Somebody who comes to find out what the broker does. */
struct sl_talk_visitor {
    const struct sl_site *site;
    const char *name;               /* also the common name of the certificate */
    const struct sl_pki_pair *pair; /* NULL: without a certificate */
    bool is_trial;           /* a copy of the broker on the loopback, which its names do not name */
    sl_talk_receive receive; /* NULL: nothing is awaited */
    void *context;
};
enum sl_talk_welcome { SL_WELCOME_IN, SL_WELCOME_REVOKED, SL_WELCOME_NAMELESS };

/* Connect, and stay when talk is not NULL and the broker lets us in. A session of that name that
 * was open ends: the broker keeps one a name. A connection that ended without a word (the reset
 * that follows a TLS alert can overtake it) is tried again. A refusal because the certificate is
 * revoked, or is missing, is SL_EXIT_DONE too: *welcome tells. */
SL_MUST_CHECK enum sl_exit sl_talk_visit(const struct sl_talk_visitor *visitor,
                                         enum sl_talk_welcome *welcome, struct sl_talk **talk);
/* Is this the certificate that the broker showed in the handshake? */
bool sl_talk_is_shown(const struct sl_talk *talk, const X509 *certificate);

#endif
