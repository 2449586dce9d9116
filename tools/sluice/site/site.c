/* Reading, checking and writing the records of a site. */
#include "site/site.h"
#include "base/bytes.h"
#include "ca/pki.h"
#include "store/identity.h"
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD_MAX 16384 /* bytes of site.json or node.json */

static enum sl_exit read_record(const char *path, cJSON **record);
static enum sl_exit write_record(const char *folder, const char *name, cJSON *record);
static bool take_text(const cJSON *record, const char *key, char *out, size_t out_len);
static bool take_host(const cJSON *record, const char *key, char out[SL_HOST_MAX + 1]);
static bool take_port(const cJSON *record, uint16_t *port);
static bool take_mark(const cJSON *record, const char *key, const char *value, bool *is_there);
static enum sl_exit check_certificate(const char *folder, const struct sl_site_node *node);
static enum sl_exit check_identity(const char *folder, const struct sl_site_node *node);
static enum sl_exit fail_operator(const struct sl_site *site, const char *name);
static bool take_former(const cJSON *former, struct sl_site *site);
static int compare_nodes(const void *a, const void *b);
static void hold(const char *name, int fd);

/* --- the site's own record ------------------------------------------------------------------ */

enum sl_exit sl_site_open(const char *root, struct sl_site *site)
{
    memset(site, 0, sizeof *site);
    if (!realpath(root, site->root))
        return sl_cli_fail(SL_ERROR(SITE_MISSING), root);
    if (strpbrk(site->root, "\n\r")) /* it would be a line of its own in mosquitto.conf */
        return sl_cli_fail(SL_ERROR(SITE_PATH_BREAK), site->root);
    struct sl_path path = sl_path_join(site->root, "site.json");
    cJSON *record = NULL;
    enum sl_exit code = read_record(path.text, &record);
    if (code != SL_EXIT_DONE)
        return code;

    const cJSON *version = cJSON_GetObjectItemCaseSensitive(record, "version");
    const cJSON *operators = cJSON_GetObjectItemCaseSensitive(record, "operators");
    const char *wrong = NULL; /* the last key that is */
    if (!cJSON_IsNumber(version) || version->valueint != 1)
        wrong = "version";
    if (!take_host(record, "broker_name", site->broker_name))
        wrong = "broker_name";
    if (!take_host(record, "host", site->host))
        wrong = "host";
    if (!take_host(record, "bind", site->bind))
        wrong = "bind";
    if (!take_port(record, &site->port))
        wrong = "port";
    bool ok = cJSON_IsArray(operators) && cJSON_GetArraySize(operators) > 0;
    const cJSON *entry = NULL;
    cJSON_ArrayForEach(entry, operators)
    {
        const char *name = cJSON_GetStringValue(entry);
        ok = ok && name && strlen(name) <= SL_OPERATOR_NAME_MAX &&
             sl_identity_is_name(sl_view_text(name)) &&
             site->operators_len < SL_SITE_OPERATORS_MAX &&
             sl_cli_copy(site->operators[site->operators_len++], sizeof(sl_name), name);
    }
    if (!ok)
        wrong = "operators";
    if (!take_former(cJSON_GetObjectItemCaseSensitive(record, "former"), site))
        wrong = "former";
    cJSON_Delete(record);
    return wrong ? sl_cli_fail(SL_ERROR(RECORD_BAD), path.text, wrong) : SL_EXIT_DONE;
}

