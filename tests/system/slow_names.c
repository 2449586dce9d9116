/* LD_PRELOAD: name look-ups hang, as with a resolver that does not answer. Address literals are
 * answered as always; the C library does not ask anybody for them. */
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (!hints || (hints->ai_flags & AI_NUMERICHOST) == 0)
        for (;;)
            pause();
    *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
    return next(name, service, hints, found);
}
