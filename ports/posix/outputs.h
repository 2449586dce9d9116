/* Relays at this computer's own outputs, as the relay process (relay_process.h) drives them. */
#ifndef SL_POSIX_OUTPUTS_H
#define SL_POSIX_OUTPUTS_H

#include <stdbool.h>
#include <stdint.h>

struct posix_outputs {
    const char *name; /* for messages */
    uint8_t zones;    /* those that have an output, bit z */
    uint8_t version;  /* for the status: SL_CHIP_VERSION_BLIND when read only repeats drive */
    /* Zone z conducts where bit z is set. May block for some milliseconds. False: errno. */
    bool (*drive)(uint8_t zones);
    /* What conducts, bit z, as far as it can be read. False: errno. */
    bool (*read)(uint8_t *zones);
};

#endif
