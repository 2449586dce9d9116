/* The node's serial line: a pseudo terminal of its own, and a tty that comes, goes and is shared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "serial.h"
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static struct posix_failure failure;
static char folder[] = "/tmp/sluice-serial.XXXXXX";
static char link_path[64], spec[80], tty_name[64];
static int far_end; /* of a tty */

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(link_path, sizeof link_path, "%s/tty", folder);
    snprintf(spec, sizeof spec, POSIX_SERIAL_PTY "%s", link_path);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(link_path);
    return rmdir(folder);
}

static void make_tty(void)
{
    far_end = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(far_end >= 0);
    assert_int_equal(grantpt(far_end) + unlockpt(far_end), 0);
    assert_int_equal(ptsname_r(far_end, tty_name, sizeof tty_name), 0);
    fcntl(far_end, F_SETFL, O_NONBLOCK);
}

static void wait_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

static size_t receive(sl_ms now, uint8_t *out, size_t len)
{
    size_t got = 0;

    for (int tries = 0; tries < 200 && got < len; tries++) {
        got += posix_serial_receive(now, out + got, len - got);
        if (got < len)
            wait_ms(5);
    }
    return got;
}

static void every_byte_passes_a_pseudo_terminal(void **state)
{
    uint8_t all[256], in[256];
    struct termios modes;
    (void)state;

    assert_true(posix_serial_open(spec, &failure));
    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)i;
    for (int round = 0; round < 2; round++) { /* somebody comes, goes, and comes again */
        const int host = open(link_path, O_RDWR | O_NOCTTY);
        assert_true(host >= 0);
        assert_int_equal(tcgetattr(host, &modes), 0);
        assert_int_equal(modes.c_lflag & (tcflag_t)(ECHO | ICANON | ISIG), 0);
        assert_int_equal(write(host, all, sizeof all), sizeof all);
        assert_int_equal(receive(0, in, sizeof in), sizeof in);
        assert_memory_equal(in, all, sizeof in);
        assert_int_equal(posix_serial_send(0, (struct sl_view){all, sizeof all}), sizeof all);
        size_t got = 0;
        while (got < sizeof in) {
            const ssize_t some = read(host, in + got, sizeof in - got);
            assert_true(some > 0);
            got += (size_t)some;
        }
        assert_memory_equal(in, all, sizeof in);
        close(host);
        assert_int_equal(posix_serial_receive(0, in, sizeof in), 0);
    }
    posix_serial_close();
    struct stat info;
    assert_int_not_equal(lstat(link_path, &info), 0);
}

static void an_old_link_is_replaced_and_a_file_is_not(void **state)
{
    (void)state;
    unlink(link_path);
    assert_int_equal(symlink("/dev/null", link_path), 0);
    assert_true(posix_serial_open(spec, &failure));
    posix_serial_close();
    const int fd = open(link_path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    assert_false(posix_serial_open(spec, &failure));
    assert_non_null(strstr(failure.line, "serial-no-pty"));
    struct stat info;
    assert_int_equal(stat(link_path, &info), 0);
    assert_int_equal(info.st_size, 1);
}

static void a_tty_that_goes_away_is_opened_again(void **state)
{
    uint8_t byte = 7;
    (void)state;

    make_tty();
    char first[64];
    memcpy(first, tty_name, sizeof first);
    unlink(link_path);
    assert_int_equal(symlink(first, link_path), 0);
    assert_true(posix_serial_open(link_path, &failure));
    assert_int_equal(write(far_end, &byte, 1), 1);
    assert_int_equal(receive(0, &byte, 1), 1);
    close(far_end); /* pulled out */
    assert_int_equal(posix_serial_receive(0, &byte, 1), 0);
    assert_int_equal(posix_serial_send(0, (struct sl_view){&byte, 1}), 0);
    unlink(link_path);
    assert_int_equal(posix_serial_receive(POSIX_SERIAL_AGAIN_MS, &byte, 1), 0);
    make_tty(); /* and in again, under another number */
    assert_int_equal(symlink(tty_name, link_path), 0);
    assert_int_equal(posix_serial_receive(2 * POSIX_SERIAL_AGAIN_MS - 1, &byte, 1), 0);
    assert_int_equal(posix_serial_send(0, (struct sl_view){&byte, 1}), 0); /* not yet */
    assert_int_equal(posix_serial_receive(2 * POSIX_SERIAL_AGAIN_MS, &byte, 1), 0);
    assert_int_equal(write(far_end, &byte, 1), 1);
    assert_int_equal(receive(2 * POSIX_SERIAL_AGAIN_MS, &byte, 1), 1);
    posix_serial_close();
    close(far_end);
}

/* With an answer under way nothing is read: the failed send must tell, and nobody may spin on input
 * that is not taken. */
static void a_line_that_goes_away_under_an_answer_is_opened_again(void **state)
{
    struct posix_wait wait;
    uint8_t byte = 7;
    (void)state;

    make_tty();
    unlink(link_path);
    assert_int_equal(symlink(tty_name, link_path), 0);
    assert_true(posix_serial_open(link_path, &failure));
    posix_wait_init(&wait, 0);
    posix_serial_wait(&wait, true);
    assert_int_equal(wait.len, 1);
    assert_int_equal(wait.fds[0].events, POLLOUT);
    close(far_end);
    assert_int_equal(posix_serial_send(100, (struct sl_view){&byte, 1}), 0);
    posix_wait_init(&wait, 100);
    posix_serial_wait(&wait, true);
    assert_int_equal(wait.len, 0);
    assert_true(wait.has_due);
    assert_int_equal(wait.due, 100 + POSIX_SERIAL_AGAIN_MS);
    make_tty();
    unlink(link_path);
    assert_int_equal(symlink(tty_name, link_path), 0);
    assert_int_equal(posix_serial_receive(100 + POSIX_SERIAL_AGAIN_MS, &byte, 1), 0);
    assert_int_equal(posix_serial_send(0, (struct sl_view){&byte, 1}), 1);
    posix_serial_close();
    close(far_end);
}

static void what_is_no_line_or_not_ours_is_refused(void **state)
{
    (void)state;
    assert_false(posix_serial_open("/nonexistent/tty", &failure));
    assert_non_null(strstr(failure.line, "serial-missing"));
    assert_false(posix_serial_open("/dev/null", &failure));
    assert_non_null(strstr(failure.line, "serial-unfit"));
    assert_false(posix_serial_check("/nonexistent/tty", &failure));
    assert_false(posix_serial_check(folder, &failure));
    assert_true(posix_serial_check("pty:/nonexistent", &failure));

    make_tty();
    assert_true(posix_serial_check(tty_name, &failure));
    const int other = open(tty_name, O_RDWR | O_NOCTTY);
    assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
    assert_false(posix_serial_open(tty_name, &failure));
    assert_non_null(strstr(failure.line, "another program uses it"));
    close(other);
    assert_true(posix_serial_open(tty_name, &failure));
    posix_serial_close();
    close(far_end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_passes_a_pseudo_terminal),
        cmocka_unit_test(a_tty_that_goes_away_is_opened_again),
        cmocka_unit_test(a_line_that_goes_away_under_an_answer_is_opened_again),
        cmocka_unit_test(what_is_no_line_or_not_ours_is_refused),
        cmocka_unit_test(an_old_link_is_replaced_and_a_file_is_not),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
