/* Exponential back-off with full jitter: a broker that comes back is not met by everybody at once.
 *
 * The n-th pause in a row is uniform in 0..min(5 min, 1 s * 2^n). Source: M. Brooker, "Exponential
 * Backoff And Jitter" (AWS, 2015), variant "full jitter".
 */
#ifndef SL_NODE_BACKOFF_H
#define SL_NODE_BACKOFF_H

#include "tls/random.h"

#define SL_BACKOFF_FIRST_MS 1000
#define SL_BACKOFF_MAX_MS   300000

struct sl_backoff {
    uint32_t ceiling_ms; /* of the next pause */
};

void sl_backoff_reset(struct sl_backoff *backoff);
/* Gives: the next pause; its ceiling doubles for the one after. */
uint32_t sl_backoff_next_ms(struct sl_backoff *backoff, struct sl_random *random);

#endif
