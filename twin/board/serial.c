#include "serial.h"
#include "enrol/frame.h"
#include "port.h"
#include "posix/log.h"
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void skip_frame(struct board_serial *serial, char byte);
static void take_line(const char *line);
static bool is_event(const char *line, struct sl_log_event *event);

void board_serial_feed(struct board_serial *serial, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (serial->frame_left > 0 || bytes[i] == '\0') {
            skip_frame(serial, bytes[i]);
            continue;
        }
        if (bytes[i] != '\n' && serial->len < BOARD_LINE_MAX) {
            serial->line[serial->len++] = bytes[i];
            continue;
        }
        serial->line[serial->len] = '\0';
        serial->len = 0;
        take_line(serial->line);
    }
}

/* A board that is reset in the middle of a frame leaves one without an end. */
static void skip_frame(struct board_serial *serial, char byte)
{
    if (serial->frame_left == 0)
        serial->frame_left = SL_ENROL_WIRE_MAX;
    else
        serial->frame_left = byte == '\0' ? 0 : serial->frame_left - 1;
}

static void take_line(const char *line)
{
    struct sl_log_event event;

    if (line[0] == '\0')
        return;
    if (is_event(line, &event))
        sl_port_log(&event);
    else
        posix_log(strncmp(line, "fault: ", 7) == 0 ? SL_LOG_ERROR : SL_LOG_INFO, "board: %s", line);
}

static bool is_event(const char *line, struct sl_log_event *event)
{
    unsigned long numbers[3];
    char *end = (char *)(uintptr_t)line;

    for (size_t i = 0; i < 3; i++) {
        if (*end != (i == 0 ? '@' : ' ') || !isxdigit((unsigned char)end[1]))
            return false;
        numbers[i] = strtoul(end + 1, &end, 16);
    }
    if (*end != '\0' || numbers[0] >= SL_LOG_COUNT)
        return false;
    *event = (struct sl_log_event){
        .code = (uint16_t)numbers[0], .a = (int32_t)numbers[1], .b = (int32_t)numbers[2]};
    return true;
}
