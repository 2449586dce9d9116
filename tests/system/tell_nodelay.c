/* LD_PRELOAD: tells the file $SL_NODELAY of every TCP_NODELAY that a program sets. */
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

typedef int setsockopt_call(int, int, int, const void *, socklen_t);

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    setsockopt_call *next;
    const char *path = getenv("SL_NODELAY");
    *(void **)&next = dlsym(RTLD_NEXT, "setsockopt");
    if (path && level == IPPROTO_TCP && name == TCP_NODELAY) {
        FILE *out = fopen(path, "a");
        if (out) {
            fprintf(out, "TCP_NODELAY %d\n", *(const int *)value);
            fclose(out);
        }
    }
    return next(fd, level, name, value, len);
}
