/* A certificate begins with SEQUENCE { SEQUENCE { [0] version, serial number, algorithm, issuer,
 * SEQUENCE { not before, not after: only the last of these is wanted. */
#include "tls/chain.h"

#define TAG_SEQUENCE  0x30
#define TAG_VERSION   0xA0
#define TAG_INTEGER   0x02
#define TAG_UTC_TIME  0x17
#define TAG_TIME      0x18
#define LEN_IS_LONG   0x80 /* its lower bits say how many bytes of length follow */
#define LEN_BYTES_MAX 3
#define UTC_TIME_LEN  13 /* YYMMDDHHMMSSZ */

typedef const br_x509_class **chain_class;

enum step { CERTIFICATE, BODY, SERIAL, ALGORITHM, ISSUER, VALIDITY, FROM, UNTIL, DONE, UNREADABLE };
enum part { TAG, LEN, MORE_LEN, TIME };

static void take_byte(struct sl_chain *chain, uint8_t byte);
static void take_element(struct sl_chain *chain);
static bool read_time(const struct sl_chain *chain, uint64_t *unix_s);

static struct sl_chain *of(chain_class self)
{
    return (struct sl_chain *)self;
}

static void start_chain(chain_class self, const char *server_name)
{
    struct sl_chain *chain = of(self);

    chain->is_started = true;
    chain->not_after_s = UINT64_MAX;
    chain->checks.vtable->start_chain(&chain->checks.vtable, server_name);
}

static void start_cert(chain_class self, uint32_t len)
{
    struct sl_chain *chain = of(self);

    chain->step = CERTIFICATE;
    chain->part = TAG;
    chain->skip = 0;
    chain->checks.vtable->start_cert(&chain->checks.vtable, len);
}

static void append(chain_class self, const unsigned char *bytes, size_t len)
{
    struct sl_chain *chain = of(self);

    for (size_t i = 0; i < len && chain->step < DONE; i++)
        take_byte(chain, bytes[i]);
    chain->checks.vtable->append(&chain->checks.vtable, bytes, len);
}

static void end_cert(chain_class self)
{
    struct sl_chain *chain = of(self);

    if (chain->step != DONE)
        chain->not_after_s = 0;
    chain->checks.vtable->end_cert(&chain->checks.vtable);
}

static unsigned end_chain(chain_class self)
{
    struct sl_chain *chain = of(self);

    return chain->checks.vtable->end_chain(&chain->checks.vtable);
}

static const br_x509_pkey *get_pkey(const br_x509_class *const *self, unsigned *usages)
{
    const struct sl_chain *chain = (const struct sl_chain *)self;

    return chain->checks.vtable->get_pkey(&chain->checks.vtable, usages);
}

void sl_chain_init(struct sl_chain *chain)
{
    static const br_x509_class class = {
        .context_size = sizeof(struct sl_chain),
        .start_chain = start_chain,
        .start_cert = start_cert,
        .append = append,
        .end_cert = end_cert,
        .end_chain = end_chain,
        .get_pkey = get_pkey,
    };

    chain->vtable = &class;
    chain->is_started = false;
    chain->not_after_s = 0;
}

static void take_byte(struct sl_chain *chain, uint8_t byte)
{
    if (chain->skip > 0) {
        chain->skip--;
        return;
    }
    switch ((enum part)chain->part) {
    case TAG:
        chain->tag = byte;
        chain->part = LEN;
        return;
    case LEN:
        chain->len = byte;
        chain->len_left = 0;
        if (byte >= LEN_IS_LONG) {
            chain->len = 0;
            chain->len_left = (uint8_t)(byte - LEN_IS_LONG);
            chain->part = MORE_LEN;
        }
        if (chain->len_left > LEN_BYTES_MAX)
            chain->step = UNREADABLE;
        break;
    case MORE_LEN:
        chain->len = chain->len << 8 | byte;
        chain->len_left--;
        break;
    case TIME: {
        uint64_t unix_s;
        chain->time[chain->time_len++] = byte;
        if (chain->time_len < chain->len)
            return;
        chain->step = read_time(chain, &unix_s) ? DONE : UNREADABLE;
        if (chain->step == DONE && unix_s < chain->not_after_s)
            chain->not_after_s = unix_s;
        return;
    }
    }
    if (chain->len_left == 0 && chain->step != UNREADABLE)
        take_element(chain);
}

/* Tag and length are there: go into it, or past it. */
static void take_element(struct sl_chain *chain)
{
    bool is_expected = chain->tag == TAG_SEQUENCE;

    chain->part = TAG;
    switch ((enum step)chain->step) {
    case CERTIFICATE:
    case BODY:
    case VALIDITY:
        chain->step++;
        break;
    case SERIAL:
        is_expected = chain->tag == TAG_VERSION || chain->tag == TAG_INTEGER;
        chain->skip = chain->len;
        if (chain->tag == TAG_INTEGER)
            chain->step++;
        break;
    case ALGORITHM:
    case ISSUER:
        chain->skip = chain->len;
        chain->step++;
        break;
    case FROM:
        is_expected = chain->tag == TAG_UTC_TIME || chain->tag == TAG_TIME;
        chain->skip = chain->len;
        chain->step++;
        break;
    case UNTIL:
        is_expected = (chain->tag == TAG_UTC_TIME && chain->len == UTC_TIME_LEN) ||
                      (chain->tag == TAG_TIME && chain->len == SL_CHAIN_TIME_LEN);
        chain->time_len = 0;
        chain->part = TIME;
        break;
    case DONE:
    case UNREADABLE:
        break;
    }
    if (!is_expected)
        chain->step = UNREADABLE;
}

/* Days since 1970 by counting years from March, so that the leap day is the last of its year. */
static bool read_time(const struct sl_chain *chain, uint64_t *unix_s)
{
    uint8_t text[SL_CHAIN_TIME_LEN] = {0};
    uint32_t pairs[7]; /* century, year, month, day, hour, minute, second */
    const uint8_t start = SL_CHAIN_TIME_LEN - chain->time_len;

    memcpy(text + start, chain->time, chain->time_len);
    if (start > 0) { /* UTCTime: 1950 to 2049 */
        text[0] = text[2] >= '5' ? '1' : '2';
        text[1] = text[2] >= '5' ? '9' : '0';
    }
    for (unsigned i = 0; i < 7; i++) {
        const uint32_t tens = text[2 * i] - (uint32_t)'0', ones = text[2 * i + 1] - (uint32_t)'0';
        if (tens > 9 || ones > 9)
            return false;
        pairs[i] = 10 * tens + ones;
    }
    uint32_t year = 100 * pairs[0] + pairs[1], month = pairs[2];
    if (text[SL_CHAIN_TIME_LEN - 1] != 'Z' || year < 1970 || month < 1 || month > 12)
        return false;
    month += 9;
    year += month / 12 - 1;
    month %= 12;
    const uint32_t days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
                          pairs[3] - 1 - 719468;
    *unix_s = (uint64_t)days * 86400 + 3600 * pairs[4] + 60 * pairs[5] + pairs[6];
    return true;
}
