/* What people read of an enrolment. Host programs only. */
#ifndef SL_ENROL_TEXT_H
#define SL_ENROL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#define SL_ENROL_FINGERPRINT_LEN 20 /* with its terminator */

/* The first 64 bits of the SHA-256 of a public key (SubjectPublicKeyInfo in DER):
 * "3F2A-91BC-0D44-7E19". Somebody in between would have to find a key of his own with the same 64
 * bits while the device waits. */
void sl_enrol_print_fingerprint(char out[SL_ENROL_FINGERPRINT_LEN], uint64_t first);
/* Is text, in any case and with hyphens, colons and blanks anywhere, the beginning of the SHA-256?
 * At least 16 digits. */
bool sl_enrol_is_fingerprint(const char *text, const uint8_t sha256[32]);

/* Never NULL; unknown refusals have words, too. */
struct sl_enrol_words {
    const char *what; /* "it cannot store the identity": follows "the device refuses: " */
    const char *cure;
};
struct sl_enrol_words sl_enrol_refusal_words(uint8_t refusal);

#endif
