/* What sluice-node makes of its command line and its files: one clear line and the right exit code,
 * or a start. */
#include "harness.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct test_place place;
static struct test_path good; /* an identity that works */
static unsigned runs;

static int set_up(void **state)
{
    struct test_process broker;

    (void)state;
    test_place_make(&place);
    good = test_place_path(&place, "good.id");
    const char *const args[] = {"--identity", good.text, NULL};
    test_start(&broker, &place, "broker", SL_HOSTILE_BROKER, args, NULL);
    test_expect(&broker, "port ", 1);
    test_stop(&broker);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_place_remove(&place);
    return 0;
}

/* Run with these options. Gives: the exit code; the output in *output. */
static int run(const char *const *args, struct test_process *process)
{
    char name[16];

    snprintf(name, sizeof name, "run-%u", runs++);
    test_start(process, &place, name, SL_NODE, args, NULL);
    const int status = test_wait_exit(process, TEST_WAIT_MS);
    test_stop(process);
    return status;
}

static void check_refused(const char *path, const char *words)
{
    const char *const args[] = {"--identity", path, "--chip", "no-chip", NULL};
    struct test_process process;

    assert_int_equal(run(args, &process), 4);
    if (test_count(&process, words) != 1 || test_count(&process, "\n") != 1 ||
        test_count(&process, path) == 0 || test_count(&process, " [identity-") != 1) {
        test_show(&process);
        fail_msg("'%s', the path, the identifier, or 'one line' is missing", words);
    }
}

static struct test_path write_file(const char *name, const void *bytes, size_t len, mode_t mode)
{
    const struct test_path path = test_place_path(&place, name);
    const int fd = open(path.text, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    close(fd);
    assert_int_equal(chmod(path.text, mode), 0);
    return path;
}

static size_t read_good(uint8_t *image, size_t max)
{
    const int fd = open(good.text, O_RDONLY);
    const ssize_t len = read(fd, image, max);

    close(fd);
    assert_true(len > 0);
    return (size_t)len;
}

static void options_are_checked(void **state)
{
    static const struct {
        const char *args[6];
        int status;
        const char *words;
    } cases[] = {
        {{"--help"}, 0, "examples:"},
        {{"--version"}, 0, "sluice-node "},
        {{NULL}, 2, "--identity FILE is missing"},
        {{"--identity", "x"}, 2, "--chip, --spi, --gpio or --raw is missing"},
        {{"--identity", "x", "--chip", "y", "z"}, 2, "'z' belongs to no option"},
        {{"--nonsense"}, 2, "see 'sluice-node --help' [option-unknown]\n"},
        {{"--leese", "5"}, 2, "did you mean '--lease'? [option-misspelt]\n"},
        {{"--lease"}, 2, "--lease has no value: see 'sluice-node --help' [option-value-missing]\n"},
        {{"--at-once", "9"}, 2, "from 1 to 8"},
        {{"--at-once", "0"}, 2, "from 1 to 8"},
        {{"--at-once", ""}, 2, "from 1 to 8"},
        {{"--at-once", "2x"}, 2, "from 1 to 8"},
        {{"--longest", "14401"}, 2, "from 1 to 14400"},
        {{"--longest", "99999999999999999999"}, 2, "from 1 to 14400"},
        {{"--default", "-5"}, 2, "from 1 to 14400"},
        {{"--lease", "64"},
         2,
         "'64' is no value of --lease: give a number from 1 to 63 [option-value-bad]"},
        {{"--log-level", "loud"}, 2, "debug, info, warning or error"},
        {{"--sntp", ""}, 2, "HOST:PORT"},
        {{"--sntp", ":123"}, 2, "HOST:PORT"},
        {{"--sntp", "host:0"}, 2, "from 1 to 65535"},
        {{"--sntp", "[::1"}, 2, "HOST:PORT"},
        {{"--sntp", "[::1]x"}, 2, "HOST:PORT"},
    };
    struct test_process process;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run(cases[i].args, &process), cases[i].status);
        if (test_count(&process, cases[i].words) == 0) {
            test_show(&process);
            fail_msg("case %zu: '%s' is missing", i, cases[i].words);
        }
    }
}

static void identity_that_is_not_a_private_file_is_refused(void **state)
{
    const struct test_path fifo = test_place_path(&place, "fifo");
    const struct test_path link_path = test_place_path(&place, "link");
    uint8_t image[4096] = {0};
    const size_t len = read_good(image, sizeof image);

    (void)state;
    check_refused("/nonexistent/identity", "No such file or directory");
    check_refused(place.folder, "not a regular file");
    assert_int_equal(mkfifo(fifo.text, 0600), 0);
    check_refused(fifo.text, "not a regular file");
    assert_int_equal(symlink(good.text, link_path.text), 0);
    check_refused(link_path.text, "symbolic link");
    check_refused(write_file("group", image, len, 0640).text, "chmod 600");
    check_refused(write_file("others", image, len, 0604).text, "chmod 600");
    if (geteuid() == 0) {
        const struct test_path foreign = write_file("foreign", image, len, 0600);
        assert_int_equal(chown(foreign.text, 65534, 65534), 0);
        check_refused(foreign.text, "belongs to user 65534");
    }
}

