/* doctor: what the broker reads, against what the site makes of itself. */
#include "broker/files.h"
#include "broker/set.h"
#include "ca/crl.h"
#include "doctor/conf.h"
#include "doctor/site.h"
#include "site/terms.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void look_at_crl(struct sl_doctor *doctor, const struct sl_holders *holders);
static void look_at_acl(struct sl_doctor *doctor);
static void look_at_conf(struct sl_doctor *doctor);
static enum sl_exit read_all(const char *path, struct sl_bytes *bytes);
static bool differ(const struct sl_bytes *a, const struct sl_bytes *b, unsigned *line);
static bool is_only_mark(const struct sl_bytes *made, const struct sl_bytes *found);
static void look_at_topics(struct sl_doctor *doctor);
static void look_at_address(struct sl_doctor *doctor);
static void look_at_installed(struct sl_doctor *doctor, const struct sl_holders *holders);

void sl_doctor_look_lists(struct sl_doctor *doctor, const struct sl_holders *holders)
{
    look_at_crl(doctor, holders);
    look_at_acl(doctor);
    look_at_conf(doctor);
    look_at_topics(doctor);
    look_at_address(doctor);
    if (doctor->root)
        look_at_installed(doctor, holders);
}

static void look_at_crl(struct sl_doctor *doctor, const struct sl_holders *holders)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_path path = sl_path_join(doctor->site->root, "broker/crl.pem");
    const struct sl_place place = {.path = path.text};
    X509_CRL *crl = NULL;
    if (!holders->authority.current.certificate)
        return;
    sl_cli_listen(&told);
    enum sl_exit code = sl_crl_read(doctor->site, &holders->authority, &crl);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE) {
        enum sl_check check =
            told.error == SL_ERROR_SIGNER_FOREIGN ? SL_CHECK_CRL_FOREIGN : SL_CHECK_CRL_BROKEN;
        sl_doctor_find_told(doctor, check, place, &told);
        return;
    }
    long left = sl_crl_days_left(crl);
    char day[16];
    sl_site_print_date(day, sl_crl_not_after(crl));
    enum sl_term_state state = sl_term_judge(SL_TERM_CRL, left);
    if (state == SL_TERM_OVER)
        sl_doctor_find(doctor, SL_CHECK_CRL_OVER, place, "it counts until %s", day);
    else if (state != SL_TERM_FINE)
        sl_doctor_find(doctor, SL_CHECK_CRL_HALF, place, "it ends on %s, in %ld days", day, left);
    for (size_t i = 0; i < holders->len; i++) {
        const struct sl_holder *holder = &holders->list[i];
        bool is_listed = sl_crl_has(crl, X509_get0_serialNumber(holder->certificate));
        if (holder->purpose == SL_PKI_CANARY &&
            is_listed != (strcmp(holder->name, SL_CANARY_REVOKED) == 0))
            sl_doctor_find(doctor, SL_CHECK_CRL_CANARY, place, "%s is %son it", holder->name,
                           is_listed ? "" : "not ");
        else if (is_listed &&
                 (holder->purpose == SL_PKI_OPERATOR || holder->purpose == SL_PKI_SERVER))
            sl_doctor_find(doctor, SL_CHECK_CRL_OURS, place, "%.180s is on it", holder->path.text);
    }
    X509_CRL_free(crl);
}

/* --- files that follow from the rest -------------------------------------------------------- */

static void look_at_acl(struct sl_doctor *doctor)
{
    struct sl_path folder = sl_path_join(doctor->site->root, "broker");
    struct sl_path path = sl_path_join(folder.text, "acl");
    struct sl_cli_told told = {.is_told = false};
    struct sl_bytes made = {NULL, 0}, found = {NULL, 0};
    unsigned line = 0;
    /* With a node that cannot be read nobody knows what the list should be. */
    if (!doctor->nodes || sl_doctor_has(doctor, SL_CHECK_NODE_BROKEN))
        return;
    sl_cli_listen(&told);
    enum sl_exit code = read_all(path.text, &found);
    if (code == SL_EXIT_DONE)
        code = sl_broker_make_acl(doctor->site, doctor->nodes, folder.text, &made);
    sl_cli_listen(NULL);
    if (code == SL_EXIT_DONE && differ(&made, &found, &line))
        sl_doctor_find(doctor,
                       is_only_mark(&made, &found) ? SL_CHECK_LISTS_MIXED : SL_CHECK_ACL_DIFFERS,
                       (struct sl_place){.path = path.text, .line = line},
                       "the first difference is in line %u", line);
    sl_bytes_free(&made);
    sl_bytes_free(&found);
}

