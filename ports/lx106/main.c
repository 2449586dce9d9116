/* The node on the virtual ESP8266. */
#include "board.h"
#include "chip.h"
#include "enrol.h"
#include "fault.h"
#include "flash.h"
#include "identity.h"
#include "net.h"
#include "node/kept.h"
#include "run.h"
#include "semihost.h"
#include "stack.h"
#include "uart.h"

#define NTP_PORT 123

void lx106_main(void);
static void get_identity(void);
static void start(void);

static struct sl_identity_slot identities[2]; /* in use, and tried */
static bool has_candidate;
static struct sl_records records;
static struct sl_run run;
static union { /* one after the other */
    struct sl_enrolment enrolment;
    struct sl_node node;
} work;

void lx106_main(void)
{
    lx106_semihost_init();
    lx106_stack_guard();
    lx106_board_init();
    lx106_flash_init();
    lx106_chip_init();
    lx106_uart_text("sluice " SL_VERSION " on lx106\n");
    get_identity();
    lx106_net_init(lx106_argument("sntp"), (uint16_t)lx106_argument_number("sntp-port", NTP_PORT));
    start();
    while (sl_run_step(&run))
        sl_run_sleep(&run);
    lx106_reset();
}

/* Over the serial line, when there is none, or the reset button is held. */
static void get_identity(void)
{
    const bool has_identity = lx106_identity_read(identities, &has_candidate);

    if (!lx106_board_button() && has_identity)
        return;
    lx106_enrol(&work.enrolment, has_identity);
    if (!lx106_identity_read(identities, &has_candidate))
        lx106_give_up("the identity that was stored cannot be read: the flash is worn out");
}

static void start(void)
{
    uint8_t seed[SL_NODE_SEED_LEN];
    struct sl_node_config config = {
        .identity = &identities[0].identity,
        .slots = identities,
        .has_candidate = has_candidate,
        .records = &records,
        .limits = {.at_once = 1, .longest_s = SL_ZONE_LONGEST_S, .default_s = SL_ZONE_DEFAULT_S},
        .lease_ms = SL_LINK_LEASE_MS,
        .floor_s = SL_BUILD_TIME,
        .use_sntp = lx106_argument("sntp") != NULL,
        .version = SL_VERSION,
        .marks = lx106_board_marks(),
    };

    sl_records_init(&records, SL_RECORDS_SECTORS);
    sl_run_read_records(&records);
    if (config.floor_s < sl_kept_time(&records))
        config.floor_s = sl_kept_time(&records);
    sl_port_entropy(seed, sizeof seed);
    if (sl_node_init(&work.node, sl_port_now(), &config, seed) != SL_OK)
        lx106_give_up("the identity cannot be used: make a new one with 'sluice node add NAME "
                      "--replace'");
    sl_wipe(seed, sizeof seed);
    sl_run_init(&run, &work.node, &records, sl_port_now());
}
