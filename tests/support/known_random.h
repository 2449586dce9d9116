/* For programs that must run the same way every time: keys, certificates and handshakes included.
 *
 * Linking this takes the system's randomness from BearSSL; what it still has is what it was given
 * as a seed. Never for anything that leaves a test.
 */
#ifndef TEST_SUPPORT_KNOWN_RANDOM_H
#define TEST_SUPPORT_KNOWN_RANDOM_H

#include <stdint.h>

/* From now on OpenSSL draws a sequence that depends on seed alone. */
void test_random_start(uint64_t seed);

#endif