enum sl_exit sl_site_save(const struct sl_site *site, const char *folder)
{
    cJSON *record = cJSON_CreateObject();
    cJSON_AddNumberToObject(record, "version", 1);
    cJSON_AddStringToObject(record, "broker_name", site->broker_name);
    cJSON_AddStringToObject(record, "host", site->host);
    cJSON_AddNumberToObject(record, "port", site->port);
    cJSON_AddStringToObject(record, "bind", site->bind);
    cJSON *operators = cJSON_AddArrayToObject(record, "operators");
    for (size_t i = 0; i < site->operators_len; i++)
        cJSON_AddItemToArray(operators, cJSON_CreateString(site->operators[i]));
    cJSON *former = site->former_len > 0 ? cJSON_AddArrayToObject(record, "former") : NULL;
    for (size_t i = 0; i < site->former_len; i++) {
        cJSON *address = cJSON_CreateObject();
        cJSON_AddStringToObject(address, "host", site->former[i].host);
        cJSON_AddNumberToObject(address, "port", site->former[i].port);
        cJSON_AddItemToArray(former, address);
    }
    return write_record(folder, "site.json", record);
}

void sl_site_new_address(const struct sl_site *site, struct sl_site_node *node)
{
    for (size_t i = 0; i < site->former_len; i++)
        if (strcmp(node->host, site->former[i].host) == 0 && node->port == site->former[i].port) {
            snprintf(node->host, sizeof node->host, "%s", site->host);
            node->port = site->port;
            return;
        }
}

enum sl_exit sl_site_find_operator(const struct sl_site *site, const char *name, bool is_watching,
                                   sl_name user)
{
    size_t who = 0;
    while (name && who < site->operators_len && strcmp(site->operators[who], name) != 0)
        who++;
    if (who == site->operators_len)
        return fail_operator(site, name);
    sl_site_user(site, who * 2 + is_watching, user);
    return SL_EXIT_DONE;
}

void sl_site_user(const struct sl_site *site, size_t which, sl_name user)
{
    snprintf(user, sizeof(sl_name), "%.17s%s", site->operators[which / 2],
             which % 2 ? SL_WATCH_SUFFIX : "");
}

static enum sl_exit fail_operator(const struct sl_site *site, const char *name)
{
    char known[SL_SITE_OPERATORS_MAX * (SL_OPERATOR_NAME_MAX + 2)] = "";
    size_t len = 0;
    for (size_t i = 0; i < site->operators_len; i++)
        len += (size_t)snprintf(known + len, sizeof known - len, "%s%.17s", i ? ", " : "",
                                site->operators[i]);
    return sl_cli_fail(SL_ERROR(OPERATOR_UNKNOWN), name, known);
}

/* --- nodes ---------------------------------------------------------------------------------- */

enum sl_exit sl_site_read_nodes(const struct sl_site *site, struct sl_site_nodes *nodes)
{
    *nodes = (struct sl_site_nodes){NULL, 0};
    struct sl_path folder = sl_path_join(site->root, "nodes");
    DIR *entries = opendir(folder.text);
    if (!entries)
        return sl_file_fail("read", folder.text);
    nodes->list = calloc(SL_SITE_NODES_MAX, sizeof *nodes->list);
    if (!nodes->list) {
        closedir(entries);
        return sl_cli_fail(SL_ERROR(MEMORY));
    }
    enum sl_exit code = SL_EXIT_DONE;
    const struct dirent *entry = NULL;
    while (code == SL_EXIT_DONE && (entry = readdir(entries))) {
        if (entry->d_name[0] == '.') /* also what an interrupted 'node add' left behind */
            continue;
        if (!sl_identity_is_name(sl_view_text(entry->d_name)))
            code = sl_cli_fail(SL_ERROR(NODE_FOREIGN), folder.text, entry->d_name);
        else if (nodes->len == SL_SITE_NODES_MAX)
            code = sl_cli_fail(SL_ERROR(NODES_TOO_MANY), site->root, SL_SITE_NODES_MAX);
        else
            code = sl_site_read_node(site, entry->d_name, &nodes->list[nodes->len++]);
    }
    closedir(entries);
    if (code != SL_EXIT_DONE) {
        sl_site_free_nodes(nodes);
        return code;
    }
    qsort(nodes->list, nodes->len, sizeof *nodes->list, compare_nodes);
    return SL_EXIT_DONE;
}

