/* getaddrinfo: at once for address literals, in a background thread for names. */
#include "resolver.h"
#include <stdio.h>
#include <string.h>

static void look_up(void *job);
static int ask_system(const struct posix_question *question, int flags,
                      struct posix_addresses *addresses);
static enum posix_resolved fail(struct posix_resolver *resolver, const char *error);

void posix_resolver_init(struct posix_resolver *resolver, int type)
{
    memset(resolver, 0, sizeof *resolver);
    resolver->question.type = type;
    resolver->background = (struct posix_background)POSIX_BACKGROUND_INIT(look_up, resolver);
}

void posix_resolver_ask(struct posix_resolver *resolver, sl_ms now, struct sl_view host,
                        uint16_t port)
{
    struct posix_question *question = &resolver->question;
    const size_t len = host.len < sizeof question->host ? host.len : sizeof question->host - 1;

    question->number++;
    memcpy(question->host, host.data, len);
    question->host[len] = '\0';
    snprintf(question->port, sizeof question->port, "%u", (unsigned)port);
    resolver->due = now + POSIX_RESOLVE_MS;
}

enum posix_resolved posix_resolver_take(struct posix_resolver *resolver, sl_ms now,
                                        struct posix_addresses *addresses)
{
    /* A literal never touches the network, and must work while a look-up hangs. */
    if (ask_system(&resolver->question, AI_NUMERICHOST, addresses) == 0)
        return POSIX_RESOLVED;

    if (posix_background_is_busy(&resolver->background)) {
        if (sl_ms_is_reached(now, resolver->due))
            return fail(resolver, "the resolver did not answer in time");
        return POSIX_RESOLVING;
    }
    if (resolver->job.question.number != resolver->question.number) {
        resolver->job.question = resolver->question;
        if (!posix_background_start(&resolver->background))
            return fail(resolver, "the system gave no thread to ask with");
        return POSIX_RESOLVING;
    }
    if (resolver->job.error != 0)
        return fail(resolver, gai_strerror(resolver->job.error));
    *addresses = resolver->job.addresses;
    return POSIX_RESOLVED;
}

void posix_resolver_wait(struct posix_resolver *resolver, struct posix_wait *wait)
{
    if (!posix_background_is_busy(&resolver->background))
        return;
    posix_wait_for(wait, resolver->background.fd, POLLIN);
    posix_wait_until(wait, resolver->due);
}

static enum posix_resolved fail(struct posix_resolver *resolver, const char *error)
{
    resolver->error = error;
    return POSIX_UNRESOLVED;
}

/* In the background thread. */
static void look_up(void *job)
{
    struct posix_resolver *resolver = job;

    resolver->job.error = ask_system(&resolver->job.question, 0, &resolver->job.addresses);
}

/* Gives: 0 and at least one address, or EAI_*. */
static int ask_system(const struct posix_question *question, int flags,
                      struct posix_addresses *addresses)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = question->type, .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *found = NULL;

    addresses->len = 0;
    const int error = getaddrinfo(question->host, question->port, &hints, &found);
    if (error != 0)
        return error;
    for (const struct addrinfo *at = found; at && addresses->len < POSIX_ADDRESSES_MAX;
         at = at->ai_next) {
        if (at->ai_addrlen > sizeof addresses->list[0])
            continue;
        memcpy(&addresses->list[addresses->len], at->ai_addr, at->ai_addrlen);
        addresses->list_len[addresses->len++] = at->ai_addrlen;
    }
    freeaddrinfo(found);
    return addresses->len > 0 ? 0 : EAI_NONAME;
}
