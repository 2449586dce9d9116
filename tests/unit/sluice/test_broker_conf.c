/* What sluice writes for Mosquitto is read back; whatever else is refused. */
#include "broker/apply.h"
#include "broker/conf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char good_acl[] = "# a comment\n"
                               "\nuser garden\n"
                               "topic read irrigation/garden/zone/on\n"
                               "topic write irrigation/garden/report\n"
                               "\nuser pond\n"
                               "topic deny #\n"
                               "\nuser Canary\n"
                               "topic read sluice/canary/read-only\n"
                               "topic write sluice/canary/write-only\n"
                               "topic readwrite sluice/canary/mark-0123456789abcdef\n";

static enum sl_exit parse_acl(const char *text, size_t len)
{
    struct sl_broker_acl acl;
    struct sl_bytes bytes = {malloc(len + 1), len};
    assert_non_null(bytes.data);
    memcpy(bytes.data, text, len);
    bytes.data[len] = '\0';
    enum sl_exit code = sl_broker_acl_parse("acl", &bytes, &acl);
    free(bytes.data);
    return code;
}

static void the_list_that_is_written_is_taken(void **state)
{
    (void)state;
    struct sl_broker_acl acl;
    const struct sl_bytes bytes = {(char *)(uintptr_t)good_acl, sizeof good_acl - 1};
    assert_int_equal(sl_broker_acl_parse("acl", &bytes, &acl), SL_EXIT_DONE);
    assert_int_equal(acl.users, 3);
    assert_int_equal(acl.topics, 6);
    assert_string_equal(acl.mark, "sluice/canary/mark-0123456789abcdef");
}

/* A list that was cut anywhere is noticed, because it ends with the mark. */
static void a_list_that_was_cut_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof good_acl - 1; len++)
        assert_int_not_equal(parse_acl(good_acl, len), SL_EXIT_DONE);
}

/* What would give somebody more than the site says, as a line in any place. */
static void lines_that_open_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "topic readwrite #\n",
        "topic #\n",
        "topic irrigation/garden/report\n",
        "topic read +/report\n",
        "topic write irrigation/#\n",
        "topic read $SYS/x\n",
        "topic read a//b\n",
        "topic read /a\n",
        "topic read a/\n",
        "topic read \n",
        "topic  read a\n",
        "topic\tread a\n",
        "pattern readwrite #\n",
        "user garden/x\n",
        "user Garden\n",
        "user \n",
        "user garden \n",
        "user pond\ntopic write irrigation/garden/report\n",
        "include other\n",
        " topic read a\n",
        "topic read a\r\n",
        "topic deny #\ntopic read a\n",
        "x\n",
        "user Canary\ntopic read a\n",
        "topic readwrite sluice/canary/mark-0123456789abcdef\n",
        "topic readwrite sluice/canary/mark-0123456789abcdeg\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        for (const char *at = strstr(good_acl, "\n") + 1;; at = strstr(at, "\n") + 1) {
            char text[1024];
            size_t before = (size_t)(at - good_acl);
            int len = snprintf(text, sizeof text, "%.*s%s%s", (int)before, good_acl, lines[i], at);
            /* Twice the same user is refused wherever it stands; a 'deny' after a topic, too. */
            if (parse_acl(text, (size_t)len) == SL_EXIT_DONE)
                fail_msg("taken: '%s' in front of '%s'", lines[i], at);
            if (*at == '\0')
                break;
        }
    }
    char nul[sizeof good_acl];
    memcpy(nul, good_acl, sizeof nul);
    nul[3] = '\0';
    assert_int_not_equal(parse_acl(nul, sizeof nul - 1), SL_EXIT_DONE);
}

static struct sl_broker_conf example(enum sl_broker_host host)
{
    return (struct sl_broker_conf){.host = host,
                                   .is_root = host == SL_BROKER_SITE,
                                   .address = "192.168.1.1",
                                   .port = 8883,
                                   .acl = {"/a b/acl"},
                                   .authority = {"/ca.pem"},
                                   .certificate = {"/server.pem"},
                                   .key = {"/key.pem"},
                                   .crl = {"/crl.pem"}};
}

