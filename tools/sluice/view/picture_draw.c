/* The picture: a line about the broker, a block for each node, the newest events, the keys. */
#include "ca/pki.h"
#include "site/terms.h"
#include "view/picture.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_S        86400
#define UTC_MAX_S    253402300800 /* the year 10000 */
#define BAR_MAX      40
#define TROUBLE_ROWS 3 /* on a terminal of a usual height */
#define LABEL_LEN    2 /* blanks before what belongs to a node */

/* How much of a node is shown: the most that lets all nodes fit. */
enum detail { DETAIL_LINE, DETAIL_SHORT, DETAIL_FULL };

/* Rows of the grid that look onto a longer list. */
struct page {
    struct sl_grid *grid;
    int top, rows; /* rows 0: only count */
    int scroll;
    int row; /* of the list, the next to be filled */
};

/* Pieces one after the other, in as many rows as they need. */
struct flow {
    struct page *page;
    int column;
};

static int draw_head(const struct sl_picture *picture, struct sl_grid *grid, uint64_t now_ms,
                     int64_t utc_s);
static int draw_trouble(struct sl_grid *grid, int column, const char *text);
static int draw_log(const struct sl_picture *picture, struct sl_grid *grid, uint64_t now_ms);
static void draw_keys(const struct sl_picture *picture, struct sl_grid *grid,
                      struct sl_picture_rows rows);
static void draw_help(struct page *page);
static void draw_nodes(const struct sl_picture *picture, struct page *page, enum detail detail,
                       uint64_t now_ms, int64_t utc_s);
static void draw_node(const struct sl_heard *heard, struct page *page, enum detail detail,
                      bool is_connected, uint64_t now_ms, int64_t utc_s);
static void add_presence(struct flow *flow, const struct sl_heard *heard, bool is_connected,
                         int64_t utc_s);
static void draw_zones(const struct sl_heard *heard, struct page *page, enum detail detail,
                       bool is_known, uint64_t now_ms);
static void draw_zone(const struct sl_heard *heard, struct page *page, int zone, bool is_known,
                      uint64_t now_ms);
static void draw_facts(const struct sl_heard *heard, struct page *page);
static void draw_certificate(const struct sl_heard *heard, struct page *page, int64_t utc_s);

static void draw_place(const struct sl_heard *heard, struct page *page);

