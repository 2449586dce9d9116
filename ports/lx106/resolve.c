#include "resolve.h"
#include "ethernet.h"
#include <lwip/dns.h>
#include <string.h>

static bool is_own_loopback(const char *host);
static void answer(const char *host, const ip_addr_t *address, void *argument);

void lx106_resolve(struct lx106_question *question, const char *host)
{
    if (question->is_asked)
        return;
    if (is_own_loopback(host)) {
        question->address.addr = lx106_ethernet_gateway();
        question->state = LX106_RESOLVED;
        return;
    }
    switch (dns_gethostbyname(host, &question->address, answer, question)) {
    case ERR_OK:
        question->state = LX106_RESOLVED;
        break;
    case ERR_INPROGRESS:
        question->state = LX106_RESOLVING;
        question->is_asked = true;
        break;
    default: /* no server is known, or it is busy with another question */
        question->state = LX106_UNRESOLVED;
        break;
    }
}

static bool is_own_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0;
}

static void answer(const char *host, const ip_addr_t *address, void *argument)
{
    struct lx106_question *question = argument;

    (void)host;
    question->is_asked = false;
    question->state = address ? LX106_RESOLVED : LX106_UNRESOLVED;
    if (address)
        question->address = *address;
}