enum sl_exit sl_site_find_nodes(const struct sl_site *site, const char *name,
                                struct sl_site_nodes *nodes)
{
    enum sl_exit code = sl_site_read_nodes(site, nodes);
    if (code != SL_EXIT_DONE || !name)
        return code;
    for (size_t i = 0; nodes->list && i < nodes->len; i++) {
        if (strcmp(nodes->list[i].name, name) == 0) {
            nodes->list[0] = nodes->list[i];
            nodes->len = 1;
            return SL_EXIT_DONE;
        }
    }
    sl_site_free_nodes(nodes);
    char clean[64];
    sl_cli_clean(clean, sizeof clean, name, strlen(name));
    return sl_cli_fail(SL_ERROR(NODE_UNKNOWN), clean);
}

void sl_site_free_nodes(struct sl_site_nodes *nodes)
{
    free(nodes->list);
    *nodes = (struct sl_site_nodes){NULL, 0};
}

enum sl_exit sl_site_save_node(const struct sl_site_node *node, const char *folder)
{
    cJSON *record = cJSON_CreateObject();
    cJSON_AddStringToObject(record, "name", node->name);
    cJSON_AddStringToObject(record, "base", node->base);
    cJSON_AddStringToObject(record, "host", node->host);
    cJSON_AddNumberToObject(record, "port", node->port);
    cJSON_AddNumberToObject(record, "not_after", (double)node->not_after_s);
    if (node->has_own_key)
        cJSON_AddStringToObject(record, "key", "device");
    if (node->is_unconfirmed)
        cJSON_AddStringToObject(record, "enrolment", "unconfirmed");
    return write_record(folder, "node.json", record);
}

enum sl_exit sl_site_read_node(const struct sl_site *site, const char *name,
                               struct sl_site_node *node)
{
    struct sl_path nodes = sl_path_join(site->root, "nodes");
    struct sl_path path = sl_path_join3(nodes.text, name, "node.json");

    cJSON *record = NULL;
    enum sl_exit code = read_record(path.text, &record);
    if (code != SL_EXIT_DONE)
        return code;

    const cJSON *not_after = cJSON_GetObjectItemCaseSensitive(record, "not_after");
    const char *wrong = NULL; /* the last key that is */
    if (!take_text(record, "name", node->name, sizeof node->name) || strcmp(node->name, name) != 0)
        wrong = "name";
    if (!take_text(record, "base", node->base, sizeof node->base) ||
        !sl_identity_is_base(sl_view_text(node->base)))
        wrong = "base";
    if (!take_host(record, "host", node->host))
        wrong = "host";
    if (!take_port(record, &node->port))
        wrong = "port";
    if (!cJSON_IsNumber(not_after) || not_after->valuedouble <= 0 || not_after->valuedouble >= 1e12)
        wrong = "not_after";
    else
        node->not_after_s = (uint64_t)not_after->valuedouble;
    if (!take_mark(record, "key", "device", &node->has_own_key))
        wrong = "key";
    if (!take_mark(record, "enrolment", "unconfirmed", &node->is_unconfirmed))
        wrong = "enrolment";
    cJSON_Delete(record);
    if (wrong)
        return sl_cli_fail(SL_ERROR(RECORD_BAD), path.text, wrong);
    struct sl_path folder = sl_path_join(nodes.text, name);
    return node->has_own_key ? check_certificate(folder.text, node)
                             : check_identity(folder.text, node);
}

/* Of a node that made its own key the site has the certificate alone. */
static enum sl_exit check_certificate(const char *folder, const struct sl_site_node *node)
{
    struct sl_path path = sl_path_join(folder, "certificate.pem");
    X509 *certificate = NULL;
    enum sl_exit code = sl_pki_load_certificate(path.text, &certificate);
    if (code != SL_EXIT_DONE)
        return code;
    char name[SL_NAME_MAX + 2];
    int len = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                        sizeof name);
    if (len < 0 || strcmp(name, node->name) != 0 ||
        sl_pki_not_after(certificate) != node->not_after_s)
        code = sl_cli_fail(SL_ERROR(IDENTITY_DIFFERS), path.text);
    X509_free(certificate);
    return code;
}

