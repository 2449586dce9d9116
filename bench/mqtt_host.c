/* Runs one path ROUNDS times for callgrind, which counts what happens inside its function; or tells
 * what becomes of a PUBLISH whose topic MQTT forbids (as mqtt_peers.c does for other libraries). */
#include "mqtt_paths.h"
#include <stdio.h>
#include <string.h>

#define ROUNDS 1000

static const char *judge(const char *topic)
{
    static struct bench_client client;
    uint8_t packet[] = {0x30, 7, 0, 3, 0, 0, 0, 'x', 'y'};
    bench_prepare(&client, &bench_cases[0]);
    memcpy(packet + 4, topic, 3);
    client.packet = packet;
    client.packet_len = sizeof packet;
    bench_in_qos0(&client);
    return client.event.kind == SL_MQTT_RECEIVED ? "accepted"
           : client.event.kind == SL_MQTT_FAILED ? "refused"
                                                 : "not understood";
}

int main(int argc, char **argv)
{
    static struct bench_client client;
    if (argc == 2 && strcmp(argv[1], "wildcard") == 0)
        return puts(judge("a/#")) < 0;
    if (argc == 2 && strcmp(argv[1], "surrogate") == 0)
        return puts(judge("\xED\xA0\x80")) < 0;
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
    fputs("    wildcard\n    surrogate\n", stderr);
    return 2;
}
