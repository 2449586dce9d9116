/* The one way to the site's authority: its certificates, which every command may read, and its
 * keys, which only a command that signs unlocks, before it writes anything.
 *
 * While the site rolls over to a new authority (ca/next/ is there) it has two, and both are
 * accepted: the current one still signs the broker's certificate, because a node may know no other
 * yet; the next one signs everything else. ca/certificate.pem then holds both certificates, the
 * current one first, so that whoever takes it as a list of what to trust trusts both.
 */
#ifndef SL_CLI_AUTHORITY_H
#define SL_CLI_AUTHORITY_H

#include "ca/pki.h"

/* Where its passphrase may come from. */
#define SL_AUTHORITY_VARIABLE   "SLUICE_PASSPHRASE_FILE"
#define SL_AUTHORITY_CREDENTIAL "ca-passphrase"

struct sl_authority {
    struct sl_pki_pair current;
    struct sl_pki_pair next; /* both NULL when no roll-over is under way */
};

/* The certificates alone, valid today and each an authority. The keys are NULL. */
SL_MUST_CHECK enum sl_exit sl_authority_read(const struct sl_site *site,
                                             struct sl_authority *authority);
/* With the keys. A locked one is unlocked by the passphrase from the sources of passphrase.h; what
 * was right once is kept in memory, so that a service can open the authority again.
 * may_ask: on the terminal, too. Without it a key that is not here, or that no source opens, is
 * SL_EXIT_REFUSED, silently: the caller says what to run. */
SL_MUST_CHECK enum sl_exit sl_authority_open(const struct sl_site *site, bool may_ask,
                                             struct sl_authority *authority);
/* The key was taken to another machine: 'sluice ca offline'. */
bool sl_authority_is_elsewhere(const struct sl_site *site);
void sl_authority_close(struct sl_authority *authority);

/* Would a command that signs want a passphrase? */
SL_MUST_CHECK enum sl_exit sl_authority_is_locked(const struct sl_site *site, bool *is_locked);

/* Write key.pem, locked unless passphrase_len is 0, and certificate.pem into folder. */
SL_MUST_CHECK enum sl_exit sl_authority_save(const struct sl_pki_pair *pair, const char *folder,
                                             const char *passphrase, size_t passphrase_len);

/* The same, locked like the key of the site's authority, which is open now. */
SL_MUST_CHECK enum sl_exit sl_authority_save_alike(const struct sl_site *site,
                                                   const struct sl_pki_pair *pair,
                                                   const char *folder);

/* Who signs for this purpose; what the certificates of the other sort look up to. */
const struct sl_pki_pair *sl_authority_signer(const struct sl_authority *authority,
                                              enum sl_pki_purpose purpose);
/* Both, current first; gives how many there are. */
size_t sl_authority_list(const struct sl_authority *authority, const struct sl_pki_pair *list[2]);

/* As sl_pki_days_left, by whichever of the two has signed it. */
long sl_authority_days_left(const struct sl_authority *authority, const X509 *certificate);

/* Are an operator's files whole, of this site, and valid today? Gives their end. */
SL_MUST_CHECK enum sl_exit sl_authority_check_operator(const struct sl_site *site, const char *user,
                                                       uint64_t *not_after_s);

#endif
