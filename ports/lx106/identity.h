/* The two sectors for identities: the one in use, and the one that is tried. */
#ifndef SL_LX106_IDENTITY_H
#define SL_LX106_IDENTITY_H

#include "store/identity.h"

/* Gives: slots and *has_candidate as sl_node_config has them. False: no sector holds an identity.
 */
bool lx106_identity_read(struct sl_identity_slot slots[2], bool *has_candidate);

#endif
