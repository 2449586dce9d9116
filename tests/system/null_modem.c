/* A serial cable between two pseudo terminals, and what may be wrong with it.
 *
 * null-modem LINK LINK [cut N | noise | garbage]: cut lets N frames of an enrolment pass, and then
 * nothing until SIGUSR1 mends it; noise puts bytes in front of whatever passes; garbage passes
 * nothing and says a lot. Ends with its parent. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#define NOISE_LEN 64

static volatile sig_atomic_t is_mended;

static void mend(int number)
{
    (void)number;
    is_mended = 1;
}

/* The far end stays open, so that a program may come and go there. */
static int make_end(const char *path)
{
    struct termios modes;
    char name[64];
    const int fd = posix_openpt(O_RDWR | O_NOCTTY);

    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, name, sizeof name) != 0)
        return -1;
    const int other = open(name, O_RDWR | O_NOCTTY);
    if (other < 0 || tcgetattr(other, &modes) != 0)
        return -1;
    cfmakeraw(&modes);
    unlink(path);
    return tcsetattr(other, TCSANOW, &modes) == 0 && symlink(name, path) == 0 ? fd : -1;
}

static void say_noise(int fd)
{
    static unsigned state = 1;
    unsigned char bytes[NOISE_LEN];

    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (unsigned char)(state >> 24);
    }
    (void)!write(fd, bytes, sizeof bytes);
}

int main(int argc, char **argv)
{
    const struct sigaction action = {.sa_handler = mend};
    const char *fault = argc > 3 ? argv[3] : "";
    const long frames = argc > 4 ? strtol(argv[4], NULL, 10) : 0;
    long zeros = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigaction(SIGUSR1, &action, NULL);
    struct pollfd ends[2] = {{.events = POLLIN}, {.events = POLLIN}};
    for (int i = 0; i < 2; i++)
        if (argc < 3 || (ends[i].fd = make_end(argv[1 + i])) < 0) {
            perror("null-modem");
            return 1;
        }
    puts("ready");
    fflush(stdout);
    for (;;) {
        const bool is_garbage = strcmp(fault, "garbage") == 0;
        if (poll(ends, 2, is_garbage ? 5 : -1) < 0 && errno != EINTR)
            return 1;
        if (is_garbage)
            say_noise(ends[0].fd);
        for (int i = 0; i < 2; i++) {
            unsigned char bytes[1024];
            const ssize_t len =
                ends[i].revents & POLLIN ? read(ends[i].fd, bytes, sizeof bytes) : 0;
            ssize_t passed = 0;
            while (passed < len && (is_mended || strcmp(fault, "cut") != 0 || zeros < 2 * frames))
                zeros += bytes[passed++] == 0;
            if (passed == 0 || is_garbage)
                continue;
            if (strcmp(fault, "noise") == 0)
                say_noise(ends[1 - i].fd);
            if (write(ends[1 - i].fd, bytes, (size_t)passed) != passed)
                return 1;
        }
    }
}
