/* doctor --config: the files that a mosquitto.conf names, as far as we may read them. */
#include "doctor/conf.h"
#include "doctor/doctor.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX   4194304 /* bytes of an access list or password file */
#define ACL_FAULTS 8       /* told of one list */

static void judge_listener_files(struct sl_doctor *doctor, const struct sl_conf *conf,
                                 const struct sl_conf_listener *listener);
static struct sl_path find(const struct sl_conf *conf, struct sl_conf_value value);
static bool read_text(struct sl_doctor *doctor, const char *path, const char *option,
                      struct sl_bytes *bytes);
static void judge_modes(struct sl_doctor *doctor, const char *path, enum sl_check exposed,
                        bool is_secret);
static void judge_passwords(struct sl_doctor *doctor, const char *path, char *text);
static const char *judge_acl_line(char *line, bool *is_for_all, bool *is_wide);

void sl_doctor_judge_conf_files(struct sl_doctor *doctor, const struct sl_conf *conf)
{
    for (size_t i = sl_conf_first(conf); i < conf->listeners_len; i++)
        judge_listener_files(doctor, conf, &conf->listeners[i]);
}

static void judge_listener_files(struct sl_doctor *doctor, const struct sl_conf *conf,
                                 const struct sl_conf_listener *listener)
{
    struct sl_bytes text;
    struct sl_conf_value value = sl_conf_get(conf, listener, SL_CONF_ACL_FILE);
    if (value.text) {
        struct sl_path path = find(conf, value);
        if (read_text(doctor, path.text, "acl_file", &text)) {
            sl_doctor_judge_acl(doctor, path.text, text.data, text.len);
            judge_modes(doctor, path.text, SL_CHECKS, false);
            sl_bytes_free(&text);
        }
    }
    value = sl_conf_get(conf, listener, SL_CONF_PASSWORD_FILE);
    if (value.text) {
        struct sl_path path = find(conf, value);
        if (read_text(doctor, path.text, "password_file", &text)) {
            judge_passwords(doctor, path.text, text.data);
            judge_modes(doctor, path.text, SL_CHECK_CONF_PASSWORD_EXPOSED, true);
            sl_bytes_free(&text);
        }
    }
    static const struct {
        enum sl_conf_option option;
        const char *name;
    } named[] = {{SL_CONF_CERTFILE, "certfile"},
                 {SL_CONF_KEYFILE, "keyfile"},
                 {SL_CONF_CAFILE, "cafile"},
                 {SL_CONF_CRLFILE, "crlfile"}};
    struct sl_path paths[4];
    bool is_there[4] = {false};
    for (size_t i = 0; i < 4; i++) {
        value = sl_conf_get(conf, listener, named[i].option);
        if (!value.text)
            continue;
        paths[i] = find(conf, value);
        is_there[i] = sl_doctor_can_read(doctor, paths[i].text, named[i].name);
        if (is_there[i])
            judge_modes(doctor, paths[i].text,
                        named[i].option == SL_CONF_KEYFILE ? SL_CHECK_CONF_KEY_EXPOSED : SL_CHECKS,
                        named[i].option == SL_CONF_KEYFILE);
    }
    const struct sl_conf_pki pki = {
        is_there[0] ? paths[0].text : NULL, is_there[1] ? paths[1].text : NULL,
        is_there[2] ? paths[2].text : NULL, is_there[3] ? paths[3].text : NULL};
    sl_doctor_judge_conf_pki(doctor, &pki);
}

/* A relative path is taken from the configuration's own folder: where Mosquitto will be started is
 * not known here. */
static struct sl_path find(const struct sl_conf *conf, struct sl_conf_value value)
{
    struct sl_path path = {.text = ""};
    const char *file = conf->files[value.place.file];
    const char *slash = strrchr(file, '/');
    if (value.text[0] == '/' || !slash)
        (void)sl_cli_copy(path.text, sizeof path.text, value.text);
    else if ((size_t)snprintf(path.text, sizeof path.text, "%.*s/%s", (int)(slash - file), file,
                              value.text) >= sizeof path.text)
        path.text[0] = '\0';
    return path;
}

bool sl_doctor_can_read(struct sl_doctor *doctor, const char *path, const char *option)
{
    struct stat about;
    const struct sl_place place = {.path = path, .name = option};
    bool is_there = stat(path, &about) == 0;
    bool is_good = is_there && S_ISREG(about.st_mode) && about.st_size > 0;
    if (is_good && access(path, R_OK) == 0)
        return true;
    if (is_good || (!is_there && (errno == EACCES || errno == EPERM)))
        sl_doctor_find(doctor, SL_CHECK_CONF_FILE_UNREAD, place, "%s", strerror(errno));
    else
        sl_doctor_find(doctor, SL_CHECK_CONF_FILE_GONE, place, "%s: %s", option,
                       !is_there                ? strerror(errno)
                       : S_ISREG(about.st_mode) ? "it is empty"
                                                : "it is no file");
    return false;
}

static bool read_text(struct sl_doctor *doctor, const char *path, const char *option,
                      struct sl_bytes *bytes)
{
    struct sl_cli_told told = {.is_told = false};
    if (!sl_doctor_can_read(doctor, path, option))
        return false;
    sl_cli_listen(&told);
    enum sl_exit code = sl_file_read(path, TEXT_MAX, bytes);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE)
        sl_doctor_find(doctor, SL_CHECK_CONF_FILE_GONE,
                       (struct sl_place){.path = path, .name = option}, "%s", told.text);
    return code == SL_EXIT_DONE;
}

