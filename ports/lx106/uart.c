/* Registers: the 16550's, four bytes apart, at the address that the kc705 machine gives it. */
#include "uart.h"

#define UART             ((volatile uint32_t *)0x9d050020)
#define RECEIVE          0
#define TRANSMIT         0
#define QUEUES           2
#define LINE_STATUS      5
#define QUEUES_ON        0x07 /* QUEUES: both, emptied */
#define HAS_RECEIVED     0x01 /* LINE_STATUS */
#define TRANSMIT_IS_FREE 0x20 /* LINE_STATUS: the holding register is empty */

void lx106_uart_byte(uint8_t byte)
{
    while ((UART[LINE_STATUS] & TRANSMIT_IS_FREE) == 0) {
    }
    UART[TRANSMIT] = byte;
}

void lx106_uart_text(const char *text)
{
    while (*text != '\0')
        lx106_uart_byte((uint8_t)*text++);
}

void lx106_uart_number(int32_t number)
{
    uint32_t rest = number < 0 ? 0 - (uint32_t)number : (uint32_t)number;
    char digits[11];
    uint8_t at = sizeof digits - 1;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        lx106_uart_byte('-');
    lx106_uart_text(digits + at);
}

void lx106_uart_hex(uint32_t number)
{
    int shift = 0;

    while (number >> shift > 15)
        shift += 4;
    for (; shift >= 0; shift -= 4) {
        const uint32_t digit = number >> shift & 15;
        lx106_uart_byte((uint8_t)(digit < 10 ? '0' + digit : 'a' - 10 + digit));
    }
}

void lx106_uart_listen(void)
{
    UART[QUEUES] = QUEUES_ON;
}

bool lx106_uart_take(uint8_t *byte)
{
    if ((UART[LINE_STATUS] & HAS_RECEIVED) == 0)
        return false;
    *byte = (uint8_t)UART[RECEIVE];
    return true;
}