static int page_put(struct page *page, int column, enum sl_style style, const char *text);
static struct flow flow_begin(struct page *page);
static void flow_add(struct flow *flow, enum sl_style style, const char *label, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
static void flow_end(struct flow *flow);

struct sl_picture_rows sl_picture_draw(struct sl_picture *picture, struct sl_grid *grid,
                                       uint64_t now_ms, int64_t utc_s)
{
    sl_grid_clear(grid, grid->width, grid->height);
    int top = draw_head(picture, grid, now_ms, utc_s);
    int bottom = grid->height - 1 - draw_log(picture, grid, now_ms);
    struct page page = {.grid = grid, .top = top, .rows = bottom > top ? bottom - top : 0};
    struct page count = {.grid = grid};
    enum detail detail = DETAIL_FULL;
    for (;; detail--) { /* how much fits */
        count.row = 0;
        if (picture->wants_help)
            draw_help(&count);
        else
            draw_nodes(picture, &count, detail, now_ms, utc_s);
        if (count.row <= page.rows || detail == DETAIL_LINE)
            break;
    }
    struct sl_picture_rows rows = {.all = count.row,
                                   .shown = count.row < page.rows ? count.row : page.rows};
    if (picture->scroll > rows.all - rows.shown)
        picture->scroll = rows.all - rows.shown;
    if (picture->scroll < 0)
        picture->scroll = 0;
    page.scroll = picture->scroll;
    if (picture->wants_help)
        draw_help(&page);
    else
        draw_nodes(picture, &page, detail, now_ms, utc_s);
    draw_keys(picture, grid, rows);
    return rows;
}

int sl_picture_draw_node(const struct sl_heard *heard, struct sl_grid *grid, uint64_t now_ms,
                         int64_t utc_s)
{
    struct page page = {.grid = grid, .rows = grid->height};
    sl_grid_clear(grid, grid->width, grid->height);
    draw_node(heard, &page, DETAIL_FULL, true, now_ms, utc_s);
    draw_place(heard, &page);
    return page.row < grid->height ? page.row : grid->height;
}

/* --- around the nodes ----------------------------------------------------------------------- */

/* Gives the first row below it. */
static int draw_head(const struct sl_picture *picture, struct sl_grid *grid, uint64_t now_ms,
                     int64_t utc_s)
{
    char clock[16] = "", again[64];
    struct tm parts;
    time_t now = (time_t)utc_s;
    if (localtime_r(&now, &parts))
        strftime(clock, sizeof clock, "%H:%M:%S", &parts);
    int column = sl_grid_put(grid, 0, 0, SL_STYLE_BOLD, "sluice watch");
    column = sl_grid_put(grid, 0, column + 2, SL_STYLE_DIM, "broker");
    if (grid->width >= 60)
        column = sl_grid_put(grid, 0, column + 1, SL_STYLE_PLAIN, picture->broker);
    int row = 1;
    if (picture->is_connected) {
        sl_grid_put(grid, 0, column + 1, SL_STYLE_GOOD, "connected");
    } else if (picture->trouble[0] == '\0') {
        sl_grid_put(grid, 0, column + 1, SL_STYLE_WARN, "connecting");
    } else {
        sl_grid_put(grid, 0, column + 1, SL_STYLE_BAD, "away");
        uint64_t left_ms = picture->again_ms > now_ms ? picture->again_ms - now_ms : 0;
        snprintf(again, sizeof again, "broker away, trying again%s", left_ms > 0 ? " in " : " now");
        column = sl_grid_put(grid, 1, 0, SL_STYLE_BAD, again);
        if (left_ms > 0) {
            snprintf(again, sizeof again, "%u s", (unsigned)((left_ms + 999) / 1000));
            column = sl_grid_put(grid, 1, column, SL_STYLE_BAD, again);
        }
        column = sl_grid_put(grid, 1, column, SL_STYLE_PLAIN, ":");
        row = draw_trouble(grid, column, picture->trouble);
    }
    if (grid->width >= 48)
        sl_grid_put(grid, 0, grid->width - (int)strlen(clock), SL_STYLE_DIM, clock);
    return grid->height >= 20 ? row + 1 : row;
}

/* The cure stands at the end, so the words go on in the rows below row 1; a small terminal keeps
 * its rows for the zones. Gives the first row below them. */
static int draw_trouble(struct sl_grid *grid, int column, const char *text)
{
    int row = 1, last = grid->height >= 20 ? TROUBLE_ROWS : 1;
    char word[sizeof((struct sl_picture *)0)->trouble];
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        snprintf(word, sizeof word, "%.*s", (int)len, text);
        if (column + 1 + (int)len > grid->width && row < last) {
            row++;
            column = LABEL_LEN - 1;
        }
        column = sl_grid_put(grid, row, column + 1, SL_STYLE_PLAIN, word);
        text += len + strspn(text + len, " ");
    }
    return row + 1;
}

/* "   3 min  garden  zone 2 ON" */
static void draw_event(const struct sl_picture_event *event, struct sl_grid *grid, int row,
                       uint64_t now_ms)
{
    char ago[24], line[32];
    sl_picture_write_ago(ago, (int64_t)((now_ms - event->at_ms) / 1000));
    snprintf(line, sizeof line, "%8.8s ago  ", ago);
    int column = sl_grid_put(grid, row, 0, SL_STYLE_DIM, line);
    if (event->node[0] != '\0')
        column = sl_grid_put(grid, row, column, SL_STYLE_PLAIN, event->node) + 2;
    sl_grid_put(grid, row, column, event->style, event->text);
}

