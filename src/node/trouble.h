/* Why a connection ended: one list makes the code, the short word for reports and the log event. */
#ifndef SL_NODE_TROUBLE_H
#define SL_NODE_TROUBLE_H

#include "base/bytes.h"
#include "base/log.h"

/* code, word in the report (before the number, when there is one), log event */
#define SL_TROUBLE_LIST(X)                                                                         \
    X(SL_TROUBLE_NONE, "", SL_LOG_STARTED)                                                         \
    X(SL_TROUBLE_DIAL, "dial", SL_LOG_DIAL_FAILED)                                                 \
    X(SL_TROUBLE_DIAL_TIMEOUT, "dial time-out", SL_LOG_DIAL_TIMEOUT)                               \
    X(SL_TROUBLE_TLS, "tls", SL_LOG_TLS_FAILED)                                                    \
    X(SL_TROUBLE_TLS_TIMEOUT, "tls time-out", SL_LOG_TLS_TIMEOUT)                                  \
    X(SL_TROUBLE_CONNACK_TIMEOUT, "connack time-out", SL_LOG_CONNACK_TIMEOUT)                      \
    X(SL_TROUBLE_REFUSED, "connack", SL_LOG_REFUSED_CONNECT)                                       \
    X(SL_TROUBLE_SUBACK_TIMEOUT, "suback time-out", SL_LOG_SUBACK_TIMEOUT)                         \
    X(SL_TROUBLE_SUBSCRIBE, "suback", SL_LOG_SUBSCRIBE_REFUSED)                                    \
    X(SL_TROUBLE_PUBACK_TIMEOUT, "puback time-out", SL_LOG_PUBACK_TIMEOUT)                         \
    X(SL_TROUBLE_DROPPED, "disconnect", SL_LOG_DROPPED)                                            \
    X(SL_TROUBLE_KEEP_ALIVE, "keep alive", SL_LOG_KEEP_ALIVE)                                      \
    X(SL_TROUBLE_PROTOCOL, "mqtt", SL_LOG_PROTOCOL)                                                \
    X(SL_TROUBLE_LOST, "lost", SL_LOG_LOST)

enum sl_trouble_kind {
#define X(code, word, log) code,
    SL_TROUBLE_LIST(X)
#undef X
        SL_TROUBLE_COUNT
};

struct sl_trouble {
    enum sl_trouble_kind kind;
    int32_t number; /* of kind: errno, TLS error, MQTT reason; of a time-out: its seconds */
};

enum sl_log_code sl_trouble_log(enum sl_trouble_kind kind);
/* As in a report: "tls 54". */
void sl_trouble_write(struct sl_writer *writer, struct sl_trouble trouble);

#endif
