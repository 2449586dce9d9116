/* One fault: what happens, and at which step of a life. Its code is what a failing run prints and
 * what repeats it:
 *
 *   5x1:up-rst@812              MQTT 5, one zone at once; the connection is reset after byte 812
 *   4x3:node-stall@40/12000+chip-reset@71
 */
#ifndef TEST_SIMULATION_FAULT_H
#define TEST_SIMULATION_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is counted to find the place of a fault. */
enum sim_axis { SIM_BYTES_UP, SIM_BYTES_DOWN, SIM_EXCHANGES, SIM_QUESTIONS, SIM_STEPS, SIM_AXES };

/* What is done. To the connection, after a byte: */
enum sim_deed {
    SIM_DO_FIN,    /* it ends in order, ... */
    SIM_DO_RST,    /* ... with an error, ... */
    SIM_DO_SILENT, /* ... or without a word: nothing arrives any more */
    SIM_DO_HALF,   /* the same in one direction only */
    SIM_DO_LATE,   /* the rest comes later */
    /* To one frame or datagram. */
    SIM_DO_FRAME,
    SIM_DO_DATAGRAM,
    /* To anybody. */
    SIM_DO_REBOOT, /* the node, after a time without power */
    SIM_DO_CHIP,
    SIM_DO_BOTH,
    SIM_DO_TROUBLE,
    SIM_DO_KICK /* the broker ends the session */
};

