/* The bytes of a record: a header of 16, then the body. docs/spec/record-log.md draws them.
 *
 * A header is written after its body and says all about it twice, once in complement. */
#ifndef SL_STORE_RECORD_FORMAT_H
#define SL_STORE_RECORD_FORMAT_H

#include "base/bytes.h"

#define SL_RECORD_HEADER_LEN 16

struct sl_record_header {
    uint8_t number, version;
    uint16_t len; /* of the body, a multiple of 4 */
    uint32_t crc; /* CRC-32 of the four bytes above and the body */
};

void sl_record_encode(uint8_t header[SL_RECORD_HEADER_LEN], uint8_t number, uint8_t version,
                      struct sl_view body);
/* False: bytes does not begin with a whole header; *header is all zeros then. */
bool sl_record_decode(struct sl_view bytes, struct sl_record_header *header);
bool sl_record_is_whole(const struct sl_record_header *header, struct sl_view body);

/* Every byte is with: 0xFF, what erasing leaves, or 0. */
bool sl_record_is_filled(struct sl_view bytes, uint8_t with);

#endif
