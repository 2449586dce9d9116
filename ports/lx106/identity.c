/* No mark says which sector is in use: of two good ones the older, since the later one is adopted
 * by erasing the older. So every step is one that a power cut leaves done or not. */
#include "identity.h"
#include "fault.h"
#include "flash.h"
#include "port.h"

static bool read_sector(struct sl_identity_slot *slot, uint8_t sector);
static bool write_other(struct sl_view image);

static struct {
    uint8_t in_use;        /* sector */
    bool has_ended, is_ok; /* the operation */
} kept;

static uint32_t offset_of(unsigned sector)
{
    return LX106_FLASH_IDENTITY + sector * LX106_FLASH_SECTOR_LEN;
}

bool lx106_identity_read(struct sl_identity_slot slots[2], bool *has_candidate)
{
    const bool has_first = read_sector(&slots[0], 0), has_second = read_sector(&slots[1], 1);

    *has_candidate = has_first && has_second;
    kept.in_use =
        has_second && (!has_first || slots[1].identity.issued_s < slots[0].identity.issued_s);
    if (kept.in_use == 0)
        return has_first;
    (void)read_sector(&slots[1], 0);
    return read_sector(&slots[0], 1);
}

static bool read_sector(struct sl_identity_slot *slot, uint8_t sector)
{
    struct sl_view view = {slot->image, sizeof slot->image};

    if (!lx106_flash_read(offset_of(sector), slot->image, sizeof slot->image))
        lx106_give_up("the flash cannot be read");
    /* The image tells its own length: docs/spec/identity-image.md. */
    const size_t len = (size_t)slot->image[5] << 8 | slot->image[6];
    if (len < view.len)
        view.len = len;
    return sl_identity_decode(view, &slot->identity) == SL_OK;
}

/* The processor waits for its flash: the end is there at once. */
void sl_port_identity_start(enum sl_identity_op op, struct sl_view image)
{
    const uint8_t other = 1 - kept.in_use;

    switch (op) {
    case SL_IDENTITY_TRY:
        kept.is_ok = lx106_flash_erase(offset_of(other)) && write_other(image);
        break;
    case SL_IDENTITY_ADOPT:
        kept.is_ok = lx106_flash_erase(offset_of(kept.in_use));
        if (kept.is_ok)
            kept.in_use = other;
        break;
    case SL_IDENTITY_DROP:
        kept.is_ok = lx106_flash_erase(offset_of(other));
        break;
    }
    kept.has_ended = true;
}

bool sl_port_identity_take(bool *ok)
{
    const bool has_ended = kept.has_ended;

    *ok = kept.is_ok;
    kept.has_ended = false;
    return has_ended;
}

bool lx106_identity_replace(struct sl_view image)
{
    static const enum sl_identity_op steps[] = {SL_IDENTITY_TRY, SL_IDENTITY_ADOPT};
    bool ok = true;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && ok; i++) {
        sl_port_identity_start(steps[i], image);
        (void)sl_port_identity_take(&ok);
    }
    return ok;
}

/* True: what lies there now is what was given. Programming takes whole words; an image lies in
 * memory of whole words, too. */
static bool write_other(struct sl_view image)
{
    const uint32_t offset = offset_of(1 - kept.in_use);
    uint8_t back[64];
    bool ok = lx106_flash_program(offset, image.data, (image.len + 3) & ~(size_t)3);

    for (size_t at = 0; at < image.len && ok; at += sizeof back) {
        const size_t left = image.len - at, part = left < sizeof back ? left : sizeof back;
        ok = lx106_flash_read(offset + at, back, sizeof back) &&
             memcmp(back, image.data + at, part) == 0;
    }
    sl_wipe(back, sizeof back);
    return ok;
}
