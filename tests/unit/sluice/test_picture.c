/* The live picture: what it shows of what was heard, and that it fits every terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ca/pki.h"
#include "cli/cli.h"
#include "view/picture.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UTC   1795305600 /* 2026-11-22 */
#define NODES 100

static struct sl_site site = {.host = "127.0.0.1", .port = 8883};
static struct sl_site_node list[NODES];
static struct sl_picture picture;
static struct sl_grid grid;
static char screen[SL_GRID_HEIGHT_MAX * (SL_GRID_WIDTH_MAX + 1) + 1];

static void begin(size_t nodes)
{
    const struct sl_site_nodes all = {list, nodes};
    for (size_t i = 0; i < nodes; i++) {
        snprintf(list[i].name, sizeof list[i].name, nodes == 1 ? "garden" : "garden-%02zu", i);
        list[i].not_after_s = UTC + 1000 * 86400;
    }
    assert_true(sl_picture_init(&picture, &site, &all));
    sl_picture_connected(&picture, 0);
}

static void end(void)
{
    sl_picture_free(&picture);
}

static void hear(const char *node, const char *topic, bool is_kept, const char *payload,
                 uint64_t now_ms)
{
    char line[4096];
    snprintf(line, sizeof line,
             "{\"utc\":\"?\",\"node\":\"%s\",\"topic\":\"%s\",\"retained\":%s,\"payload\":%s}",
             node, topic, is_kept ? "true" : "false", payload);
    assert_true(sl_picture_take(&picture, line, now_ms, UTC + (int64_t)(now_ms / 1000)));
}

/* A report in which one zone is on. */
static void report(const char *node, bool is_kept, int zone, int left_s, const char *link,
                   const char *last_day, uint64_t now_ms)
{
    char text[2048];
    size_t len = (size_t)snprintf(text, sizeof text,
                                  "{\"version\":\"0.1.0\",\"uptime_s\":273600,\"zones\":[");
    for (int i = 0; i < SL_ZONES; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "%s{\"zone\":%d,\"state\":\"%s\",\"remaining_s\":%d}", i ? "," : "",
                                i, i == zone ? "ON" : "OFF", i == zone ? left_s : 0);
    snprintf(
        text + len, sizeof text - len,
        "],\"chip\":{\"link\":\"%s\",\"version\":\"1.2\",\"reset\":[\"power-on\"],"
        "\"exchanges\":123456,\"bad_frames\":3,\"dropped_frames\":0},"
        "\"time\":{\"source\":\"sntp\",\"utc\":%lld},\"certificate\":{\"last_day\":\"%s\"},"
        "\"broker\":{\"tls\":\"resumed\",\"mqtt\":5,\"connects\":3,\"last_error\":\"lost 104\"},"
        "\"memory\":{\"mqtt_out_max\":96}}",
        link, (long long)UTC, last_day);
    hear(node, "report", is_kept, text, now_ms);
}

/* Draws, and gives all rows as text: '#' a full cell of a bar, '=' a part of one. */
static const char *draw(int width, int height, uint64_t now_ms)
{
    grid.width = width;
    grid.height = height;
    sl_picture_draw(&picture, &grid, now_ms, UTC + (int64_t)(now_ms / 1000));
    assert_int_equal(grid.width, width);
    assert_int_equal(grid.height, height);
    size_t len = 0;
    for (int row = 0; row < height; row++) {
        for (int column = 0; column < width; column++) {
            const char *one = sl_grid_character(grid.cells[row][column], false);
            assert_int_equal(strlen(one), 1);
            screen[len++] = *one;
        }
        while (len > 0 && screen[len - 1] == ' ')
            len--;
        screen[len++] = '\n';
    }
    screen[len] = '\0';
    return screen;
}

#define assert_shows(words)                                                                        \
    do {                                                                                           \
        if (!strstr(screen, words))                                                                \
            fail_msg("no '%s' in:\n%s", words, screen);                                            \
    } while (0)
#define assert_hides(words)                                                                        \
    do {                                                                                           \
        if (strstr(screen, words))                                                                 \
            fail_msg("'%s' in:\n%s", words, screen);                                               \
    } while (0)

static unsigned count(const char *words)
{
    unsigned found = 0;
    for (const char *at = strstr(screen, words); at; at = strstr(at + 1, words))
        found++;
    return found;
}

static enum sl_style style_of(const char *words)
{
    for (int row = 0; row < grid.height; row++)
        for (int column = 0; column + (int)strlen(words) <= grid.width; column++) {
            size_t same = 0;
            while (words[same] != '\0' &&
                   grid.cells[row][column + (int)same].glyph == (uint8_t)words[same])
                same++;
            if (words[same] == '\0')
                return (enum sl_style)grid.cells[row][column].style;
        }
    fail_msg("no '%s' in:\n%s", words, screen);
    return SL_STYLE_PLAIN;
}

