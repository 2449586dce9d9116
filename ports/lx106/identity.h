/* The two sectors for identities: the one in use, and the one that is tried. */
#ifndef SL_LX106_IDENTITY_H
#define SL_LX106_IDENTITY_H

#include "store/identity.h"

/* Gives: slots and *has_candidate as sl_node_config has them. False: no sector holds an identity.
 */
bool lx106_identity_read(struct sl_identity_slot slots[2], bool *has_candidate);
/* The image in place of all that is there, if any; after a read. A power cut leaves what was there
 * or the image, or both, as two of which the image is tried. False: what was there is in use. */
bool lx106_identity_replace(struct sl_view image);

#endif
