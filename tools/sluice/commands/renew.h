/* What 'sluice renew' once and as a service share: what was heard of each node, and the answer. */
#ifndef SL_CLI_RENEW_H
#define SL_CLI_RENEW_H

#include "ca/issue.h"
#include "site/renewing.h"
#include "talk/talk.h"

enum sl_renew_stage {
    SL_RENEW_IDLE,
    SL_RENEW_ASKED,    /* the node was asked to renew itself */
    SL_RENEW_ANSWERED, /* a grant is on its way */
    SL_RENEW_DONE,     /* the node uses its new certificate */
    SL_RENEW_FAILED
};

/* One node. */
struct sl_renew {
    const struct sl_site_node *node;
    enum sl_renew_stage stage;
    bool is_here;         /* it is reached by the connection that is open */
    bool is_moving;       /* it dials where the broker was before 'broker move' */
    uint64_t answered_ms; /* sl_cli_now_ms of the answer */
    bool has_request;     /* that nobody has answered */
    uint8_t request[SL_ISSUE_REQUEST_MAX + 1];
    size_t request_len;
    bool has_report;      /* one that nobody has looked at */
    int64_t issued_s;     /* of the certificate in use, as the node says; below 0: unknown */
    bool is_error_old;    /* it was there before the last answer */
    char error[48];       /* why its last renewal failed, as the node says; empty: it did not */
    char refusal[192];    /* what it refused in words */
    uint64_t granted_s;   /* issue of the certificate that it was sent, 0: none */
    uint64_t not_after_s; /* its end */
};

struct sl_renews {
    const struct sl_site *site;
    struct sl_renew *list;
    size_t len;
    unsigned a_day; /* as sl_renewing_answer */
    bool may_ask;
};

/* Views into nodes. */
SL_MUST_CHECK enum sl_exit sl_renew_init(struct sl_renews *renews, const struct sl_site *site,
                                         const struct sl_site_nodes *nodes);
void sl_renew_free(struct sl_renews *renews);

/* A sl_talk_receive; context: struct sl_renews. */
void sl_renew_hear(void *context, const struct sl_talk_message *message);
/* To the reports, requests and refusals of every node that is here. */
SL_MUST_CHECK enum sl_exit sl_renew_subscribe(struct sl_renews *renews, struct sl_talk *talk);

/* Answer the request of this node. SL_EXIT_REFUSED, and the node stays as it is: the request, or
 * the site, is at fault, and it was told. */
SL_MUST_CHECK enum sl_exit sl_renew_answer(struct sl_renews *renews, struct sl_renew *renew,
                                           struct sl_talk *talk, bool *is_again);
/* Take what its report says. *is_done: it uses a certificate that the site was waiting for. */
SL_MUST_CHECK enum sl_exit sl_renew_look(struct sl_renews *renews, struct sl_renew *renew,
                                         bool *is_done);

/* The service: until a signal. */
SL_MUST_CHECK enum sl_exit sl_renew_serve(const struct sl_site *site, unsigned a_day);

#endif
