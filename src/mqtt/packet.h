/* MQTT control packets: pure codec, no state. */
#ifndef SL_MQTT_PACKET_H
#define SL_MQTT_PACKET_H

#include "base/bytes.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

enum sl_mqtt_version {
    SL_MQTT_V3 = 4, /* MQTT 3.1.1: protocol level 4 */
    SL_MQTT_V5 = 5  /* MQTT 5.0: protocol version 5 */
};

/* An application message. Views; len 0 means absent for everything but the payload. */
struct sl_mqtt_message {
    struct sl_view topic;
    struct sl_view payload;
    uint8_t qos;
    bool retain;
    bool dup;
    bool is_cut; /* received: the payload did not fit and is empty here */
    /* 5.0 */
    bool has_expiry;
    uint32_t expiry_s; /* 0: expired on arrival */
    bool is_text;      /* payload format indicator 1: UTF-8 */
    struct sl_view response_topic;
    struct sl_view correlation;
    struct sl_view content_type;
};

#endif