static void the_configuration_that_is_written_is_taken(void **state)
{
    (void)state;
    static const enum sl_broker_host hosts[] = {SL_BROKER_SITE, SL_BROKER_DEBIAN,
                                                SL_BROKER_OPENWRT};
    for (size_t i = 0; i < 3; i++) {
        const struct sl_broker_conf conf = example(hosts[i]);
        struct sl_broker_conf again;
        struct sl_bytes text;
        assert_int_equal(sl_broker_conf_print(&conf, &text), SL_EXIT_DONE);
        assert_int_equal(sl_broker_conf_parse("conf", &text, hosts[i], &again), SL_EXIT_DONE);
        assert_int_equal(again.port, 8883);
        assert_string_equal(again.address, "192.168.1.1");
        assert_string_equal(again.acl.text, "/a b/acl");
        assert_string_equal(again.crl.text, "/crl.pem");
        assert_int_equal(again.is_root, conf.is_root);
        /* In Debian's conf.d a second one of these keeps Mosquitto from starting. */
        assert_true(hosts[i] != SL_BROKER_DEBIAN ||
                    (!strstr(text.data, "log_dest") && !strstr(text.data, "pid_file") &&
                     !strstr(text.data, "persistence_location")));
        sl_bytes_free(&text);
    }
}

/* Each line left out, changed, or written twice; and the text cut anywhere. */
static void every_other_configuration_is_refused(void **state)
{
    (void)state;
    const struct sl_broker_conf conf = example(SL_BROKER_OPENWRT);
    struct sl_broker_conf again;
    struct sl_bytes text;
    assert_int_equal(sl_broker_conf_print(&conf, &text), SL_EXIT_DONE);
    char *changed = malloc(2 * text.len + 64);
    assert_non_null(changed);
    for (char *line = text.data; *line != '\0'; line = strchr(line, '\n') + 1) {
        const char *next = strchr(line, '\n') + 1;
        int before = (int)(line - text.data), len = (int)(next - line);
        if (*line == '#' || *line == '\n')
            continue;
        for (int how = 0; how < 4; how++) {
            if (how == 0)
                sprintf(changed, "%.*s%s", before, text.data, next);
            else if (how == 1)
                sprintf(changed, "%.*s%.*sx\n%s", before, text.data, len - 1, line, next);
            else if (how == 2)
                sprintf(changed, "%.*s%.*s%s", before, text.data, len, line, line);
            else
                sprintf(changed, "%.*sallow_anonymous true\n%s", before, text.data, line);
            /* A path, or an address, may have an x more. */
            const struct sl_bytes other = {changed, strlen(changed)};
            bool is_free = how == 1 && (strchr(line, '/') || strncmp(line, "listener", 8) == 0) &&
                           strncmp(line, "pid_file", 8) != 0;
            if (!is_free &&
                sl_broker_conf_parse("conf", &other, SL_BROKER_OPENWRT, &again) == SL_EXIT_DONE)
                fail_msg("taken, way %d: %s", how, changed);
        }
    }
    char last = text.data[text.len - 1];
    assert_int_equal(last, '\n');
    for (size_t len = 0; len < text.len; len++) {
        memcpy(changed, text.data, len);
        changed[len] = '\0';
        const struct sl_bytes other = {changed, len};
        assert_int_not_equal(sl_broker_conf_parse("conf", &other, SL_BROKER_OPENWRT, &again),
                             SL_EXIT_DONE);
    }
    free(changed);
    sl_bytes_free(&text);
}

/* --- stopping ------------------------------------------------------------------------------- */

/* A process that is dead while its parent does not look takes every signal, for ever. */
static void a_dead_broker_is_not_waited_for(void **state)
{
    (void)state;
    struct sl_site site = {.operators_len = 0};
    char line[PATH_MAX];
    snprintf(site.root, sizeof site.root, "/tmp/test_broker.XXXXXX");
    assert_non_null(mkdtemp(site.root));
    static const char *const folders[] = {"broker", "run", "run/mosquitto"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sl_folder_make(sl_path_join(site.root, folders[i]).text), SL_EXIT_DONE);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NAME, "mosquitto");
        _exit(0);
    }
    siginfo_t ended;
    assert_int_equal(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT), 0);
    snprintf(line, sizeof line, "%d\n", (int)child);
    assert_int_equal(sl_file_write(sl_path_join(site.root, "run/mosquitto/mosquitto.pid").text,
                                   line, strlen(line), 0600),
                     SL_EXIT_DONE);
    assert_int_equal(sl_apply_remember(&site, site.root), SL_EXIT_DONE);
    sl_apply_stop(&site); /* comes back: that is all */
    assert_int_equal(waitpid(child, NULL, 0), child);
    sl_folder_remove(site.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_that_is_written_is_taken),
        cmocka_unit_test(a_list_that_was_cut_is_refused),
        cmocka_unit_test(lines_that_open_are_refused),
        cmocka_unit_test(the_configuration_that_is_written_is_taken),
        cmocka_unit_test(every_other_configuration_is_refused),
        cmocka_unit_test(a_dead_broker_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