static void one_node_in_full(void **state)
{
    (void)state;
    begin(1);
    draw(100, 40, 0);
    assert_shows("garden  not heard yet");
    assert_shows("1000 days left"); /* what the site gave it */
    hear("garden", "availability", true, "\"online\"", 0);
    report("garden", false, 2, 120, "up", "2029-11-21", 0);
    draw(100, 40, 0);
    assert_shows("broker 127.0.0.1:8883 connected");
    assert_shows("garden  online  up 3 d  version 0.1.0\n");
    assert_shows(
        "\n  1 OFF\n  2 ON  ########################################  2:00 of 2:00\n  3 OFF\n");
    assert_shows(
        "chip up  firmware 1.2  last reset power-on  exchanges 123456  bad 3  dropped 0\n");
    assert_shows(
        "MQTT 5  TLS resumed  reconnects 2  last error lost 104  time sntp  memory 96 bytes");
    assert_shows("certificate ####################  1095 days left, until 2029-11-21\n");
    assert_int_equal(style_of("ON "), SL_STYLE_GOOD);
    assert_int_equal(style_of("3  dropped"), SL_STYLE_WARN);
    end();
}

static void a_bar_runs_down(void **state)
{
    (void)state;
    begin(1);
    hear("garden", "availability", true, "\"online\"", 0);
    report("garden", false, 2, 120, "up", "2029-11-21", 1000);
    draw(100, 40, 31000);
    assert_shows(" ##############################..........  1:30 of 2:00");
    draw(100, 40, 120000);
    assert_shows(" -.......................................  0:01 of 2:00");
    draw(100, 40, 500000);
    assert_shows(" ........................................  0:00 of 2:00");
    /* The same watering told again, a second off; then another command. */
    report("garden", false, 2, 59, "up", "2029-11-21", 62000);
    draw(100, 40, 62000);
    assert_shows("0:59 of 2:00");
    report("garden", false, 2, 100, "up", "2029-11-21", 63000);
    draw(100, 40, 64000);
    assert_shows("1:39 of 1:40");
    report("garden", false, 3, 20, "up", "2029-11-21", 65000);
    draw(100, 40, 65000);
    assert_shows("0:20 of 0:20");
    assert_int_equal(count(" of "), 1);
    end();
}

/* A report that the broker kept was true when it was made; where the clocks disagree, not older
 * than a minute and not from the future. */
static void a_kept_report_is_older(void **state)
{
    static const struct {
        uint64_t now_ms;
        const char *shows;
    } cases[] = {{20000, "1:40 of 2:00"}, {600000, "1:00 of 2:00"}, {0, "2:00 of 2:00"}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin(1);
        hear("garden", "availability", true, "\"online\"", cases[i].now_ms);
        report("garden", true, 2, 120, "up", "2029-11-21", cases[i].now_ms);
        draw(100, 40, cases[i].now_ms);
        assert_shows(cases[i].shows);
        end();
    }
}

static void what_happened_is_told(void **state)
{
    (void)state;
    begin(1);
    hear("garden", "availability", true, "\"online\"", 0);
    hear("garden", "zone/2/state", true, "\"OFF\"", 0);
    report("garden", true, -1, 0, "up", "2029-11-21", 0);
    draw(100, 40, 0);
    assert_shows("nothing has happened yet"); /* what was kept is no news */
    hear("garden", "zone/2/state", false, "\"ON\"", 1000);
    hear("garden", "refused", false, "{\"topic\":\"zone/on\",\"why\":\"zone 9 does not exist\"}",
         2000);
    report("garden", false, 2, 30, "down", "2029-11-21", 3000);
    hear("garden", "availability", false, "\"offline\"", 4000);
    draw(100, 40, 200000);
    assert_shows("3 min ago  garden  zone 2 ON\n");
    assert_int_equal(count("3 min ago  garden  refused zone/on: zone 9 does not exist\n"), 2);
    assert_shows("last refusals ---");
    assert_shows("3 min ago  garden  chip link down\n");
    assert_shows("3 min ago  garden  offline\n");
    assert_shows("garden  offline  since 00:00:04 (3 min)  chip down");
    assert_int_equal(style_of("offline  since"), SL_STYLE_BAD);
    assert_shows("last known\n");
    /* A refusal outlives many events. */
    for (int i = 0; i < 200; i++)
        hear("garden", "zone/5/state", false, i % 2 ? "\"ON\"" : "\"OFF\"", 300000);
    draw(100, 40, 300000);
    assert_int_equal(count("refused zone/on"), 1);
    end();
}