/* The newest of a log, oldest first, in rows up to end. */
static void draw_newest(const struct sl_picture_event *ring, size_t room, size_t count, int rows,
                        struct sl_grid *grid, int end, uint64_t now_ms)
{
    for (int i = 0; i < rows; i++)
        draw_event(&ring[(count - (size_t)(rows - i)) % room], grid, end - rows + i, now_ms);
}

static int limit(size_t count, size_t room, int rows)
{
    size_t kept = count < room ? count : room;
    return kept < (size_t)rows ? (int)kept : rows;
}

/* The newest refusals, kept apart where there is room so that other events do not carry them away;
 * then the newest events. Gives the rows it takes above the keys. */
static int draw_log(const struct sl_picture *picture, struct sl_grid *grid, uint64_t now_ms)
{
    int height = grid->height;
    int room = height < 12 ? 2 : height < 20 ? 5 : height < 30 ? 8 : height / 3;
    int end = height - 1, top = end - room;
    if (top < 2)
        return 0;
    bool has_rules = room >= 5;
    int refusals = has_rules ? limit(picture->refusals, SL_PICTURE_REFUSALS, (room - 2) / 3) : 0;
    if (has_rules) {
        if (refusals > 0)
            sl_grid_rule(grid, top, sl_grid_put(grid, top, 0, SL_STYLE_DIM, "last refusals "),
                         SL_STYLE_DIM);
        draw_newest(picture->refusals_ring, SL_PICTURE_REFUSALS, picture->refusals, refusals, grid,
                    top + 1 + refusals, now_ms);
        top += refusals > 0 ? refusals + 1 : 0;
        sl_grid_rule(grid, top, sl_grid_put(grid, top, 0, SL_STYLE_DIM, "events "), SL_STYLE_DIM);
        top++;
    }
    int events = limit(picture->events, SL_PICTURE_EVENTS, end - top);
    draw_newest(picture->events_ring, SL_PICTURE_EVENTS, picture->events, events, grid,
                top + events, now_ms);
    if (picture->events == 0)
        sl_grid_put(grid, top, 2, SL_STYLE_DIM, "nothing has happened yet");
    return room;
}

static void draw_keys(const struct sl_picture *picture, struct sl_grid *grid,
                      struct sl_picture_rows rows)
{
    int row = grid->height - 1;
    int column = sl_grid_put(grid, row, 0, SL_STYLE_DIM,
                             picture->wants_help ? "q quit  ? back" : "q quit  ? help");
    if (rows.shown >= rows.all)
        return;
    char text[64];
    snprintf(text, sizeof text, "  up/down scroll  rows %d-%d of %d", picture->scroll + 1,
             picture->scroll + rows.shown, rows.all);
    sl_grid_put(grid, row, column, SL_STYLE_DIM, text);
}

static void draw_help(struct page *page)
{
    static const char *const lines[] = {"up, down, page up, page down, home, end",
                                        "             scroll through the nodes",
                                        "q, Ctrl-C    quit",
                                        "Ctrl-Z       suspend; 'fg' comes back",
                                        "Ctrl-L       paint everything anew",
                                        "",
                                        "A bar runs down with a zone's time; its",
                                        "length is the time it began with. What is",
                                        "not known at this moment is shown as 'last",
                                        "known': the node or the broker is away, and",
                                        "the relay chip counts down by itself.",
                                        "",
                                        "certificate  yellow below a third of its",
                                        "             life, red below 14 days",
                                        "bad          frames of the chip with a",
                                        "             wrong CRC or shape",
                                        "dropped      frames that the chip dropped",
                                        "waiting      most bytes that ever waited",
                                        "             for the broker's word"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++, page->row++)
        page_put(page, 1, SL_STYLE_PLAIN, lines[i]);
}

/* --- nodes ---------------------------------------------------------------------------------- */

static void draw_nodes(const struct sl_picture *picture, struct page *page, enum detail detail,
                       uint64_t now_ms, int64_t utc_s)
{
    if (picture->nodes_len == 0) {
        page_put(page, 0, SL_STYLE_PLAIN, "no node yet: sluice node add NAME");
        page->row++;
    }
    for (size_t i = 0; i < picture->nodes_len; i++) {
        if (i > 0 && detail != DETAIL_LINE)
            page->row++;
        draw_node(&picture->nodes[i], page, detail, picture->is_connected, now_ms, utc_s);
    }
}

