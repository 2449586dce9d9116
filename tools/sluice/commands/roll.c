/* sluice ca roll: from one authority to the next without shutting anybody out. */
#include "broker/apply.h"
#include "broker/files.h"
#include "broker/upkeep.h"
#include "ca/canary.h"
#include "ca/crl.h"
#include "ca/issue.h"
#include "talk/talk.h"
#include <cjson/cJSON.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASK_MS 5000

enum { STATUS, FINISH, FORCE, JSON };
static const struct sl_option options[] = {
    [STATUS] = {.name = "--status", .help = "change nothing: who has gone over, and who has not"},
    [FINISH] = {.name = "--finish",
                .help = "let the old authority go, when every node has gone over"},
    [FORCE] = {.name = "--force",
               .help = "with --finish: now, and shut out for good who has not gone over"},
    [JSON] = SL_OPTION_JSON("the state as one JSON object"),
    {.name = NULL},
};

static enum sl_exit run(struct sl_cli *cli);
const struct sl_subcommand sl_command_ca_roll = {
    .name = "ca roll",
    .summary = "go over to a new authority, step by step",
    .options = options,
    .text = "Makes a new authority beside the old one. From then on the broker accepts the "
            "certificates of both, both have a revocation list, every new certificate is signed by "
            "the new one and brings both anchors along; the broker's own stays with the old one, "
            "which every node knows. Operators get new certificates for their keys at once.\n\n"
            "Then let every node renew ('sluice renew'), or replace it where it cannot. --finish "
            "signs the broker's certificate anew and forgets the old authority; it refuses while a "
            "node that is not revoked has not reported under its new certificate.",
    .manual =
        "A node counts as gone over when its certificate is signed by the new authority, and the "
        "node's own report, which the broker keeps, tells of that certificate.\n\n"
        "The new key is locked by the same passphrase. An interrupted 'sluice ca roll' can be "
        "given again, and so can --finish. Where operators use their files on other computers, "
        "give them the new certificate.pem, and ca/certificate.pem, which holds both authorities, "
        "before the end; and once more after it. A broker that was installed with 'sluice broker "
        "install' needs 'sluice broker apply' after each step.",
    .examples = (const struct sl_example[]){{"sluice ca roll", "begin:"},
                                            {"sluice ca roll --status", "who is still missing:"},
                                            {"sluice ca roll --finish", "the end:"},
                                            {NULL, NULL}},
    .run = run,
};

/* How far a node is. */
enum step { STEP_OLD, STEP_ISSUED, STEP_SEEN, STEP_REVOKED };
struct node_step {
    const struct sl_site_node *node;
    enum step step;
    uint64_t issued_s, reported_s; /* of the certificate here, and of that in the node's report */
};
struct steps {
    struct node_step *list;
    size_t len, waiting;
    bool was_asked; /* the broker was there to tell */
};

static enum sl_exit start(const struct sl_site *site, struct sl_authority *authority);
static enum sl_exit make_next(const struct sl_site *site, struct sl_authority *authority);
static enum sl_exit trust_both(const struct sl_site *site, const struct sl_authority *authority);
static enum sl_exit renew_operators(const struct sl_site *site,
                                    const struct sl_authority *authority, const X509 *signer);
static enum sl_exit finish(const struct sl_site *site, struct sl_authority *authority,
                           struct sl_site_nodes *nodes, const struct steps *steps, bool is_forced);
static enum sl_exit take_over(const struct sl_site *site, const struct sl_pki_pair *next);
static enum sl_exit clear_up(const struct sl_site *site, const struct sl_authority *authority);
static enum sl_exit tell_broker(const struct sl_site *site, struct sl_site_nodes *nodes);
static enum sl_exit look(const struct sl_site *site, const struct sl_authority *authority,
                         const struct sl_site_nodes *nodes, struct steps *steps);
static void ask_broker(const struct sl_site *site, struct steps *steps);
static void receive(void *context, const struct sl_talk_message *message);
static enum sl_exit refuse(const struct steps *steps);
static void print(const struct sl_authority *authority, const struct steps *steps);
static void print_json(const struct sl_authority *authority, const struct steps *steps);

