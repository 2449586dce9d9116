/* A socket for each, so that a receiver that was restarted gets the next one. */
#include "datagram.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool posix_datagram_send(const char *path, struct sl_view bytes)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);
    const bool is_abstract = path[0] == '@';

    if (len == 0 || len >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, len);
    if (is_abstract)
        address.sun_path[0] = '\0';
    const size_t address_len = offsetof(struct sockaddr_un, sun_path) + len + (is_abstract ? 0 : 1);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const bool is_sent =
        sendto(fd, bytes.data, bytes.len, MSG_NOSIGNAL, (const struct sockaddr *)&address,
               (socklen_t)address_len) == (ssize_t)bytes.len;
    close(fd);
    return is_sent;
}
