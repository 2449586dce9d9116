/* What 'sluice watch' knows of its nodes, and the picture of it.
 *
 * Pure: events and the time go in, cells come out; no terminal, no connection, no clock. Times are
 * milliseconds of a monotonic clock (now_ms) and Unix seconds (utc_s).
 */
#ifndef SL_CLI_PICTURE_H
#define SL_CLI_PICTURE_H

#include "site/site.h"
#include "talk/reported.h"
#include "view/grid.h"

#define SL_PICTURE_EVENTS   64
#define SL_PICTURE_REFUSALS 16

/* One node, as far as it was heard. */
struct sl_heard {
    const struct sl_site_node *node;
    char availability[12]; /* "online", "offline", anything else; empty: nothing heard */
    int64_t since_s;       /* UTC of its last change that we saw; 0: before we looked */
    char states[SL_ZONES][4];
    struct sl_reported report;
    bool is_fresh;             /* the report came while we listened, or was asked for */
    uint64_t reported_ms;      /* when its remaining times were true */
    int32_t whole_s[SL_ZONES]; /* what a zone began with, as far as we saw; 0: off */
};

struct sl_picture_event {
    uint64_t at_ms;
    const char *node;
    enum sl_style style;
    char text[160];
};

struct sl_picture {
    struct sl_heard *nodes; /* sorted by name, as the site has them */
    size_t nodes_len;
    char broker[SL_HOST_MAX + 8]; /* "host:port" */
    bool is_connected;
    char trouble[320]; /* why not, for a person; empty: the first try is under way */
    uint64_t again_ms; /* when the next try begins; 0: now */
    /* the newest at [(count - 1) % room] */
    struct sl_picture_event events_ring[SL_PICTURE_EVENTS];
    struct sl_picture_event refusals_ring[SL_PICTURE_REFUSALS];
    size_t events, refusals; /* how many there ever were */

    /* what the reader chose */
    int scroll; /* first row of the nodes that is shown; brought into range by a draw */
    bool wants_help;
};

/* False: out of memory. The nodes must outlive the picture. */
bool sl_picture_init(struct sl_picture *picture, const struct sl_site *site,
                     const struct sl_site_nodes *nodes);
void sl_picture_free(struct sl_picture *picture);

/* A line of 'sluice watch --json'. Others are left alone: false. */
bool sl_picture_take(struct sl_picture *picture, const char *line, uint64_t now_ms, int64_t utc_s);
/* What a node says in its report, by whatever way it came. */
void sl_picture_report(struct sl_heard *heard, const struct sl_reported *report, bool is_kept,
                       uint64_t now_ms, int64_t utc_s);

/* The connection to the broker. trouble: words for a person; it is tried again at again_ms. */
void sl_picture_connected(struct sl_picture *picture, uint64_t now_ms);
void sl_picture_lost(struct sl_picture *picture, const char *trouble, uint64_t now_ms,
                     uint64_t again_ms);

/* Seconds that a zone has left, counted down since the report; 0 when it is off. */
int32_t sl_picture_left_s(const struct sl_heard *heard, int zone, uint64_t now_ms);

/* --- drawing (picture_draw.c) --- */

/* The whole picture in grid, whose size is set; scroll is brought into its range. Gives how many
 * rows the nodes have and how many of them are shown. */
struct sl_picture_rows {
    int all, shown;
};
struct sl_picture_rows sl_picture_draw(struct sl_picture *picture, struct sl_grid *grid,
                                       uint64_t now_ms, int64_t utc_s);
/* One node in full, from the first row on, as 'sluice status NODE' prints it. Gives its rows. */
int sl_picture_draw_node(const struct sl_heard *heard, struct sl_grid *grid, uint64_t now_ms,
                         int64_t utc_s);

/* When a certificate's last day begins: of the one that the node uses, or, before its first report,
 * of the one that it was given. And how urgent that is: GOOD, WARN below a third of its life, BAD
 * below 14 days. */
int64_t sl_picture_last_day_s(const struct sl_heard *heard);
enum sl_style sl_picture_certificate_style(const struct sl_heard *heard, int64_t utc_s);

/* "1:23", "2:05:00". */
void sl_picture_write_clock(char out[24], int64_t seconds);
/* "45 s", "3 min", "2 h", "12 d". */
void sl_picture_write_ago(char out[24], int64_t seconds);

#endif
