/* The lines of a child process. */
#include "cli/lines.h"
#include "cli/cli.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define END_MS 500

bool sl_lines_read(struct sl_lines *lines)
{
    if (lines->len == sizeof lines->text) {
        lines->len = 0;
        lines->is_dropping = true;
    }
    ssize_t got = read(lines->fd, lines->text + lines->len, sizeof lines->text - lines->len);
    if (got > 0)
        lines->len += (size_t)got;
    lines->is_over = got == 0;
    return got > 0 || (got < 0 && errno == EINTR);
}

bool sl_lines_next(struct sl_lines *lines, char *line, size_t line_len)
{
    for (;;) {
        const char *end = memchr(lines->text, '\n', lines->len);
        if (!end)
            return false;
        size_t len = (size_t)(end - lines->text);
        bool is_whole = !lines->is_dropping;
        lines->is_dropping = false;
        if (is_whole)
            sl_cli_clean(line, line_len, lines->text, len);
        lines->len -= len + 1;
        memmove(lines->text, end + 1, lines->len);
        if (is_whole)
            return true;
    }
}

int sl_lines_end(struct sl_lines *lines)
{
    int status = 0;
    pid_t ended = 0;
    /* Its output ends a moment before it does. */
    for (int i = 0; i < END_MS && lines->child > 0 && lines->is_over && ended == 0; i++) {
        ended = waitpid(lines->child, &status, WNOHANG);
        if (ended == 0)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (lines->child > 0 && ended == 0) {
        kill(lines->child, SIGKILL);
        while (waitpid(lines->child, &status, 0) < 0 && errno == EINTR)
            ;
    }
    if (lines->fd >= 0)
        close(lines->fd);
    lines->child = 0;
    lines->fd = -1;
    lines->len = 0;
    lines->is_dropping = lines->is_over = false;
    return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
