/* The values of the record log, to bytes and back. */
#include "node/kept.h"

#define TIME_LEN 8

uint64_t sl_kept_time(const struct sl_records *records)
{
    struct sl_reader reader = sl_reader_init(sl_records_get(records, SL_RECORD_TIME));

    return sl_read_u64(&reader);
}

void sl_keep_time(struct sl_records *records, uint64_t unix_s)
{
    uint8_t bytes[TIME_LEN];
    struct sl_writer writer = sl_writer_init(bytes, sizeof bytes);

    sl_write_u64(&writer, unix_s);
    sl_records_put(records, SL_RECORD_TIME, (struct sl_view){bytes, sizeof bytes});
}
