/* What a node says in its report, checked and cut to size: docs/spec/topics.md. Every text is
 * printable ASCII; every number is in the range of its meaning. */
#ifndef SL_CLI_REPORTED_H
#define SL_CLI_REPORTED_H

#include "base/limits.h"
#include <stdbool.h>
#include <stdint.h>

struct cJSON;

#define SL_REPORTED_UNKNOWN (-1)

struct sl_reported {
    bool is_there; /* false: everything else is unknown */
    /* "-" where the report does not say */
    char version[20];
    char link[8], chip_version[12], reset[48];
    char time_source[12], last_day[12];
    char tls[12], last_error[48];
    char renewal[12], renewal_error[48];
    struct {
        char state[4]; /* "ON", "OFF"; empty: not in the report */
        int32_t remaining_s;
    } zones[SL_ZONES];
    /* SL_REPORTED_UNKNOWN where the report does not say */
    int64_t uptime_s, exchanges, bad_frames, dropped_frames, utc_s, mqtt, connects, mqtt_out_max;
    int64_t issued_s;   /* when the certificate in use was made, Unix seconds */
    int64_t last_day_s; /* when the certificate's last day begins, Unix seconds */
};

/* From parsed JSON. False, and out is unknown: it is no report. */
bool sl_reported_read(const struct cJSON *json, struct sl_reported *out);

#endif
