/* Calls to the computer that simulates this board, by QEMU's 'simcall' instruction.
 *
 * They stand for what the real board has in hardware: a reset, an entropy source, flash, the wires
 * to the relay chip. Descriptors are inherited: who starts QEMU opens them and names them in the
 * arguments, NAME=VALUE each (-semihosting-config arg=NAME=VALUE). While a call runs the processor
 * and its clock stand still.
 */
#ifndef SL_LX106_SEMIHOST_H
#define SL_LX106_SEMIHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the simulation with this exit code, 0..255. */
_Noreturn void lx106_exit(int code);

/* Before the first lx106_argument. */
void lx106_semihost_init(void);
/* The value of an argument; NULL: it was not given. A flag is NAME=1. */
const char *lx106_argument(const char *name);
/* A decimal one; otherwise when it was not given. */
uint32_t lx106_argument_number(const char *name, uint32_t otherwise);

/* As read, write and lseek (from the start) on the host; -1 for every error. A packet must not
 * cross a 4 KB page: keep it in memory aligned to its size. */
int32_t lx106_host_read(int32_t fd, void *out, size_t len);
int32_t lx106_host_write(int32_t fd, const void *bytes, size_t len);
int32_t lx106_host_seek(int32_t fd, uint32_t offset);
/* Is there something to read at once? */
bool lx106_host_has_input(int32_t fd);
/* For reading; -1 when it cannot be opened. */
int32_t lx106_host_open(const char *path);
void lx106_host_close(int32_t fd);

#endif
