/* UTF-8 strings as MQTT takes them: well-formed, without U+0000, at most 65,535 bytes.
 * Source: MQTT 5.0, section 1.5.4 (3.1.1: 1.5.3); RFC 3629. */
#ifndef SL_MQTT_UTF8_H
#define SL_MQTT_UTF8_H

#include "base/bytes.h"
#include "mqtt/reason.h"

/* A quick look: true for strings of letters, digits, '-', '.', '/' and what else follows these in
 * ASCII, so for most topics. False says nothing. */
bool sl_utf8_is_simple(const uint8_t *text, size_t len);

/* What is wrong with a string as a topic name, as reason code:
 *   SL_MQTT_REASON_SUCCESS     nothing
 *   SL_MQTT_REASON_BAD_TOPIC   it is valid, but has a wildcard: + or #
 *   SL_MQTT_REASON_MALFORMED   ill-formed, U+0000, or too long
 * Requires: len > 0. */
uint8_t sl_utf8_check(const uint8_t *text, size_t len);

/* Well-formed: no overlong form, no surrogate, nothing above U+10FFFF, no U+0000. An empty string
 * is valid. */
static inline bool sl_utf8_is_valid(struct sl_view text)
{
    return text.len == 0 || sl_utf8_check(text.data, text.len) != SL_MQTT_REASON_MALFORMED;
}

/* Valid, and free of the topic wildcards + and #. */
static inline bool sl_utf8_is_plain(struct sl_view text)
{
    return text.len == 0 || sl_utf8_check(text.data, text.len) == SL_MQTT_REASON_SUCCESS;
}

#endif
