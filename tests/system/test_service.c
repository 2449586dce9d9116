/* sluice-node as a service: what its manager hears, its configuration file, its state folder. */
#include "garden.h"
#include "store/identity.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WATCHDOG_US "400000"

static struct test_garden garden;
static int manager;
static char said[256];

/* The next datagram of the node within ms; NULL: none came. */
static const char *hear(uint32_t ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const ssize_t len = recv(manager, said, sizeof said - 1, ms == 0 ? MSG_DONTWAIT : 0);
    said[len > 0 ? len : 0] = '\0';
    return len > 0 ? said : NULL;
}

/* Wait for a datagram with text, past others. */
static void expect(const char *text)
{
    const uint64_t end = test_now_ms() + TEST_WAIT_MS;

    while (test_now_ms() < end)
        if (hear(100) && strstr(said, text))
            return;
    test_show(&garden.node);
    fail_msg("the service manager did not hear '%s'", text);
}

static void listen_as_manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct test_path path = test_place_path(&garden.place, "notify");

    memcpy(address.sun_path, path.text, sizeof path.text);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(manager >= 0);
    assert_int_equal(bind(manager, (const struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.text, 1);
    setenv("WATCHDOG_USEC", WATCHDOG_US, 1);
}

static void the_manager_hears_how_it_goes(void **state)
{
    (void)state;
    test_garden_make(&garden, NULL);
    test_garden_start_broker(&garden);
    test_garden_start_chip(&garden);
    listen_as_manager();
    test_garden_start_node(&garden, NULL);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    assert_non_null(hear(TEST_WAIT_MS));
    assert_string_equal(said, "READY=1");
    expect("STATUS=connected to the broker; the relay chip answers");
    for (unsigned i = 0; i < 3; i++)
        expect("WATCHDOG=1");

    /* Without a chip the loop goes on, and so does the watchdog. */
    test_signal(&garden.chip, SIGSTOP);
    expect("the relay chip does not answer");
    for (unsigned i = 0; i < 3; i++)
        expect("WATCHDOG=1");
    test_signal(&garden.chip, SIGCONT);
    expect("; the relay chip answers");

    /* A node that stands still feeds nothing. */
    test_signal(&garden.node, SIGSTOP);
    test_pause(100);
    while (hear(0)) {
    }
    assert_null(hear(1500));
    test_signal(&garden.node, SIGCONT);
    expect("WATCHDOG=1");

    test_signal(&garden.node, SIGTERM);
    expect("STOPPING=1");
    assert_int_equal(test_wait_exit(&garden.node, TEST_WAIT_MS), 0);
    while (hear(0))
        assert_null(strstr(said, "READY=1"));
    close(manager);
    test_garden_close(&garden);
}

static struct test_path write_config(const char *name, const char *more)
{
    const struct test_path path = test_place_path(&garden.place, name);
    const struct test_path identity = test_place_path(&garden.place, "site/nodes/garden/identity");
    FILE *file = fopen(path.text, "w");

    assert_non_null(file);
    fprintf(file, "# made by a test\nidentity = %s\nchip = %s/spi\n%s", identity.text,
            garden.place.folder, more);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Run with --config and more. Gives: the exit status; the output in *process. */
static int run(const struct test_path *config, const char *const *more, const char *environment,
               struct test_process *process)
{
    const char *args[TEST_ARGS_MAX] = {"--config", config->text};
    static unsigned runs;
    char name[16];
    size_t len = 2;

    for (; more && *more; more++)
        args[len++] = *more;
    snprintf(name, sizeof name, "run-%u", runs++);
    test_start(process, &garden.place, name, SL_NODE, args, environment);
    const int status = test_wait_exit(process, TEST_WAIT_MS);
    test_stop(process);
    return status;
}

static void check(const struct test_path *config, const char *const *more, int status,
                  const char *words)
{
    struct test_process process;
    const char *args[16] = {"--check-config"};

    for (size_t i = 0; more && more[i]; i++)
        args[i + 1] = more[i];
    const int got = run(config, args, NULL, &process);
    if (got != status || test_count(&process, words) == 0) {
        test_show(&process);
        fail_msg("status %d instead of %d, or '%s' is missing", got, status, words);
    }
}

static void the_configuration_is_checked_without_moving_anything(void **state)
{
    struct test_path good, bad;

    (void)state;
    test_garden_make(&garden, NULL);
    good = write_config("good.conf", "at-once = 2\n");
    check(&good, NULL, 0, "good.conf:4");
    check(&good, NULL, 0, "node garden, base topic irrigation, broker 127.0.0.1");
    check(&good, NULL, 0, "the configuration is good");
    bad = write_config("key.conf", "at_once = 2\n");
    check(&bad, NULL, 2,
          "key.conf:4: 'at_once' is no setting: did you mean 'at-once'? [setting-misspelt]");
    bad = write_config("value.conf", "\nlease = 64\n");
    check(&bad, NULL, 2,
          "value.conf:5: '64' is no value of lease: give a number from 1 to 63 [value-bad]");
    bad = test_place_path(&garden.place, "none.conf");
    check(&bad, NULL, 4, "none.conf: cannot be read (No such file or directory)");

    const char *const state_dir[] = {"--state", "/nonexistent", NULL};
    check(&good, state_dir, 4, "state folder /nonexistent");
    const char *const spi[] = {"--spi", "/nonexistent", NULL};
    check(&good, spi, 4, "SPI device /nonexistent");
    const char *const no_device[] = {"--raw", good.text, NULL};
    check(&good, no_device, 4, "it is no spidev");
    const char *const gpio[] = {"--gpio", "no-such-chip:1", NULL};
    check(&good, gpio, 4, "GPIO chip /dev/no-such-chip");
    const struct test_path identity = test_place_path(&garden.place, "site/nodes/garden/identity");
    assert_int_equal(chmod(identity.text, 0640), 0);
    check(&good, NULL, 4, "chmod 600");
    test_garden_close(&garden);
}

/* The same identity with another last day. */
static struct test_path rewrite_identity(const char *name, uint64_t not_after_s)
{
    const struct test_path from = test_place_path(&garden.place, "site/nodes/garden/identity");
    const struct test_path to = test_place_path(&garden.place, name);
    uint8_t image[SL_IDENTITY_MAX], out[SL_IDENTITY_MAX];
    struct sl_identity identity;
    size_t len;
    int fd = open(from.text, O_RDONLY);
    const ssize_t got = read(fd, image, sizeof image);

    close(fd);
    assert_true(got > 0);
    assert_int_equal(sl_identity_decode((struct sl_view){image, (size_t)got}, &identity), SL_OK);
    identity.not_after_s = not_after_s;
    identity.issued_s = 0; /* it may lie behind that */
    assert_int_equal(sl_identity_encode(&identity, out, sizeof out, &len), SL_OK);
    fd = open(to.text, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, out, len), len);
    close(fd);
    return to;
}

static void an_identity_that_has_ended_is_told(void **state)
{
    (void)state;
    test_garden_make(&garden, NULL);
    const struct test_path config = write_config("node.conf", "");
    const struct test_path old = rewrite_identity("old.identity", 86400);
    const char *const more[] = {"--identity", old.text, NULL};
    check(&config, more, 4, "its certificate ended on 1970-01-02");
    test_garden_close(&garden);
}

/* As systemd may leave it: root's or ours, and an access list that shows as a right of the group.
 */
static void an_identity_may_be_a_credential(void **state)
{
    char environment[TEST_PATH_MAX + 32];
    struct test_process process;

    (void)state;
    test_garden_make(&garden, NULL);
    const struct test_path config = write_config("node.conf", "");
    const struct test_path folder = test_place_path(&garden.place, "credentials");
    const struct test_path identity = test_place_path(&garden.place, "credentials/identity");
    const char *const more[] = {"--check-config", "--identity", identity.text, NULL};
    assert_int_equal(mkdir(folder.text, 0700), 0);
    const struct test_path made = rewrite_identity("new", UINT64_C(4000000000));
    assert_int_equal(rename(made.text, identity.text), 0);
    snprintf(environment, sizeof environment, "CREDENTIALS_DIRECTORY=%s", folder.text);

    assert_int_equal(chmod(identity.text, 0440), 0);
    assert_int_equal(run(&config, more, environment, &process), 0);
    assert_int_equal(run(&config, more, NULL, &process), 4);
    assert_int_equal(test_count(&process, "chmod 600"), 1);
    assert_int_equal(chmod(identity.text, 0444), 0);
    assert_int_equal(run(&config, more, environment, &process), 4);
    assert_int_equal(chmod(identity.text, 0460), 0);
    assert_int_equal(run(&config, more, environment, &process), 4);
    test_garden_close(&garden);
}

static void a_state_folder_has_one_node(void **state)
{
    struct test_process first, second;
    char holder[64];

    (void)state;
    test_garden_make(&garden, NULL);
    const struct test_path folder = test_place_path(&garden.place, "state");
    char line[TEST_PATH_MAX + 16];
    assert_int_equal(mkdir(folder.text, 0700), 0);
    snprintf(line, sizeof line, "state = %s\n", folder.text);
    const struct test_path config = write_config("node.conf", line);
    const char *const args[] = {"--config", config.text, NULL};

    test_start(&first, &garden.place, "first", SL_NODE, args, NULL);
    test_expect(&first, "started", 1);
    assert_int_equal(run(&config, NULL, NULL, &second), 4);
    snprintf(holder, sizeof holder, "in use by process %d: give each node a folder",
             (int)first.pid);
    assert_int_equal(test_count(&second, holder), 1);
    check(&config, NULL, 0, "the configuration is good");
    test_signal(&first, SIGKILL); /* no lock stays behind */
    assert_int_equal(test_wait_exit(&first, TEST_WAIT_MS), 128 + SIGKILL);
    test_start(&second, &garden.place, "second", SL_NODE, args, NULL);
    test_expect(&second, "started", 1);
    test_stop(&second);

    /* Another file under the lock's name would lose its bytes to it. */
    const struct test_path lock = test_place_path(&garden.place, "state/lock");
    struct stat before, after;
    assert_int_equal(unlink(lock.text), 0);
    assert_int_equal(link(config.text, lock.text), 0);
    assert_int_equal(stat(config.text, &before), 0);
    assert_int_equal(run(&config, NULL, NULL, &second), 4);
    assert_int_equal(test_count(&second, "its file 'lock' is not one that"), 1);
    assert_int_equal(stat(config.text, &after), 0);
    assert_true(before.st_size == after.st_size);
    test_garden_close(&garden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manager_hears_how_it_goes),
        cmocka_unit_test(the_configuration_is_checked_without_moving_anything),
        cmocka_unit_test(an_identity_that_has_ended_is_told),
        cmocka_unit_test(an_identity_may_be_a_credential),
        cmocka_unit_test(a_state_folder_has_one_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
