/* From command to relay chip, and from what the chip reads back to what is known and answered. */
#ifndef SL_NODE_CONTROL_H
#define SL_NODE_CONTROL_H

#include "base/time.h"
#include "mqtt/packet.h"

struct sl_node;

/* Carry out one message from the broker, or refuse it. Requires: the queue of answers not full. */
void sl_control_feed(struct sl_node *node, sl_ms now, const struct sl_mqtt_message *message);
/* Take one event from the relay chip. False: there was none. */
bool sl_control_next(struct sl_node *node, sl_ms now);
void sl_control_tick(struct sl_node *node, sl_ms now);
void sl_control_deadline(const struct sl_node *node, sl_ms now, bool *has, sl_ms *due);
/* Every zone off, whatever is under way. */
void sl_control_close(struct sl_node *node, sl_ms now);

/* The pins as read back, bit z. While the link is down: as read last, until the chip's lease has
 * surely ended and every zone is off. */
uint8_t sl_control_pins(const struct sl_node *node);
/* False: the chip cannot read its outputs, so its pins are only what was sent to them. */
bool sl_control_reads_back(const struct sl_node *node);
/* Seconds until the last of zones (bits) ends, rounded up; 0: none is on. */
uint32_t sl_control_remaining_s(const struct sl_node *node, sl_ms now, uint8_t zones);
/* Every zone was ordered off, and was read back so. */
bool sl_control_is_closed(const struct sl_node *node);

#endif
