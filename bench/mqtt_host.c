/* Runs one path ROUNDS times for callgrind, which counts what happens inside its function. */
#include "mqtt_paths.h"
#include <stdio.h>

#define ROUNDS 1000

int main(int argc, char **argv)
{
    static struct bench_client client;
    for (size_t i = 0; argc == 2 && i < BENCH_CASES; i++) {
        const struct bench_case *which = &bench_cases[i];
        if (strcmp(argv[1], which->name) != 0)
            continue;
        bench_prepare(&client, which);
        const struct sl_mqtt start = client.mqtt;
        for (int round = 0; round < ROUNDS; round++) {
            client.mqtt = start;
            which->path(&client);
        }
        if (bench_is_right(&client, which))
            return 0;
        fprintf(stderr, "mqtt-paths: %s went wrong\n", which->name);
        return 1;
    }
    fputs("usage: mqtt-paths CASE, one of:\n", stderr);
    for (size_t i = 0; i < BENCH_CASES; i++)
        fprintf(stderr, "    %s\n", bench_cases[i].name);
    return 2;
}
