/* Randomness that is the same at every run. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RAND_set_rand_method is the one way without a provider */
#include "support/known_random.h"
#include <bearssl.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state;

/* Takes the place of the library's own, which would mix the system's randomness in. */
br_prng_seeder br_prng_seeder_system(const char **name)
{
    if (name != NULL)
        *name = "none";
    return 0;
}

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint8_t draw(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint8_t)(z >> 56);
}

static int fill(unsigned char *out, int len)
{
    for (int i = 0; i < len; i++)
        out[i] = draw();
    return 1;
}

static int is_seeded(void)
{
    return 1;
}

void test_random_start(uint64_t seed)
{
    static const RAND_METHOD method = {.bytes = fill, .pseudorand = fill, .status = is_seeded};
    state = seed;
    if (RAND_set_rand_method(&method) != 1) {
        fprintf(stderr, "known_random: OpenSSL keeps its own\n");
        abort();
    }
}
