/* Loading is simavr's work; what can be wrong with the file is checked before, because libelf and
 * simavr are not made for files that somebody else wrote. */
#include "firmware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELF_MAX      (4u << 20)
#define ELF_HEADER   52 /* bytes of the ELF32 header */
#define MACHINE_AT   18
#define MACHINE_AVR  83
#define FUSE_BYTES   3
#define DEFAULT_MCU  "atmega168"
#define DEVICE_NOTE  "\0atmega" /* the device's name in .note.gnu.avr.deviceinfo */
#define MCU_NAME_MAX 16

static const char *tell(const char *thing, const char *name, const char *what);
static bool check_elf(const char *path, char mcu[MCU_NAME_MAX], const char **error);
static void name_device(const uint8_t *elf, size_t len, char mcu[MCU_NAME_MAX]);
static void free_image(elf_firmware_t *image);

avr_t *twin_firmware_load(const char *path, const char *mcu, struct twin_firmware *firmware,
                          const char **error)
{
    char device[MCU_NAME_MAX] = DEFAULT_MCU;
    if (!check_elf(path, device, error))
        return NULL;

    elf_firmware_t image;
    memset(&image, 0, sizeof image);
    avr_t *avr = NULL;
    if (elf_read_firmware(path, &image) != 0 || image.flash == NULL || image.flashsize == 0) {
        *error = tell("firmware", path, "no program in it; build it with 'make firmware'");
        goto done;
    }
    if (image.fuse == NULL || image.fusesize != FUSE_BYTES) {
        *error = tell("firmware", path,
                      "it tells no fuses, so oscillator, watchdog and brown-out level are unknown; "
                      "build it with 'make firmware'");
        goto done;
    }
    avr = avr_make_mcu_by_name(mcu != NULL ? mcu : device);
    if (avr == NULL) {
        *error = tell("chip", mcu != NULL ? mcu : device,
                      "not known to the simulator; use atmega168 or atmega328p");
        goto done;
    }
    avr_init(avr);
    avr->log = LOG_NONE;
    if (image.flashbase != 0 || image.flashsize > avr->flashend + 1) {
        *error =
            tell("firmware", path, "it does not fit into the chip's flash; build it for this chip");
        avr_terminate(avr);
        free(avr);
        avr = NULL;
        goto done;
    }
    avr_load_firmware(avr, &image);
    firmware->flash_bytes = image.flashsize;
    firmware->ram_bytes = image.datasize + image.bsssize;
done:
    free_image(&image);
    return avr;
}

static const char *tell(const char *thing, const char *name, const char *what)
{
    static char line[512];
    snprintf(line, sizeof line, "%s %s: %s", thing, name, what);
    return line;
}

/* An ELF32 file for the AVR, of sane size; gives the name of the device if it tells one. */
static bool check_elf(const char *path, char mcu[MCU_NAME_MAX], const char **error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        *error = tell("firmware", path, "cannot be read; build it with 'make firmware'");
        return false;
    }
    uint8_t *elf = malloc(ELF_MAX);
    size_t len = elf != NULL ? fread(elf, 1, ELF_MAX, file) : 0;
    fclose(file);
    bool is_avr = len >= ELF_HEADER && len < ELF_MAX && memcmp(elf, "\177ELF\1\1", 6) == 0 &&
                  elf[MACHINE_AT] == MACHINE_AVR && elf[MACHINE_AT + 1] == 0;
    if (is_avr)
        name_device(elf, len, mcu);
    else
        *error =
            tell("firmware", path, "not an ELF file for the AVR; build it with 'make firmware'");
    free(elf);
    return is_avr;
}

/* gcc-avr leaves the device's name in a note. The strings of debug information begin alike, so only
 * a name that ends as a name should is taken. */
static void name_device(const uint8_t *elf, size_t len, char mcu[MCU_NAME_MAX])
{
    static const char *const known[] = {"atmega168", "atmega328p"};
    for (size_t at = 0; at + MCU_NAME_MAX < len; at++) {
        if (elf[at] != 0 || memcmp(elf + at, DEVICE_NOTE, sizeof DEVICE_NOTE - 1) != 0)
            continue;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (memcmp(elf + at + 1, known[i], strlen(known[i]) + 1) == 0) {
                snprintf(mcu, MCU_NAME_MAX, "%s", known[i]);
                return;
            }
    }
}

static void free_image(elf_firmware_t *image)
{
    free(image->flash);
    free(image->eeprom);
    free(image->fuse);
    free(image->lockbits);
    for (uint32_t i = 0; i < image->symbolcount; i++)
        free(image->symbol[i]);
    free(image->symbol);
}
