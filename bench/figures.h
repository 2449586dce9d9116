/* What the measuring programs of the whole path share: the garden, times, and rows for run.sh. */
#ifndef SL_BENCH_FIGURES_H
#define SL_BENCH_FIGURES_H

#include "garden.h"

double bench_now_ms(void);

/* Processor time that the scheduler counted for a process so far. */
double bench_cpu_ms(const struct test_process *process);

/* As test_garden_open. before_node, if not NULL, is called with everything but the node there;
 * extra: more options for the node, as for test_garden_start_node.
 * Several connections may share the operator's certificate: the line of Mosquitto's configuration
 * that makes the certificate's name the client id is taken out. */
void bench_open(struct test_garden *garden, void (*before_node)(struct test_garden *garden),
                const char *const *extra);

/* When the last pin changed. The chip's own clock tells how long ago that was. */
double bench_pin_ms(struct test_garden *garden);

/* Two rows, median and p99: metric, figure and target, with tabs between. Sorts times. */
void bench_print_times(const char *what, double *times, size_t len, const char *target);
double bench_median(double *times, size_t len);

#endif