static void draw_node(const struct sl_heard *heard, struct page *page, enum detail detail,
                      bool is_connected, uint64_t now_ms, int64_t utc_s)
{
    bool is_known = is_connected && strcmp(heard->availability, "online") == 0;
    struct flow flow = {page, page_put(page, 0, SL_STYLE_BOLD, heard->node->name)};
    add_presence(&flow, heard, is_connected, utc_s);
    const struct sl_reported *report = &heard->report;
    if (report->is_there && strcmp(report->link, "up") != 0)
        flow_add(&flow, SL_STYLE_BAD, "chip", "%s", report->link);
    char up[24];
    sl_picture_write_ago(up, report->uptime_s);
    if (is_known && report->uptime_s >= 0 && detail != DETAIL_LINE)
        flow_add(&flow, SL_STYLE_PLAIN, "up", "%s", up);
    if (report->is_there && detail != DETAIL_LINE)
        flow_add(&flow, SL_STYLE_PLAIN, "version", "%s", report->version);
    flow_end(&flow);
    draw_zones(heard, page, detail, is_known, now_ms);
    if (detail != DETAIL_LINE)
        draw_facts(heard, page);
    if (detail != DETAIL_LINE)
        draw_certificate(heard, page, utc_s);
}

static void add_presence(struct flow *flow, const struct sl_heard *heard, bool is_connected,
                         int64_t utc_s)
{
    bool is_online = strcmp(heard->availability, "online") == 0;
    const char *is = heard->availability[0] ? heard->availability : "not heard yet";
    int64_t since_s = heard->since_s;
    const char *since = "since";
    if (!is_online && since_s == 0 && heard->report.utc_s > 0) {
        since_s = heard->report.utc_s;
        since = "last report";
    }
    enum sl_style style = !is_connected ? SL_STYLE_DIM : is_online ? SL_STYLE_GOOD : SL_STYLE_BAD;
    flow_add(flow, style, "", "%s%s", is_connected ? "" : "last known ", is);
    struct tm parts;
    time_t then = (time_t)since_s;
    char when[24] = "", ago[24];
    if (since_s <= 0 || !localtime_r(&then, &parts))
        return;
    bool is_today = utc_s - since_s < DAY_S;
    strftime(when, sizeof when, is_today ? "%H:%M:%S" : "%Y-%m-%d", &parts);
    sl_picture_write_ago(ago, utc_s - since_s);
    flow_add(flow, SL_STYLE_PLAIN, since, "%s (%s)", when, ago);
}

/* As read back at the pin: its topic first, the report where there was none. */
static const char *state_of(const struct sl_heard *heard, int zone)
{
    return heard->states[zone][0] ? heard->states[zone] : heard->report.zones[zone].state;
}

static void draw_zones(const struct sl_heard *heard, struct page *page, enum detail detail,
                       bool is_known, uint64_t now_ms)
{
    char off[2 * SL_ZONES + 1] = "", unknown[2 * SL_ZONES + 1] = "";
    for (int zone = 0; zone < SL_ZONES; zone++) {
        const char *state = state_of(heard, zone);
        bool is_on = strcmp(state, "ON") == 0, is_off = strcmp(state, "OFF") == 0;
        char *list = is_off ? off : unknown;
        size_t len = strlen(list);
        if (is_on || detail == DETAIL_FULL)
            draw_zone(heard, page, zone, is_known, now_ms);
        else
            snprintf(list + len, sizeof off - len, "%s%d", len ? " " : "", zone);
    }
    if (detail == DETAIL_FULL || (detail == DETAIL_LINE && !unknown[0]))
        return;
    struct flow flow = flow_begin(page);
    if (off[0] && detail != DETAIL_LINE)
        flow_add(&flow, SL_STYLE_PLAIN, "off", "%s", off);
    if (unknown[0])
        flow_add(&flow, SL_STYLE_DIM, "not heard of", "%s", unknown);
    flow_end(&flow);
}

