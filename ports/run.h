/* Runs a node on a board: moves bytes, datagrams, frames and time between node.h and port.h. */
#ifndef SL_PORTS_RUN_H
#define SL_PORTS_RUN_H

#include "node/node.h"
#include "port.h"

#define SL_RUN_ROUNDS     32    /* in one step, so that a flood cannot hold the clock back */
#define SL_RUN_UTC_ASK_MS 1000  /* between questions for the board's time while it is unknown */
#define SL_RUN_UTC_SET_MS 60000 /* ... and once it was taken */

struct sl_run {
    struct sl_node *node;
    struct sl_records *records;
    enum sl_port_line told; /* what the node knows of the line */
    sl_ms utc_due;
    bool has_more; /* the last step ended before everything was moved */
    bool has_finished;
    bool is_storing; /* an operation on the flash is under way */
    bool is_keeping; /* ... and one on the identities */
};

/* Read what was kept in flash; before sl_node_init, which looks at it. */
void sl_run_read_records(struct sl_records *records);

/* node: initialised, outlives the run; the line is closed. records: the node's. */
void sl_run_init(struct sl_run *run, struct sl_node *node, struct sl_records *records, sl_ms now);

/* One turn: everything that is possible without waiting. False: the node has finished. */
bool sl_run_step(struct sl_run *run);
/* Sleep until the node or a line wants attention. */
void sl_run_sleep(struct sl_run *run);
/* After the end: carry on with what is to be kept. False: all of it is. */
bool sl_run_store(struct sl_run *run);

#endif
