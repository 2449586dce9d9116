/* Opens the file, reads the log, takes over what an earlier version has left. */
#include "kept_records.h"
#include "flash_file.h"
#include "node/kept.h"
#include "run.h"
#include <sys/mman.h>

bool posix_records_read(struct sl_records *records, const char *dir, bool is_check,
                        uint64_t *floor_s, struct posix_failure *failure)
{
    uint8_t sectors;

    if (!posix_flash_init(dir, is_check, &sectors, failure))
        return false;
    (void)mlock(records, sizeof *records); /* best effort: rights may be missing */
    sl_records_init(records, sectors);
    sl_run_read_records(records);

    const uint64_t kept_s = sl_kept_time(records);
    const uint64_t old_s = posix_flash_old_time(is_check ? 0 : kept_s);
    *floor_s = SL_BUILD_TIME;
    if (*floor_s < kept_s)
        *floor_s = kept_s;
    if (*floor_s < old_s)
        *floor_s = old_s;
    return true;
}
