/* Reason codes as words, for host programs. */
#include "mqtt/reason.h"

const char *sl_mqtt_reason_text(uint8_t code)
{
    switch (code) {
#define X(name, value, packets, text)                                                              \
    case value:                                                                                    \
        return text;
        SL_MQTT_REASON_LIST(X)
#undef X
    default:
        return "reason code that MQTT 5.0 does not know";
    }
}
