/* The two packets that open a session with the broker: CONNECT with the will, and SUBSCRIBE.
 *
 * Apart from connection.c, so that their topics lie on the stack only while they are written. */
#ifndef SL_NODE_OPENING_H
#define SL_NODE_OPENING_H

#include "mqtt/session.h"
#include "store/identity.h"

#define SL_OPENING_PACKET_MAX 16384 /* longer than what fits: taken, cut and refused in words */

/* Fails: as sl_mqtt_open. */
SL_MUST_CHECK enum sl_status sl_opening_connect(struct sl_mqtt *mqtt, sl_ms now,
                                                const struct sl_identity *identity,
                                                enum sl_mqtt_version version,
                                                uint16_t keep_alive_s);
/* filters: how many of node/topic.h. Gives: *id. Fails: as sl_mqtt_subscribe. */
SL_MUST_CHECK enum sl_status sl_opening_subscribe(struct sl_mqtt *mqtt, sl_ms now,
                                                  const struct sl_identity *identity,
                                                  size_t filters, uint16_t *id);

#endif
