/* The serial line: a 16550, polled. */
#ifndef SL_LX106_UART_H
#define SL_LX106_UART_H

#include <stdbool.h>
#include <stdint.h>

void lx106_uart_byte(uint8_t byte);
/* Text may lie in flash. A line feed ends a line. */
void lx106_uart_text(const char *text);
void lx106_uart_number(int32_t number);
void lx106_uart_hex(uint32_t number); /* without leading zeros */

/* From here on what comes is kept for lx106_uart_take, 16 bytes of it. */
void lx106_uart_listen(void);
bool lx106_uart_take(uint8_t *byte); /* false: there is none */

#endif
