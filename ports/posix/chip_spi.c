/* An exchange takes a millisecond and more in the system, so the loop leaves it to a thread. */
#include "chip_spi.h"
#include "background.h"
#include "log.h"
#include "spi_device.h"
#include <errno.h>
#include <string.h>

static void start(const uint8_t frame[SL_FRAME_LEN]);
static bool take(uint8_t frame[SL_FRAME_LEN]);
static void wait_for(struct posix_wait *wait);
static void exchange(void *job);
static void report(int error);

_Static_assert(SL_FRAME_LEN <= POSIX_SPI_LEN_MAX, "a frame is one exchange");

struct exchange { /* the thread's, while it is busy */
    int fd;
    int error; /* errno, 0: in holds the answer */
    uint8_t out[SL_FRAME_LEN], in[SL_FRAME_LEN];
};

static struct exchange job = {.fd = -1};
static struct posix_background thread = POSIX_BACKGROUND_INIT(exchange, &job);
static struct {
    const char *path;
    bool is_open;     /* an exchange was started whose answer was not taken */
    bool is_reported; /* a failure, until the next success */
} chip;

bool posix_chip_spi_init(const char *path, struct posix_failure *failure)
{
    static const struct posix_chip kind = {start, take, wait_for};

    job.fd = posix_spi_open(path, failure);
    chip.path = path;
    posix_chip_use(&kind);
    return job.fd >= 0;
}

/* While the last exchange goes on, the new one is lost: the node gave the old one up after a time
 * in which any bus would have finished, and repeats what matters. */
static void start(const uint8_t frame[SL_FRAME_LEN])
{
    if (posix_background_is_busy(&thread)) {
        report(EBUSY);
        chip.is_open = false;
        return;
    }
    memcpy(job.out, frame, SL_FRAME_LEN);
    chip.is_open = posix_background_start(&thread);
    if (!chip.is_open)
        report(EAGAIN);
}

static bool take(uint8_t frame[SL_FRAME_LEN])
{
    if (posix_background_is_busy(&thread) || !chip.is_open)
        return false;
    chip.is_open = false;
    report(job.error);
    if (job.error == 0)
        memcpy(frame, job.in, SL_FRAME_LEN);
    return job.error == 0;
}

static void wait_for(struct posix_wait *wait)
{
    /* As take saw it: asked anew, an end since then would be noticed here and slept over. */
    if (thread.busy)
        posix_wait_for(wait, thread.fd, POLLIN);
}

static void exchange(void *argument)
{
    struct exchange *exchange = argument;

    exchange->error =
        posix_spi_exchange(exchange->fd, exchange->out, exchange->in, SL_FRAME_LEN) ? 0 : errno;
}

/* Each failure once, until it works again. A chip that is silent is no failure of the bus. */
static void report(int error)
{
    if (error != 0 && !chip.is_reported)
        posix_log_failure(POSIX_ERROR(SPI_FAILED), chip.path, strerror(error));
    if (error == 0 && chip.is_reported)
        posix_log(SL_LOG_INFO, "SPI device %s works again", chip.path);
    chip.is_reported = error != 0;
}
