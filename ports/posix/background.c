/* A detached thread for one job, and an eventfd that tells its end. */
#include "background.h"
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void *run(void *argument);

bool posix_background_start(struct posix_background *background)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (background->fd < 0)
        background->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (background->fd < 0)
        return false;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* The loop keeps signals blocked outside its sleep, and the thread inherits that. */
    background->busy = pthread_create(&thread, &attributes, run, background) == 0;
    pthread_attr_destroy(&attributes);
    return background->busy;
}

bool posix_background_is_busy(struct posix_background *background)
{
    uint64_t count;

    if (background->busy && read(background->fd, &count, sizeof count) == sizeof count)
        background->busy = false;
    return background->busy;
}

void posix_background_finish(struct posix_background *background, int ms)
{
    struct pollfd done = {.fd = background->fd, .events = POLLIN};

    if (posix_background_is_busy(background))
        (void)poll(&done, 1, ms);
}

static void *run(void *argument)
{
    struct posix_background *background = argument;
    const uint64_t one = 1;

    background->work(background->job);
    (void)!write(background->fd, &one, sizeof one);
    return NULL;
}
