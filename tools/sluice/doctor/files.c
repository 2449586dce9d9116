/* doctor: the folder itself: what must be there, who may touch it, what was left behind. */
#include "doctor/site.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#define DEPTH_MAX    6
#define KEY_FILE_MAX 65536
#define LEFT_S       60       /* what a running command makes is younger */
#define DISK_LOW     16777216 /* bytes: a list of 2,000 nodes, written beside the old one, thrice */

/* What is looked at while walking. */
struct walk {
    struct sl_doctor *doctor;
    uid_t owner; /* of the site's folder */
    time_t now_s;
};

static void look_for(struct sl_doctor *doctor, const char *folder, const char *const *names);
static void walk_folder(const struct walk *walk, const char *path, unsigned depth);
static void look_at(const struct walk *walk, const char *path, const struct stat *about);
static bool is_left(const char *name);
static bool holds_key(const char *path, const struct stat *about);
static bool may_hold_key(const struct sl_doctor *doctor, const char *path);
static void look_at_disk(struct sl_doctor *doctor);

void sl_doctor_look_files(struct sl_doctor *doctor)
{
    const struct sl_site *site = doctor->site;
    struct walk walk = {.doctor = doctor, .now_s = time(NULL)};
    struct stat about;
    if (stat(site->root, &about) != 0)
        return;
    walk.owner = about.st_uid;
    if (doctor->only) {
        struct sl_path folder = sl_path_join3(site->root, "nodes", doctor->only);
        walk_folder(&walk, folder.text, 0);
        return;
    }
    look_at(&walk, site->root, &about);
    walk_folder(&walk, site->root, 0);

    /* Keys and certificates are missed by whoever loads them. */
    look_for(doctor, site->root, (const char *const[]){"issued.log", "run", "nodes", NULL});
    look_for(doctor, sl_path_join(site->root, "broker").text,
             (const char *const[]){"acl", "mosquitto.conf", NULL});
    look_at_disk(doctor);
}

static void look_for(struct sl_doctor *doctor, const char *folder, const char *const *names)
{
    struct stat about;
    for (; *names; names++) {
        struct sl_path path = sl_path_join(folder, *names);
        if (stat(path.text, &about) != 0)
            sl_doctor_find(doctor, SL_CHECK_FILE_GONE, (struct sl_place){.path = path.text}, "%s",
                           strerror(errno));
        else if (S_ISREG(about.st_mode) && about.st_size == 0)
            sl_doctor_find(doctor, SL_CHECK_FILE_GONE, (struct sl_place){.path = path.text},
                           "it is empty");
    }
}

/* --- every file ----------------------------------------------------------------------------- */

/* Not below what was left behind: that is one finding. */
static void walk_folder(const struct walk *walk, const char *path, unsigned depth)
{
    struct dirent **entries = NULL;
    int len = scandir(path, &entries, NULL, alphasort);
    if (len < 0)
        sl_doctor_find(walk->doctor, SL_CHECK_FILE_GONE, (struct sl_place){.path = path}, "%s",
                       strerror(errno));
    for (int i = 0; i < len; i++) {
        const char *name = entries[i]->d_name;
        struct sl_path inner = sl_path_join(path, name);
        struct stat about;
        bool is_self = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
        if (is_self || lstat(inner.text, &about) != 0) {
            free(entries[i]);
            continue;
        }
        if (is_left(name)) {
            if (walk->now_s - about.st_mtime > LEFT_S)
                sl_doctor_find(walk->doctor, SL_CHECK_FILE_LEFT,
                               (struct sl_place){.path = inner.text}, "a temporary name, %ld s old",
                               (long)(walk->now_s - about.st_mtime));
        } else {
            look_at(walk, inner.text, &about);
            if (S_ISDIR(about.st_mode) && depth < DEPTH_MAX)
                walk_folder(walk, inner.text, depth + 1);
        }
        free(entries[i]);
    }
    free(entries);
}

static void look_at(const struct walk *walk, const char *path, const struct stat *about)
{
    struct sl_doctor *doctor = walk->doctor;
    const struct sl_place place = {.path = path};
    if (S_ISLNK(about->st_mode)) {
        sl_doctor_find(doctor, SL_CHECK_FILE_LINKED, place, "a symbolic link");
        return;
    }
    if (about->st_uid != walk->owner)
        sl_doctor_find(doctor, SL_CHECK_FILE_FOREIGN, place, "user %u, the site's is %u",
                       (unsigned)about->st_uid, (unsigned)walk->owner);
    if (about->st_mode & (S_IRWXG | S_IRWXO))
        sl_doctor_find(doctor, SL_CHECK_FILE_EXPOSED, place, "mode %04o",
                       (unsigned)about->st_mode & 07777u);
    if (S_ISREG(about->st_mode) && !may_hold_key(doctor, path) && holds_key(path, about))
        sl_doctor_find(doctor, SL_CHECK_KEY_COPY, place, "PRIVATE KEY in it");
}

/* Names that only commands under way have: "acl.a1B2c3", ".new.a1B2c3". What 'sluice renew' keeps
 * until its node has confirmed it may look like one, by the node's name: ".renewed.garden". */
static bool is_left(const char *name)
{
    size_t len = strlen(name);
    if (len < 8 || name[len - 7] != '.' || strncmp(name, ".renewed.", 9) == 0)
        return false;
    for (size_t i = len - 6; i < len; i++)
        if (!isalnum((unsigned char)name[i]))
            return false;
    static const char *const firsts[] = {"acl",       "mosquitto.conf",  "crl.pem",
                                         "key.pem",   "certificate.pem", "identity",
                                         "node.json", "site.json"};
    if (name[0] == '.')
        return true;
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++)
        if (strlen(firsts[i]) == len - 7 && strncmp(name, firsts[i], len - 7) == 0)
            return true;
    return false;
}

static bool may_hold_key(const struct sl_doctor *doctor, const char *path)
{
    const char *below = path + strlen(doctor->site->root);
    const char *name = strrchr(path, '/');
    static const char *const folders[] = {"/ca/", "/broker/", "/operators/", "/canary/"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (strncmp(below, folders[i], strlen(folders[i])) == 0)
            return name && strcmp(name, "/key.pem") == 0;
    return strncmp(below, "/pending/", 9) == 0; /* 'sluice ca request' waits for its answer */
}

static bool holds_key(const char *path, const struct stat *about)
{
    struct sl_cli_told told = {.is_told = false};
    struct sl_bytes bytes;
    if (about->st_size > KEY_FILE_MAX)
        return false;
    sl_cli_listen(&told);
    enum sl_exit code = sl_file_read(path, KEY_FILE_MAX, &bytes);
    sl_cli_listen(NULL);
    if (code != SL_EXIT_DONE)
        return false;
    bool holds = memmem(bytes.data, bytes.len, "PRIVATE KEY-----", 16) != NULL;
    sl_bytes_free(&bytes);
    return holds;
}

static void look_at_disk(struct sl_doctor *doctor)
{
    struct statvfs disk;
    if (statvfs(doctor->site->root, &disk) != 0)
        return;
    unsigned long long left = (unsigned long long)disk.f_bavail * disk.f_frsize;
    bool is_out_of_names = disk.f_files > 0 && disk.f_favail < 16;
    if (left < DISK_LOW || is_out_of_names)
        sl_doctor_find(doctor, SL_CHECK_DISK_FULL, (struct sl_place){.path = doctor->site->root},
                       "%llu kB and room for %llu files left", left / 1024,
                       (unsigned long long)disk.f_favail);
}
