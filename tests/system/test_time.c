/* Time from SNTP and from the system's clock: an honest server is believed, a liar is not, and
 * without the time there is no TLS. All servers are asked at the same time. */
#include "harness.h"
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

static void make_state(const char *name, const char *text, struct test_path *dir)
{
    char file_name[64];

    *dir = test_place_path(&place, name);
    assert_int_equal(mkdir(dir->text, 0700), 0);
    if (!text)
        return;
    snprintf(file_name, sizeof file_name, "%s/last-time", name);
    const struct test_path file = test_place_path(&place, file_name);
    const int fd = open(file.text, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static long long stored_time(const struct test_path *dir)
{
    char path[160], text[32] = "";
    snprintf(path, sizeof path, "%s/last-time", dir->text);
    FILE *file = fopen(path, "r");

    if (!file)
        return 0;
    const bool has = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    return has ? atoll(text) : 0;
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
    make_state("kept", NULL, &dir);
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
}

static void nothing_below_the_kept_time_is_believed(void **state)
{
    struct test_process server, by_sntp, by_clock;
    struct test_path dir;
    char address[32], text[32];
    const long long tomorrow = (long long)time(NULL) + 86400;

    (void)state;
    snprintf(text, sizeof text, "%lld\n", tomorrow);
    make_state("tomorrow", text, &dir);
    start_server(&server, "honest", address);
    start_node(&by_sntp, "node-floor-sntp", address, dir.text);
    start_node(&by_clock, "node-floor-clock", NULL, dir.text);
    test_expect(&by_sntp, "the time offered was refused", 1);
    test_expect(&by_clock, "the system's clock says", 1);
    assert_int_equal(test_count(&by_sntp, "the time is known"), 0);
    assert_int_equal(test_count(&by_clock, "the time is known"), 0);
    test_stop(&by_sntp);
    test_stop(&by_clock);
    test_stop(&server);
    assert_true(stored_time(&dir) == tomorrow);
}

static void damaged_kept_time_does_not_stop_the_node(void **state)
{
    static const char *const texts[] = {"",     "soon\n",  "99999999999999999999\n",
                                        "-1\n", "12 13\n", "1795305600"};
    char name[16];
    struct test_process node;
    struct test_path dir;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        snprintf(name, sizeof name, "damaged-%zu", i);
        make_state(name, texts[i], &dir);
        start_node(&node, name, NULL, dir.text);
        test_expect(&node, "last-time: damaged", 1);
        test_expect(&node, "the time is known", 1);
        test_expect(&node, "connected: MQTT", 1); /* before, nothing is kept */
        test_stop(&node);
        assert_true(stored_time(&dir) > (long long)time(NULL) - 60); /* mended */
    }
}

/* A folder in the place of the temporary file: nothing can be written, not even by root. */
static void time_that_cannot_be_kept_is_told(void **state)
{
    struct test_process node;
    struct test_path dir;

    (void)state;
    make_state("full", NULL, &dir);
    const struct test_path in_the_way = test_place_path(&place, "full/last-time.new");
    assert_int_equal(mkdir(in_the_way.text, 0700), 0);
    start_node(&node, "node-full", NULL, dir.text);
    test_expect(&node, "the time could not be stored (Is a directory)", 1);
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
        cmocka_unit_test(damaged_kept_time_does_not_stop_the_node),
        cmocka_unit_test(time_that_cannot_be_kept_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
