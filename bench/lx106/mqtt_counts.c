/* Counts the instructions of every MQTT path: 'figure CASE INSTRUCTIONS', a line each.
 *
 * The counter advances once in 25 instructions, so ROUNDS rounds are exact to a fraction of one
 * instruction. What a round costs around the path is counted with a path that does nothing, and
 * taken off. */
#include "clock.h"
#include "mqtt_paths.h"
#include "semihost.h"
#include "uart.h"

#define COUNTS_PER_INSTRUCTION 64 /* of all rounds together */
#define ROUNDS                 (LX106_INSTRUCTIONS_PER_COUNT * COUNTS_PER_INSTRUCTION)

void lx106_main(void);

static uint32_t count(struct bench_client *client, const struct sl_mqtt *start, bench_path *path)
{
    uint32_t before = lx106_counts();
    for (unsigned round = 0; round < ROUNDS; round++) {
        client->mqtt = *start;
        path(client);
    }
    return lx106_counts() - before;
}

void lx106_main(void)
{
    static struct bench_client client;
    for (size_t i = 0; i < BENCH_CASES; i++) {
        const struct bench_case *which = &bench_cases[i];
        bench_prepare(&client, which);
        const struct sl_mqtt start = client.mqtt;
        uint32_t spent = count(&client, &start, which->path);
        if (!bench_is_right(&client, which)) {
            lx106_uart_text("failed: ");
            lx106_uart_text(which->name);
            lx106_uart_text("\n");
            lx106_exit(1);
        }
        spent -= count(&client, &start, bench_nothing);
        lx106_uart_text("figure ");
        lx106_uart_text(which->name);
        lx106_uart_text(" ");
        lx106_uart_number((int32_t)((spent + COUNTS_PER_INSTRUCTION / 2) / COUNTS_PER_INSTRUCTION));
        lx106_uart_text("\n");
    }
    lx106_exit(0);
}
