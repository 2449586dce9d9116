/* The VCD file: a header that readers accept, times that rise, and the story of the pins. */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ZONE 2

static void the_trace_tells_every_change_in_order(void **state)
{
    (void)state;
    char path[] = "/tmp/sluice-trace-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const struct twin_chip_options options = {.vcd_path = path};
    struct bench bench;
    bench_start(&bench, &options);
    bench_unlatch(&bench);
    bench_order(&bench, ZONE, 4);
    bench_pass(&bench, 2000);
    bench_end(&bench);

    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char line[128], story[64] = "", first[128] = "";
    size_t changes = 0;
    unsigned names = 0, falls_of_ss = 0;
    unsigned long long time = 0;
    bool is_header = true;
    while (fgets(line, sizeof line, file) != NULL) {
        if (first[0] == 0)
            snprintf(first, sizeof first, "%s", line);
        if (strncmp(line, "$var wire 1 ", 12) == 0)
            names++;
        if (strncmp(line, "$enddefinitions", 15) == 0)
            is_header = false;
        if (line[0] == '#') {
            assert_false(is_header);
            unsigned long long next = strtoull(line + 1, NULL, 10);
            assert_true(next >= time);
            time = next;
        }
        if (!is_header && line[1] == '#' && line[2] == '\n' &&
            changes < sizeof story - 1) /* '#' is the code of PD2 */
            story[changes++] = line[0];
        if (!is_header && strcmp(line, "0)\n") == 0) /* ')' is the code of SS */
            falls_of_ss++;
    }
    fclose(file);
    unlink(path);
    assert_string_equal(first, "$timescale 1 ns $end\n");
    assert_int_equal(names, 10);
    assert_string_equal(story, "xz101");
    assert_int_equal(falls_of_ss, 2);
    assert_true(time >= 2000 * 1000000ull);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_trace_tells_every_change_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
