/* A terminal for programs under test: a pty, and the screen that somebody at it would see.
 *
 * It knows the few orders that sluice gives to a terminal. Any other one fails the test: bytes from
 * the network must never become one.
 */
#ifndef TEST_SYSTEM_TERMINAL_H
#define TEST_SYSTEM_TERMINAL_H

#include "harness.h"
#include <termios.h>

#define TEST_ROWS_MAX    60
#define TEST_COLUMNS_MAX 200

struct test_terminal {
    int fd;
    pid_t child; /* 0: has ended */
    struct termios before;
    int rows, columns;
    char cells[TEST_ROWS_MAX][TEST_COLUMNS_MAX + 1]; /* a bar's cells: '#', a part of one '=' */
    int row, column;
    bool is_alternate, is_cursor_hidden, has_colour, has_utf8;
    size_t clears; /* how often the whole screen was cleared */
    char order[32];
    size_t order_len; /* of an order whose end has not come yet */
    unsigned utf8_len;
    char text[TEST_ROWS_MAX * (TEST_COLUMNS_MAX + 2)]; /* as test_screen gives it */
};

/* environment: "NAME=value", NULL at the end, or NULL. Without words there TERM is xterm, LC_ALL is
 * C.UTF-8 and NO_COLOR is 1. */
void test_terminal_start(struct test_terminal *terminal, int rows, int columns,
                         const char *const *environment, const char *program,
                         const char *const *args);
/* Take what comes within 50 ms. */
void test_terminal_look(struct test_terminal *terminal);
/* The rows that are seen, without the blanks at their ends. */
const char *test_screen(struct test_terminal *terminal);
/* The row with these words; empty: none. */
const char *test_screen_row(struct test_terminal *terminal, const char *words);
/* Wait until words are there, or gone; fails with the screen. */
void test_screen_expect(struct test_terminal *terminal, const char *words);
void test_screen_expect_gone(struct test_terminal *terminal, const char *words);

void test_terminal_press(struct test_terminal *terminal, const char *keys);
void test_terminal_resize(struct test_terminal *terminal, int rows, int columns);
bool test_terminal_is_raw(const struct test_terminal *terminal);
/* Wait until the child stops; and continue it as a shell does, with its own modes meanwhile. */
void test_terminal_expect_stop(struct test_terminal *terminal);
void test_terminal_continue(struct test_terminal *terminal);
/* Wait for the end of the child; the terminal is as it was. Gives: the exit status, 128 + n after
 * signal n. */
int test_terminal_expect_end(struct test_terminal *terminal);
/* End the child if it runs, and close. */
void test_terminal_close(struct test_terminal *terminal);

#endif
