/* CONNECT and SUBSCRIBE of a node. */
#include "node/opening.h"
#include "node/topic.h"

enum sl_status sl_opening_connect(struct sl_mqtt *mqtt, sl_ms now,
                                  const struct sl_identity *identity, enum sl_mqtt_version version,
                                  uint16_t keep_alive_s)
{
    uint8_t topic[SL_TOPIC_MAX];
    const struct sl_mqtt_config config = {
        .version = version,
        .clean_start = true, /* a command sent while we were away is not carried out later */
        .keep_alive_s = keep_alive_s,
        .packet_max = SL_OPENING_PACKET_MAX,
        .client_id = identity->name,
        .will = {.topic = sl_topic_write(identity->base, "availability", topic),
                 .payload = sl_view_text("offline"),
                 .qos = 1,
                 .retain = true},
    };

    return sl_mqtt_open(mqtt, now, &config);
}

enum sl_status sl_opening_subscribe(struct sl_mqtt *mqtt, sl_ms now,
                                    const struct sl_identity *identity, size_t len, uint16_t *id)
{
    uint8_t topics[SL_TOPIC_FILTERS][SL_TOPIC_FILTER_LEN];
    struct sl_mqtt_filter filters[SL_TOPIC_FILTERS];

    for (size_t i = 0; i < len; i++)
        filters[i] = (struct sl_mqtt_filter){
            .filter = sl_topic_filter(identity->base, i, topics[i]),
            .qos = 1,
            .retain_as_published = true, /* so that a retained command can be refused in words */
            .retain_handling = 2,        /* and one from before is not even sent */
        };
    return sl_mqtt_subscribe(mqtt, now, filters, len, id);
}
