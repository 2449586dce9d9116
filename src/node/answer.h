/* Commands under way: what each one waits for, and what is still to be said about it.
 *
 * A command waits until the chip has read its zones back; then its answer goes to the response
 * topic, when it named one, and a failure to `refused`. A short queue, in order of arrival: when
 * it is full the node takes no further message from the broker, and none is lost.
 */
#ifndef SL_NODE_ANSWER_H
#define SL_NODE_ANSWER_H

#include "base/time.h"
#include "node/command.h"

#define SL_ANSWERS_MAX    4
#define SL_ANSWER_WAIT_MS 3000 /* for the read-back, should the link never settle it */
#define SL_ANSWER_LEN     192  /* the longest JSON of an answer or a refusal fits */

enum sl_result { SL_RESULT_DONE, SL_RESULT_REFUSED, SL_RESULT_UNCONFIRMED };

struct sl_answer {
    enum sl_command_topic topic;
    uint8_t zone;    /* or SL_COMMAND_ALL */
    uint8_t waiting; /* zones not read back yet, bit z; 0: ready to be said */
    enum sl_result result;
    enum sl_refusal refusal;
    uint32_t number;
    sl_ms due; /* end of the wait */
    uint8_t response_len, correlation_len;
    uint8_t response[SL_TOPIC_MAX];
    uint8_t correlation[SL_COMMAND_CORRELATION];
};

struct sl_answers {
    struct sl_answer list[SL_ANSWERS_MAX];
    uint8_t len;
};

bool sl_answers_is_full(const struct sl_answers *answers);

/* Note a command that was carried out (command->refusal is SL_REFUSAL_NONE, waiting says which
 * zones must be read back) or refused (waiting is 0).
 * Requires: not full. A response topic or correlation that is itself refused is not kept. */
void sl_answers_add(struct sl_answers *answers, sl_ms now, const struct sl_command *command,
                    const struct sl_mqtt_message *message, uint8_t waiting);

/* Zones (bits) were read back as wanted. */
void sl_answers_confirm(struct sl_answers *answers, uint8_t zones);
/* Zones (bits) will not be read back: refusal says why. */
void sl_answers_fail(struct sl_answers *answers, uint8_t zones, enum sl_refusal refusal);
/* A later command is about to change zones (bits): commands whose own zone it is are overtaken. */
void sl_answers_overtake(struct sl_answers *answers, uint8_t zones);
void sl_answers_tick(struct sl_answers *answers, sl_ms now);
void sl_answers_deadline(const struct sl_answers *answers, sl_ms now, bool *has, sl_ms *due);

/* The oldest command about which there is something to say; NULL: none. */
struct sl_answer *sl_answers_ready(struct sl_answers *answers);
bool sl_answer_is_refusal(const struct sl_answer *answer);
/* Everything was said. */
void sl_answers_remove(struct sl_answers *answers, struct sl_answer *answer);

/* The zones that an answer is about, bit z. */
uint8_t sl_answer_zones(const struct sl_answer *answer);
/* JSON for the response topic. pins: as read back, or, not is_read, only as sent; remaining_s: of
 * the zone. */
struct sl_view sl_answer_encode(const struct sl_answer *answer, uint8_t pins, bool is_read,
                                uint32_t remaining_s, uint8_t *out, size_t out_len);
/* JSON for the topic `refused`. */
struct sl_view sl_refused_encode(const struct sl_answer *answer, uint8_t *out, size_t out_len);

#endif
