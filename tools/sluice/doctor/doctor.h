/* What 'sluice doctor' finds, and who looks for it.
 *
 * Looking changes nothing and tells nothing: each fault becomes a finding. A file that cannot be
 * read keeps nobody from looking at the others.
 */
#ifndef SL_CLI_DOCTOR_H
#define SL_CLI_DOCTOR_H

#include "ca/pki.h"
#include "doctor/checks.h"

#define SL_FINDINGS_MAX 512 /* more are counted, not kept */

/* Where a fault is, and whom it is about. */
struct sl_place {
    const char *path; /* a file, a folder or an address */
    unsigned line;    /* of that file; 0: the whole */
    const char *name; /* a node, a user, an option; NULL: nobody */
};

struct sl_finding {
    enum sl_check check;
    char *where;
    unsigned line;
    char name[64];
    char evidence[256];
    char mended[96]; /* what 'doctor --fix' did; empty: nothing */
};

struct sl_doctor {
    const struct sl_site *site;        /* NULL: a configuration of somebody else's */
    const struct sl_site_nodes *nodes; /* those that are whole; NULL: unknown */
    const char *root;                  /* of an installed broker; NULL: not looked at */
    const char *only;                  /* the one node that it is about; NULL: everything */
    struct sl_finding *list;
    size_t len, lost;   /* found; found when there was no more room */
    const char *broker; /* "proven", "not running", "not asked", ...; NULL: there is none */
};

/* Add a finding, unless the same stands there. The evidence is printf's; bytes of it may come from
 * anywhere. */
void sl_doctor_find(struct sl_doctor *doctor, enum sl_check check, struct sl_place place,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));
size_t sl_doctor_count(const struct sl_doctor *doctor, enum sl_severity severity);
bool sl_doctor_has(const struct sl_doctor *doctor, enum sl_check check);
/* Take over from another look what it says was mended, unless it was found again. */
void sl_doctor_keep_mended(struct sl_doctor *doctor, const struct sl_doctor *before);
/* Forget all findings. */
void sl_doctor_free(struct sl_doctor *doctor);

/* What is done about a finding, with every mark filled in, ready for a shell where it is a command.
 * A text that does not fit is cut. */
#define SL_CURE_MAX 8192
void sl_doctor_write_cure(const struct sl_doctor *doctor, const struct sl_finding *finding,
                          char out[SL_CURE_MAX]);
/* Findings on stdout, the worst first: blocks on a terminal, else a line each; or one object. */
void sl_doctor_print(const struct sl_doctor *doctor);
void sl_doctor_print_json(const struct sl_doctor *doctor);

/* --- a foreign configuration (doctor_conf.c, doctor_conf_files.c, doctor_conf_pki.c) --- */

/* Everything about the mosquitto.conf at path, and about the files that it names. */
void sl_doctor_look_conf(struct sl_doctor *doctor, const char *path);
struct sl_conf;
/* What the options mean; the files that they name are not looked at. */
void sl_doctor_judge_conf(struct sl_doctor *doctor, const struct sl_conf *conf);
/* An access list's text. */
void sl_doctor_judge_acl(struct sl_doctor *doctor, const char *path, const char *text, size_t len);
/* What the options name. */
void sl_doctor_judge_conf_files(struct sl_doctor *doctor, const struct sl_conf *conf);
/* A listener's certificate, key, authorities and list; each path may be NULL. And what lies beside
 * them. */
struct sl_conf_pki {
    const char *certificate, *key, *authorities, *crl;
};
void sl_doctor_judge_conf_pki(struct sl_doctor *doctor, const struct sl_conf_pki *pki);
/* May this file be read? If not, that is a finding. */
bool sl_doctor_can_read(struct sl_doctor *doctor, const char *path, const char *option);

#endif
