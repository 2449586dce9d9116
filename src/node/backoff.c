/* Exponential back-off with full jitter. */
#include "node/backoff.h"

void sl_backoff_reset(struct sl_backoff *backoff)
{
    backoff->ceiling_ms = SL_BACKOFF_FIRST_MS;
}

uint32_t sl_backoff_next_ms(struct sl_backoff *backoff, struct sl_random *random)
{
    uint32_t pause_ms = sl_random_below(random, backoff->ceiling_ms + 1);
    backoff->ceiling_ms =
        backoff->ceiling_ms < SL_BACKOFF_MAX_MS / 2 ? backoff->ceiling_ms * 2 : SL_BACKOFF_MAX_MS;
    return pause_ms;
}
