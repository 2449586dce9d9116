/* The doctor's tables, its reader of mosquitto.conf, and its words. */
#include "doctor/conf.h"
#include "doctor/site.h"
#include "site/terms.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* --- tables --------------------------------------------------------------------------------- */

/* A cure that begins with sluice is a command line that this version takes. */
static void check_cure(const char *id, const char *cure)
{
    const char *at = strstr(cure, "sluice --site {site} ");
    if (!at || cure[0] == '\'')
        return;
    char text[256], *argv[16], *rest = NULL;
    int argc = 0;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(at + 21, "&'"), at + 21);
    for (char *word = strtok_r(text, " ", &rest); word && argc < 16;
         word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word[0] == '{' ? "garden" : word;
    struct sl_cli cli;
    if (sl_cli_read(&cli, argc, argv) != SL_EXIT_DONE)
        fail_msg("%s: its cure is no command line: %s", id, cure);
}

static void every_check_is_whole(void **state)
{
    (void)state;
    for (enum sl_check check = 0; check < SL_CHECKS; check++) {
        const struct sl_check_entry *entry = &sl_checks[check];
        char id[SL_CHECK_ID_MAX], other[SL_CHECK_ID_MAX];
        assert_true(strlen(entry->name) < SL_CHECK_ID_MAX - 1);
        sl_check_id(check, id);
        for (enum sl_check before = 0; before < check; before++)
            assert_string_not_equal(sl_check_id(before, other), id);
        const char *const texts[] = {entry->what, entry->harm, entry->cure};
        for (size_t i = 0; i < 3; i++) {
            assert_true(strlen(texts[i]) > 5);
            assert_int_not_equal(texts[i][strlen(texts[i]) - 1], '.');
        }
        if (entry->is_mended != sl_doctor_can_fix(check))
            fail_msg("%s: the list and the remedies do not agree", id);
        check_cure(id, entry->cure);
    }
}

