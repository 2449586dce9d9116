/* Every Ethernet frame between the virtual board and its network passes through here, where a test
 * can drop, change and add some.
 *
 *   board (open_eth) -- datagram socket -- this thread -- datagram socket -- QEMU's user network */
#ifndef TEST_BOARD_FRAMES_H
#define TEST_BOARD_FRAMES_H

#include "harness.h"

#define FRAME_MAX       1600
#define FRAMES_ARGS_LEN 18

enum frames_way { FRAMES_TO_BOARD, FRAMES_FROM_BOARD };

/* Called for each frame, in the thread of the frames; it may change bytes. False: drop it. */
typedef bool frames_rule(enum frames_way way, uint8_t *frame, size_t len);

/* Before the board starts. */
void frames_start(const struct test_place *place);
void frames_stop(void);
/* NULL: all pass. */
void frames_set_rule(frames_rule *rule);
/* One more frame, which no rule sees. */
void frames_send(enum frames_way way, const uint8_t *frame, size_t len);

/* For sluice-board; FRAMES_ARGS_LEN of them, valid until frames_stop. */
const char *const *frames_args(void);

/* Numbers in frames, in network order; and the checksums of IP, and of TCP or UDP in it, as they
 * should be. A frame too short for its own lengths is left alone. */
uint16_t frames_u16(const uint8_t *at);
void frames_set_u16(uint8_t *at, uint16_t number);
void frames_mend_checksums(uint8_t *frame, size_t len);

#endif