static enum sl_exit run(struct sl_cli *cli)
{
    bool is_status = cli->values[STATUS].is_given, is_end = cli->values[FINISH].is_given;
    struct sl_site site;
    struct sl_site_nodes nodes = {NULL, 0};
    struct sl_authority authority = {.current = {NULL, NULL}};
    struct steps steps = {.list = NULL};
    uint64_t list_end_s;
    enum sl_exit code = sl_site_open(cli->site_root, &site);
    if (code == SL_EXIT_DONE && !is_status)
        code = sl_site_lock(&site, "site", 5000);
    if (code == SL_EXIT_REFUSED)
        return sl_cli_fail(SL_ERROR(SITE_BUSY), site.root);
    if (code == SL_EXIT_DONE)
        code = is_status ? sl_authority_read(&site, &authority)
                         : sl_authority_open(&site, true, &authority);
    if (code == SL_EXIT_DONE)
        code = sl_site_read_nodes(&site, &nodes);
    if (code == SL_EXIT_DONE)
        code = sl_crl_mark(&site, &nodes, &list_end_s);
    if (code == SL_EXIT_DONE && !is_status && !is_end)
        code = start(&site, &authority);
    if (code == SL_EXIT_DONE && authority.next.certificate)
        code = look(&site, &authority, &nodes, &steps);
    if (code == SL_EXIT_DONE && is_end)
        code = finish(&site, &authority, &nodes, &steps, cli->values[FORCE].is_given);
    if (code == SL_EXIT_DONE && !is_status)
        code = tell_broker(&site, &nodes);
    if (code == SL_EXIT_DONE)
        (cli->values[JSON].is_given ? print_json : print)(&authority, &steps);
    free(steps.list);
    sl_authority_close(&authority);
    sl_site_free_nodes(&nodes);
    return code;
}

/* --- the beginning -------------------------------------------------------------------------- */

/* Also what an interrupted beginning left to do. */
static enum sl_exit start(const struct sl_site *site, struct sl_authority *authority)
{
    enum sl_exit code = authority->next.certificate ? SL_EXIT_DONE : make_next(site, authority);
    return code == SL_EXIT_DONE ? renew_operators(site, authority, authority->next.certificate)
                                : code;
}

/* The broker can accept it, and has its list, before it signs anything; what is cut off before its
 * folder has its name leaves an anchor whose key nobody has, until the next beginning. */
static enum sl_exit make_next(const struct sl_site *site, struct sl_authority *authority)
{
    struct sl_path folder = sl_path_join(site->root, "ca");
    struct sl_path temporary = sl_path_join(folder.text, ".next.XXXXXX");
    X509_CRL *before = NULL;
    enum sl_exit code = sl_crl_read(site, authority, &before);
    if (code == SL_EXIT_DONE && !mkdtemp(temporary.text))
        code = sl_file_fail("make a folder in", folder.text);
    if (code != SL_EXIT_DONE) {
        X509_CRL_free(before);
        return code;
    }
    code = sl_issue_authority(site->root, &authority->next);
    if (code == SL_EXIT_DONE)
        code = sl_authority_save_alike(site, &authority->next, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_crl_write(authority, site->root, before, NULL);
    if (code == SL_EXIT_DONE)
        code = trust_both(site, authority);
    if (code == SL_EXIT_DONE)
        code = sl_folder_publish(temporary.text, sl_path_join(folder.text, "next").text);
    if (code != SL_EXIT_DONE)
        sl_folder_remove(temporary.text);
    X509_CRL_free(before);
    return code;
}

static enum sl_exit trust_both(const struct sl_site *site, const struct sl_authority *authority)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *text = NULL;
    bool ok = memory && PEM_write_bio_X509(memory, authority->current.certificate) == 1 &&
              PEM_write_bio_X509(memory, authority->next.certificate) == 1;
    long len = ok ? BIO_get_mem_data(memory, &text) : 0;
    enum sl_exit code = len > 0 ? sl_file_write(sl_path_join(site->root, "ca/certificate.pem").text,
                                                text, (size_t)len, 0600)
                                : sl_pki_fail("write the authorities");
    BIO_free(memory);
    return code;
}

/* The keys stay. */
static enum sl_exit renew_operators(const struct sl_site *site,
                                    const struct sl_authority *authority, const X509 *signer)
{
    enum sl_exit code = SL_EXIT_DONE;
    for (size_t i = 0; i < site->operators_len * 2 && code == SL_EXIT_DONE; i++) {
        sl_name name;
        char names[SL_PKI_NAMES_MAX];
        struct sl_pki_pair pair;
        sl_site_user(site, i, name);
        snprintf(names, sizeof names, "DNS:%s.operator.invalid", name);
        struct sl_path folder = sl_path_join3(site->root, "operators", name);
        code = sl_pki_load(folder.text, &pair);
        if (code == SL_EXIT_DONE && sl_pki_days_left(pair.certificate, signer) == 0) {
            X509_free(pair.certificate);
            pair.certificate = NULL;
            code = sl_issue_certificate(authority, site->root, SL_PKI_OPERATOR, name, names, &pair);
            if (code == SL_EXIT_DONE)
                code = sl_pki_save_certificate(&pair, folder.text);
        }
        sl_pki_free(&pair);
    }
    return code;
}

