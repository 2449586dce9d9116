/* A report's JSON, field by field. */
#include "talk/reported.h"
#include "cli/cli.h"
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define REMAINING_MAX_S 86400

static int64_t number_in(const cJSON *object, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
    bool is_whole = cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble < 1e15;
    return is_whole ? (int64_t)value->valuedouble : SL_REPORTED_UNKNOWN;
}

static void text_in(const cJSON *object, const char *key, char *out, size_t out_len)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    if (!text)
        text = "-";
    sl_cli_clean(out, out_len, text, strlen(text));
}

static void read_zones(const cJSON *zones, struct sl_reported *out)
{
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, zones)
    {
        int64_t zone = number_in(entry, "zone"), left = number_in(entry, "remaining_s");
        const char *state = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry, "state"));
        bool is_on = state && strcmp(state, "ON") == 0;
        if (zone < 0 || zone >= SL_ZONES || !state || (!is_on && strcmp(state, "OFF") != 0))
            continue;
        snprintf(out->zones[zone].state, sizeof out->zones[zone].state, "%s", state);
        out->zones[zone].remaining_s = left > REMAINING_MAX_S ? REMAINING_MAX_S
                                       : left > 0             ? (int32_t)left
                                                              : 0;
    }
}

static void read_reset(const cJSON *causes, struct sl_reported *out)
{
    const cJSON *cause = NULL;
    size_t len = 0;
    cJSON_ArrayForEach(cause, causes)
    {
        const char *text = cJSON_GetStringValue(cause);
        char clean[16];
        sl_cli_clean(clean, sizeof clean, text ? text : "?", text ? strlen(text) : 1);
        int added =
            snprintf(out->reset + len, sizeof out->reset - len, "%s%s", len ? ", " : "", clean);
        len += added > 0 ? (size_t)added : 0;
        if (len >= sizeof out->reset)
            break;
    }
    if (len == 0)
        snprintf(out->reset, sizeof out->reset, "-");
}

/* len digits at text; -1: there are none. */
static int digits(const char *text, int len)
{
    int number = 0;
    for (int i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

/* "2029-11-21" */
static int64_t read_day(const char *text)
{
    if (strlen(text) != 10 || text[4] != '-' || text[7] != '-')
        return SL_REPORTED_UNKNOWN;
    int year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    struct tm parts = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    if (year < 1970 || month < 1 || day < 1)
        return SL_REPORTED_UNKNOWN;
    int64_t start = timegm(&parts); /* moves what is no date: then it is another day */
    return parts.tm_mon == month - 1 && parts.tm_mday == day ? start : SL_REPORTED_UNKNOWN;
}

bool sl_reported_read(const cJSON *json, struct sl_reported *out)
{
    memset(out, 0, sizeof *out);
    const cJSON *chip = cJSON_GetObjectItemCaseSensitive(json, "chip");
    const cJSON *clock = cJSON_GetObjectItemCaseSensitive(json, "time");
    const cJSON *certificate = cJSON_GetObjectItemCaseSensitive(json, "certificate");
    const cJSON *broker = cJSON_GetObjectItemCaseSensitive(json, "broker");
    const cJSON *memory = cJSON_GetObjectItemCaseSensitive(json, "memory");

    out->is_there = cJSON_IsObject(json);
    text_in(json, "version", out->version, sizeof out->version);
    out->uptime_s = number_in(json, "uptime_s");
    read_zones(cJSON_GetObjectItemCaseSensitive(json, "zones"), out);
    text_in(chip, "link", out->link, sizeof out->link);
    text_in(chip, "version", out->chip_version, sizeof out->chip_version);
    read_reset(cJSON_GetObjectItemCaseSensitive(chip, "reset"), out);
    out->exchanges = number_in(chip, "exchanges");
    out->bad_frames = number_in(chip, "bad_frames");
    out->dropped_frames = number_in(chip, "dropped_frames");
    text_in(clock, "source", out->time_source, sizeof out->time_source);
    out->utc_s = number_in(clock, "utc");
    text_in(certificate, "last_day", out->last_day, sizeof out->last_day);
    out->last_day_s = read_day(out->last_day);
    out->issued_s = number_in(certificate, "issued");
    text_in(certificate, "renewal", out->renewal, sizeof out->renewal);
    text_in(certificate, "last_error", out->renewal_error, sizeof out->renewal_error);
    text_in(broker, "tls", out->tls, sizeof out->tls);
    text_in(broker, "last_error", out->last_error, sizeof out->last_error);
    out->mqtt = number_in(broker, "mqtt");
    out->connects = number_in(broker, "connects");
    out->mqtt_out_max = number_in(memory, "mqtt_out_max");
    return out->is_there;
}
