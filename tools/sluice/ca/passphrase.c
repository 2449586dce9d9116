/* A passphrase from a descriptor, a file, a credential or the terminal. */
#include "ca/passphrase.h"
#include "base/bytes.h"
#include "site/file.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int given_fd = -1;

static enum sl_exit read_file(const struct sl_passphrase_ask *ask, const char *path,
                              bool must_be_private, struct sl_passphrase *passphrase);
static enum sl_exit read_line(int fd, struct sl_passphrase *passphrase, bool *is_whole);
static enum sl_exit check(const struct sl_passphrase_ask *ask,
                          const struct sl_passphrase *passphrase);
static enum sl_exit ask_terminal(const struct sl_passphrase_ask *ask, int terminal,
                                 struct sl_passphrase *passphrase);
static enum sl_exit read_hidden(int terminal, const char *prompt, const char *what,
                                struct sl_passphrase *passphrase);

/* Not for a child, though it were Mosquitto: a file behind it could be read again from its start.
 */
void sl_passphrase_use_fd(int fd)
{
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* who cannot read it is told when it is taken */
    given_fd = fd;
}

enum sl_exit sl_passphrase_take(const struct sl_passphrase_ask *ask,
                                struct sl_passphrase *passphrase)
{
    *passphrase = (struct sl_passphrase){.len = 0};
    if (given_fd >= 0) {
        int fd = given_fd;
        given_fd = -1;
        return sl_passphrase_read_fd(ask, fd, passphrase);
    }
    const char *path = ask->variable ? getenv(ask->variable) : NULL;
    if (path && path[0] != '\0')
        return read_file(ask, path, true, passphrase);
    const char *folder = ask->credential ? getenv("CREDENTIALS_DIRECTORY") : NULL;
    struct sl_path credential = sl_path_join(folder ? folder : "", folder ? ask->credential : "");
    if (folder && folder[0] != '\0' && access(credential.text, F_OK) == 0)
        return read_file(ask, credential.text, false, passphrase);
    int terminal = ask->may_ask ? open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (terminal < 0)
        return SL_EXIT_REFUSED;
    enum sl_exit code = ask_terminal(ask, terminal, passphrase);
    close(terminal);
    return code;
}

/* --- a descriptor, a file ------------------------------------------------------------------- */

enum sl_exit sl_passphrase_read_fd(const struct sl_passphrase_ask *ask, int fd,
                                   struct sl_passphrase *passphrase)
{
    bool is_whole = false;
    enum sl_exit code = read_line(fd, passphrase, &is_whole);
    if (code != SL_EXIT_DONE)
        return sl_cli_fail(SL_ERROR(PASSPHRASE_UNREADABLE), ask->what, strerror(errno));
    if (!is_whole)
        return sl_cli_fail(SL_ERROR(PASSPHRASE_LONG), ask->what, SL_PASSPHRASE_MAX);
    return check(ask, passphrase);
}

/* must_be_private: the service manager sees to the modes of its credentials. */
static enum sl_exit read_file(const struct sl_passphrase_ask *ask, const char *path,
                              bool must_be_private, struct sl_passphrase *passphrase)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return sl_file_fail("read", path);
    enum sl_exit code = SL_EXIT_DONE;
    if (fstat(fd, &about) != 0)
        code = sl_file_fail("read", path);
    else if (S_ISREG(about.st_mode) && must_be_private && (about.st_mode & 077) != 0)
        code = sl_cli_fail(SL_ERROR(PASSPHRASE_FILE_OPEN), path, path);
    else
        code = sl_passphrase_read_fd(ask, fd, passphrase);
    close(fd);
    return code;
}

/* Byte by byte: what stands behind the line is for another reader. *is_whole: it had room. */
static enum sl_exit read_line(int fd, struct sl_passphrase *passphrase, bool *is_whole)
{
    char byte = '\0';
    passphrase->len = 0;
    *is_whole = true;
    for (;;) {
        ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return SL_EXIT_FILES;
        if (got == 0 || byte == '\n')
            break;
        if (passphrase->len == SL_PASSPHRASE_MAX) {
            *is_whole = false;
            break;
        }
        passphrase->text[passphrase->len++] = byte;
    }
    if (passphrase->len > 0 && passphrase->text[passphrase->len - 1] == '\r')
        passphrase->len--;
    passphrase->text[passphrase->len] = '\0';
    return SL_EXIT_DONE;
}