/* "  2 ON   [bar]  1:23 of 2:00" */
static void draw_zone(const struct sl_heard *heard, struct page *page, int zone, bool is_known,
                      uint64_t now_ms)
{
    const char *state = state_of(heard, zone);
    bool is_on = strcmp(state, "ON") == 0;
    char text[80], left[24], whole[24];
    int32_t left_s = sl_picture_left_s(heard, zone, now_ms), whole_s = heard->whole_s[zone];
    snprintf(text, sizeof text, "%d ", zone);
    int column = page_put(page, LABEL_LEN, SL_STYLE_PLAIN, text);
    enum sl_style style = !is_known ? SL_STYLE_DIM : is_on ? SL_STYLE_GOOD : SL_STYLE_PLAIN;
    snprintf(text, sizeof text, "%-3s", state[0] ? state : "?");
    column = page_put(page, column, style, text) + 1;
    if (is_on && whole_s > 0) {
        sl_picture_write_clock(left, left_s);
        sl_picture_write_clock(whole, whole_s);
        snprintf(text, sizeof text, "%s of %s%s", left, whole, is_known ? "" : "  last known");
        int len = page->grid->width - column - 2 - (int)strlen(text);
        len = len > BAR_MAX ? BAR_MAX : len;
        int row = page->row - page->scroll;
        if (len >= 4 && row >= 0 && row < page->rows)
            sl_grid_bar(page->grid, page->top + row, column, len, style, (uint64_t)left_s,
                        (uint64_t)whole_s);
        page_put(page, column + (len >= 4 ? len + 2 : 0), style, text);
    } else if (!is_known) {
        page_put(page, column, SL_STYLE_DIM, "last known");
    }
    page->row++;
}

static enum sl_style bad_when(bool is_bad)
{
    return is_bad ? SL_STYLE_WARN : SL_STYLE_PLAIN;
}

static void add_count(struct flow *flow, enum sl_style style, const char *label, int64_t count)
{
    if (count >= 0)
        flow_add(flow, style, label, "%lld", (long long)count);
}

static void draw_facts(const struct sl_heard *heard, struct page *page)
{
    const struct sl_reported *report = &heard->report;
    if (!report->is_there)
        return;
    struct flow flow = flow_begin(page);
    bool is_up = strcmp(report->link, "up") == 0;
    flow_add(&flow, is_up ? SL_STYLE_GOOD : SL_STYLE_BAD, "chip", "%s", report->link);
    flow_add(&flow, SL_STYLE_PLAIN, "firmware", "%s", report->chip_version);
    flow_add(&flow, bad_when(strstr(report->reset, "watchdog") || strstr(report->reset, "brown")),
             "last reset", "%s", report->reset);
    add_count(&flow, SL_STYLE_PLAIN, "exchanges", report->exchanges);
    add_count(&flow, bad_when(report->bad_frames > 0), "bad", report->bad_frames);
    add_count(&flow, bad_when(report->dropped_frames > 0), "dropped", report->dropped_frames);
    flow_end(&flow);

    flow = flow_begin(page);
    flow_add(&flow, SL_STYLE_PLAIN, "MQTT", "%s",
             report->mqtt == 5   ? "5"
             : report->mqtt == 3 ? "3.1.1"
                                 : "-");
    flow_add(&flow, SL_STYLE_PLAIN, "TLS", "%s", report->tls);
    add_count(&flow, SL_STYLE_PLAIN, "reconnects", report->connects > 0 ? report->connects - 1 : 0);
    if (report->last_error[0] != '\0' && strcmp(report->last_error, "-") != 0)
        flow_add(&flow, SL_STYLE_PLAIN, "last error", "%s", report->last_error);
    flow_add(&flow, bad_when(strcmp(report->time_source, "unknown") == 0), "time", "%s",
             report->time_source);
    if (report->mqtt_out_max >= 0)
        flow_add(&flow, SL_STYLE_PLAIN, "memory", "%lld bytes waiting at most",
                 (long long)report->mqtt_out_max);
    flow_end(&flow);
}