/* Kind, code, axis, what is done, to what, and whether it lasts for some milliseconds. */
#define SIM_FAULT_LIST(X)                                                                          \
    X(UP_FIN, "up-fin", SIM_BYTES_UP, FIN, 0, false)                                               \
    X(UP_RST, "up-rst", SIM_BYTES_UP, RST, 0, false)                                               \
    X(UP_SILENT, "up-silent", SIM_BYTES_UP, SILENT, 0, false)                                      \
    X(UP_HALF, "up-half", SIM_BYTES_UP, HALF, 0, false)                                            \
    X(UP_REBOOT, "up-reboot", SIM_BYTES_UP, REBOOT, 0, false)                                      \
    X(UP_LATE, "up-late", SIM_BYTES_UP, LATE, 0, true)                                             \
    X(DOWN_FIN, "down-fin", SIM_BYTES_DOWN, FIN, 0, false)                                         \
    X(DOWN_RST, "down-rst", SIM_BYTES_DOWN, RST, 0, false)                                         \
    X(DOWN_SILENT, "down-silent", SIM_BYTES_DOWN, SILENT, 0, false)                                \
    X(DOWN_HALF, "down-half", SIM_BYTES_DOWN, HALF, 0, false)                                      \
    X(DOWN_REBOOT, "down-reboot", SIM_BYTES_DOWN, REBOOT, 0, false)                                \
    X(DOWN_LATE, "down-late", SIM_BYTES_DOWN, LATE, 0, true)                                       \
    X(ORDER_LOST, "order-lost", SIM_EXCHANGES, FRAME, SIM_FRAME_ORDER_LOST, false)                 \
    X(STATUS_LOST, "status-lost", SIM_EXCHANGES, FRAME, SIM_FRAME_STATUS_LOST, false)              \
    X(FRAME_LOST, "frame-lost", SIM_EXCHANGES, FRAME, SIM_FRAME_BOTH_LOST, false)                  \
    X(FRAME_TWICE, "frame-twice", SIM_EXCHANGES, FRAME, SIM_FRAME_TWICE, false)                    \
    X(FRAME_LATE, "frame-late", SIM_EXCHANGES, FRAME, SIM_FRAME_LATE, false)                       \
    X(TIME_LOST, "time-lost", SIM_QUESTIONS, DATAGRAM, SIM_DATAGRAM_LOST, false)                   \
    X(TIME_TWICE, "time-twice", SIM_QUESTIONS, DATAGRAM, SIM_DATAGRAM_TWICE, false)                \
    X(TIME_SLOW, "time-slow", SIM_QUESTIONS, DATAGRAM, SIM_DATAGRAM_SLOW, false)                   \
    X(TIME_LATE, "time-late", SIM_QUESTIONS, DATAGRAM, SIM_DATAGRAM_LATE, false)                   \
    X(TIME_FORGED, "time-forged", SIM_QUESTIONS, DATAGRAM, SIM_DATAGRAM_FORGED, false)             \
    X(NODE_STALL, "node-stall", SIM_STEPS, TROUBLE, SIM_NODE_STALLED, true)                        \
    X(LINE_STALL, "line-stall", SIM_STEPS, TROUBLE, SIM_BROKER_FROZEN, true)                       \
    X(BROKER_DEAF, "broker-deaf", SIM_STEPS, TROUBLE, SIM_BROKER_DEAF, true)                       \
    X(WIRES_CUT, "wires-cut", SIM_STEPS, TROUBLE, SIM_WIRES_CUT, true)                             \
    X(WIRES_LOSSY, "wires-lossy", SIM_STEPS, TROUBLE, SIM_WIRES_LOSSY, true)                       \
    X(PINS_STUCK, "pins-stuck", SIM_STEPS, TROUBLE, SIM_PINS_STUCK, true)                          \
    X(CHIP_DARK, "chip-dark", SIM_STEPS, TROUBLE, SIM_CHIP_DARK, true)                             \
    X(BROKER_DOWN, "broker-down", SIM_STEPS, TROUBLE, SIM_BROKER_DOWN, true)                       \
    X(BROKER_AWAY, "broker-away", SIM_STEPS, TROUBLE, SIM_BROKER_AWAY, true)                       \
    X(MUTE_CONNACK, "mute-connack", SIM_STEPS, TROUBLE, SIM_BROKER_MUTE_CONNACK, true)             \
    X(MUTE_SUBACK, "mute-suback", SIM_STEPS, TROUBLE, SIM_BROKER_MUTE_SUBACK, true)                \
    X(MUTE_PUBACK, "mute-puback", SIM_STEPS, TROUBLE, SIM_BROKER_MUTE_PUBACK, true)                \
    X(MUTE_PINGRESP, "mute-pingresp", SIM_STEPS, TROUBLE, SIM_BROKER_MUTE_PINGRESP, true)          \
    X(KICK, "kick", SIM_STEPS, KICK, 0, false)                                                     \
    X(NODE_RESET, "node-reset", SIM_STEPS, REBOOT, 0, true)                                        \
    X(CHIP_RESET, "chip-reset", SIM_STEPS, CHIP, SIM_CHIP_RESET, false)                            \
    X(CHIP_HANG, "chip-hang", SIM_STEPS, CHIP, SIM_CHIP_HANG, false)                               \
    X(BOTH_RESET, "both-reset", SIM_STEPS, BOTH, SIM_CHIP_BROWN_OUT, false)

enum sim_fault_kind {
#define X(kind, code, axis, deed, detail, is_timed) SIM_FAULT_##kind,
    SIM_FAULT_LIST(X)
#undef X
        SIM_FAULTS
};

struct sim_fault {
    enum sim_fault_kind kind;
    uint32_t at; /* on its axis; a byte or step that never comes is no fault */
    uint32_t ms;
};

#define SIM_PLOT_MAX 4
#define SIM_CODE_LEN 160

/* Everything that tells one run from another. */
struct sim_plot {
    uint8_t level, at_once;
    uint8_t len;
    struct sim_fault faults[SIM_PLOT_MAX];
};

enum sim_axis sim_fault_axis(enum sim_fault_kind kind);
const char *sim_fault_code(enum sim_fault_kind kind);
enum sim_deed sim_fault_deed(enum sim_fault_kind kind);
/* enum sim_frame, sim_datagram, sim_trouble or sim_chip_fault, as the deed wants it. */
int sim_fault_detail(enum sim_fault_kind kind);
bool sim_fault_is_timed(enum sim_fault_kind kind);

void sim_plot_write(const struct sim_plot *plot, char text[SIM_CODE_LEN]);
/* Fails: false, with what is wrong on stderr. */
bool sim_plot_read(struct sim_plot *plot, const char *text);

#endif
