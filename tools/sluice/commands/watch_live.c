/* The live picture: a child process follows the broker, its lines become the picture. So a broker
 * that does not answer, or a resolver that hangs, never stops the countdown and the keys. */
#include "cli/lines.h"
#include "commands/watch.h"
#include "view/picture.h"
#include "view/screen.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MS     250
#define AGAIN_MIN_MS 1000
#define AGAIN_MAX_MS 30000
#define STABLE_MS    10000 /* a connection that lasted so long begins with short pauses again */

struct live {
    struct sl_watching *watching;
    struct sl_picture picture;
    struct sl_lines lines;
    char words[SL_LINE_MAX]; /* the last message: why the child ended */
    uint64_t again_ms, pause_ms, connected_ms, end_ms;
    bool was_connected, is_ending;
    enum sl_exit code;
};

static void run_loop(struct live *live);
static void begin_lines(struct live *live, uint64_t now_ms);
static void run_child(struct sl_watching *watching, pid_t parent, int output);
static void take_lines(struct live *live, uint64_t now_ms);
static void end_lines(struct live *live, uint64_t now_ms);
static void take_key(struct live *live, int key, struct sl_picture_rows rows);
static void stop(int signal_number);

static const char prefix[] = "sluice: "; /* of the child's messages, beside its JSON */
static volatile sig_atomic_t is_stopping;

enum sl_exit sl_watch_show(struct sl_watching *watching)
{
    struct live *live = calloc(1, sizeof *live);
    if (!live || !sl_picture_init(&live->picture, &watching->site, &watching->nodes)) {
        free(live);
        return sl_cli_fail(SL_ERROR(MEMORY));
    }
    live->watching = watching;
    live->lines.fd = -1;
    live->pause_ms = AGAIN_MIN_MS;
    if (watching->for_s)
        live->end_ms = sl_cli_now_ms() + (uint64_t)watching->for_s * 1000;
    /* Not restarted: what waits for a terminal that nobody reads gives up. */
    const struct sigaction action = {.sa_handler = stop};
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, NULL);

    if (sl_screen_open()) {
        run_loop(live);
        (void)sl_lines_end(&live->lines);
        sl_screen_close();
        if (live->code != SL_EXIT_DONE)
            fprintf(stderr, "%s\n", live->words); /* as the child told it */
    } else {
        live->code = sl_cli_fail(SL_ERROR(TERMINAL_FAILED), strerror(errno));
    }
    enum sl_exit code = live->code;
    sl_picture_free(&live->picture);
    free(live);
    return code;
}

static void run_loop(struct live *live)
{
    static struct sl_grid grid;
    while (!live->is_ending && !is_stopping) {
        uint64_t now_ms = sl_cli_now_ms();
        if (live->end_ms != 0 && now_ms >= live->end_ms)
            return;
        if (live->lines.child == 0 && now_ms >= live->again_ms)
            begin_lines(live, now_ms);
        sl_screen_size(&grid.width, &grid.height);
        struct sl_picture_rows rows =
            sl_picture_draw(&live->picture, &grid, now_ms, (int64_t)time(NULL));
        sl_screen_show(&grid);

        struct pollfd line = {.fd = live->lines.fd, .events = POLLIN};
        if (!sl_screen_wait(&line, 1, FRAME_MS))
            return;
        for (int key = sl_screen_key(); key != 0; key = sl_screen_key())
            take_key(live, key, rows);
        if (line.revents != 0)
            take_lines(live, sl_cli_now_ms());
    }
}

/* --- the child ------------------------------------------------------------------------------ */

static void begin_lines(struct live *live, uint64_t now_ms)
{
    int ends[2];
    live->words[0] = '\0';
    fflush(stdout);
    pid_t parent = getpid(), child = -1;
    if (pipe2(ends, O_CLOEXEC) == 0) {
        child = fork();
        if (child == 0)
            run_child(live->watching, parent, ends[1]);
        close(ends[1]);
        if (child < 0)
            close(ends[0]);
    }
    if (child < 0) {
        sl_picture_lost(&live->picture, strerror(errno), now_ms, now_ms + AGAIN_MAX_MS);
        live->again_ms = now_ms + AGAIN_MAX_MS;
        return;
    }
    live->lines.child = child;
    live->lines.fd = ends[0];
}

