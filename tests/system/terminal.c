/* A pty and its screen. */
#include "terminal.h"
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void take(struct test_terminal *terminal, unsigned char byte);
static void obey(struct test_terminal *terminal);
static void put(struct test_terminal *terminal, char glyph);
static void clear(struct test_terminal *terminal);

void test_terminal_start(struct test_terminal *terminal, int rows, int columns,
                         const char *const *environment, const char *program,
                         const char *const *args)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    memset(terminal, 0, sizeof *terminal);
    assert_true(rows <= TEST_ROWS_MAX && columns <= TEST_COLUMNS_MAX);
    terminal->rows = rows;
    terminal->columns = columns;
    clear(terminal);
    const char *words[TEST_ARGS_MAX + 2] = {program};
    for (size_t i = 0; args[i]; i++) {
        assert_true(i < TEST_ARGS_MAX);
        words[i + 1] = args[i];
    }
    terminal->child = forkpty(&terminal->fd, NULL, NULL, &size);
    assert_true(terminal->child >= 0);
    if (terminal->child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("TERM", "xterm", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("NO_COLOR", "1", 1);
        for (; environment && *environment; environment++)
            putenv((char *)(uintptr_t)*environment);
        execv(program, (char *const *)(uintptr_t)words);
        _exit(127);
    }
    assert_int_equal(tcgetattr(terminal->fd, &terminal->before), 0);
}

void test_terminal_look(struct test_terminal *terminal)
{
    struct pollfd line = {.fd = terminal->fd, .events = POLLIN};
    unsigned char bytes[4096];
    if (poll(&line, 1, 50) <= 0)
        return;
    ssize_t got = read(terminal->fd, bytes, sizeof bytes);
    for (ssize_t i = 0; i < got; i++)
        take(terminal, bytes[i]);
    if (got <= 0) /* the other end is closed: do not spin */
        test_pause(20);
}

/* --- the screen ----------------------------------------------------------------------------- */

static void take(struct test_terminal *terminal, unsigned char byte)
{
    if (terminal->order_len > 0) {
        assert_true(terminal->order_len + 1 < sizeof terminal->order);
        terminal->order[terminal->order_len++] = (char)byte;
        terminal->order[terminal->order_len] = '\0';
        if (terminal->order_len > 2 && byte >= '@') {
            obey(terminal);
            terminal->order_len = 0;
        }
    } else if (terminal->utf8_len > 0) {
        if ((byte & 0xC0) != 0x80)
            fail_msg("byte %02x inside a character", byte);
        if (--terminal->utf8_len == 0) /* U+2588 whole, U+2589.. parts, U+00B7 empty, U+2500 rule */
            put(terminal, byte == 0x88 ? '#' : byte == 0xB7 ? '.' : byte == 0x80 ? '-' : '=');
    } else if (byte == 0xE2 || byte == 0xC2) {
        terminal->utf8_len = byte == 0xE2 ? 2 : 1;
        terminal->has_utf8 = true;
    } else if (byte == '\033') {
        terminal->order[0] = '\033';
        terminal->order_len = 1;
    } else if (byte == '\r') {
        terminal->column = 0;
    } else if (byte == '\n') {
        if (++terminal->row == terminal->rows) {
            memmove(terminal->cells[0], terminal->cells[1],
                    sizeof terminal->cells[0] * (size_t)(terminal->rows - 1));
            terminal->row--;
            memset(terminal->cells[terminal->row], ' ', TEST_COLUMNS_MAX);
        }
    } else if (byte >= ' ' && byte <= '~') {
        put(terminal, (char)byte);
    } else if (byte != '\a') { /* the line discipline's word on a full input queue */
        fail_msg("byte %02x reached the terminal", byte);
    }
}

static void put(struct test_terminal *terminal, char glyph)
{
    if (terminal->column < terminal->columns)
        terminal->cells[terminal->row][terminal->column++] = glyph;
    else if (terminal->is_alternate)
        fail_msg("row %d is longer than %d columns", terminal->row, terminal->columns);
}

static void clear(struct test_terminal *terminal)
{
    memset(terminal->cells, ' ', sizeof terminal->cells);
    terminal->clears++;
}

static void obey(struct test_terminal *terminal)
{
    const char *order = terminal->order + 1;
    int row = 0, column = 0, end = 0;
    char last = terminal->order[terminal->order_len - 1];
    if (strcmp(order, "[?1049h") == 0 || strcmp(order, "[?1049l") == 0) {
        terminal->is_alternate = last == 'h';
        clear(terminal);
        terminal->row = terminal->column = 0;
    } else if (strcmp(order, "[?25h") == 0 || strcmp(order, "[?25l") == 0) {
        terminal->is_cursor_hidden = last == 'l';
    } else if (strcmp(order, "[2J") == 0) {
        clear(terminal);
    } else if (sscanf(order, "[%d;%dH%n", &row, &column, &end) == 2 && order[end] == '\0' && end) {
        /* Just after it was made smaller, the picture of the size before may still come. */
        terminal->row = row < 1 ? 0 : row > terminal->rows ? terminal->rows - 1 : row - 1;
        terminal->column = column < 1 ? 0 : column - 1;
    } else if (order[0] == '[' && last == 'm' &&
               strspn(order + 1, "0123456789;") + 2 == strlen(order)) {
        terminal->has_colour = terminal->has_colour || strcmp(order, "[0m") != 0;
    } else if (strcmp(order, "[?7h") != 0 && strcmp(order, "[?7l") != 0) {
        fail_msg("an order that is none of ours: ESC %s", order);
    }
}

