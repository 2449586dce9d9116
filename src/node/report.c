/* The report as JSON. */
#include "node/report.h"
#include "node/text.h"

static void add_member(struct sl_writer *writer, const char *name_and_colon, uint64_t number)
{
    sl_text_add(writer, name_and_colon);
    sl_text_add_number(writer, number);
}

static void add_zones(struct sl_writer *writer, const struct sl_report *report)
{
    sl_text_add(writer, ",\"zones\":[");
    for (uint8_t zone = 0; zone < SL_ZONES; zone++) {
        add_member(writer, zone == 0 ? "{\"zone\":" : ",{\"zone\":", zone);
        sl_text_add(writer,
                    (report->pins >> zone & 1) != 0 ? ",\"state\":\"ON\"" : ",\"state\":\"OFF\"");
        add_member(writer, ",\"remaining_s\":", report->remaining_s[zone]);
        sl_text_add(writer, "}");
    }
    sl_text_add(writer, "]");
}

static void add_chip(struct sl_writer *writer, const struct sl_report *report)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } causes[] = {{SL_RESET_POWER_ON, "power-on"},
                  {SL_RESET_EXTERNAL, "external"},
                  {SL_RESET_BROWN_OUT, "brown-out"},
                  {SL_RESET_WATCHDOG, "watchdog"}};
    const struct sl_chip_status *chip = report->chip;
    sl_text_add(writer, ",\"chip\":{\"link\":");
    sl_text_add(writer, report->link_is_up ? "\"up\"" : "\"down\"");
    add_member(writer, ",\"version\":\"", chip->version >> 4);
    add_member(writer, ".", chip->version & 15);
    sl_text_add(writer, "\",\"reset\":[");
    bool is_first = true;
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if ((chip->reset_cause & causes[i].bit) == 0)
            continue;
        sl_text_add(writer, is_first ? "\"" : ",\"");
        sl_text_add(writer, causes[i].name);
        sl_text_add(writer, "\"");
        is_first = false;
    }
    add_member(writer, "],\"exchanges\":", report->exchanges);
    add_member(writer, ",\"bad_frames\":", report->bad_frames);
    add_member(writer, ",\"dropped_frames\":", chip->dropped_frames);
    sl_text_add(writer, "}");
}

static void add_time(struct sl_writer *writer, const struct sl_report *report)
{
    const char *source = report->time_source == SL_CLOCK_SYSTEM ? "system"
                         : report->time_source == SL_CLOCK_SNTP ? "sntp"
                                                                : "unknown";
    sl_text_add(writer, ",\"time\":{\"source\":\"");
    sl_text_add(writer, source);
    add_member(writer, "\",\"utc\":", report->unix_s);
    sl_text_add(writer, "}");
}

static void add_certificate(struct sl_writer *writer, const struct sl_report *report)
{
    static const char *const stages[] = {
        [SL_RENEWAL_IDLE] = "idle",       [SL_RENEWAL_ASKING] = "asking",
        [SL_RENEWAL_STORING] = "storing", [SL_RENEWAL_PARTING] = "storing",
        [SL_RENEWAL_TRYING] = "trying",   [SL_RENEWAL_ADOPTING] = "adopting"};
    sl_text_add(writer, ",\"certificate\":{\"last_day\":\"");
    sl_text_add_date(writer, report->certificate_end_s);
    add_member(writer, "\",\"issued\":", report->certificate_issued_s);
    sl_text_add(writer, ",\"renewal\":\"");
    sl_text_add(writer, stages[report->renewal]);
    sl_text_add(writer, "\",\"last_error\":\"");
    if (report->renewal_failure == SL_RENEWAL_FAILURE_STORE)
        sl_text_add(writer, "not stored");
    else if (report->renewal_failure == SL_RENEWAL_FAILURE_TRY)
        sl_trouble_write(writer, report->renewal_trouble);
    sl_text_add(writer, "\"}");
}

static void add_broker(struct sl_writer *writer, const struct sl_report *report)
{
    sl_text_add(writer, ",\"broker\":{\"tls\":\"");
    sl_text_add(writer, report->tls);
    add_member(writer, "\",\"mqtt\":", report->mqtt);
    add_member(writer, ",\"connects\":", report->connects);
    sl_text_add(writer, ",\"last_error\":\"");
    sl_trouble_write(writer, report->trouble);
    sl_text_add(writer, "\"}");
}

struct sl_view sl_report_encode(const struct sl_report *report, uint8_t *out, size_t out_len)
{
    struct sl_writer writer = sl_writer_init(out, out_len);
    struct sl_view version = sl_view_text(report->version);
    if (version.len > SL_REPORT_VERSION_MAX)
        version.len = SL_REPORT_VERSION_MAX;
    sl_text_add(&writer, "{\"version\":");
    sl_text_add_string(&writer, version);
    add_member(&writer, ",\"uptime_s\":", report->uptime_s);
    add_zones(&writer, report);
    add_chip(&writer, report);
    add_time(&writer, report);
    add_certificate(&writer, report);
    add_broker(&writer, report);
    add_member(&writer, ",\"memory\":{\"mqtt_out_max\":", report->mqtt_out_max);
    if (report->stack_max != 0)
        add_member(&writer, ",\"stack_max\":", report->stack_max);
    if (report->network_max != 0)
        add_member(&writer, ",\"network_max\":", report->network_max);
    sl_text_add(&writer, "}}");
    return (struct sl_view){writer.start, writer.failed ? 0 : sl_writer_len(&writer)};
}
