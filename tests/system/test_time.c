/* Time from SNTP and from the system's clock: an honest server is believed, a liar is not, and
 * without the time there is no TLS. All servers are asked at the same time. */
#include "harness.h"
#include "node/kept.h"
#include "support/flash.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct test_place place;
static struct test_process broker;
static struct test_path identity;

static const struct {
    const char *mode;
    const char *words; /* why there is no time */
} liars[] = {
    {"wrong-origin", "no time from the SNTP server"},
    {"kiss-of-death", "no time from the SNTP server"},
    {"unsynchronised", "no time from the SNTP server"},
    {"stratum-16", "no time from the SNTP server"},
    {"client-mode", "no time from the SNTP server"},
    {"short", "no time from the SNTP server"},
    {"silent", "no time from the SNTP server"},
    {"past", "the time offered was refused"},
    {"far-future", "the time offered was refused"},
};
#define LIARS (sizeof liars / sizeof liars[0])

static int set_up(void **state)
{
    (void)state;
    test_place_make(&place);
    identity = test_place_path(&place, "identity");
    const char *const args[] = {"--identity", identity.text, NULL};
    test_start(&broker, &place, "broker", SL_HOSTILE_BROKER, args, NULL);
    test_expect(&broker, "port ", 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_stop(&broker);
    test_place_remove(&place);
    return 0;
}

static void start_server(struct test_process *server, const char *mode, char address[32])
{
    char name[40], line[64];
    const char *const args[] = {mode, NULL};

    snprintf(name, sizeof name, "sntp-%s", mode);
    test_start(server, &place, name, SL_SNTP_SERVER, args, NULL);
    test_expect(server, "port ", 1);
    FILE *output = fopen(server->output.text, "r");
    assert_non_null(output);
    assert_non_null(fgets(line, sizeof line, output));
    fclose(output);
    snprintf(address, 32, "127.0.0.1:%lu", strtoul(line + strlen("port "), NULL, 10));
}

/* state_dir, sntp: NULL for none. */
static void start_node(struct test_process *node, const char *name, const char *sntp,
                       const char *state_dir)
{
    const char *args[12] = {"--identity", identity.text, "--chip", "no-chip"};
    size_t len = 4;

    if (sntp) {
        args[len++] = "--sntp";
        args[len++] = sntp;
    }
    if (state_dir) {
        args[len++] = "--state";
        args[len++] = state_dir;
    }
    test_start(node, &place, name, SL_NODE, args, NULL);
}

/* A state folder with one file in it; text NULL: without. */
static void make_state(const char *name, const char *file_text, const char *text,
                       struct test_path *dir)
{
    char file_name[64];

    *dir = test_place_path(&place, name);
    assert_int_equal(mkdir(dir->text, 0700), 0);
    if (!text)
        return;
    snprintf(file_name, sizeof file_name, "%s/%s", name, file_text);
    const struct test_path file = test_place_path(&place, file_name);
    const int fd = open(file.text, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* As the log's own reader sees it; 0: none. */
static long long stored_time(const struct test_path *dir)
{
    struct test_flash flash;
    struct sl_records records;
    char path[160];

    test_flash_init(&flash, SL_RECORDS_SECTORS);
    snprintf(path, sizeof path, "%s/records", dir->text);
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    assert_int_equal(fread(flash.bytes, 1, sizeof flash.bytes, file),
                     SL_RECORDS_SECTORS * SL_RECORDS_SECTOR_LEN);
    fclose(file);
    test_flash_read(&flash, &records);
    return (long long)sl_kept_time(&records);
}

static bool is_there(const struct test_path *dir, const char *name)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", dir->text, name);
    return access(path, F_OK) == 0;
}

static void liars_are_not_believed(void **state)
{
    struct test_process servers[LIARS], nodes[LIARS];
    char name[40], address[32];
    const unsigned connections = test_count(&broker, "connection ");

    (void)state;
    for (size_t i = 0; i < LIARS; i++) {
        start_server(&servers[i], liars[i].mode, address);
        snprintf(name, sizeof name, "node-%s", liars[i].mode);
        start_node(&nodes[i], name, address, NULL);
    }
    for (size_t i = 0; i < LIARS; i++) {
        test_expect(&nodes[i], liars[i].words, 1);
        test_expect(&servers[i], "asked", 1);
    }
    test_pause(1000);
    for (size_t i = 0; i < LIARS; i++) {
        if (test_count(&nodes[i], "the time is known") != 0)
            fail_msg("%s was believed", liars[i].mode);
        if (test_count(&servers[i], "asked") > 3)
            fail_msg("%s was asked %u times in seconds", liars[i].mode,
                     test_count(&servers[i], "asked"));
        test_stop(&nodes[i]);
        test_stop(&servers[i]);
    }
    assert_int_equal(test_count(&broker, "connection "), connections); /* not even tried */
}

static void honest_server_is_believed_and_the_time_is_kept(void **state)
{
    struct test_process server, node;
    struct test_path dir;
    char address[32];

    (void)state;
    start_server(&server, "honest", address);
    make_state("kept", "", NULL, &dir);
    start_node(&node, "node-honest", address, dir.text);
    test_expect(&node, "the time is known", 1);
    test_expect(&broker, "tls open: client 'garden'", 1);
    test_expect(&node, "connected: MQTT", 1);
    test_signal(&node, SIGUSR1);
    test_expect(&node, "\"time\":{\"source\":\"sntp\"", 1);
    test_stop(&node);
    test_stop(&server);
    const long long kept = stored_time(&dir), now = (long long)time(NULL);
    assert_true(kept <= now && kept > now - 60);

    struct stat info;
    char path[160];
    snprintf(path, sizeof path, "%s/records", dir.text);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

static void nothing_below_the_kept_time_is_believed(void **state)
{
    struct test_process server, by_sntp, by_clock;
    struct test_path dir, other;
    char address[32], text[32];
    const long long later = (long long)time(NULL) + 2 * 86400; /* a day would be held */

    (void)state;
    snprintf(text, sizeof text, "%lld\n", later);
    make_state("later", "last-time", text, &dir); /* of an earlier version */
    make_state("too", "last-time", text, &other);
    start_server(&server, "honest", address);
    start_node(&by_sntp, "node-floor-sntp", address, dir.text);
    start_node(&by_clock, "node-floor-clock", NULL, other.text);
    test_expect(&by_sntp, "the time offered was refused", 1);
    test_expect(&by_clock, "the system's clock says", 1);
    assert_int_equal(test_count(&by_sntp, "the time is known"), 0);
    assert_int_equal(test_count(&by_clock, "the time is known"), 0);
    test_stop(&by_sntp);
    test_stop(&by_clock);
    test_stop(&server);
    assert_true(stored_time(&dir) == 0);
    assert_true(is_there(&dir, "last-time"));
}

/* Whatever stands in the file: the node runs, and the next start finds what this one has kept. */
static void damaged_records_do_not_stop_the_node(void **state)
{
    static const char *const texts[] = {"", "soon\n", NULL, NULL};
    static char zeros[SL_RECORDS_SECTORS * SL_RECORDS_SECTOR_LEN];
    char name[16], path[160];
    struct test_process node;
    struct test_path dir;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        snprintf(name, sizeof name, "damaged-%zu", i);
        make_state(name, "records", texts[i] ? texts[i] : "", &dir);
        snprintf(path, sizeof path, "%s/records", dir.text);
        if (!texts[i]) { /* the right length, and nothing in it; once open to others */
            const int fd = open(path, O_WRONLY);
            assert_int_equal(write(fd, zeros, sizeof zeros), sizeof zeros);
            assert_int_equal(fchmod(fd, i == 2 ? 0640 : 0600), 0);
            close(fd);
        }
        start_node(&node, name, NULL, dir.text);
        test_expect(&node, "the time is known", 1);
        test_expect(&node, "connected: MQTT", 1); /* before, nothing is kept */
        test_stop(&node);
        assert_int_equal(test_count(&node, "records: is damaged"), texts[i] ? 1 : 0);
        assert_int_equal(test_count(&node, "records: can be reached by others"), i == 2);
        assert_true(stored_time(&dir) > (long long)time(NULL) - 60); /* mended */
    }
}

/* A time from before there were records is honoured, then its file goes. */
static void time_of_an_earlier_version_moves_to_the_records(void **state)
{
    struct test_process node;
    struct test_path dir;
    char text[32];

    (void)state;
    snprintf(text, sizeof text, "%lld\n", (long long)time(NULL) - 60);
    make_state("earlier", "last-time", text, &dir);
    for (unsigned start = 0; start < 2; start++) {
        assert_true(is_there(&dir, "last-time"));
        start_node(&node, start == 0 ? "node-earlier" : "node-later", NULL, dir.text);
        test_expect(&node, "connected: MQTT", 1);
        test_stop(&node);
    }
    assert_false(is_there(&dir, "last-time"));
    assert_true(stored_time(&dir) > (long long)time(NULL) - 60);
}

/* A folder in the place of the temporary file: nothing can be written, not even by root. */
static void time_that_cannot_be_kept_is_told(void **state)
{
    struct test_process node;
    struct test_path dir;

    (void)state;
    make_state("full", "", NULL, &dir);
    const struct test_path in_the_way = test_place_path(&place, "full/records.new");
    assert_int_equal(mkdir(in_the_way.text, 0700), 0);
    start_node(&node, "node-full", NULL, dir.text);
    test_expect(&node, "cannot be made (File exists)", 1);
    test_expect(&node, "the time is known", 1);
    test_stop(&node);
    assert_int_equal(stored_time(&dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(liars_are_not_believed),
        cmocka_unit_test(honest_server_is_believed_and_the_time_is_kept),
        cmocka_unit_test(nothing_below_the_kept_time_is_believed),
        cmocka_unit_test(damaged_records_do_not_stop_the_node),
        cmocka_unit_test(time_of_an_earlier_version_moves_to_the_records),
        cmocka_unit_test(time_that_cannot_be_kept_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
