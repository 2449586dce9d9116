/* The report: everything worth knowing about a node as one JSON object.
 *
 * Pure: facts in, text out. Keys and their meaning: docs/spec/topics.md.
 */
#ifndef SL_NODE_REPORT_H
#define SL_NODE_REPORT_H

#include "base/bytes.h"
#include "base/limits.h"
#include "clock/clock.h"
#include "link/frame.h"
#include "node/renewal.h"
#include "node/trouble.h"

#define SL_REPORT_LEN         1008 /* the longest report fits; a usual one has about 700 bytes */
#define SL_REPORT_VERSION_MAX 16   /* characters of the firmware's version that are shown */

struct sl_report {
    const char *version;
    uint32_t uptime_s;
    uint8_t pins; /* as read back, bit z */
    uint32_t remaining_s[SL_ZONES];
    bool link_is_up;
    const struct sl_chip_status *chip;
    uint32_t exchanges, bad_frames;
    enum sl_clock_source time_source;
    uint64_t unix_s;
    uint64_t certificate_end_s, certificate_issued_s; /* the latter 0: not known */
    enum sl_renewal_stage renewal;
    enum sl_renewal_failure renewal_failure;
    struct sl_trouble renewal_trouble;
    const char *tls; /* "none", "full", "known" or "resumed" */
    uint8_t mqtt;    /* 5, 3 (3.1.1), 0 before the first session */
    uint32_t connects;
    struct sl_trouble trouble;                     /* the last one */
    uint16_t mqtt_out_max, stack_max, network_max; /* the last two 0: the board does not tell */
};

/* Gives: the JSON in out; an empty view when out_len is too small. */
struct sl_view sl_report_encode(const struct sl_report *report, uint8_t *out, size_t out_len);

#endif
