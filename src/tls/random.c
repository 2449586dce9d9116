/* Random bytes and unbiased numbers from an HMAC-DRBG. */
#include "tls/random.h"

void sl_random_init(struct sl_random *random, const uint8_t *seed, size_t len)
{
    br_hmac_drbg_init(&random->drbg, &br_sha256_vtable, seed, len);
}

void sl_random_read(struct sl_random *random, void *out, size_t len)
{
    br_hmac_drbg_generate(&random->drbg, out, len);
}

uint32_t sl_random_below(struct sl_random *random, uint32_t limit)
{
    /* The 2^32 mod limit lowest values would make some remainders more likely: draw again. Half
     * of all draws or more are good, so this ends; the generator cannot repeat itself. */
    const uint32_t uneven = (0u - limit) % limit;
    uint32_t draw;

    do {
        sl_random_read(random, &draw, sizeof draw);
    } while (draw < uneven);
    return draw % limit;
}