/* exposed: what it means when others can read it; SL_CHECKS: nothing. */
static void judge_modes(struct sl_doctor *doctor, const char *path, enum sl_check exposed,
                        bool is_secret)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return;
    unsigned mode = (unsigned)about.st_mode & 07777u;
    if (mode & (S_IWGRP | S_IWOTH))
        sl_doctor_find(doctor, SL_CHECK_CONF_WRITABLE, (struct sl_place){.path = path}, "mode %04o",
                       mode);
    else if (is_secret && (mode & S_IROTH))
        sl_doctor_find(doctor, exposed, (struct sl_place){.path = path}, "mode %04o", mode);
}

/* "user:$6$salt$hash", "user:$7$rounds$salt$hash"; Mosquitto 2.0 takes no others, and a converted
 * file of an older one has words in the clear. */
static void judge_passwords(struct sl_doctor *doctor, const char *path, char *text)
{
    char *rest = NULL;
    unsigned number = 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        number++;
        const char *colon = strchr(line, ':');
        bool is_hash =
            colon && (strncmp(colon + 1, "$6$", 3) == 0 || strncmp(colon + 1, "$7$", 3) == 0);
        if (line[0] == '#' || is_hash || !colon)
            continue;
        sl_doctor_find(doctor, SL_CHECK_CONF_PASSWORD_CLEAR,
                       (struct sl_place){.path = path, .line = number}, "no hash in line %u",
                       number);
        return; /* one is enough to know the file */
    }
}

/* --- access lists --------------------------------------------------------------------------- */

void sl_doctor_judge_acl(struct sl_doctor *doctor, const char *path, const char *text, size_t len)
{
    char line[1024];
    struct sl_place place = {.path = path};
    bool is_for_all = true; /* no 'user' line yet: what follows holds for those without a name */
    unsigned faults = 0;
    for (size_t at = 0; at < len && faults < ACL_FAULTS;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line_len = end ? (size_t)(end - text) - at : len - at;
        bool is_wide = false;
        place.line++;
        snprintf(line, sizeof line, "%.*s", (int)(line_len < sizeof line ? line_len : 0),
                 text + at);
        const char *wrong = line_len >= sizeof line             ? "it is too long"
                            : memchr(text + at, '\0', line_len) ? "a zero byte ends it"
                                                                : NULL;
        if (!wrong)
            wrong = judge_acl_line(line, &is_for_all, &is_wide);
        faults += wrong || is_wide;
        if (wrong)
            sl_doctor_find(doctor, SL_CHECK_CONF_ACL_BROKEN, place, "%s", wrong);
        else if (is_wide)
            sl_doctor_find(doctor, SL_CHECK_CONF_ACL_WIDE, place, "'%.60s'%s", line,
                           is_for_all ? ", for clients without a name" : "");
        at += line_len + 1;
    }
}

/* Gives what Mosquitto does not like; NULL: nothing. The line keeps its words. */
static const char *judge_acl_line(char *line, bool *is_for_all, bool *is_wide)
{
    static const char *const rights[] = {"read", "write", "readwrite", "deny"};
    char words[3][64] = {"", "", ""}, topic[1024];
    line[strcspn(line, "\r")] = '\0';
    int count = sscanf(line, "%63s %63s %63s", words[0], words[1], words[2]);
    if (count < 1 || words[0][0] == '#')
        return NULL;
    bool is_user = strcmp(words[0], "user") == 0;
    if (!is_user && strcmp(words[0], "topic") != 0 && strcmp(words[0], "pattern") != 0)
        return "it begins neither with 'user' nor with 'topic' nor with 'pattern'";
    if (count < 2)
        return is_user ? "it names no user" : "it names no topic";
    if (is_user) {
        *is_for_all = false;
        return NULL;
    }
    bool has_right = false, is_denied = strcmp(words[1], "deny") == 0;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        has_right = has_right || strcmp(words[1], rights[i]) == 0;
    if (has_right && count < 3) /* Mosquitto takes the word for a topic */
        has_right = is_denied = false;
    if (!has_right && count > 2 && strpbrk(words[1], "/#+") == NULL)
        return "its right is none of read, write, readwrite and deny";
    /* The topic is the rest of the line; it may have blanks. */
    const char *at = line + strspn(line, " \t");
    for (int skipped = 0; skipped < (has_right ? 2 : 1); skipped++) {
        at += strcspn(at, " \t");
        at += strspn(at, " \t");
    }
    snprintf(topic, sizeof topic, "%s", at);
    const char *hash = strchr(topic, '#');
    if (hash && (hash[1] != '\0' || (hash > topic && hash[-1] != '/')))
        return "'#' stands alone behind a slash, and at the end";
    for (const char *plus = strchr(topic, '+'); plus; plus = strchr(plus + 1, '+'))
        if ((plus > topic && plus[-1] != '/') || (plus[1] != '\0' && plus[1] != '/'))
            return "'+' stands alone between slashes";
    *is_wide = !is_denied && (strcmp(topic, "#") == 0 || strcmp(topic, "+/#") == 0);
    return NULL;
}