int64_t sl_picture_last_day_s(const struct sl_heard *heard)
{
    if (heard->report.is_there && heard->report.last_day_s >= 0)
        return heard->report.last_day_s;
    return (int64_t)(heard->node->not_after_s / DAY_S * DAY_S);
}

static int64_t days_left(const struct sl_heard *heard, int64_t utc_s)
{
    return (sl_picture_last_day_s(heard) - utc_s / DAY_S * DAY_S) / DAY_S;
}

enum sl_style sl_picture_certificate_style(const struct sl_heard *heard, int64_t utc_s)
{
    int64_t days = days_left(heard, utc_s);
    enum sl_term_state state = sl_term_judge(SL_TERM_NODE, days);
    return state >= SL_TERM_URGENT ? SL_STYLE_BAD
           : state == SL_TERM_SOON ? SL_STYLE_WARN
                                   : SL_STYLE_GOOD;
}

static void draw_certificate(const struct sl_heard *heard, struct page *page, int64_t utc_s)
{
    char day[16], text[64];
    int64_t days = days_left(heard, utc_s);
    sl_site_print_date(day, (uint64_t)sl_picture_last_day_s(heard));
    if (days < 0)
        snprintf(text, sizeof text, "over since %s", day);
    else
        snprintf(text, sizeof text, "%lld days left, until %s", (long long)days, day);
    enum sl_style style = sl_picture_certificate_style(heard, utc_s);
    int column = page_put(page, LABEL_LEN, SL_STYLE_DIM, "certificate") + 1;
    int len = page->grid->width - column - 2 - (int)strlen(text);
    len = len > BAR_MAX / 2 ? BAR_MAX / 2 : len;
    int row = page->row - page->scroll;
    if (len >= 4 && row >= 0 && row < page->rows)
        sl_grid_bar(page->grid, page->top + row, column, len, style, days > 0 ? (uint64_t)days : 0,
                    SL_PKI_LEAF_DAYS);
    page_put(page, column + (len >= 4 ? len + 2 : 0), style, text);
    page->row++;
}

/* Where it is found, and what time it has. */
static void draw_place(const struct sl_heard *heard, struct page *page)
{
    struct flow flow = flow_begin(page);
    flow_add(&flow, SL_STYLE_PLAIN, "topics", "%s/...", heard->node->base);
    flow_add(&flow, SL_STYLE_PLAIN, "its broker", "%s:%u", heard->node->host, heard->node->port);
    if (heard->report.utc_s > 0 && heard->report.utc_s < UTC_MAX_S) {
        char when[24];
        sl_site_print_time(when, (uint64_t)heard->report.utc_s);
        flow_add(&flow, SL_STYLE_PLAIN, "reported at", "%s", when);
    }
    flow_end(&flow);
}

/* --- pieces --------------------------------------------------------------------------------- */

static int page_put(struct page *page, int column, enum sl_style style, const char *text)
{
    int row = page->row - page->scroll;
    if (row < 0 || row >= page->rows)
        return column + (int)strlen(text);
    return sl_grid_put(page->grid, page->top + row, column, style, text);
}

static struct flow flow_begin(struct page *page)
{
    return (struct flow){page, 0};
}

static void flow_add(struct flow *flow, enum sl_style style, const char *label, const char *format,
                     ...)
{
    char text[96];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    size_t label_len = strlen(label), len = strlen(text) + label_len + (label_len > 0);
    int column = flow->column == 0 ? LABEL_LEN : flow->column + 2;
    if (flow->column > 0 && column + (int)len > flow->page->grid->width) {
        flow->page->row++;
        column = 2 * LABEL_LEN;
    }
    if (label_len > 0)
        column = page_put(flow->page, column, SL_STYLE_DIM, label) + 1;
    flow->column = page_put(flow->page, column, style, text);
}

static void flow_end(struct flow *flow)
{
    if (flow->column > 0)
        flow->page->row++;
}
