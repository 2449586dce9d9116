/* A serial line of this computer, as 'node enrol' uses it: raw, 115200 baud, 8N1, ours alone. */
#ifndef SL_CLI_SERIAL_PORT_H
#define SL_CLI_SERIAL_PORT_H

#include "base/bytes.h"
#include "cli/cli.h"
#include <termios.h>

struct sl_serial_port {
    const char *path;
    int fd;
    struct termios before;
};

/* What came while nobody listened is dropped. SL_EXIT_REFUSED: another program has it. */
SL_MUST_CHECK enum sl_exit sl_serial_open(const char *path, struct sl_serial_port *port);
/* Wait at most ms for bytes, or for room when has_output. Gives: *len bytes in in, 0 none yet. */
SL_MUST_CHECK enum sl_exit sl_serial_receive(struct sl_serial_port *port, bool has_output,
                                             unsigned ms, uint8_t *in, size_t size, size_t *len);
/* Gives: *len, how many were taken. */
SL_MUST_CHECK enum sl_exit sl_serial_send(struct sl_serial_port *port, struct sl_view bytes,
                                          size_t *len);
/* What was taken goes out first, for a second at most. Leaves the line as it was. */
void sl_serial_close(struct sl_serial_port *port);

#endif
