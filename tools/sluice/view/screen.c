/* Modes, signals, keys and output of the terminal. */
#include "view/screen.h"
#include "cli/cli.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define OUT_LEN  16384
#define KEYS_LEN 64
#define CTRL_L   12 /* paint everything anew, as in every such program */
#define PLACE    "\033[%d;%dH"

/* Alternate screen, no wrapping at the right edge, no cursor; and back, without colour. */
#define ENTER "\033[?1049h\033[?7l\033[?25l"
#define LEAVE "\033[0m\033[?25h\033[?7h\033[?1049l"

static struct {
    struct termios before;
    struct sl_grid shown;
    bool is_known; /* shown is what the terminal shows */
    bool is_utf8;
    char out[OUT_LEN];
    size_t out_len;
    char keys[KEYS_LEN];
    size_t keys_len;
    bool is_key_old; /* nothing followed: a lone Escape is a key */
} screen;

static volatile sig_atomic_t must_suspend, was_continued;

static bool knows_utf8(void);
static void enter(void);
static void leave(void);
static void obey_shell(void);
static void note_signal(int signal_number);
static bool read_keys(void);
static void show_row(const struct sl_grid *grid, int row);
static void write_text(const char *text);
static void flush(void);

bool sl_screen_is_possible(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && terminal && terminal[0] != '\0' &&
           strcmp(terminal, "dumb") != 0;
}

bool sl_screen_open(void)
{
    if (tcgetattr(STDIN_FILENO, &screen.before) != 0)
        return false;
    screen.is_utf8 = knows_utf8();
    screen.keys_len = 0;
    must_suspend = was_continued = 0;
    const struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigaction(SIGTSTP, &action, NULL);
    sigaction(SIGCONT, &action, NULL);
    /* Without a restart: the wait ends, and the next picture has the new size. */
    const struct sigaction resize = {.sa_handler = note_signal};
    sigaction(SIGWINCH, &resize, NULL);
    fflush(stdout);
    enter();
    return true;
}

void sl_screen_close(void)
{
    leave();
    signal(SIGTSTP, SIG_DFL);
    signal(SIGCONT, SIG_DFL);
    signal(SIGWINCH, SIG_DFL);
}

void sl_screen_size(int *width, int *height)
{
    struct winsize size = {0};
    bool is_told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;
    *width = is_told ? size.ws_col : 80;
    *height = is_told ? size.ws_row : 24;
}

/* --- modes ---------------------------------------------------------------------------------- */

/* Keys at once and unseen; Ctrl-C and Ctrl-Z stay signals. */
static void enter(void)
{
    struct termios raw = screen.before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_lflag |= NOFLSH; /* Ctrl-C or Ctrl-Z must not cut an escape sequence on its way */
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
    screen.is_known = false;
    write_text(ENTER);
    flush();
}

static void leave(void)
{
    write_text(LEAVE);
    flush();
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &screen.before);
}

/* Ctrl-Z and fg: the shell has set its own modes meanwhile. */
static void obey_shell(void)
{
    if (must_suspend) {
        must_suspend = 0;
        leave();
        raise(SIGSTOP);
    }
    if (was_continued) {
        was_continued = 0;
        enter();
    }
}

static void note_signal(int signal_number)
{
    if (signal_number == SIGTSTP)
        must_suspend = 1;
    else if (signal_number == SIGCONT)
        was_continued = 1;
}

/* --- keys ----------------------------------------------------------------------------------- */

bool sl_screen_wait(struct pollfd *lines, size_t len, int timeout_ms)
{
    struct pollfd all[5] = {{.fd = STDIN_FILENO, .events = POLLIN}};
    obey_shell();
    for (size_t i = 0; i < len; i++)
        all[i + 1] = lines[i];
    if (poll(all, len + 1, timeout_ms) < 0)
        for (size_t i = 0; i <= len; i++)
            all[i].revents = 0;
    for (size_t i = 0; i < len; i++)
        lines[i].revents = all[i + 1].revents;
    obey_shell();
    screen.is_key_old = all[0].revents == 0;
    return all[0].revents == 0 || read_keys() || !(all[0].revents & (POLLHUP | POLLERR));
}

static bool read_keys(void)
{
    ssize_t got =
        read(STDIN_FILENO, screen.keys + screen.keys_len, sizeof screen.keys - screen.keys_len);
    if (got > 0)
        screen.keys_len += (size_t)got;
    return got > 0;
}

/* Bytes of the first key in keys, 0 while it may grow. CSI sequences as xterm, rxvt, the Linux
 * console and their kin send them. */
