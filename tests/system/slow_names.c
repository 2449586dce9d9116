/* LD_PRELOAD: "two.invalid" has two addresses of which only the second one answers; every other
 * name hangs, as with a resolver that does not answer. Address literals are answered as always: the
 * C library asks nobody for them. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    look_up *next;

    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    if (hints && (hints->ai_flags & AI_NUMERICHOST) != 0)
        return next(name, service, hints, found);
    while (strcmp(name, "two.invalid") != 0)
        pause();
    const int error = next("127.0.0.2", service, hints, found);
    return error != 0 ? error : next("127.0.0.1", service, hints, &(*found)->ai_next);
}
