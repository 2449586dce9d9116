/* What goes onto a node: docs/spec/identity-image.md. */
#ifndef SL_CLI_IMAGE_H
#define SL_CLI_IMAGE_H

#include "ca/authority.h"
#include "store/identity.h"

/* The identity image of a node in image[SL_IDENTITY_MAX], which the caller wipes. Its trust anchors
 * are all that the site accepts today. */
SL_MUST_CHECK enum sl_exit sl_pki_encode_identity(const struct sl_site *site,
                                                  const struct sl_site_node *node,
                                                  const struct sl_authority *authority,
                                                  const struct sl_pki_pair *pair, uint8_t *image,
                                                  size_t *len);

/* The same without a key, in grant[SL_GRANT_MAX]: for a node that has made its own.
 * The current authority seals it, in a roll-over too: a node may know no other yet, and every node
 * that is not lost knows that one until the end. Requires: its key is unlocked.
 * wifi_name, wifi_passphrase: empty where there are none; with them the caller wipes the grant. */
SL_MUST_CHECK enum sl_exit sl_pki_encode_grant(const struct sl_site *site,
                                               const struct sl_site_node *node,
                                               const struct sl_authority *authority,
                                               const X509 *certificate, struct sl_view wifi_name,
                                               struct sl_view wifi_passphrase, uint8_t *grant,
                                               size_t *len);

#endif
