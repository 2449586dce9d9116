/* Fingerprints and refusals in words. */
#include "enrol/text.h"
#include "enrol/frame.h"

#define SHA256_LEN 32
#define DIGITS_MIN 16

static const char digits[] = "0123456789ABCDEF";

static int value_of(char digit);

void sl_enrol_print_fingerprint(char out[SL_ENROL_FINGERPRINT_LEN], uint64_t first)
{
    char *at = out;

    for (int shift = 60; shift >= 0; shift -= 4) {
        *at++ = digits[first >> shift & 15];
        if (shift % 16 == 0)
            *at++ = shift > 0 ? '-' : '\0';
    }
}

bool sl_enrol_is_fingerprint(const char *text, const uint8_t sha256[SHA256_LEN])
{
    unsigned seen = 0;

    for (; *text != '\0'; text++) {
        if (*text == '-' || *text == ':' || *text == ' ')
            continue;
        const int value = value_of(*text);
        if (value < 0 || seen == 2 * SHA256_LEN ||
            value != (sha256[seen / 2] >> (seen % 2 == 0 ? 4 : 0) & 15))
            return false;
        seen++;
    }
    return seen >= DIGITS_MIN;
}

static int value_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

struct sl_enrol_words sl_enrol_refusal_words(uint8_t refusal)
{
    switch (refusal) {
#define X(code, name, text, cure)                                                                  \
    case code:                                                                                     \
        return (struct sl_enrol_words){text, cure};
        SL_ENROL_REFUSAL_LIST(X)
#undef X
    default:
        return (struct sl_enrol_words){"it gives a reason that this version does not know",
                                       "use programs of one version"};
    }
}
