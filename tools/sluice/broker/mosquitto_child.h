/* A Mosquitto that is our child and does not outlive us. */
#ifndef SL_CLI_MOSQUITTO_CHILD_H
#define SL_CLI_MOSQUITTO_CHILD_H

#include "site/file.h"
#include <signal.h>

/* By PATH, /usr/sbin and /usr/local/sbin. */
SL_MUST_CHECK enum sl_exit sl_mosquitto_find(struct sl_path *program);
/* Run program with the configuration conf. signals: the mask it gets. log_fd: where it writes; -1:
 * where we do. */
SL_MUST_CHECK enum sl_exit sl_mosquitto_start(const char *program, const char *conf,
                                              const sigset_t *signals, int log_fd, pid_t *child);
/* End it: asked first, killed after 5 s. */
void sl_mosquitto_end(pid_t child);

#endif