static void every_term_is_told_of_in_time(void **state)
{
    (void)state;
    static const struct {
        enum sl_term term;
        long days;
        enum sl_term_state state;
    } cases[] = {
        {SL_TERM_CRL, 30, SL_TERM_FINE},
        {SL_TERM_CRL, 15, SL_TERM_FINE},
        {SL_TERM_CRL, 14, SL_TERM_SOON},
        {SL_TERM_CRL, 4, SL_TERM_URGENT},
        {SL_TERM_CRL, 0, SL_TERM_OVER},
        {SL_TERM_SERVER, 30, SL_TERM_FINE},
        {SL_TERM_SERVER, 14, SL_TERM_SOON},
        {SL_TERM_SERVER, 6, SL_TERM_URGENT},
        {SL_TERM_NODE, 365, SL_TERM_FINE},
        {SL_TERM_NODE, 364, SL_TERM_SOON},
        {SL_TERM_NODE, 13, SL_TERM_URGENT},
        {SL_TERM_OPERATOR, 364, SL_TERM_SOON},
        {SL_TERM_AUTHORITY, 2190, SL_TERM_FINE},
        {SL_TERM_AUTHORITY, 2189, SL_TERM_SOON},
        {SL_TERM_AUTHORITY, 1094, SL_TERM_URGENT},
        {SL_TERM_CANARY, -3, SL_TERM_OVER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (sl_term_judge(cases[i].term, cases[i].days) != cases[i].state)
            fail_msg("case %zu: %s with %ld days left", i, sl_terms[cases[i].term].what,
                     cases[i].days);
    for (enum sl_term term = 0; term <= SL_TERM_CRL; term++) {
        const struct sl_term_days *days = &sl_terms[term];
        assert_true(days->urgent < days->warn && days->warn < days->life);
        assert_true(days->renew == 0 || (days->warn <= days->renew && days->renew < days->life));
    }
}

/* --- mosquitto.conf ------------------------------------------------------------------------- */

static struct sl_conf *read_conf(const char *text)
{
    struct sl_conf *conf = sl_conf_new();
    assert_non_null(conf);
    assert_true(sl_conf_parse(conf, "a.conf", text, strlen(text)));
    return conf;
}

static void values_hold_where_mosquitto_holds_them(void **state)
{
    (void)state;
    struct sl_conf *conf = read_conf("  allow_anonymous true\r\n"
                                     "# cafile none\n"
                                     "listener 8883   192.168.1.1\n"
                                     "acl_file /a file with blanks \t\n"
                                     "cafile /one\n"
                                     "listener 1883\n"
                                     "allow_anonymous false");
    assert_int_equal(conf->problems_len, 0);
    assert_int_equal(conf->listeners_len, 3);
    assert_int_equal(sl_conf_first(conf), 1);
    const struct sl_conf_listener *one = &conf->listeners[1], *two = &conf->listeners[2];
    assert_int_equal(one->port, 8883);
    assert_string_equal(one->address, "192.168.1.1");
    assert_null(two->address);
    assert_string_equal(sl_conf_get(conf, one, SL_CONF_CAFILE).text, "/one");
    assert_null(sl_conf_get(conf, two, SL_CONF_CAFILE).text);
    assert_string_equal(sl_conf_get(conf, two, SL_CONF_ACL_FILE).text, "/a file with blanks");
    assert_int_equal(sl_conf_get(conf, one, SL_CONF_ALLOW_ANONYMOUS).place.line, 7);
    assert_false(sl_conf_is_true(sl_conf_get(conf, one, SL_CONF_ALLOW_ANONYMOUS)));
    sl_conf_free(conf);
}

static void each_listener_may_have_its_own(void **state)
{
    (void)state;
    struct sl_conf *conf = read_conf("per_listener_settings true\n"
                                     "listener 1883 127.0.0.1\nallow_anonymous true\n"
                                     "listener 8883\nacl_file /a\n");
    const struct sl_conf_listener *one = &conf->listeners[1], *two = &conf->listeners[2];
    assert_true(sl_conf_is_true(sl_conf_get(conf, one, SL_CONF_ALLOW_ANONYMOUS)));
    assert_null(sl_conf_get(conf, two, SL_CONF_ALLOW_ANONYMOUS).text);
    assert_null(sl_conf_get(conf, one, SL_CONF_ACL_FILE).text);
    sl_conf_free(conf);
}

static void the_listener_without_a_line_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t first;
        long port;
    } cases[] = {{"", 0, 0},
                 {"port 8883\n", 0, 8883},
                 {"port 8883\nlistener 1883\n", 0, 8883},
                 {"cafile /a\nlistener 1883\n", 0, 0},
                 {"persistence true\nlistener 1883\n", 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_conf *conf = read_conf(cases[i].text);
        assert_int_equal(sl_conf_first(conf), cases[i].first);
        assert_int_equal(conf->listeners[0].port, cases[i].port);
        sl_conf_free(conf);
    }
}

static void no_text_is_too_much(void **state)
{
    (void)state;
    char *large = malloc(SL_CONF_FILE_MAX + 1);
    assert_non_null(large);
    memset(large, 'a', SL_CONF_FILE_MAX + 1);
    struct sl_conf *conf = sl_conf_new();
    assert_non_null(conf);
    assert_false(sl_conf_parse(conf, "a", large, SL_CONF_FILE_MAX + 1));
    assert_true(sl_conf_parse(conf, "a", large, SL_CONF_FILE_MAX));
    assert_int_equal(conf->problems[0].fault, SL_CONF_UNKNOWN);
    for (size_t i = 1; i < SL_CONF_FILES_MAX; i++)
        assert_true(sl_conf_parse(conf, "b", "listener 1\nconnection c\nx\n", 25));
    assert_false(sl_conf_parse(conf, "c", "", 0));
    assert_int_equal(conf->listeners_len, SL_CONF_LISTENERS_MAX);
    assert_int_equal(conf->bridges_len, SL_CONF_LISTENERS_MAX);
    assert_int_equal(conf->problems_len, SL_CONF_PROBLEMS_MAX);
    sl_conf_free(conf);
    free(large);
}

/* --- words ---------------------------------------------------------------------------------- */

static void a_cure_is_safe_for_a_shell(void **state)
{
    (void)state;
    static const struct {
        const char *path, *cure;
    } cases[] = {{"/srv/site/acl", "chmod go-rwx /srv/site/acl"},
                 {"/my site/acl", "chmod go-rwx '/my site/acl'"},
                 {"/a$(reboot)", "chmod go-rwx '/a$(reboot)'"},
                 {"/it's", "chmod go-rwx '/it'\\''s'"},
                 {"/a\nb\033[2J", "chmod go-rwx '/a?b?[2J'"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sl_doctor doctor = {.site = NULL};
        char cure[SL_CURE_MAX];
        sl_doctor_find(&doctor, SL_CHECK_FILE_EXPOSED, (struct sl_place){.path = cases[i].path},
                       "mode");
        assert_int_equal(doctor.len, 1);
        sl_doctor_write_cure(&doctor, &doctor.list[0], cure);
        assert_string_equal(cure, cases[i].cure);
        sl_doctor_free(&doctor);
    }
}

static void the_same_is_found_once_and_room_ends(void **state)
{
    (void)state;
    struct sl_doctor doctor = {.site = NULL};
    for (unsigned turn = 0; turn < 2; turn++)
        for (unsigned line = 1; line <= SL_FINDINGS_MAX + 3; line++)
            sl_doctor_find(&doctor, SL_CHECK_CONF_SYNTAX,
                           (struct sl_place){.path = "a", .line = line}, "turn %u", turn);
    assert_int_equal(doctor.len, SL_FINDINGS_MAX);
    assert_int_equal(doctor.lost, 6);
    assert_int_equal(sl_doctor_count(&doctor, SL_SEVERITY_ERROR), SL_FINDINGS_MAX);
    assert_int_equal(sl_doctor_count(&doctor, SL_SEVERITY_WARNING), 0);
    sl_doctor_free(&doctor);
}

/* --- files ---------------------------------------------------------------------------------- */

/* 'doctor --fix' removes what was left: a certificate that its node may be using is not. */
static void a_renewal_under_way_is_no_leftover(void **state)
{
    (void)state;
    static const char *const folders[] = {"nodes", "nodes/.renewed.garden", "nodes/.new.a1B2c3"};
    struct sl_site site = {.operators_len = 0};
    struct sl_doctor doctor = {.site = &site};
    snprintf(site.root, sizeof site.root, "/tmp/test_doctor.XXXXXX");
    assert_non_null(mkdtemp(site.root));
    for (size_t i = 0; i < 3; i++) {
        const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
        struct sl_path path = sl_path_join(site.root, folders[i]);
        assert_int_equal(mkdir(path.text, 0700), 0);
        assert_int_equal(utimensat(AT_FDCWD, path.text, old, 0), 0);
    }
    sl_doctor_look_files(&doctor);
    size_t left = 0;
    for (size_t i = 0; i < doctor.len; i++)
        if (doctor.list[i].check == SL_CHECK_FILE_LEFT) {
            assert_non_null(strstr(doctor.list[i].where, "/.new.a1B2c3"));
            left++;
        }
    assert_int_equal(left, 1);
    sl_doctor_free(&doctor);
    sl_folder_remove(site.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_is_whole),
        cmocka_unit_test(every_term_is_told_of_in_time),
        cmocka_unit_test(values_hold_where_mosquitto_holds_them),
        cmocka_unit_test(each_listener_may_have_its_own),
        cmocka_unit_test(the_listener_without_a_line_is_seen),
        cmocka_unit_test(no_text_is_too_much),
        cmocka_unit_test(a_cure_is_safe_for_a_shell),
        cmocka_unit_test(the_same_is_found_once_and_room_ends),
        cmocka_unit_test(a_renewal_under_way_is_no_leftover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
