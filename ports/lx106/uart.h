/* The serial line: a 16550, polled; output only. */
#ifndef SL_LX106_UART_H
#define SL_LX106_UART_H

#include <stdint.h>

void lx106_uart_byte(uint8_t byte);
/* Text may lie in flash. A line feed ends a line. */
void lx106_uart_text(const char *text);
void lx106_uart_number(int32_t number);
void lx106_uart_hex(uint32_t number); /* without leading zeros */

#endif