static void identity_that_is_damaged_is_refused(void **state)
{
    uint8_t image[4096] = {0};
    const size_t len = read_good(image, sizeof image);

    (void)state;
    check_refused(write_file("empty", image, 0, 0600).text, "sluice node add");
    check_refused(write_file("large", image, sizeof image, 0600).text, "an image has at most");
    check_refused(write_file("longer", image, len + 1, 0600).text, "sluice node add");
    for (size_t cut = 1; cut < len; cut += 97)
        check_refused(write_file("cut", image, cut, 0600).text, "sluice node add");
    for (size_t at = 0; at < len; at += 61) {
        image[at] ^= 0x10;
        /* One byte tells the version, and has its own cure. */
        check_refused(write_file("flipped", image, len, 0600).text,
                      at == 4 ? "sluice-node" : "sluice node add NAME --replace");
        image[at] ^= 0x10;
    }
}

static void state_folder_must_be_usable(void **state)
{
    const char *const args[] = {"--identity", good.text,      "--chip", "no-chip",
                                "--state",    "/nonexistent", NULL};
    struct test_process process;

    (void)state;
    assert_int_equal(run(args, &process), 4);
    assert_int_equal(test_count(&process, "state folder /nonexistent: cannot be used ("), 1);
}

/* Starts, and ends with 0 by SIGTERM, without a chip and without a broker. */
static void good_identity_starts_and_ends(void **state)
{
    const char *const args[] = {"--identity", good.text, "--chip", "no-chip", NULL};
    struct test_process process;

    (void)state;
    test_start(&process, &place, "start", SL_NODE, args, NULL);
    test_expect(&process, "started", 1);
    test_expect(&process, "cannot reach the broker", 1);
    test_signal(&process, SIGTERM);
    assert_int_equal(test_wait_exit(&process, TEST_WAIT_MS), 0);
    assert_int_equal(test_count(&process, "stopped"), 1);
}

/* A node of a user who is not root, with the leave to write cores that the test has. Gives: the
 * user's id. */
static uid_t start_as_user(struct test_process *process)
{
    const struct test_path identity = test_place_path(&place, "user.id");
    const char *const drop[] = {
        "--reuid=65534", "--regid=65534", "--clear-groups", "--pdeathsig", "KILL", SL_NODE,
        "--identity",    identity.text,   "--chip",         "no-chip",     NULL};
    const char *const probe[] = {drop[0], drop[1], drop[2], SL_NODE, "--version", NULL};
    uint8_t image[4096] = {0};

    (void)write_file("user.id", image, read_good(image, sizeof image), 0600);
    if (geteuid() != 0) {
        test_start(process, &place, "user", SL_NODE, drop + 6, NULL);
        return geteuid();
    }
    if (test_run(&place, "probe", "setpriv", probe) != 0) {
        print_message("user 65534 may not run " SL_NODE "\n");
        skip();
    }
    assert_int_equal(chown(identity.text, 65534, 65534), 0);
    assert_int_equal(chmod(place.folder, 0711), 0);
    test_start(process, &place, "user", "setpriv", drop, NULL);
    return 65534;
}

/* The key is in its memory: the kernel writes no core file, and a program that collects cores,
 * which heeds no limit, gets none, since the process belongs to root for everybody who looks. */
static void key_gets_into_no_core_file(void **state)
{
    struct test_process node;
    struct rlimit before;
    struct stat about;
    char path[32], line[128];
    bool is_limited = false;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_CORE, &before), 0);
    const rlim_t most = geteuid() == 0 ? RLIM_INFINITY : before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_CORE, &(struct rlimit){most, most}), 0);
    const uid_t user = start_as_user(&node);
    (void)setrlimit(RLIMIT_CORE, &before);
    test_expect(&node, "started", 1);
    snprintf(path, sizeof path, "/proc/%d/limits", (int)node.pid);
    assert_int_equal(stat(path, &about), 0);
    assert_int_not_equal(about.st_uid, user);
    FILE *limits = fopen(path, "r");
    assert_non_null(limits);
    while (fgets(line, sizeof line, limits)) {
        unsigned long soft, hard;
        if (sscanf(line, "Max core file size %lu %lu", &soft, &hard) == 2)
            is_limited = soft == 0 && hard == 0;
    }
    fclose(limits);
    assert_true(is_limited);
    test_stop(&node);
}

/* The first signal waits for a broker that stands still, the second one does not. */
static void second_signal_ends_at_once(void **state)
{
    const struct test_path identity = test_place_path(&place, "still.id");
    const char *const broker_args[] = {"--identity", identity.text, NULL};
    const char *const args[] = {"--identity", identity.text, "--chip", "no-chip", NULL};
    struct test_process broker, node;

    (void)state;
    test_start(&broker, &place, "still-broker", SL_HOSTILE_BROKER, broker_args, NULL);
    test_expect(&broker, "port ", 1);
    test_start(&node, &place, "twice", SL_NODE, args, NULL);
    test_expect(&broker, "availability online", 1);
    test_signal(&broker, SIGSTOP);
    test_signal(&node, SIGTERM);
    assert_int_equal(test_wait_exit(&node, 500), -1);
    test_signal(&node, SIGINT);
    assert_int_equal(test_wait_exit(&node, 1000), 128 + SIGINT);
    test_stop(&broker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(identity_that_is_not_a_private_file_is_refused),
        cmocka_unit_test(identity_that_is_damaged_is_refused),
        cmocka_unit_test(state_folder_must_be_usable),
        cmocka_unit_test(good_identity_starts_and_ends),
        cmocka_unit_test(second_signal_ends_at_once),
        cmocka_unit_test(key_gets_into_no_core_file),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
