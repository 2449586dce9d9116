/* The terminal as a screen with keys: alternate screen, no echo, no cursor; all of it given back at
 * the end, and while the program is suspended (Ctrl-Z).
 *
 * Only one screen is open at a time. SIGTSTP, SIGCONT and SIGWINCH are taken over and obeyed in
 * sl_screen_wait; signals that end a program are the caller's to catch, because it has to close.
 */
#ifndef SL_CLI_SCREEN_H
#define SL_CLI_SCREEN_H

#include "view/grid.h"
#include <poll.h>

/* Somebody sits there: stdin and stdout are terminals, and TERM names one that can do more than
 * print lines. */
bool sl_screen_is_possible(void);

/* False, with errno: the terminal cannot be set up. */
bool sl_screen_open(void);
void sl_screen_close(void);

/* At this moment; 80 x 24 when the terminal does not say. */
void sl_screen_size(int *width, int *height);

/* The first rows of a picture on stdout as lines, without a screen: in ASCII and without colours
 * where stdout is no terminal. */
void sl_screen_print(const struct sl_grid *grid, int rows);
/* The escape sequence of a style; "" where colours are not wanted. */
const char *sl_screen_style(enum sl_style style);

/* Write what differs from what is shown. */
void sl_screen_show(const struct sl_grid *grid);

/* Sleep until a key, one of the lines in lines[0..len), len up to 4, or timeout_ms. Negative file
 * descriptors are left out; revents as poll sets them. False: the terminal is gone. */
bool sl_screen_wait(struct pollfd *lines, size_t len, int timeout_ms);

/* The next key: a character, or one of these; 0: none. */
enum sl_key {
    SL_KEY_ESCAPE = 27,
    SL_KEY_UP = 256,
    SL_KEY_DOWN,
    SL_KEY_PAGE_UP,
    SL_KEY_PAGE_DOWN,
    SL_KEY_HOME,
    SL_KEY_END
};
int sl_screen_key(void);

#endif