/* The image is what goes onto the device: it must be whole and say the same as the files beside. */
static enum sl_exit check_identity(const char *folder, const struct sl_site_node *node)
{
    struct sl_path path = sl_path_join(folder, "identity");
    struct sl_path certificate = sl_path_join(folder, "certificate.pem");
    struct sl_bytes image;
    enum sl_exit code = sl_file_read(path.text, SL_IDENTITY_MAX, &image);
    if (code != SL_EXIT_DONE)
        return code;
    struct sl_identity identity;
    struct sl_view view = {(const uint8_t *)image.data, image.len};
    enum sl_status status = sl_identity_decode(view, &identity);
    bool is_same = false;
    if (status != SL_OK)
        code = sl_cli_fail(SL_ERROR(IDENTITY_BAD), path.text, sl_status_text(status));
    else
        code = sl_pki_is_same(certificate.text, identity.certificate, &is_same);
    if (code == SL_EXIT_DONE &&
        (!is_same || !sl_view_is_equal(identity.name, sl_view_text(node->name)) ||
         !sl_view_is_equal(identity.base, sl_view_text(node->base)) ||
         identity.not_after_s != node->not_after_s))
        code = sl_cli_fail(SL_ERROR(IDENTITY_DIFFERS), path.text);
    sl_wipe(&identity, sizeof identity);
    sl_bytes_free(&image);
    return code;
}

static int compare_nodes(const void *a, const void *b)
{
    const struct sl_site_node *left = a, *right = b;
    return strcmp(left->name, right->name);
}

/* --- records as JSON ------------------------------------------------------------------------ */

static enum sl_exit read_record(const char *path, cJSON **record)
{
    struct sl_bytes bytes;
    enum sl_exit code = sl_file_read(path, RECORD_MAX, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    *record = cJSON_ParseWithLength(bytes.data, bytes.len);
    sl_bytes_free(&bytes);
    if (!cJSON_IsObject(*record)) {
        cJSON_Delete(*record);
        *record = NULL;
        return sl_cli_fail(SL_ERROR(RECORD_NO_JSON), path);
    }
    return SL_EXIT_DONE;
}

static enum sl_exit write_record(const char *folder, const char *name, cJSON *record)
{
    char *text = cJSON_Print(record);
    cJSON_Delete(record);
    if (!text)
        return sl_cli_fail(SL_ERROR(MEMORY));
    struct sl_path path = sl_path_join(folder, name);
    size_t len = strlen(text);
    text[len] = '\n'; /* cJSON_Print leaves a terminator, which the file does not need */
    enum sl_exit code = sl_file_write(path.text, text, len + 1, 0600);
    cJSON_free(text);
    return code;
}

static bool take_text(const cJSON *record, const char *key, char *out, size_t out_len)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(record, key));
    return text && text[0] != '\0' && sl_cli_copy(out, out_len, text);
}

/* A key that is there with this one value, or not at all. */
static bool take_mark(const cJSON *record, const char *key, const char *value, bool *is_there)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, key);
    const char *text = cJSON_GetStringValue(item);
    *is_there = text && strcmp(text, value) == 0;
    return !item || *is_there;
}

static bool take_host(const cJSON *record, const char *key, char out[SL_HOST_MAX + 1])
{
    return take_text(record, key, out, SL_HOST_MAX + 1) && sl_site_is_host(out);
}

/* A site that never moved has none. */
static bool take_former(const cJSON *former, struct sl_site *site)
{
    const cJSON *entry = NULL;
    if (!former)
        return true;
    cJSON_ArrayForEach(entry, former)
    {
        struct sl_address *address = &site->former[site->former_len];
        if (site->former_len == SL_SITE_FORMER_MAX || !take_host(entry, "host", address->host) ||
            !take_port(entry, &address->port))
            return false;
        site->former_len++;
    }
    return cJSON_IsArray(former);
}