static void a_broker_that_is_away(void **state)
{
    (void)state;
    begin(1);
    hear("garden", "availability", true, "\"online\"", 0);
    report("garden", false, 2, 120, "up", "2029-11-21", 0);
    sl_picture_lost(&picture, "nothing listens at 127.0.0.1:8883\033[2J", 10000, 12000);
    draw(100, 40, 10500);
    assert_shows("broker away, trying again in 2 s: nothing listens at 127.0.0.1:8883?[2J\n");
    assert_shows("garden  last known online");
    assert_shows("1:50 of 2:00  last known");
    assert_int_equal(style_of("1:50"), SL_STYLE_DIM);
    sl_picture_lost(&picture,
                    "nothing listens at 127.0.0.1:8883: start the broker with 'sluice broker run' "
                    "[broker-down]",
                    12000, 14000);
    draw(80, 24, 12500); /* the cure too */
    assert_shows("in 2 s: nothing listens at 127.0.0.1:8883: start the\n"
                 "  broker with 'sluice broker run' [broker-down]\n");
    assert_shows("garden  last known online");
    draw(30, 8, 12500); /* no row of it to spare */
    assert_shows("broker away, trying again in 2\ngarden");
    draw(1, 24, 12500);
    sl_picture_lost(&picture, "again", 12000, 16000);
    sl_picture_connected(&picture, 16000);
    draw(100, 40, 16000);
    assert_hides("trying again");
    assert_int_equal(count("ago  broker away"), 1); /* told once */
    assert_shows("0 s ago  connected to the broker again");
    end();
}

static void a_certificate_ages(void **state)
{
    static const struct {
        const char *last_day, *shows;
        enum sl_style style;
    } cases[] = {{"2027-11-23", "366 days left", SL_STYLE_GOOD},
                 {"2027-11-21", "364 days left", SL_STYLE_WARN},
                 {"2026-12-06", "14 days left", SL_STYLE_WARN},
                 {"2026-12-05", "13 days left", SL_STYLE_BAD},
                 {"2026-11-22", "0 days left", SL_STYLE_BAD},
                 {"2026-11-21", "over since 2026-11-21", SL_STYLE_BAD},
                 {"2026-02-30", "1000 days left", SL_STYLE_GOOD}, /* no day: the site's word */
                 {"9999-12-31", "days left", SL_STYLE_GOOD}};
    (void)state;
    begin(1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        report("garden", false, -1, 0, "up", cases[i].last_day, 0);
        draw(100, 40, 0);
        assert_shows(cases[i].shows);
        assert_int_equal(style_of(cases[i].shows), cases[i].style);
    }
    end();
}

static void a_hundred_nodes_scroll(void **state)
{
    (void)state;
    begin(NODES);
    for (int i = 0; i < NODES; i++) {
        hear(list[i].name, "availability", true, "\"online\"", 0);
        report(list[i].name, false, i % SL_ZONES, 60, "up", "2029-11-21", 0);
    }
    draw(80, 24, 0);
    assert_shows("garden-00  online");
    assert_shows("rows 1-");
    assert_hides("garden-99");
    picture.scroll = 1000000;
    draw(80, 24, 0);
    assert_shows("garden-99  online");
    assert_shows(" of 200\n");
    int last = picture.scroll;
    assert_in_range(last, 180, 199);
    picture.scroll = -5;
    draw(80, 24, 0);
    assert_int_equal(picture.scroll, 0);
    picture.wants_help = true;
    draw(80, 24, 0);
    assert_shows("Ctrl-Z       suspend");
    end();
}

/* Every size, with every kind of content: the grid cuts, and the asserts of draw hold; under the
 * sanitizers nothing is written outside. At 40 x 10 what matters is still there. */
static void every_size(void **state)
{
    static const size_t nodes[] = {0, 1, 3, NODES};
    (void)state;
    for (size_t n = 0; n < sizeof nodes / sizeof nodes[0]; n++) {
        begin(nodes[n]);
        for (size_t i = 0; i < nodes[n]; i++) {
            hear(list[i].name, "availability", true, "\"online\"", 0);
            report(list[i].name, false, (int)(i % SL_ZONES), 14400, "down", "2029-11-21", 0);
            hear(list[i].name, "refused", false,
                 "{\"topic\":\"zone/on\",\"why\":\"zone 9 does not exist: use 0 to 7, and this "
                 "goes on "
                 "and on and on and on and on and on and on and on and on and on and on\"}",
                 0);
        }
        for (int help = 0; help < 2; help++) {
            picture.wants_help = help != 0;
            for (int height = 1; height <= SL_GRID_HEIGHT_MAX; height += height < 45 ? 1 : 25)
                for (int width = 1; width <= SL_GRID_WIDTH_MAX; width += width < 20 ? 1 : 37)
                    draw(width, height, 0);
        }
        end();
    }
    begin(1);
    hear("garden", "availability", true, "\"online\"", 0);
    report("garden", false, 2, 120, "up", "2029-11-21", 0);
    draw(40, 10, 0);
    assert_shows("broker connected");
    assert_shows("garden  online");
    assert_shows("  2 ON  ##################  2:00 of 2:00\n");
    assert_shows("q quit  ? help");
    end();
}

