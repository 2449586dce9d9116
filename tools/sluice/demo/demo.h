/* The demo's stage: a site of its own, broker, chip and node as real processes, and the ways to
 * look at them. Everything that was started ends with the demo, however it ends.
 */
#ifndef SL_CLI_DEMO_H
#define SL_CLI_DEMO_H

#include "site/file.h"
#include <sys/types.h>

#define SL_DEMO_NODE "garden"

enum sl_demo_part { SL_DEMO_BROKER, SL_DEMO_CHIP, SL_DEMO_NODE_PART, SL_DEMO_PARTS };

struct sl_demo {
    char folder[PATH_MAX]; /* temporary; holds site, sockets and logs */
    struct sl_path site, spi, control;
    struct sl_path sluice, node_program, chip_program, elf;
    pid_t parts[SL_DEMO_PARTS]; /* 0: not running */
    int ends[SL_DEMO_PARTS];    /* how it ended by itself, as waitpid tells it */
    int guard;                  /* its closing, also by our death, removes the folder */
    int chip_line;              /* control socket, -1: closed */
    char args[2048];            /* what 'sluice client-args' printed */
    char error[512];            /* why the last call failed */
};

/* What the chip's pins do, from its control socket. */
struct sl_demo_pins {
    unsigned conducting; /* bit z: the relay of zone z draws current */
    char levels[SL_ZONES][10];
    bool is_link_cut;
};

/* Programs not given are looked for beside this one, in its build tree, and in PATH. */
struct sl_demo_programs {
    const char *node, *chip, *elf;
};

/* All below: false after a failure, with the reason in demo->error. */
bool sl_demo_open(struct sl_demo *demo, const struct sl_demo_programs *programs);
void sl_demo_close(struct sl_demo *demo);

bool sl_demo_start(struct sl_demo *demo, enum sl_demo_part part);
/* True once, after a part ended that nobody killed. */
bool sl_demo_has_ended(struct sl_demo *demo, enum sl_demo_part part);
/* SIGKILL: the hardest end there is. */
void sl_demo_kill(struct sl_demo *demo, enum sl_demo_part part);

/* Run a program to its end and keep what it printed (stdout and stderr, one line).
 * Gives its exit code, -1 when it could not run or took longer than timeout_ms. */
int sl_demo_run(struct sl_demo *demo, char *const argv[], unsigned timeout_ms, char *out,
                size_t out_len);
/* Start a program whose output comes through *line; -1, and *line too, when it cannot be started.
 */
pid_t sl_demo_spawn(char *const argv[], int *line);
/* mosquitto_pub with the operator's certificate, as the original project's quick test does it. */
int sl_demo_publish(struct sl_demo *demo, const char *topic, const char *payload, char *out,
                    size_t out_len);

/* One command on the chip's control socket. */
bool sl_demo_tell_chip(struct sl_demo *demo, const char *command);
bool sl_demo_read_pins(struct sl_demo *demo, struct sl_demo_pins *pins);
/* Within timeout_ms the node sends a fresh report, and in it the chip answers. Fails at once when a
 * part ends meanwhile, and names it. */
bool sl_demo_is_online(struct sl_demo *demo, unsigned timeout_ms);

/* Sleep; false when a signal asked the demo to end. */
bool sl_demo_sleep(unsigned ms);
bool sl_demo_is_stopping(void);

enum sl_exit sl_demo_tell_story(struct sl_demo *demo);
enum sl_exit sl_demo_show_live(struct sl_demo *demo);

#endif
