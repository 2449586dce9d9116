/* The protocol of sd_notify(3) is a datagram of lines NAME=value, promised to stay so. */
#include "notify.h"
#include "datagram.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    const char *socket;     /* NULL: no service manager */
    uint32_t watchdog_ms;   /* half of what it waits, 0: none */
    sl_ms watchdog_due;     /* valid with a watchdog */
    uint32_t exchanges_fed; /* when the watchdog was fed last */
    bool is_ready;
    bool was_connected, was_link_up, had_ended; /* in the last STATUS */
} manager;

static void tell(const char *text);
static void tell_status(const struct sl_node_health *health);
static uint32_t read_watchdog_ms(void);

void posix_notify_init(sl_ms now)
{
    manager.socket = getenv("NOTIFY_SOCKET");
    manager.watchdog_ms = manager.socket ? read_watchdog_ms() : 0;
    manager.watchdog_due = now + manager.watchdog_ms;
    manager.exchanges_fed = 0;
    manager.is_ready = false;
}

void posix_notify_turn(sl_ms now, const struct sl_node_health *health)
{
    if (!manager.socket)
        return;
    const bool is_first = !manager.is_ready;
    if (is_first)
        tell("READY=1");
    if (is_first || health->is_connected != manager.was_connected ||
        health->is_link_up != manager.was_link_up || health->has_ended != manager.had_ended)
        tell_status(health);
    manager.is_ready = true;

    if (manager.watchdog_ms == 0 || !sl_ms_is_reached(now, manager.watchdog_due))
        return;
    if (health->exchanges != manager.exchanges_fed)
        tell("WATCHDOG=1");
    manager.exchanges_fed = health->exchanges;
    manager.watchdog_due = now + manager.watchdog_ms;
}

void posix_notify_waiting(sl_ms now, const char *line)
{
    char text[128];

    if (!manager.socket)
        return;
    if (!manager.is_ready) {
        snprintf(text, sizeof text, "READY=1\nSTATUS=waiting for 'sluice node enrol' on %.64s",
                 line);
        tell(text);
        manager.is_ready = true;
    }
    if (manager.watchdog_ms == 0 || !sl_ms_is_reached(now, manager.watchdog_due))
        return;
    tell("WATCHDOG=1");
    manager.watchdog_due = now + manager.watchdog_ms;
}

void posix_notify_stopping(void)
{
    if (manager.socket)
        tell("STOPPING=1\nSTATUS=stopping: switching every zone off");
}

void posix_notify_wait(struct posix_wait *wait)
{
    if (manager.watchdog_ms > 0)
        posix_wait_until(wait, manager.watchdog_due);
}

static void tell(const char *text)
{
    (void)posix_datagram_send(manager.socket, sl_view_text(text));
}

static void tell_status(const struct sl_node_health *health)
{
    char text[128];

    snprintf(text, sizeof text, "STATUS=%s%s; %s",
             health->is_connected ? "connected to the broker" : "not connected to the broker",
             health->has_ended ? ", the certificate has ended" : "",
             health->is_link_up ? "the relay chip answers" : "the relay chip does not answer");
    tell(text);
    manager.was_connected = health->is_connected;
    manager.was_link_up = health->is_link_up;
    manager.had_ended = health->has_ended;
}

/* Half of WATCHDOG_USEC, as sd_watchdog_enabled(3) recommends; 0: none, or not for this process. */
static uint32_t read_watchdog_ms(void)
{
    const char *pid = getenv("WATCHDOG_PID"), *usec = getenv("WATCHDOG_USEC");
    const unsigned long long us = usec ? strtoull(usec, NULL, 10) : 0;

    if (us == 0 || (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid()))
        return 0;
    if (us / 2000 > INT32_MAX)
        return INT32_MAX;
    return us < 2000 ? 1 : (uint32_t)(us / 2000);
}
