/* Runs a node on a board: moves bytes, datagrams, frames and time between node.h and port.h. */
#ifndef SL_PORTS_RUN_H
#define SL_PORTS_RUN_H

#include "node/node.h"

/* One turn: everything that is possible without waiting. False: the node has finished. */
bool sl_run_step(struct sl_node *node);
/* Sleep until the node or a line wants attention. */
void sl_run_sleep(struct sl_node *node);

#endif