/* In a process group of its own: Ctrl-C and Ctrl-Z are for the picture. Ends with it. */
static void run_child(struct sl_watching *watching, pid_t parent, int output)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    if (getppid() != parent)
        _exit(SL_EXIT_NO_ANSWER);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    watching->wants_json = watching->announces = true;
    watching->for_s = 0;
    enum sl_exit code = sl_watch_follow(watching);
    fflush(stdout);
    _exit((int)code);
}

static void take_lines(struct live *live, uint64_t now_ms)
{
    static char line[SL_LINE_MAX];
    bool is_open = sl_lines_read(&live->lines);
    while (sl_lines_next(&live->lines, line, sizeof line)) {
        if (strcmp(line, SL_WATCH_CONNECTED) == 0) {
            sl_picture_connected(&live->picture, now_ms);
            live->connected_ms = now_ms;
            live->was_connected = true;
        } else if (strncmp(line, prefix, sizeof prefix - 1) != 0) {
            (void)sl_picture_take(&live->picture, line, now_ms, (int64_t)time(NULL));
        } else {
            memcpy(live->words, line, sizeof live->words);
        }
    }
    if (!is_open)
        end_lines(live, now_ms);
}

/* Trying again helps when the broker or the network was away; not with a wrong operator, a broken
 * file or, at the start, a second watch. */
static void end_lines(struct live *live, uint64_t now_ms)
{
    int code = sl_lines_end(&live->lines);
    bool is_final = code == SL_EXIT_USAGE || code == SL_EXIT_FILES ||
                    (code == SL_EXIT_REFUSED && !live->was_connected);
    if (is_final && live->words[0] != '\0') {
        live->code = (enum sl_exit)code;
        live->is_ending = true;
        return;
    }
    if (live->picture.is_connected && now_ms - live->connected_ms >= STABLE_MS)
        live->pause_ms = AGAIN_MIN_MS;
    const char *words = live->words[0] ? live->words : "the connection ended";
    if (strncmp(words, prefix, sizeof prefix - 1) == 0)
        words += sizeof prefix - 1;
    live->again_ms = now_ms + live->pause_ms;
    sl_picture_lost(&live->picture, words, now_ms, live->again_ms);
    live->pause_ms = live->pause_ms * 2 < AGAIN_MAX_MS ? live->pause_ms * 2 : AGAIN_MAX_MS;
}

/* --- keys ----------------------------------------------------------------------------------- */

static void take_key(struct live *live, int key, struct sl_picture_rows rows)
{
    struct sl_picture *picture = &live->picture;
    int page = rows.shown > 1 ? rows.shown - 1 : 1;
    if (key == 'q') {
        live->is_ending = true;
    } else if (key == '?' || (key == SL_KEY_ESCAPE && picture->wants_help)) {
        picture->wants_help = !picture->wants_help;
        picture->scroll = 0;
    } else if (key == SL_KEY_UP || key == 'k') {
        picture->scroll--;
    } else if (key == SL_KEY_DOWN || key == 'j') {
        picture->scroll++;
    } else if (key == SL_KEY_PAGE_UP) {
        picture->scroll -= page;
    } else if (key == SL_KEY_PAGE_DOWN || key == ' ') {
        picture->scroll += page;
    } else if (key == SL_KEY_HOME) {
        picture->scroll = 0;
    } else if (key == SL_KEY_END) {
        picture->scroll = rows.all;
    }
    /* Several keys before the next picture: stay within what a draw can bring into range. */
    if (picture->scroll < 0)
        picture->scroll = 0;
}

static void stop(int signal_number)
{
    (void)signal_number;
    is_stopping = 1;
}
