/* The list of sluice-node's failures, each line of it; and real failures, which name theirs. */
#include "errors.h"
#include "flash_file.h"
#include "identity_file.h"
#include "state_lock.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct posix_failure failure;
static char folder[] = "/tmp/sluice-errors-XXXXXX";

static size_t count(const char *text, char what)
{
    size_t found = 0;

    for (; *text != '\0'; text++)
        found += *text == what;
    return found;
}

static void every_error_names_thing_and_cure(void **state)
{
    (void)state;
    for (unsigned error = 0; error < POSIX_ERRORS; error++) {
        const struct sl_error_entry *at = &posix_errors[error];
        const size_t names = at->marks[0] == '\0' ? 0 : count(at->marks, ' ') + 1;
        char id[SL_ERROR_ID_MAX], other[SL_ERROR_ID_MAX];

        if (count(at->what, '%') + count(at->cure, '%') != names)
            fail_msg("%s: marks and their names differ in number", at->name);
        if (strlen(at->what) < 12 || strlen(at->cure) < 6)
            fail_msg("%s: thing, cause or cure is missing", at->name);
        assert_true(strlen(at->name) < SL_ERROR_ID_MAX);
        assert_int_equal(count(at->what, '\n') + count(at->cure, '\n'), 0);
        assert_int_not_equal(at->cure[strlen(at->cure) - 1], '.');
        assert_int_not_equal(at->exit, POSIX_EXIT_DONE);
        sl_error_id(at, id);
        assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz-"), strlen(id));
        for (unsigned before = 0; before < error; before++)
            assert_string_not_equal(id, sl_error_id(&posix_errors[before], other));
    }
}

/* path: in the line, and before the identifier at its end. */
static void check(bool result, enum posix_exit code, const char *path, const char *id)
{
    const size_t len = strlen(failure.line), id_len = strlen(id);

    assert_false(result);
    assert_int_equal(failure.exit, code);
    if (len < id_len || strcmp(failure.line + len - id_len, id) != 0 || !strstr(failure.line, path))
        fail_msg("'%s' does not name %s, or not %s at its end", failure.line, path, id);
}

static void real_failures_name_theirs(void **state)
{
    static struct sl_identity_slot identity;
    char file[64], lock[64], target[64];
    uint8_t sectors;

    (void)state;
    snprintf(file, sizeof file, "%s/identity", folder);
    snprintf(lock, sizeof lock, "%s/lock", folder);
    snprintf(target, sizeof target, "%s/elsewhere", folder);
    check(posix_identity_read(&identity, file, &failure), POSIX_EXIT_LOCAL, file,
          "[identity-missing]");
    check(posix_identity_read(&identity, folder, &failure), POSIX_EXIT_LOCAL, folder,
          "[identity-no-file]");
    const int fd = open(file, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    check(posix_identity_read(&identity, file, &failure), POSIX_EXIT_LOCAL, file,
          "[identity-damaged]");
    assert_int_equal(chmod(file, 0644), 0);
    check(posix_identity_read(&identity, file, &failure), POSIX_EXIT_LOCAL, file,
          "[identity-open]");
    assert_int_equal(unlink(file), 0);
    assert_int_equal(symlink(target, file), 0);
    check(posix_identity_read(&identity, file, &failure), POSIX_EXIT_LOCAL, file,
          "[identity-link]");
    assert_int_equal(unlink(file), 0);

    check(posix_flash_init(target, true, &sectors, &failure), POSIX_EXIT_LOCAL, target,
          "[state-unusable]");
    check(posix_state_lock(target, &failure), POSIX_EXIT_LOCAL, target, "[state-unusable]");
    assert_int_equal(symlink(target, lock), 0);
    check(posix_state_lock(folder, &failure), POSIX_EXIT_LOCAL, folder, "[state-lock-bad]");
    assert_int_equal(unlink(lock), 0);
    assert_true(posix_state_lock(folder, &failure));
    check(posix_state_lock(folder, &failure), POSIX_EXIT_LOCAL, folder, "[state-busy]");
    assert_int_equal(unlink(lock), 0);
}

/* Nothing that a name holds moves a terminal's cursor, or pushes the identifier out. */
static void a_name_leaves_room_and_one_line(void **state)
{
    static char name[2 * POSIX_FAILURE_LEN];

    (void)state;
    memset(name, 'a', sizeof name - 1);
    memcpy(name, "b\n\033\177\302\233", 6);
    check(posix_fail(&failure, POSIX_ERROR(CONFIG_NO_FILE), name), POSIX_EXIT_LOCAL, "b?????aaa",
          " [config-no-file]");
    assert_int_equal(strlen(failure.line), POSIX_FAILURE_LEN - 1);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_names_thing_and_cure),
        cmocka_unit_test(real_failures_name_theirs),
        cmocka_unit_test(a_name_leaves_room_and_one_line),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
