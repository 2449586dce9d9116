/* Log events: a number and two arguments. The device sends numbers, the host holds the words.
 *
 * One list makes the code, the level and the text. In a text, {a} and {b} stand for the arguments;
 * {tls} for the words of TLS error a, {mqtt} for MQTT reason code a, {zones} for the zones in the
 * bits of a, {reset} for the reset causes in the bits of a.
 */
#ifndef SL_BASE_LOG_H
#define SL_BASE_LOG_H

#include <stdint.h>

enum sl_log_level { SL_LOG_DEBUG, SL_LOG_INFO, SL_LOG_WARNING, SL_LOG_ERROR };

/* code, level, text */
#define SL_LOG_LIST(X)                                                                             \
    X(SL_LOG_STARTED, SL_LOG_INFO, "started")                                                      \
    X(SL_LOG_STOPPED, SL_LOG_INFO, "stopped: every zone is off")

struct sl_log_event {
    uint16_t code;
    int32_t a, b;
};

enum sl_log_code {
#define X(code, level, text) code,
    SL_LOG_LIST(X)
#undef X
        SL_LOG_COUNT
};

#endif