const char *test_screen(struct test_terminal *terminal)
{
    size_t len = 0;
    for (int row = 0; row < terminal->rows; row++) {
        int used = terminal->columns;
        while (used > 0 && terminal->cells[row][used - 1] == ' ')
            used--;
        memcpy(terminal->text + len, terminal->cells[row], (size_t)used);
        len += (size_t)used;
        terminal->text[len++] = '\n';
    }
    terminal->text[len] = '\0';
    return terminal->text;
}

const char *test_screen_row(struct test_terminal *terminal, const char *words)
{
    static char row[TEST_COLUMNS_MAX + 1];
    const char *screen = test_screen(terminal), *found = strstr(screen, words);
    row[0] = '\0';
    if (!found)
        return row;
    while (found > screen && found[-1] != '\n')
        found--;
    snprintf(row, sizeof row, "%.*s", (int)strcspn(found, "\n"), found);
    return row;
}

void test_screen_expect(struct test_terminal *terminal, const char *words)
{
    uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (!strstr(test_screen(terminal), words)) {
        if (test_now_ms() >= end)
            fail_msg("'%s' is not on the screen:\n%s", words, test_screen(terminal));
        test_terminal_look(terminal);
    }
}

void test_screen_expect_gone(struct test_terminal *terminal, const char *words)
{
    uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (strstr(test_screen(terminal), words)) {
        if (test_now_ms() >= end)
            fail_msg("'%s' is still on the screen:\n%s", words, test_screen(terminal));
        test_terminal_look(terminal);
    }
}

/* --- the person at it ----------------------------------------------------------------------- */

void test_terminal_press(struct test_terminal *terminal, const char *keys)
{
    size_t len = strlen(keys);
    assert_int_equal(write(terminal->fd, keys, len), len);
}

void test_terminal_resize(struct test_terminal *terminal, int rows, int columns)
{
    const struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    assert_true(rows <= TEST_ROWS_MAX && columns <= TEST_COLUMNS_MAX);
    size_t clears = terminal->clears;
    uint64_t end = test_now_ms() + TEST_WAIT_MS;
    /* Cells of the size before are still on their way: take them with the larger of both. */
    if (columns > terminal->columns)
        terminal->columns = columns;
    if (rows > terminal->rows)
        terminal->rows = rows;
    assert_int_equal(ioctl(terminal->fd, TIOCSWINSZ, &size), 0);
    while (terminal->clears == clears) {
        assert_true(test_now_ms() < end);
        test_terminal_look(terminal);
    }
    for (int i = 0; i < 3; i++) /* what was written with it */
        test_terminal_look(terminal);
    for (int row = 0; row < terminal->rows; row++)
        for (int column = 0; column < terminal->columns; column++)
            if ((row >= rows || column >= columns) && terminal->cells[row][column] != ' ')
                fail_msg("row %d, column %d is outside:\n%s", row, column, test_screen(terminal));
    terminal->rows = rows;
    terminal->columns = columns;
}

bool test_terminal_is_raw(const struct test_terminal *terminal)
{
    struct termios now;
    assert_int_equal(tcgetattr(terminal->fd, &now), 0);
    /* NOFLSH: else Ctrl-Z throws away the rest of an order on its way to the terminal. */
    return !(now.c_lflag & (ICANON | ECHO)) && (now.c_lflag & NOFLSH);
}

/* What it wrote before it stopped or ended may still be on its way. */
static void take_last(struct test_terminal *terminal, uint64_t end)
{
    do
        test_terminal_look(terminal);
    while (terminal->is_alternate && test_now_ms() < end);
}

void test_terminal_expect_stop(struct test_terminal *terminal)
{
    int status = 0;
    uint64_t end = test_now_ms() + TEST_WAIT_MS;
    while (waitpid(terminal->child, &status, WNOHANG | WUNTRACED) == 0) {
        assert_true(test_now_ms() < end);
        test_terminal_look(terminal);
    }
    assert_true(WIFSTOPPED(status));
    take_last(terminal, end);
}

void test_terminal_continue(struct test_terminal *terminal)
{
    uint64_t end = test_now_ms() + TEST_WAIT_MS;
    assert_int_equal(tcsetattr(terminal->fd, TCSANOW, &terminal->before), 0);
    kill(terminal->child, SIGCONT);
    for (; !test_terminal_is_raw(terminal); test_terminal_look(terminal))
        assert_true(test_now_ms() < end);
}

int test_terminal_expect_end(struct test_terminal *terminal)
{
    int status = 0;
    uint64_t end = test_now_ms() + TEST_WAIT_MS;
    struct termios after;
    while (waitpid(terminal->child, &status, WNOHANG) == 0) {
        if (test_now_ms() >= end)
            fail_msg("it does not end:\n%s", test_screen(terminal));
        test_terminal_look(terminal);
    }
    terminal->child = 0;
    take_last(terminal, end);
    assert_false(terminal->is_alternate);
    assert_false(terminal->is_cursor_hidden);
    assert_int_equal(tcgetattr(terminal->fd, &after), 0);
    assert_int_equal(after.c_lflag, terminal->before.c_lflag);
    assert_int_equal(after.c_iflag, terminal->before.c_iflag);
    assert_int_equal(after.c_oflag, terminal->before.c_oflag);
    assert_memory_equal(after.c_cc, terminal->before.c_cc, sizeof after.c_cc);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void test_terminal_close(struct test_terminal *terminal)
{
    if (terminal->child > 0) {
        kill(terminal->child, SIGKILL);
        while (waitpid(terminal->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    close(terminal->fd);
    *terminal = (struct test_terminal){.fd = -1};
}
