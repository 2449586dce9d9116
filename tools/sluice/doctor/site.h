/* doctor: who looks at what of a site. Each function adds its findings; the order does not matter,
 * but for sl_doctor_look_pki, which collects what sl_doctor_look_journal looks at. */
#ifndef SL_CLI_DOCTOR_SITE_H
#define SL_CLI_DOCTOR_SITE_H

#include "ca/authority.h"
#include "doctor/doctor.h"

/* A certificate in use, and whose it is. */
struct sl_holder {
    struct sl_path path;
    sl_name name; /* as the site has it; empty: the authority's or the broker's */
    enum sl_pki_purpose purpose;
    X509 *certificate;
};
struct sl_holders {
    struct sl_holder *list;
    size_t len;
    struct sl_authority authority; /* without its keys; NULLs when it cannot be read */
};

/* Modes, owners, links, leftovers, keys where none belong, missing files, the disk. */
void sl_doctor_look_files(struct sl_doctor *doctor);
/* Every key and certificate: that they belong together, are signed by the site, are for the right
 * purpose and name, and last. *holders: those that could be read; sl_doctor_free_holders. */
void sl_doctor_look_pki(struct sl_doctor *doctor, struct sl_holders *holders);
void sl_doctor_free_holders(struct sl_holders *holders);
/* issued.log, and the clock. */
void sl_doctor_look_journal(struct sl_doctor *doctor, const struct sl_holders *holders);
/* The revocation list, the access list, the configuration, the topics and the address. */
void sl_doctor_look_lists(struct sl_doctor *doctor, const struct sl_holders *holders);
/* The broker's process on this computer, and the Mosquitto that would be started. */
void sl_doctor_look_process(struct sl_doctor *doctor);
/* The running broker, as a client sees it; every wait has an end. */
void sl_doctor_look_broker(struct sl_doctor *doctor, const struct sl_holders *holders);

/* Mend what is safe. Gives how many findings were mended; they say what was done. */
size_t sl_doctor_fix(struct sl_doctor *doctor);
/* Is there a remedy for it? */
bool sl_doctor_can_fix(enum sl_check check);

/* A finding about what was told while somebody listened. */
void sl_doctor_find_told(struct sl_doctor *doctor, enum sl_check check, struct sl_place place,
                         const struct sl_cli_told *told);

#endif
