/* The garden, times, and rows. */
#include "figures.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double bench_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Linux, Documentation/scheduler/sched-stats */
double bench_cpu_ms(const struct test_process *process)
{
    char path[64], line[128] = "";
    snprintf(path, sizeof path, "/proc/%d/schedstat", (int)process->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL || fgets(line, sizeof line, file) == NULL)
        fputs("bench: /proc does not tell the processor time\n", stderr);
    if (file != NULL)
        fclose(file);
    return strtod(line, NULL) / 1e6; /* the first number, in nanoseconds */
}

void bench_open(struct test_garden *garden, void (*before_node)(struct test_garden *garden),
                const char *const *extra)
{
    test_garden_make(garden, NULL);
    const struct test_path conf = test_place_path(&garden->place, "site/broker/mosquitto.conf");
    const char *const edit[] = {"-i", "/^use_username_as_clientid/d", conf.text, NULL};
    assert_int_equal(test_run(&garden->place, "edit", "sed", edit), 0);
    test_garden_start_broker(garden);
    test_garden_start_chip(garden);
    test_garden_connect(garden);
    if (before_node != NULL)
        before_node(garden);
    test_garden_start_node(garden, extra);
    test_hear(garden, 0, "availability", "online");
    test_expect(&garden->node, "the relay chip answers", 1);
}

double bench_pin_ms(struct test_garden *garden)
{
    const uint64_t changed_us = test_chip_changed_us(garden);
    const uint64_t now_us = test_chip_now_us(garden);
    return bench_now_ms() - (double)(now_us - changed_us) / 1e3;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *times, size_t len)
{
    qsort(times, len, sizeof *times, compare);
    return times[len / 2];
}

void bench_print_times(const char *what, double *times, size_t len, const char *target)
{
    printf("%s, median\t%.2f ms\t%s\n", what, bench_median(times, len), target);
    printf("%s, 99 %% within\t%.2f ms\t\n", what, times[len * 99 / 100]);
}
