/* Records to bytes and back. */
#include "store/record_format.h"
#include "base/crc.h"

#define HALF_LEN 8 /* of a header; the rest is its complement */

static uint32_t checksum(uint8_t number, uint8_t version, struct sl_view body)
{
    const uint8_t start[4] = {number, version, (uint8_t)(body.len >> 8), (uint8_t)body.len};

    return sl_crc32_more(sl_crc32(start, sizeof start), body.data, body.len);
}

void sl_record_encode(uint8_t header[SL_RECORD_HEADER_LEN], uint8_t number, uint8_t version,
                      struct sl_view body)
{
    struct sl_writer writer = sl_writer_init(header, SL_RECORD_HEADER_LEN);

    sl_write_u8(&writer, number);
    sl_write_u8(&writer, version);
    sl_write_u16(&writer, (uint16_t)body.len);
    sl_write_u32(&writer, checksum(number, version, body));
    for (size_t i = 0; i < HALF_LEN; i++)
        sl_write_u8(&writer, (uint8_t)~header[i]);
}

/* Bits that were not programmed yet are ones in both halves, so no part of a header is a header. */
bool sl_record_decode(struct sl_view bytes, struct sl_record_header *header)
{
    struct sl_reader reader = sl_reader_init(bytes);
    bool is_whole = bytes.len >= SL_RECORD_HEADER_LEN;

    for (size_t i = 0; is_whole && i < HALF_LEN; i++)
        is_whole = (bytes.data[i] ^ bytes.data[HALF_LEN + i]) == 0xFF;
    memset(header, 0, sizeof *header);
    if (!is_whole || bytes.data[3] % 4 != 0)
        return false;
    header->number = sl_read_u8(&reader);
    header->version = sl_read_u8(&reader);
    header->len = sl_read_u16(&reader);
    header->crc = sl_read_u32(&reader);
    return true;
}

bool sl_record_is_whole(const struct sl_record_header *header, struct sl_view body)
{
    return body.len == header->len &&
           checksum(header->number, header->version, body) == header->crc;
}

bool sl_record_is_filled(struct sl_view bytes, uint8_t with)
{
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] != with)
            return false;
    return true;
}