/* A NUL would end it early for whoever takes it as a text. */
static enum sl_exit check(const struct sl_passphrase_ask *ask,
                          const struct sl_passphrase *passphrase)
{
    if (passphrase->len == 0)
        return sl_cli_fail(SL_ERROR(PASSPHRASE_EMPTY), ask->what);
    if (memchr(passphrase->text, '\0', passphrase->len))
        return sl_cli_fail(SL_ERROR(PASSPHRASE_EMPTY), ask->what);
    if (ask->is_new && passphrase->len < SL_PASSPHRASE_MIN)
        return sl_cli_fail(SL_ERROR(PASSPHRASE_SHORT), ask->what, SL_PASSPHRASE_MIN);
    return SL_EXIT_DONE;
}

/* --- the terminal --------------------------------------------------------------------------- */

enum sl_exit sl_passphrase_prompt(const char *what, struct sl_passphrase *passphrase)
{
    char prompt[PATH_MAX];
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return sl_cli_fail(SL_ERROR(PASSPHRASE_UNREADABLE), what, strerror(errno));
    snprintf(prompt, sizeof prompt, "Passphrase for %s: ", what);
    enum sl_exit code = read_hidden(terminal, prompt, what, passphrase);
    close(terminal);
    return code;
}

static enum sl_exit ask_terminal(const struct sl_passphrase_ask *ask, int terminal,
                                 struct sl_passphrase *passphrase)
{
    char prompt[PATH_MAX];
    snprintf(prompt, sizeof prompt, "%s for %s: ", ask->is_new ? "New passphrase" : "Passphrase",
             ask->what);
    enum sl_exit code = read_hidden(terminal, prompt, ask->what, passphrase);
    if (code == SL_EXIT_DONE)
        code = check(ask, passphrase);
    if (code != SL_EXIT_DONE || !ask->is_new)
        return code;
    struct sl_passphrase again;
    code = read_hidden(terminal, "The same again: ", ask->what, &again);
    if (code == SL_EXIT_DONE &&
        (again.len != passphrase->len || memcmp(again.text, passphrase->text, again.len) != 0))
        code = sl_cli_fail(SL_ERROR(PASSPHRASE_DIFFERS), ask->what);
    sl_wipe(&again, sizeof again);
    return code;
}

/* Signals that would leave the terminal without its echo are held until it has it again. */
static const int held[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
#define HELD_LEN (sizeof held / sizeof held[0])
static volatile sig_atomic_t caught;

static void catch (int number)
{
    caught = number;
}

static enum sl_exit read_hidden(int terminal, const char *prompt, const char *what,
                                struct sl_passphrase *passphrase)
{
    struct termios before, hidden;
    struct sigaction actions[HELD_LEN];
    const struct sigaction ours = {.sa_handler = catch}; /* no SA_RESTART: read ends */
    bool is_over = false;
    enum sl_exit code = SL_EXIT_DONE;

    passphrase->len = 0;
    while (!is_over) {
        if (tcgetattr(terminal, &before) != 0)
            return sl_cli_fail(SL_ERROR(PASSPHRASE_UNREADABLE), what, strerror(errno));
        hidden = before;
        hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
        caught = 0;
        for (size_t i = 0; i < HELD_LEN; i++)
            sigaction(held[i], &ours, &actions[i]);
        (void)tcsetattr(terminal, TCSAFLUSH, &hidden);
        (void)!write(terminal, prompt, strlen(prompt));
        passphrase->len = 0;
        char byte = '\0';
        ssize_t got = 0;
        while (caught == 0 && passphrase->len < SL_PASSPHRASE_MAX &&
               (got = read(terminal, &byte, 1)) == 1 && byte != '\n')
            passphrase->text[passphrase->len++] = byte;
        int cause = errno;
        (void)!write(terminal, "\n", 1);
        (void)tcsetattr(terminal, TCSAFLUSH, &before);
        for (size_t i = 0; i < HELD_LEN; i++)
            sigaction(held[i], &actions[i], NULL);
        is_over = caught != SIGTSTP;
        if (caught != 0)
            (void)raise(caught); /* usually the end of us; after a stop the question comes again */
        if (is_over && (caught != 0 || got < 0))
            code = sl_cli_fail(SL_ERROR(PASSPHRASE_UNREADABLE), what, strerror(cause));
        else if (is_over && passphrase->len == SL_PASSPHRASE_MAX)
            code = sl_cli_fail(SL_ERROR(PASSPHRASE_LONG), what, SL_PASSPHRASE_MAX);
    }
    passphrase->text[passphrase->len] = '\0';
    return code;
}
