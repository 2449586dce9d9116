/* What a running broker does, found out by visiting it: the one way in which sluice comes to trust
 * that a broker has read its files and keeps to them.
 *
 * Mosquitto 2.0 opens up when it cannot read a list at a reload, without a word to anybody. */
#ifndef SL_CLI_PROBE_H
#define SL_CLI_PROBE_H

#include "talk/talk.h"

#define SL_PROBE_SITE "the site's broker"

struct sl_probe {
    const char *who;            /* the broker in a message */
    const struct sl_site *site; /* host and port: the broker that is asked */
    const char *acl;            /* the access list that must be in force */
    const char *certificate;    /* the file with the certificate that it must show */
    bool is_trial;              /* as in sl_talk_visitor */
};

/* Wait until the files are in force (at most 5 s), then try everything that must not work:
 *
 * 1. the good canary is let in, hears itself under the mark of the list, sees that certificate;
 * 2. what it says under a foreign topic reaches nobody, itself neither, nor what it may only read
 * or only write;
 * 3. the revoked canary is refused;
 * 4. somebody without a certificate is refused.
 *
 * Fails: SL_EXIT_REFUSED with words for the first that is not so; *is_open: because somebody got
 * what is not his. SL_EXIT_NO_ANSWER: the broker cannot be asked. */
SL_MUST_CHECK enum sl_exit sl_probe_broker(const struct sl_probe *probe, bool *is_open);

/* The probe of the broker that 'sluice broker run' has started, with the site's own files. A broker
 * that is open is stopped: closed beats open. */
SL_MUST_CHECK enum sl_exit sl_probe_site(const struct sl_site *site);
/* Wait until a certificate that was revoked a moment ago is refused. */
SL_MUST_CHECK enum sl_exit sl_probe_refusal(const struct sl_talk_visitor *visitor);

#endif
