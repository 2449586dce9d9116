/* TLS over restarts, with Mosquitto: a session is resumed after an orderly end and after a power
 * cut; a broker that has forgotten it is still known; another identity starts from nothing. */
#include "garden.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct test_garden garden;
static struct test_path state_dir;

static int set_up(void **state)
{
    (void)state;
    test_garden_open(&garden);
    state_dir = test_place_path(&garden.place, "kept");
    assert_int_equal(mkdir(state_dir.text, 0700), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_garden_close(&garden);
    return 0;
}

/* Gives: true when the node connects with such a handshake. */
static void start(const char *handshake)
{
    const char *const options[] = {"--state", state_dir.text, NULL};

    test_garden_start_node(&garden, options);
    test_expect(&garden.node, "connected: MQTT", 1);
    if (test_count(&garden.node, handshake) != 1) {
        test_show(&garden.node);
        fail_msg("'%s' was expected", handshake);
    }
}

static void end(int signal)
{
    test_signal(&garden.node, signal);
    (void)test_wait_exit(&garden.node, TEST_WAIT_MS);
}

static void restart_broker(void)
{
    test_stop(&garden.broker);
    test_garden_start_broker(&garden);
}

/* The state folder as a power cut at this moment leaves it, in another place. Its node stands
 * still, so the broker hears no end of its connection. */
static void cut_power(struct test_process *dark)
{
    char from[160], to[160], bytes[4096];
    const struct test_path copy = test_place_path(&garden.place, "dark");
    size_t len;

    test_signal(&garden.node, SIGSTOP);
    *dark = garden.node;
    garden.node.pid = 0;
    assert_int_equal(mkdir(copy.text, 0700), 0);
    snprintf(from, sizeof from, "%s/records", state_dir.text);
    snprintf(to, sizeof to, "%s/records", copy.text);
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in && out && fchmod(fileno(out), 0600) == 0);
    while ((len = fread(bytes, 1, sizeof bytes, in)) > 0)
        assert_int_equal(fwrite(bytes, 1, len, out), len);
    fclose(in);
    assert_int_equal(fclose(out), 0);
    state_dir = copy;
}

static void a_session_is_resumed_after_an_orderly_end(void **state)
{
    (void)state;
    end(SIGTERM);
    start("full TLS handshake");
    end(SIGTERM);
    start("TLS session resumed");
    end(SIGTERM);
    start("TLS session resumed");
    const size_t from = garden.messages_len;
    test_say(&garden, "zone/status", "");
    test_hear(&garden, from, "report", "\"tls\":\"resumed\"");
    test_say(&garden, "zone/on", "1 2"); /* it is a session like any other */
    assert_true(test_wait_pins(&garden, 1 << 1, TEST_WAIT_MS));
}

static void a_session_is_resumed_after_a_power_cut(void **state)
{
    struct test_process dark;

    (void)state;
    cut_power(&dark);
    start("TLS session resumed");
    test_signal(&dark, SIGKILL);
    (void)test_wait_exit(&dark, TEST_WAIT_MS);
}

/* The kernel closes the connection of a killed node without TLS's own end, and a broker on OpenSSL
 * forgets such a session; as it does when it is restarted itself. */
static void a_broker_that_forgot_the_session_is_known(void **state)
{
    (void)state;
    end(SIGKILL);
    start("TLS handshake with a known server");
    end(SIGTERM);
    start("TLS session resumed"); /* the new one */
    end(SIGTERM);
    restart_broker();
    start("TLS handshake with a known server");
}

/* The records are the node's alone: no other user can read the session's secret. */
static void the_secret_is_the_nodes_alone(void **state)
{
    char path[160];
    struct stat info;

    (void)state;
    snprintf(path, sizeof path, "%s/records", state_dir.text);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
}

/* The same state folder, but a new key and certificate for the node. */
static void another_identity_starts_from_nothing(void **state)
{
    const struct test_path site = test_place_path(&garden.place, "site");
    const char *const args[] = {"--site", site.text, "node", "add", "garden", "--replace", NULL};

    (void)state;
    end(SIGTERM);
    assert_int_equal(test_run(&garden.place, "replace", SL_SLUICE, args), 0);
    start("full TLS handshake");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_resumed_after_an_orderly_end),
        cmocka_unit_test(a_session_is_resumed_after_a_power_cut),
        cmocka_unit_test(a_broker_that_forgot_the_session_is_known),
        cmocka_unit_test(the_secret_is_the_nodes_alone),
        cmocka_unit_test(another_identity_starts_from_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
