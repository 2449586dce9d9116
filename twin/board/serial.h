/* The board's serial line, made readable: log events come as numbers, '@CODE A B' in hexadecimal,
 * and get their words here; other lines pass as they are. Frames of an enrolment, between two bytes
 * 0x00, are not for reading (docs/spec/enrolment.md). */
#ifndef SL_TWIN_BOARD_SERIAL_H
#define SL_TWIN_BOARD_SERIAL_H

#include <stddef.h>

#define BOARD_LINE_MAX 512

struct board_serial {
    char line[BOARD_LINE_MAX + 1];
    size_t len;
    size_t frame_left; /* bytes of a frame that may still come; 0: in no frame */
};

/* Bytes as they come. Whole lines go to the log (ports/posix/log.h). */
void board_serial_feed(struct board_serial *serial, const char *bytes, size_t len);

#endif
