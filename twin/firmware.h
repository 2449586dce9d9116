/* The firmware's ELF, checked, and put into a fresh simavr core. */
#ifndef SL_TWIN_FIRMWARE_H
#define SL_TWIN_FIRMWARE_H

#include "simavr.h"
#include <stdbool.h>

struct twin_firmware {
    uint32_t flash_bytes;
    uint32_t ram_bytes; /* .data and .bss */
};

/* mcu: NULL for the name in the ELF's device note. NULL: *error is one line for a person. */
avr_t *twin_firmware_load(const char *path, const char *mcu, struct twin_firmware *firmware,
                          const char **error);

#endif