/* --- the end -------------------------------------------------------------------------------- */

/* The broker's certificate first, proven at the broker while both authorities are trusted: every
 * node that has gone over accepts it already, whatever is cut off behind it. */
static enum sl_exit finish(const struct sl_site *site, struct sl_authority *authority,
                           struct sl_site_nodes *nodes, const struct steps *steps, bool is_forced)
{
    if (!authority->next.certificate) /* only the rest of an interrupted end may be left */
        return sl_canary_is_due(site, authority) ? clear_up(site, authority)
                                                 : sl_cli_fail(SL_ERROR(ROLL_NONE), site->root);
    if (steps->waiting > 0 && !is_forced)
        return refuse(steps);
    const struct sl_authority after = {.current = authority->next};
    enum sl_exit code = sl_upkeep_renew_server(site, &after);
    if (code == SL_EXIT_DONE)
        code = renew_operators(site, &after, after.current.certificate);
    if (code == SL_EXIT_DONE)
        code = tell_broker(site, nodes);
    if (code == SL_EXIT_DONE)
        code = take_over(site, &after.current);
    if (code != SL_EXIT_DONE)
        return code;
    sl_pki_free(&authority->current);
    authority->current = authority->next;
    authority->next = (struct sl_pki_pair){NULL, NULL};
    return clear_up(site, authority);
}

/* At one stroke: ca/ with both, or ca/ with the new one alone. The old key goes. */
static enum sl_exit take_over(const struct sl_site *site, const struct sl_pki_pair *next)
{
    struct sl_path temporary = sl_path_join(site->root, ".ca.XXXXXX");
    struct sl_path folder = sl_path_join(site->root, "ca");
    if (!mkdtemp(temporary.text))
        return sl_file_fail("make a folder in", site->root);
    enum sl_exit code = sl_authority_save_alike(site, next, temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_flush(temporary.text);
    if (code == SL_EXIT_DONE)
        code = sl_folder_exchange(temporary.text, folder.text);
    sl_folder_remove(temporary.text);
    return code;
}

static enum sl_exit clear_up(const struct sl_site *site, const struct sl_authority *authority)
{
    X509_CRL *before = NULL;
    bool is_new = false;
    enum sl_exit code = sl_crl_read(site, authority, &before);
    if (code == SL_EXIT_DONE)
        code = sl_crl_write(authority, site->root, before, NULL);
    if (code == SL_EXIT_DONE)
        code = sl_canary_renew(site, authority, &is_new);
    X509_CRL_free(before);
    return code;
}

static enum sl_exit tell_broker(const struct sl_site *site, struct sl_site_nodes *nodes)
{
    bool is_running = false;
    uint64_t list_end_s;
    enum sl_exit code = sl_crl_mark(site, nodes, &list_end_s);
    if (code == SL_EXIT_DONE)
        code = sl_broker_write_acl(site, nodes, sl_path_join(site->root, "broker").text);
    if (code == SL_EXIT_DONE)
        code = sl_apply_everywhere(site, &is_running);
    return code;
}

/* --- who has gone over ---------------------------------------------------------------------- */

static enum sl_exit look(const struct sl_site *site, const struct sl_authority *authority,
                         const struct sl_site_nodes *nodes, struct steps *steps)
{
    steps->list = calloc(nodes->len + 1, sizeof *steps->list);
    if (!steps->list)
        return sl_cli_fail(SL_ERROR(MEMORY));
    steps->len = nodes->len;
    bool is_somebody = false;
    for (size_t i = 0; i < nodes->len; i++) {
        struct node_step *step = &steps->list[i];
        X509 *certificate = NULL;
        struct sl_path folder = sl_path_join3(site->root, "nodes", nodes->list[i].name);
        enum sl_exit code = sl_pki_load_certificate(
            sl_path_join(folder.text, "certificate.pem").text, &certificate);
        if (code != SL_EXIT_DONE)
            return code;
        step->node = &nodes->list[i];
        step->issued_s = sl_pki_issued(certificate);
        bool is_new = sl_pki_days_left(certificate, authority->next.certificate) > 0;
        step->step = step->node->is_revoked ? STEP_REVOKED : is_new ? STEP_ISSUED : STEP_OLD;
        is_somebody = is_somebody || step->step == STEP_ISSUED;
        X509_free(certificate);
    }
    if (is_somebody)
        ask_broker(site, steps);
    for (size_t i = 0; i < steps->len; i++) {
        struct node_step *step = &steps->list[i];
        if (step->step == STEP_ISSUED && step->reported_s == step->issued_s)
            step->step = STEP_SEEN;
        steps->waiting += step->step == STEP_OLD || step->step == STEP_ISSUED;
    }
    return SL_EXIT_DONE;
}

/* What the broker keeps under a topic has come when it grants the next subscription: so each node's
 * availability is subscribed to behind its report. */
static void ask_broker(const struct sl_site *site, struct steps *steps)
{
    static const char *const tails[] = {"report", "availability"};
    struct sl_talk *talk = NULL;
    enum sl_exit code = sl_talk_open(site, NULL, true, ASK_MS, receive, steps, &talk);
    steps->was_asked = code == SL_EXIT_DONE;
    for (size_t i = 0; i < steps->len * 2 && code == SL_EXIT_DONE; i++) {
        const struct node_step *step = &steps->list[i / 2];
        char topic[SL_TOPIC_MAX];
        snprintf(topic, sizeof topic, "%s/%s", step->node->base, tails[i % 2]);
        if (step->step == STEP_ISSUED)
            code = sl_talk_subscribe(talk, topic);
    }
    if (steps->was_asked)
        sl_talk_close(talk);
    else
        sl_cli_note("without a broker nobody can be seen with the new authority");
}

static void receive(void *context, const struct sl_talk_message *message)
{
    struct steps *steps = context;
    for (size_t i = 0; i < steps->len; i++) {
        const char *tail = sl_site_topic_below(steps->list[i].node, message->topic);
        if (!tail || strcmp(tail, "report") != 0)
            continue;
        cJSON *json = cJSON_ParseWithLength(message->payload, message->len);
        const cJSON *certificate = cJSON_GetObjectItemCaseSensitive(json, "certificate");
        const cJSON *issued = cJSON_GetObjectItemCaseSensitive(certificate, "issued");
        if (cJSON_IsNumber(issued) && issued->valuedouble > 0 && issued->valuedouble < 1e12)
            steps->list[i].reported_s = (uint64_t)issued->valuedouble;
        cJSON_Delete(json);
    }
}

static enum sl_exit refuse(const struct steps *steps)
{
    char names[1024] = "";
    size_t len = 0, more = 0;
    for (size_t i = 0; i < steps->len; i++) {
        if (steps->list[i].step == STEP_SEEN || steps->list[i].step == STEP_REVOKED)
            continue;
        if (len + SL_NAME_MAX + 32 < sizeof names)
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? ", " : "",
                                    steps->list[i].node->name);
        else
            more++;
    }
    if (more > 0)
        snprintf(names + len, sizeof names - len, " and %zu more", more);
    return sl_cli_fail(SL_ERROR(ROLL_WAITS), names);
}

