#include "flash.h"
#include "port.h"
#include "semihost.h"
#include <string.h>

#define PAGE_LEN 256

static uint32_t offset_of(const struct sl_records_place *place);
static bool program(uint32_t offset, const struct sl_records_op *op);
static bool write_at(uint32_t offset, const void *bytes, size_t len);
static void cut_here(void);

static struct {
    int32_t fd;            /* -1: there is no flash */
    uint32_t cut_in;       /* operations until the power is cut; 0: never */
    bool has_ended, is_ok; /* the record log's operation */
} flash;

/* What the flash chip itself works in. */
static uint8_t page[PAGE_LEN] __attribute__((section(".rig"), aligned(PAGE_LEN)));

void lx106_flash_init(void)
{
    flash.fd = lx106_argument("flash") ? (int32_t)lx106_argument_number("flash", 0) : -1;
    flash.cut_in = lx106_argument_number("cut", 0);
}

bool lx106_flash_read(uint32_t offset, void *out, size_t len)
{
    return flash.fd >= 0 && lx106_host_seek(flash.fd, offset) == (int32_t)offset &&
           lx106_host_read(flash.fd, out, len) == (int32_t)len;
}

bool lx106_flash_program(uint32_t offset, const void *bytes, size_t len)
{
    const uint8_t *from = bytes;
    size_t done = 0;
    const bool is_cut = flash.cut_in == 1;

    for (size_t until = is_cut ? len / 2 : len; done < until;) {
        const size_t part = until - done < PAGE_LEN ? until - done : PAGE_LEN;
        if (!lx106_flash_read(offset + done, page, part))
            return false;
        for (size_t i = 0; i < part; i++)
            page[i] &= from[done + i];
        if (!write_at(offset + done, page, part))
            return false;
        done += part;
    }
    cut_here();
    return true;
}

bool lx106_flash_erase(uint32_t sector_offset)
{
    const uint32_t until = flash.cut_in == 1 ? LX106_FLASH_SECTOR_LEN / 2 : LX106_FLASH_SECTOR_LEN;

    memset(page, 0xff, sizeof page);
    for (uint32_t done = 0; done < until; done += PAGE_LEN)
        if (!write_at(sector_offset + done, page, PAGE_LEN))
            return false;
    cut_here();
    return true;
}

bool lx106_flash_forget_records(void)
{
    for (uint32_t at = LX106_FLASH_RECORDS; at < LX106_FLASH_LEN; at += LX106_FLASH_SECTOR_LEN)
        if (!lx106_flash_erase(at))
            return false;
    return true;
}

bool sl_port_flash_read(const struct sl_records_place *place, uint8_t *out)
{
    return lx106_flash_read(offset_of(place), out, place->len);
}

/* The processor waits for its flash, as the real one does: the end is there at once. */
void sl_port_flash_start(const struct sl_records_op *op)
{
    const uint32_t offset = offset_of(&op->place);

    flash.is_ok = op->kind == SL_RECORDS_ERASE ? lx106_flash_erase(offset) : program(offset, op);
    flash.has_ended = true;
}

bool sl_port_flash_take(bool *ok)
{
    const bool has_ended = flash.has_ended;

    *ok = flash.is_ok;
    flash.has_ended = false;
    return has_ended;
}

/* True: what lies there now is what was asked for. */
static bool program(uint32_t offset, const struct sl_records_op *op)
{
    static const uint8_t zeros[SL_RECORDS_WINDOW_LEN];
    const uint8_t *wanted = op->kind == SL_RECORDS_CLEAR ? zeros : op->data;
    const size_t len = op->place.len;

    return len <= sizeof zeros && lx106_flash_program(offset, wanted, len) &&
           lx106_flash_read(offset, page, len) && memcmp(page, wanted, len) == 0;
}

static uint32_t offset_of(const struct sl_records_place *place)
{
    return LX106_FLASH_RECORDS + (uint32_t)place->sector * LX106_FLASH_SECTOR_LEN + place->offset;
}

static bool write_at(uint32_t offset, const void *bytes, size_t len)
{
    return lx106_host_seek(flash.fd, offset) == (int32_t)offset &&
           lx106_host_write(flash.fd, bytes, len) == (int32_t)len;
}

static void cut_here(void)
{
    if (flash.cut_in == 0)
        return;
    if (flash.cut_in == 1)
        lx106_exit(LX106_FLASH_CUT_CODE);
    flash.cut_in--;
}
