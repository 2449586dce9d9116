/* Words for log events. Host programs only: a device sends numbers. */
#ifndef SL_NODE_LOG_TEXT_H
#define SL_NODE_LOG_TEXT_H

#include "base/log.h"
#include <stddef.h>

#define SL_LOG_TEXT_MAX 512 /* the longest line fits */

/* One line without its end, NUL-terminated, cut at out_len. Gives: its length. */
size_t sl_log_text(const struct sl_log_event *event, char *out, size_t out_len);
/* The event's name as in the list, without its prefix: ZONE_ON. For fields and filters. */
const char *sl_log_text_name(const struct sl_log_event *event);
enum sl_log_level sl_log_text_level(const struct sl_log_event *event);

#endif