/* Whatever stands in the texts, cells hold printable ASCII and our own glyphs. */
static void hostile_words(void **state)
{
    (void)state;
    begin(1);
    hear("garden", "availability", true, "\"\\u001b[2J\\u009b31m\"", 0);
    hear("garden", "zone/1/state", true, "\"\\u001b]0;x\\u0007\"", 0);
    hear("garden", "refused", false,
         "{\"topic\":\"\\u001b[31m\",\"why\":\"\\u001b]0;owned\\u0007\\n\"}", 0);
    hear("garden", "refused", false, "{\"topic\":7,\"why\":[1]}", 0);
    hear("garden", "refused", false, "\"no object\"", 0);
    hear("garden", "report", false, "{}", 0);
    hear("garden", "report", false, "\"no object\"", 0);
    hear("garden", "report", false,
         "{\"version\":\"\\u001b[2J\",\"uptime_s\":1e300,\"zones\":[7,{\"zone\":1e9,\"state\":"
         "\"ON\","
         "\"remaining_s\":5},{\"zone\":3,\"state\":\"ON\",\"remaining_s\":1e9},{\"zone\":-1}],"
         "\"chip\":{\"link\":\"\\u001b[2J\",\"reset\":[\"\\u001b[2J\",5,"
         "\"aaaaaaaaaaaaaaaaaaaaaaaa\","
         "\"b\",\"c\",\"dddddddddddddddd\",\"eeeeeeeeeeeeeeeeee\"],\"bad_frames\":-1e300},"
         "\"certificate\":{\"last_day\":\"99999999999999\"},\"broker\":{\"mqtt\":\"x\"}}",
         0);
    draw(100, 40, 0);
    for (const char *at = screen; *at != '\0'; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
    assert_shows("24:00:00 of 24:00:00"); /* no longer than any zone */
    assert_shows("refused ?[31m: ?]0;owned??");
    assert_shows("refused ?: no reason given");
    assert_false(sl_picture_take(&picture, "{\"node\":\"eve\",\"topic\":\"refused\"}", 0, UTC));
    assert_false(sl_picture_take(&picture, "sluice: no JSON", 0, UTC));
    end();
}

/* A bar is full only at the beginning and empty only at the end. */
static void bars(void **state)
{
    (void)state;
    for (int len = 1; len < 60; len += 3)
        for (uint64_t whole = 1; whole < 500; whole += 7)
            for (uint64_t part = 0; part <= whole; part++) {
                sl_grid_clear(&grid, 60, 1);
                assert_int_equal(sl_grid_bar(&grid, 0, 0, len, SL_STYLE_GOOD, part, whole), len);
                uint8_t first = grid.cells[0][0].glyph, last = grid.cells[0][len - 1].glyph;
                assert_int_equal(first == SL_GLYPH_EMPTY, part == 0);
                assert_int_equal(last == SL_GLYPH_FULL, part == whole);
                assert_int_equal(grid.cells[0][len].glyph, ' ');
            }
}

static void times_in_words(void **state)
{
    static const struct {
        int64_t seconds;
        const char *clock, *ago;
    } cases[] = {{-5, "0:00", "0 s"},
                 {59, "0:59", "59 s"},
                 {120, "2:00", "2 min"},
                 {7199, "1:59:59", "119 min"},
                 {86400, "24:00:00", "24 h"},
                 {172800, "48:00:00", "2 d"},
                 {INT64_MAX, "277777:46:39", "11574 d"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[24];
        sl_picture_write_clock(text, cases[i].seconds);
        assert_string_equal(text, cases[i].clock);
        sl_picture_write_ago(text, cases[i].seconds);
        assert_string_equal(text, cases[i].ago);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_node_in_full),       cmocka_unit_test(a_bar_runs_down),
        cmocka_unit_test(a_kept_report_is_older), cmocka_unit_test(what_happened_is_told),
        cmocka_unit_test(a_broker_that_is_away),  cmocka_unit_test(a_certificate_ages),
        cmocka_unit_test(a_hundred_nodes_scroll), cmocka_unit_test(every_size),
        cmocka_unit_test(hostile_words),          cmocka_unit_test(bars),
        cmocka_unit_test(times_in_words),
    };
    setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
