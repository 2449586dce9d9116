/* Which reason code a server may use where. */
#include "mqtt/reason.h"
#include <stddef.h>

/* The codes lie in 0x00..0x1F and 0x80..0xBF: fold them together. */
#define SLOT(code) ((code) < 0x80 ? (code) : (code)-0x60)

static const uint8_t allowed[] = {
#define X(name, code, packets, text) [SLOT(code)] = (packets),
    SL_MQTT_REASON_LIST(X)
#undef X
};

bool sl_mqtt_reason_is_allowed(uint8_t code, uint8_t packet)
{
    if (code >= 0x20 && code < 0x80)
        return false;
    size_t slot = SLOT(code);
    return slot < sizeof allowed && (allowed[slot] & packet) != 0;
}