static bool take_port(const cJSON *record, uint16_t *port)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(record, "port");
    if (!cJSON_IsNumber(item) || item->valuedouble < 1 || item->valuedouble > 65535)
        return false;
    *port = (uint16_t)item->valuedouble;
    return true;
}

const char *sl_site_topic_below(const struct sl_site_node *node, const char *topic)
{
    size_t len = strlen(node->base);
    return strncmp(topic, node->base, len) == 0 && topic[len] == '/' ? topic + len + 1 : NULL;
}

int sl_site_state_zone(const char *below)
{
    bool is_state = strncmp(below, "zone/", 5) == 0 && below[5] >= '0' &&
                    below[5] < '0' + SL_ZONES && strcmp(below + 6, "/state") == 0;
    return is_state ? below[5] - '0' : -1;
}

/* --- locks, words ------------------------------------------------------------------ */

static int open_lock(const struct sl_site *site, const char *name)
{
    char file[SL_HOST_MAX];
    snprintf(file, sizeof file, "%s.lock", name);
    struct sl_path path = sl_path_join3(site->root, "run", file);
    return open(path.text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

enum sl_exit sl_site_lock(const struct sl_site *site, const char *name, unsigned wait_ms)
{
    int fd = open_lock(site, name);
    if (fd < 0)
        return sl_file_fail("write in", sl_path_join(site->root, "run").text);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    uint64_t end = sl_cli_now_ms() + wait_ms;
    while (fcntl(fd, F_SETLK, &lock) != 0) {
        if ((errno != EACCES && errno != EAGAIN && errno != EINTR) || sl_cli_now_ms() >= end) {
            close(fd);
            return SL_EXIT_REFUSED;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    hold(name, fd);
    return SL_EXIT_DONE; /* fd stays open: the lock lives as long as the process */
}

/* The descriptors of locks, so that one who locks again and again does not run out of them. */
static struct {
    char name[64];
    int fd;
} held[4];

static void hold(const char *name, int fd)
{
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (held[i].name[0] == '\0') {
            snprintf(held[i].name, sizeof held[i].name, "%s", name);
            held[i].fd = fd;
            return;
        }
}

/* By the rules of POSIX, closing any descriptor of a file ends the process's locks on it. */
void sl_site_unlock(const struct sl_site *site, const char *name)
{
    int fd = open_lock(site, name);
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++)
        if (strcmp(held[i].name, name) == 0) {
            close(held[i].fd);
            held[i].name[0] = '\0';
        }
}

int sl_site_lock_owner(const struct sl_site *site, const char *name)
{
    int fd = open_lock(site, name);
    if (fd < 0)
        return 0;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int owner = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
    close(fd);
    return owner;
}

bool sl_site_is_address(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

bool sl_site_is_host(const char *text)
{
    if (sl_site_is_address(text))
        return true;
    size_t len = strlen(text);
    if (len == 0 || len > SL_HOST_MAX)
        return false;
    char before = '.';
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_letter && ((c != '-' && c != '.') || before == '.' || before == '-'))
            return false;
        before = c;
    }
    return before != '.' && before != '-';
}

bool sl_site_is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
           (strncmp(host, "127.", 4) == 0 && sl_site_is_host(host));
}

void sl_site_print_date(char out[16], uint64_t unix_s)
{
    struct tm parts;
    time_t at = (time_t)unix_s;
    if (!gmtime_r(&at, &parts) || strftime(out, 16, "%Y-%m-%d", &parts) == 0)
        out[0] = '\0';
}

void sl_site_print_time(char out[24], uint64_t unix_s)
{
    struct tm parts;
    time_t at = (time_t)unix_s;
    if (!gmtime_r(&at, &parts) || strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        out[0] = '\0';
}