/* And what a changed configuration would let happen. */
static void look_at_conf(struct sl_doctor *doctor)
{
    struct sl_path path = sl_path_join(doctor->site->root, "broker/mosquitto.conf");
    struct sl_cli_told told = {.is_told = false};
    struct sl_bytes made = {NULL, 0}, found = {NULL, 0};
    unsigned line = 0;
    sl_cli_listen(&told);
    enum sl_exit code = read_all(path.text, &found);
    if (code == SL_EXIT_DONE)
        code = sl_broker_make_conf(doctor->site, &made);
    sl_cli_listen(NULL);
    struct sl_conf *conf = NULL;
    if (code == SL_EXIT_DONE && differ(&made, &found, &line)) {
        sl_doctor_find(doctor, SL_CHECK_CONF_DIFFERS,
                       (struct sl_place){.path = path.text, .line = line},
                       "the first difference is in line %u", line);
        conf = sl_conf_new();
    }
    if (conf && sl_conf_parse(conf, path.text, found.data, found.len))
        sl_doctor_judge_conf(doctor, conf);
    sl_conf_free(conf);
    sl_bytes_free(&made);
    sl_bytes_free(&found);
}

/* A file that is not there is told of elsewhere. */
static enum sl_exit read_all(const char *path, struct sl_bytes *bytes)
{
    enum sl_exit code = sl_file_read(path, SL_BROKER_FILE_MAX, bytes);
    if (code == SL_EXIT_DONE && bytes->len == 0) {
        sl_bytes_free(bytes);
        code = SL_EXIT_FILES;
    }
    return code;
}

static bool differ(const struct sl_bytes *a, const struct sl_bytes *b, unsigned *line)
{
    size_t i = 0;
    *line = 1;
    for (; i < a->len && i < b->len && a->data[i] == b->data[i]; i++)
        *line += a->data[i] == '\n';
    return i < a->len || i < b->len;
}

/* The mark stands over the certificate and the revocation list too: these were changed, not it. */
static bool is_only_mark(const struct sl_bytes *made, const struct sl_bytes *found)
{
    const char *at = strstr(made->data, SL_CANARY_MARK);
    size_t from = at ? (size_t)(at - made->data) + strlen(SL_CANARY_MARK) : made->len;
    size_t until = from + SL_CANARY_MARK_LEN;
    return made->len == found->len && until <= made->len &&
           memcmp(made->data, found->data, from) == 0 &&
           memcmp(made->data + until, found->data + until, made->len - until) == 0;
}

/* --- the record ----------------------------------------------------------------------------- */

static void look_at_topics(struct sl_doctor *doctor)
{
    for (size_t i = 0; doctor->nodes && i < doctor->nodes->len; i++)
        for (size_t k = 0; k < i; k++) {
            const struct sl_site_node *one = &doctor->nodes->list[i];
            const struct sl_site_node *other = &doctor->nodes->list[k];
            if (sl_topics_overlap(one->base, other->base))
                sl_doctor_find(
                    doctor, SL_CHECK_NODE_TOPICS,
                    (struct sl_place){
                        .path = sl_path_join3(doctor->site->root, "nodes", one->name).text,
                        .name = one->name},
                    "%.60s, and %.60s of %s", one->base, other->base, other->name);
        }
}

static void look_at_address(struct sl_doctor *doctor)
{
    const char *bind = doctor->site->bind;
    struct in_addr four;
    struct in6_addr six;
    bool is_public = false;
    if (inet_pton(AF_INET, bind, &four) == 1) {
        uint32_t at = ntohl(four.s_addr);
        is_public = !(at >> 24 == 10 || at >> 24 == 127 || at >> 20 == 0xAC1 ||
                      at >> 16 == 0xC0A8 || at >> 16 == 0xA9FE || at >> 22 == 0x191);
    } else if (inet_pton(AF_INET6, bind, &six) == 1) {
        is_public = !(IN6_IS_ADDR_LOOPBACK(&six) || IN6_IS_ADDR_LINKLOCAL(&six) ||
                      (six.s6_addr[0] & 0xFE) == 0xFC);
    }
    if (is_public)
        sl_doctor_find(
            doctor, SL_CHECK_BIND_PUBLIC,
            (struct sl_place){.path = sl_path_join(doctor->site->root, "site.json").text},
            "bind %s", bind);
}

/* By the mechanism of 'sluice broker check', without its trial. */
static void look_at_installed(struct sl_doctor *doctor, const struct sl_holders *holders)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_results results = {.len = 0};
    struct sl_set set;
    X509 *canary = NULL;
    for (size_t i = 0; i < holders->len; i++)
        if (holders->list[i].purpose == SL_PKI_CANARY &&
            strcmp(holders->list[i].name, SL_CANARY_REVOKED) == 0)
            canary = holders->list[i].certificate;
    sl_cli_listen(&told);
    enum sl_exit code = sl_set_of_root(doctor->root, &set);
    if (code == SL_EXIT_DONE)
        code = sl_set_check(&set, canary, &results);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE)
        sl_doctor_find_told(doctor, SL_CHECK_INSTALLED_WRONG,
                            (struct sl_place){.path = doctor->root}, &told);
}
