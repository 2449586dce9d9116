/* What the parts of the session engine share: session.c, inbound.c, outbound.c. */
#ifndef SL_MQTT_ENGINE_H
#define SL_MQTT_ENGINE_H

#include "mqtt/reason.h"
#include "mqtt/session.h"

/* Of the packet from the server; from SL_PHASE_FAILED on nothing is taken. */
enum sl_mqtt_phase {
    SL_PHASE_COMING,   /* some of its bytes are there */
    SL_PHASE_COMPLETE, /* nobody has looked at it */
    SL_PHASE_GIVEN,    /* its event was given, its acknowledgement is due */
    SL_PHASE_HELD,     /* done with, but its acknowledgement finds no room */
    SL_PHASE_FAILED,   /* SL_MQTT_FAILED is to be given */
    SL_PHASE_SHUT      /* no connection, or its end */
};

/* Of a flight: the type of the packet that it waits for. Up to SL_FLIGHT_PUBCOMP it counts against
 * the receive maximum, from SL_FLIGHT_SUBACK on it ends with the connection. */
enum sl_mqtt_flight_state {
    SL_FLIGHT_PUBACK = SL_MQTT_PUBACK,
    SL_FLIGHT_PUBREC = SL_MQTT_PUBREC,
    SL_FLIGHT_PUBCOMP = SL_MQTT_PUBCOMP,
    SL_FLIGHT_LOST, /* none: SL_MQTT_DELIVERED is to be given */
    SL_FLIGHT_SUBACK = SL_MQTT_SUBACK,
    SL_FLIGHT_UNSUBACK = SL_MQTT_UNSUBACK
};

/* Least room that stays free behind a packet: pings and DISCONNECT always find theirs. */
#define SL_LEAVE_TO_ACK  5 /* PINGREQ and DISCONNECT */
#define SL_LEAVE_TO_PING 3 /* DISCONNECT */

/* Of the first byte of a PUBLISH. */
#define SL_MQTT_FLAGS_QOS    0x06
#define SL_MQTT_FLAGS_RETAIN 0x01

/* A fixed header: the first byte, and one to four of remaining length. */
#define SL_HEADER_MIN 2
#define SL_HEADER_MAX 5

/* An acknowledgement with a reason; a server that takes less cannot be acknowledged. */
#define SL_ACK_MAX 5

/* The packet is done with: the next one may come. */
static inline void sl_mqtt_next_packet(struct sl_mqtt *mqtt)
{
    mqtt->phase = SL_PHASE_COMING;
}

/* session.c */
/* The end of the session; nothing is given or taken after it. */
void sl_mqtt_end(struct sl_mqtt *mqtt, enum sl_status status);
/* The peer broke a rule, or gave no answer in time (SL_MQTT_REASON_UNSPECIFIED). */
void sl_mqtt_fail(struct sl_mqtt *mqtt, uint8_t reason);

/* inbound.c */
/* Queue the acknowledgement that is due and let go of the packet. False: no room yet. */
bool sl_mqtt_settle(struct sl_mqtt *mqtt);

/* outbound.c */
/* Room for a packet of len bytes in front of what is held back, its first byte written; NULL unless
 * `leave` bytes stay free. */
uint8_t *sl_mqtt_claim(struct sl_mqtt *mqtt, unsigned first, size_t len, size_t leave);
/* Drop what is out and not waiting for acknowledgement; an acknowledgement of ours that found no
 * room may find it now. */
void sl_mqtt_reclaim(struct sl_mqtt *mqtt);
struct sl_mqtt_flight *sl_mqtt_find_flight(struct sl_mqtt *mqtt, uint16_t id);
void sl_mqtt_end_flight(struct sl_mqtt *mqtt, struct sl_mqtt_flight *flight);
/* PUBREC came: keep PUBREL instead of PUBLISH. */
void sl_mqtt_release_flight(struct sl_mqtt *mqtt, struct sl_mqtt_flight *flight);
/* Send every flight again, but what the server's limits forbid. Session not present: lose all. */
void sl_mqtt_resume_flights(struct sl_mqtt *mqtt, bool is_present);
/* The transport is gone: only what is kept for resumption stays. */
void sl_mqtt_ground_flights(struct sl_mqtt *mqtt);

#endif