/* --- words ---------------------------------------------------------------------------------- */

static const char *const words[] = {[STEP_OLD] = "old certificate",
                                    [STEP_ISSUED] = "new certificate, not yet seen",
                                    [STEP_SEEN] = "gone over",
                                    [STEP_REVOKED] = "revoked"};

static void print(const struct sl_authority *authority, const struct steps *steps)
{
    char day[16];
    if (!authority->next.certificate) {
        sl_site_print_date(day, sl_pki_not_after(authority->current.certificate));
        printf("one authority, until %s\n", day);
        return;
    }
    puts("two authorities: the broker accepts both, the new one signs");
    for (size_t i = 0; i < steps->len; i++)
        printf("%-23s  %s\n", steps->list[i].node->name, words[steps->list[i].step]);
    if (steps->waiting > 0)
        printf("%zu of %zu nodes left: 'sluice renew' asks those that are connected, 'sluice node "
               "add NAME --replace' makes a new identity\n",
               steps->waiting, steps->len);
    else
        puts("nobody is missing: 'sluice ca roll --finish' lets the old one go");
}

static void print_json(const struct sl_authority *authority, const struct steps *steps)
{
    static const char *const ids[] = {[STEP_OLD] = "old",
                                      [STEP_ISSUED] = "issued",
                                      [STEP_SEEN] = "seen",
                                      [STEP_REVOKED] = "revoked"};
    cJSON *json = cJSON_CreateObject();
    cJSON_AddBoolToObject(json, "rolling", authority->next.certificate != NULL);
    cJSON *nodes = cJSON_AddArrayToObject(json, "nodes");
    for (size_t i = 0; i < steps->len; i++) {
        cJSON *node = cJSON_CreateObject();
        cJSON_AddStringToObject(node, "name", steps->list[i].node->name);
        cJSON_AddStringToObject(node, "state", ids[steps->list[i].step]);
        cJSON_AddItemToArray(nodes, node);
    }
    cJSON_AddNumberToObject(json, "waiting", (double)steps->waiting);
    sl_cli_print_json(json);
}
