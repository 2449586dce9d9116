/* Opens what a start would open, and stops before the first output. */
#include "check.h"
#include "clock/clock.h"
#include "enrol.h"
#include "gpio_lines.h"
#include "identity_file.h"
#include "identity_store.h"
#include "kept_records.h"
#include "node/node.h"
#include "node/text.h"
#include "port.h"
#include "spi_device.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void show(const struct posix_values *values);
static bool check_output(const struct posix_options *options, struct posix_failure *failure);
static bool check_device(const char *path, struct posix_failure *failure);
static bool check_identity(const struct posix_options *options, struct sl_identity_slot slots[2],
                           struct posix_failure *failure);
static bool check_node(const struct posix_options *options, const struct sl_identity *identity,
                       struct posix_failure *failure);
static bool say(bool is_good, const struct posix_failure *failure);

bool posix_check(const struct posix_options *options, const struct posix_values *values)
{
    static struct sl_identity_slot slots[2];
    static struct sl_records records;
    struct posix_failure failure;
    const time_t now = time(NULL);
    uint64_t floor_s = 0;

    show(values);
    bool has_identity = false, is_good = say(posix_enrol_check(options, &failure), &failure);
    if (options->serial &&
        !posix_identities_are_there(options->identity_path, options->state_dir)) {
        printf("no identity yet: it would wait for 'sluice node enrol' on %s\n", options->serial);
        is_good &= say(posix_identity_can_write(options->identity_path, &failure), &failure);
    } else {
        has_identity = say(check_identity(options, slots, &failure), &failure);
        is_good &= has_identity;
    }
    is_good &= !has_identity || say(check_node(options, &slots[0].identity, &failure), &failure);
    is_good &=
        say(posix_records_read(&records, options->state_dir, true, &floor_s, &failure), &failure);
    is_good &= say(check_output(options, &failure), &failure);
    if (!options->use_sntp && (uint64_t)now + SL_CLOCK_HOLD_S < floor_s)
        is_good =
            say(posix_fail(&failure, POSIX_ERROR(CLOCK_BEHIND), (long long)now, (long long)floor_s),
                &failure);
    sl_wipe(slots, sizeof slots);
    sl_records_wipe(&records);
    if (is_good)
        puts("the configuration is good");
    return say(posix_output_end(&failure), &failure) && is_good;
}

static void show(const struct posix_values *values)
{
    printf("sluice-node " SL_VERSION " would use:\n");
    for (unsigned id = 0; id < POSIX_SETTINGS; id++) {
        const struct posix_setting *setting = &posix_settings[id];
        const struct posix_value *value = &values->list[id];

        if (value->text[0] == '\0' && posix_setting_is_output(id))
            continue;
        printf("  %-10s ", setting->name);
        if (value->text[0] == '\0')
            printf("%s (default)\n", setting->standard ? setting->standard : setting->without);
        else if (value->line == 0)
            printf("%s (command line)\n", value->text);
        else
            printf("%s (%s:%u)\n", value->text, values->file, value->line);
    }
}

static bool check_output(const struct posix_options *options, struct posix_failure *failure)
{
    switch (options->output) {
    case POSIX_OUTPUT_SOCKET: /* the simulated chip may come later */
        return true;
    case POSIX_OUTPUT_GPIO:
        return posix_gpio_check(options->output_name, failure);
    case POSIX_OUTPUT_SPI:
    case POSIX_OUTPUT_RAW:
        return check_device(options->output_name, failure);
    }
    return false;
}

static bool check_device(const char *path, struct posix_failure *failure)
{
    struct stat info;

    if (stat(path, &info) != 0 || faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
        return posix_spi_fail(failure, path, errno);
    return S_ISCHR(info.st_mode) || posix_spi_fail(failure, path, ENOTTY);
}

static bool check_identity(const struct posix_options *options, struct sl_identity_slot slots[2],
                           struct posix_failure *failure)
{
    const struct sl_identity *identity = &slots[0].identity;
    const char *used;
    bool has_candidate;
    uint8_t text[16] = "";
    struct sl_writer day = sl_writer_init(text, sizeof text - 1);

    if (!posix_identities_read(slots, &has_candidate, &used, options->identity_path,
                               options->state_dir, true, failure))
        return false;
    sl_text_add_date(&day, identity->not_after_s);
    printf("node %.*s, base topic %.*s, broker %.*s port %u, certificate until %s\n",
           (int)identity->name.len, (const char *)identity->name.data, (int)identity->base.len,
           (const char *)identity->base.data, (int)identity->broker_host.len,
           (const char *)identity->broker_host.data, identity->broker_port, (const char *)text);
    if (used != options->identity_path)
        printf("it was renewed: %s\n", used);
    if ((uint64_t)time(NULL) <= identity->not_after_s)
        return true;
    return posix_fail(failure, POSIX_ERROR(IDENTITY_EXPIRED), used, (const char *)text,
                      (int)identity->name.len, (const char *)identity->name.data);
}

/* Would the node start with it? Nothing is connected or sent by a start alone. */
static bool check_node(const struct posix_options *options, const struct sl_identity *identity,
                       struct posix_failure *failure)
{
    static struct sl_node node;
    static struct sl_records records;           /* empty: nothing of the state folder is touched */
    const uint8_t seed[SL_NODE_SEED_LEN] = {0}; /* no byte of this node is ever sent */
    const struct sl_node_config config = {.identity = identity,
                                          .limits = options->limits,
                                          .lease_ms = options->lease_ms,
                                          .records = &records,
                                          .use_sntp = options->use_sntp,
                                          .version = SL_VERSION};
    sl_records_init(&records, 0);
    const enum sl_status status = sl_node_init(&node, sl_port_now(), &config, seed);

    sl_wipe(&node, sizeof node);
    return status == SL_OK || posix_fail(failure, POSIX_ERROR(IDENTITY_UNUSABLE),
                                         options->identity_path, sl_status_text(status));
}

static bool say(bool is_good, const struct posix_failure *failure)
{
    if (!is_good)
        posix_failure_show(failure);
    return is_good;
}
