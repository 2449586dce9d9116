/* The judge's ears: what the broker is told must be well formed, and true. */
#include "simulation/judge.h"
#include "simulation/world.h"

#include <cjson/cJSON.h>

#define UTC_ERROR_S 2 /* half of SL_SNTP_ANSWER_MS, and a whole second */

static const cJSON *need(const struct sim_world *world, const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    if (value == NULL)
        sim_judge_fail(world, "JSON without %s", key);
    return value;
}

static void need_number(const struct sim_world *world, const cJSON *object, const char *key,
                        double least, double most)
{
    double value = need(world, object, key)->valuedouble;
    if (value < least || value > most)
        sim_judge_fail(world, "%s is %.0f, not %.0f to %.0f", key, value, least, most);
}

static void check_report(struct sim_world *world, const cJSON *report)
{
    double uptime_s = (double)(world->ms - world->booted_at) / 1000;
    double utc = (double)RIG_UTC + (double)world->ms / 1000;
    need_number(world, need(world, report, "memory"), "mqtt_out_max", 0, SL_CONNECTION_OUT_LEN);
    if (sim_judge_is_broker_well(world)) {
        need_number(world, report, "uptime_s", uptime_s - 1, uptime_s + 1);
        need_number(world, need(world, report, "time"), "utc", utc - UTC_ERROR_S,
                    utc + UTC_ERROR_S);
        need_number(world, need(world, report, "chip"), "exchanges", world->exchanges,
                    world->exchanges);
    }
    if (cJSON_GetArraySize(need(world, report, "zones")) != SL_ZONES)
        sim_judge_fail(world, "a report has not %d zones", SL_ZONES);
    world->counts.reports++;
}

/* What was read back is what the pins were: the chip was asked some milliseconds ago. */
static void check_answer(struct sim_world *world, const cJSON *answer, const char *wanted)
{
    const cJSON *result = need(world, answer, "result");
    bool is_done = cJSON_IsString(result) && strcmp(result->valuestring, "done") == 0;
    world->counts.answers++;
    if (world->judge.answers_owed > 0)
        world->judge.answers_owed--;
    if (!is_done)
        return;
    if (world->ms - world->judge.pins_at > SIM_GRACE_MS && sim_judge_is_link_well(world) &&
        sim_judge_is_broker_well(world))
        need_number(world, answer, "pins", world->judge.pins, world->judge.pins);
    const char *state = cJSON_GetStringValue(need(world, answer, "state"));
    if (wanted[0] == 'O' && sim_judge_is_broker_well(world) &&
        (state == NULL || strcmp(state, wanted) != 0))
        sim_judge_fail(world, "done, but the state is %s, not %s", state, wanted);
}

/* What is said of a pin was true within the last second, unless something held the word back. */
static void hear_state(struct sim_world *world, uint8_t zone, bool is_on)
{
    struct sim_judge *judge = &world->judge;
    uint8_t bit = (uint8_t)(1u << zone);
    bool conducts = (judge->pins & bit) != 0;
    judge->known |= bit;
    judge->shown = (uint8_t)(is_on ? judge->shown | bit : judge->shown & ~bit);
    if (is_on != conducts && sim_judge_is_broker_well(world) && sim_judge_is_link_well(world) &&
        world->ms - judge->zones[zone].changed_at > SIM_QUIET_MS)
        sim_judge_fail(world, "said that zone %d is %s, which it is not", zone,
                       is_on ? "ON" : "OFF");
}

void sim_judge_hear(struct sim_world *world, const struct rig_heard *heard)
{
    static const char base[] = RIG_BASE "/";
    struct sim_judge *judge = &world->judge;
    bool is_own = strncmp(heard->topic, base, sizeof base - 1) == 0;
    const char *tail = is_own ? heard->topic + sizeof base - 1 : "";
    sim_trace(world, "broker hears %s %s", heard->topic, heard->payload);
    bool is_retained = strncmp(tail, "zone/", 5) == 0 || strcmp(tail, "availability") == 0 ||
                       strcmp(tail, "report") == 0;
    if (is_retained != heard->retain)
        sim_judge_fail(world, "%s has retain %d", heard->topic, heard->retain);
    if (strncmp(tail, "zone/", 5) == 0) {
        hear_state(world, (uint8_t)(tail[5] - '0') % SL_ZONES, strcmp(heard->payload, "ON") == 0);
        return;
    }
    if (strcmp(tail, "availability") == 0) {
        judge->is_online = strcmp(heard->payload, "online") == 0;
        return;
    }
    static cJSON *json;
    cJSON_Delete(json); /* of a life that failed with it in its hand, and never came back */
    json = cJSON_Parse(heard->payload);
    if (json == NULL)
        sim_judge_fail(world, "no JSON on %s: %s", heard->topic, heard->payload);
    if (strcmp(tail, "report") == 0) {
        check_report(world, json);
    } else if (strcmp(tail, "refused") == 0) {
        need(world, json, "why");
        world->counts.refusals++;
        if (judge->refusals_owed > 0)
            judge->refusals_owed--;
    } else if (strcmp(heard->topic, "reply/operator") == 0) {
        check_answer(world, json, heard->correlation);
    } else {
        sim_judge_fail(world, "published to %s", heard->topic);
    }
    cJSON_Delete(json);
    json = NULL;
}