static size_t first_key(int *key)
{
    static const struct {
        const char *text;
        int key;
    } sequences[] = {{"[A", SL_KEY_UP},   {"OA", SL_KEY_UP},       {"[B", SL_KEY_DOWN},
                     {"OB", SL_KEY_DOWN}, {"[5~", SL_KEY_PAGE_UP}, {"[6~", SL_KEY_PAGE_DOWN},
                     {"[H", SL_KEY_HOME}, {"OH", SL_KEY_HOME},     {"[1~", SL_KEY_HOME},
                     {"[F", SL_KEY_END},  {"OF", SL_KEY_END},      {"[4~", SL_KEY_END}};
    const char *keys = screen.keys;
    *key = (unsigned char)keys[0];
    if (keys[0] != '\033')
        return 1;
    if (screen.keys_len == 1 || (keys[1] != '[' && keys[1] != 'O'))
        return screen.keys_len > 1 || screen.is_key_old ? 1 : 0;
    size_t len = 2;
    while (len < screen.keys_len && (unsigned char)keys[len] < '@')
        len++;
    if (len == screen.keys_len) /* cut, or no key at all */
        return screen.is_key_old || len == KEYS_LEN ? len : 0;
    len++;
    *key = 0;
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++)
        if (strlen(sequences[i].text) == len - 1 &&
            memcmp(sequences[i].text, keys + 1, len - 1) == 0)
            *key = sequences[i].key;
    return len;
}

int sl_screen_key(void)
{
    int key = 0;
    while (key == 0 && screen.keys_len > 0) {
        size_t len = first_key(&key);
        if (len == 0)
            return 0;
        screen.keys_len -= len;
        memmove(screen.keys, screen.keys + len, screen.keys_len);
        if (key == CTRL_L) {
            screen.is_known = false;
            key = 0;
        }
    }
    return key;
}

/* --- output --------------------------------------------------------------------------------- */

void sl_screen_show(const struct sl_grid *grid)
{
    bool is_same_size = grid->width == screen.shown.width && grid->height == screen.shown.height;
    if (!screen.is_known || !is_same_size) {
        write_text("\033[0m\033[2J");
        sl_grid_clear(&screen.shown, grid->width, grid->height);
    }
    screen.is_known = true;
    for (int row = 0; row < grid->height; row++)
        show_row(grid, row);
    flush();
}

/* From the first cell that differs to the last: fewer bytes than to jump between them. */
static void show_row(const struct sl_grid *grid, int row)
{
    const struct sl_cell *wanted = grid->cells[row];
    struct sl_cell *shown = screen.shown.cells[row];
    int first = 0, end = grid->width;
    while (first < end && memcmp(&wanted[first], &shown[first], sizeof *shown) == 0)
        first++;
    while (end > first && memcmp(&wanted[end - 1], &shown[end - 1], sizeof *shown) == 0)
        end--;
    if (first == end)
        return;

    char place[32];
    snprintf(place, sizeof place, PLACE, row + 1, first + 1);
    write_text(place);
    uint8_t style = SL_STYLE_PLAIN;
    for (int column = first; column < end; column++) {
        if (wanted[column].style != style) {
            write_text(sl_cli_colour(SL_COLOUR_OFF));
            style = wanted[column].style;
            if (style != SL_STYLE_PLAIN)
                write_text(sl_screen_style(wanted[column].style));
        }
        write_text(sl_grid_character(wanted[column], screen.is_utf8));
        shown[column] = wanted[column];
    }
    if (style != SL_STYLE_PLAIN)
        write_text(sl_cli_colour(SL_COLOUR_OFF));
}

const char *sl_screen_style(enum sl_style style)
{
    static const enum sl_colour colours[] = {
        [SL_STYLE_PLAIN] = SL_COLOUR_OFF, [SL_STYLE_BOLD] = SL_COLOUR_BOLD,
        [SL_STYLE_DIM] = SL_COLOUR_DIM,   [SL_STYLE_GOOD] = SL_COLOUR_GOOD,
        [SL_STYLE_WARN] = SL_COLOUR_WARN, [SL_STYLE_BAD] = SL_COLOUR_BAD};
    return sl_cli_colour(colours[style]);
}

void sl_screen_print(const struct sl_grid *grid, int rows)
{
    bool is_utf8 = isatty(STDOUT_FILENO) && knows_utf8();
    for (int row = 0; row < rows && row < grid->height; row++) {
        const struct sl_cell *cells = grid->cells[row];
        int end = grid->width;
        while (end > 0 && cells[end - 1].glyph == ' ')
            end--;
        uint8_t style = SL_STYLE_PLAIN;
        for (int column = 0; column < end; column++) {
            if (cells[column].style != style) {
                style = cells[column].style;
                fputs(sl_cli_colour(SL_COLOUR_OFF), stdout);
                fputs(style == SL_STYLE_PLAIN ? "" : sl_screen_style(style), stdout);
            }
            fputs(sl_grid_character(cells[column], is_utf8), stdout);
        }
        printf("%s\n", style == SL_STYLE_PLAIN ? "" : sl_cli_colour(SL_COLOUR_OFF));
    }
}

static bool knows_utf8(void)
{
    setlocale(LC_CTYPE, "");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void write_text(const char *text)
{
    size_t len = strlen(text);
    if (screen.out_len + len > sizeof screen.out)
        flush();
    memcpy(screen.out + screen.out_len, text, len);
    screen.out_len += len;
}

/* A signal that ends the program also ends a write that nobody reads: the picture is then unknown.
 */
static void flush(void)
{
    size_t written = 0;
    while (written < screen.out_len) {
        ssize_t now = write(STDOUT_FILENO, screen.out + written, screen.out_len - written);
        if (now <= 0) {
            screen.is_known = false;
            break;
        }
        written += (size_t)now;
    }
    screen.out_len = 0;
}
