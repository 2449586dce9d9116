/* UTF-8 strings as MQTT takes them: well-formed, without U+0000, at most 65,535 bytes.
 * Source: MQTT 5.0, section 1.5.4 (3.1.1: 1.5.3); RFC 3629. */
#ifndef SL_MQTT_UTF8_H
#define SL_MQTT_UTF8_H

#include "base/bytes.h"

/* No overlong form, no surrogate, nothing above U+10FFFF, no U+0000. An empty string is valid. */
bool sl_utf8_is_valid(struct sl_view text);
/* Valid, and free of the topic wildcards + and #. */
bool sl_utf8_is_plain(struct sl_view text);

#endif
