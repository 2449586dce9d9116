/* Taking the path is the delicate part: never remove what is not a dead socket. */
#define _GNU_SOURCE
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 8

static bool clear_path(const struct sockaddr_un *address);

bool twin_listener_open(struct twin_listener *listener, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    listener->fd = -1;
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr,
                "sluice-chip: socket %s: the path is longer than %zu bytes; use a shorter one\n",
                path, sizeof address.sun_path - 1);
        return false;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!clear_path(&address))
        return false;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    bool is_bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    umask(mask);
    if (!is_bound || listen(fd, BACKLOG) != 0) {
        fprintf(stderr, "sluice-chip: socket %s: %s; give a path in a folder you can write\n", path,
                strerror(is_bound ? errno : error));
        if (is_bound)
            unlink(path);
        if (fd >= 0)
            close(fd);
        return false;
    }
    listener->path = path;
    listener->fd = fd;
    return true;
}

void twin_listener_close(struct twin_listener *listener)
{
    if (listener->fd < 0)
        return;
    unlink(listener->path);
    close(listener->fd);
    listener->fd = -1;
}

int twin_listener_accept(const struct twin_listener *listener)
{
    return accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* A socket file that refuses connections was left behind by a program that was killed. */
static bool clear_path(const struct sockaddr_un *address)
{
    const char *path = address->sun_path;
    struct stat info;
    if (lstat(path, &info) != 0)
        return true;
    if (!S_ISSOCK(info.st_mode)) {
        fprintf(
            stderr,
            "sluice-chip: socket %s: a file that is no socket has this name; move it away or give "
            "another path\n",
            path);
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool is_dead = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                   errno == ECONNREFUSED;
    if (fd >= 0)
        close(fd);
    if (!is_dead) {
        fprintf(
            stderr,
            "sluice-chip: socket %s: another program listens there; end it or give another path\n",
            path);
        return false;
    }
    unlink(path);
    return true;
}
