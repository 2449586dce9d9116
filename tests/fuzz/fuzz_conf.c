/* A mosquitto.conf and an access list of somebody else's, as 'sluice doctor --config' reads them.
 *
 * Contract: each finding is a printable line, stands on a line that the text has and, where it is
 * about an option, names one; the same text gives the same findings; comments, blanks and other
 * line ends change none. The first byte chooses between the two kinds of text. */
#include "fuzz.h"
#include "tools/sluice/doctor/conf.h"
#include "tools/sluice/doctor/doctor.h"

struct found {
    struct sl_doctor doctor;
    struct sl_conf *conf;
};

static struct found judge(bool is_acl, struct sl_view text);
static void drop(struct found *found);
static void check(const struct found *found, struct sl_view text);
static struct sl_view rewrite(struct sl_view text);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    bool is_acl = data[0] & 1;
    struct sl_view text = {data + 1, len - 1}, other = rewrite(text);
    struct found one = judge(is_acl, text), two = judge(is_acl, other);
    check(&one, text);
    bool has_zero = memchr(text.data, '\0', text.len) != NULL;
    if (!has_zero && other.len < SL_CONF_FILE_MAX && !is_acl) {
        FUZZ_CHECK(one.doctor.len == two.doctor.len);
        for (size_t i = 0; i < one.doctor.len; i++) {
            FUZZ_CHECK(one.doctor.list[i].check == two.doctor.list[i].check);
            FUZZ_CHECK(two.doctor.list[i].line ==
                       one.doctor.list[i].line * 2); /* a comment stands above each line */
        }
    }
    drop(&one);
    drop(&two);
    free((void *)other.data);
    return 0;
}

static struct found judge(bool is_acl, struct sl_view text)
{
    struct found found = {.doctor = {.site = NULL}};
    char *exact = malloc(text.len + (text.len == 0)); /* not terminated */
    FUZZ_CHECK(exact != NULL);
    if (text.len > 0)
        memcpy(exact, text.data, text.len);
    if (is_acl) {
        sl_doctor_judge_acl(&found.doctor, "acl", exact, text.len);
    } else {
        found.conf = sl_conf_new();
        FUZZ_CHECK(found.conf != NULL);
        if (sl_conf_parse(found.conf, "mosquitto.conf", exact, text.len))
            sl_doctor_judge_conf(&found.doctor, found.conf);
    }
    free(exact);
    return found;
}

static void drop(struct found *found)
{
    sl_doctor_free(&found->doctor);
    sl_conf_free(found->conf);
}

static void check(const struct found *found, struct sl_view text)
{
    unsigned lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    for (size_t i = 0; i < found->doctor.len; i++) {
        const struct sl_finding *finding = &found->doctor.list[i];
        char cure[SL_CURE_MAX];
        sl_doctor_write_cure(&found->doctor, finding, cure);
        const char *const words[] = {finding->name, finding->evidence, cure};
        for (size_t k = 0; k < 3; k++)
            for (const char *at = words[k]; *at != '\0'; at++)
                FUZZ_CHECK(*at >= ' ' && *at <= '~');
        FUZZ_CHECK(finding->line <= lines && strlen(finding->evidence) > 0);
    }
    if (!found->conf)
        return;
    const struct sl_conf *conf = found->conf;
    FUZZ_CHECK(conf->listeners_len >= 1 && conf->listeners_len <= SL_CONF_LISTENERS_MAX);
    for (size_t i = sl_conf_first(conf); i < conf->listeners_len; i++)
        FUZZ_CHECK(conf->listeners[i].port >= 0 && conf->listeners[i].place.line <= lines);
}

/* The same for Mosquitto: a comment above each line, blanks around it, a carriage return behind. */
static struct sl_view rewrite(struct sl_view text)
{
    uint8_t *out = malloc(text.len * 16 + 16);
    size_t len = 0;
    FUZZ_CHECK(out != NULL);
    for (size_t at = 0; at < text.len;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        size_t line = end ? (size_t)(end - text.data) - at : text.len - at;
        memcpy(out + len, "# a\n \t", 6);
        len += 6;
        memcpy(out + len, text.data + at, line);
        len += line;
        memcpy(out + len, " \r\n", 3);
        len += 3;
        at += line + 1;
    }
    return (struct sl_view){out, len};
}
