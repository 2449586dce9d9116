/* What a node keeps over restarts: the values of the record log and their shapes.
 * Layout: docs/spec/record-log.md. */
#ifndef SL_NODE_KEPT_H
#define SL_NODE_KEPT_H

#include "store/records.h"

/* The last trusted time, Unix seconds; 0: none is kept. */
uint64_t sl_kept_time(const struct sl_records *records);
void sl_keep_time(struct sl_records *records, uint64_t unix_s);

#endif
