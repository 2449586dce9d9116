/* The serial line over which a node is enrolled: a tty of this computer, or a pseudo terminal that
 * the node makes for a try without wires. */
#ifndef SL_POSIX_SERIAL_H
#define SL_POSIX_SERIAL_H

#include "base/bytes.h"
#include "errors.h"
#include "wait.h"
#include <stdbool.h>

#define POSIX_SERIAL_PTY      "pty:" /* PATH: a link to the pseudo terminal that is made there */
#define POSIX_SERIAL_AGAIN_MS 2000   /* between tries to open a line that went away */

/* spec: a tty's path, or pty:PATH; kept. The line is raw, 115200 baud, 8N1, and ours alone.
 * False: *failure says why. */
bool posix_serial_open(const char *spec, struct posix_failure *failure);
/* Can it be opened? Opens, makes and changes nothing. */
bool posix_serial_check(const char *spec, struct posix_failure *failure);
/* What is there, at most len bytes; 0: nothing. A line that went away is told of once, and opened
 * again when it is back. */
size_t posix_serial_receive(sl_ms now, uint8_t *out, size_t len);
/* Gives: how many of the bytes were taken. Where they cannot go any more the line went away. */
size_t posix_serial_send(sl_ms now, struct sl_view bytes);
/* has_output: nothing is received before that has gone, so only that is waited for. */
void posix_serial_wait(struct posix_wait *wait, bool has_output);
void posix_serial_close(void);

#endif
