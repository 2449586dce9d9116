/* Text and JSON on top of sl_writer: bounded, and its first failure sticks. */
#ifndef SL_NODE_TEXT_H
#define SL_NODE_TEXT_H

#include "base/bytes.h"

void sl_text_add(struct sl_writer *writer, const char *text);
/* Decimal, without leading zeros. */
void sl_text_add_number(struct sl_writer *writer, uint64_t number);
/* A JSON string with its quotes. Whatever the bytes are, the output is printable ASCII: quotes and
 * backslashes are escaped, control characters become \u00XX, bytes above 0x7E become '?'.
 * Source: RFC 8259, section 7. */
void sl_text_add_string(struct sl_writer *writer, struct sl_view bytes);
/* The UTC day of unix_s as YYYY-MM-DD (ISO 8601); years above 9999 are given as 9999-12-31. */
void sl_text_add_date(struct sl_writer *writer, uint64_t unix_s);

#endif
