/* Opens what a start would open, and stops before the first output. */
#include "check.h"
#include "gpio_lines.h"
#include "identity_file.h"
#include "kept_records.h"
#include "node/node.h"
#include "node/text.h"
#include "port.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void show(const struct posix_values *values);
static bool check_output(const struct posix_options *options, char *error);
static bool check_device(const char *path, char *error);
static bool check_identity(const struct posix_options *options, struct posix_identity *file,
                           char *error);
static bool check_node(const struct posix_options *options, const struct sl_identity *identity,
                       char *error);
static bool say(bool is_good, const char *error);

bool posix_check(const struct posix_options *options, const struct posix_values *values)
{
    static struct posix_identity file;
    static struct sl_records records;
    char error[POSIX_ERROR_LEN];
    uint64_t floor_s = 0;

    show(values);
    const bool has_identity = say(check_identity(options, &file, error), error);
    bool is_good = has_identity;
    is_good &= !has_identity || say(check_node(options, &file.identity, error), error);
    is_good &= say(posix_records_read(&records, options->state_dir, true, &floor_s, error), error);
    is_good &= say(check_output(options, error), error);
    if (!options->use_sntp && (uint64_t)time(NULL) < floor_s) {
        snprintf(error, sizeof error,
                 "the system's clock is behind the last trusted time: the node waits until it is "
                 "set; or use --sntp HOST");
        is_good = say(false, error);
    }
    sl_wipe(&file, sizeof file);
    sl_records_wipe(&records);
    if (is_good)
        puts("the configuration is good");
    return is_good;
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

static bool check_output(const struct posix_options *options, char *error)
{
    switch (options->output) {
    case POSIX_OUTPUT_SOCKET: /* the simulated chip may come later */
        return true;
    case POSIX_OUTPUT_GPIO:
        return posix_gpio_check(options->output_name, error);
    case POSIX_OUTPUT_SPI:
    case POSIX_OUTPUT_RAW:
        return check_device(options->output_name, error);
    }
    return false;
}

static bool check_device(const char *path, char *error)
{
    struct stat info;

    if (stat(path, &info) != 0 || faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0)
        snprintf(error, POSIX_ERROR_LEN,
                 "SPI device %s: %s; enable SPI (raspi-config) and give the node's user the "
                 "device (Debian: group spi)",
                 path, strerror(errno));
    else if (!S_ISCHR(info.st_mode))
        snprintf(error, POSIX_ERROR_LEN, "SPI device %s: no device; name one like /dev/spidev0.0",
                 path);
    else
        return true;
    return false;
}

static bool check_identity(const struct posix_options *options, struct posix_identity *file,
                           char *error)
{
    const struct sl_identity *identity = &file->identity;
    uint8_t text[16];
    struct sl_writer day = sl_writer_init(text, sizeof text);

    if (!posix_identity_read(file, options->identity_path, error))
        return false;
    sl_text_add_date(&day, identity->not_after_s);
    printf("node %.*s, base topic %.*s, broker %.*s port %u, certificate until %.*s\n",
           (int)identity->name.len, (const char *)identity->name.data, (int)identity->base.len,
           (const char *)identity->base.data, (int)identity->broker_host.len,
           (const char *)identity->broker_host.data, identity->broker_port,
           (int)sl_writer_len(&day), (const char *)text);
    if ((uint64_t)time(NULL) <= identity->not_after_s)
        return true;
    snprintf(error, POSIX_ERROR_LEN,
             "identity %s: its certificate ended on %.*s; run 'sluice node add %.*s --replace' at "
             "the site and copy the new image",
             options->identity_path, (int)sl_writer_len(&day), (const char *)text,
             (int)identity->name.len, (const char *)identity->name.data);
    return false;
}

/* Would the node start with it? Nothing is connected or sent by a start alone. */
static bool check_node(const struct posix_options *options, const struct sl_identity *identity,
                       char *error)
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
    if (status == SL_OK)
        return true;
    snprintf(error, POSIX_ERROR_LEN,
             "identity %s: the node cannot use it (%s); make a new one with 'sluice node add "
             "NAME --replace'",
             options->identity_path, sl_status_text(status));
    return false;
}

static bool say(bool is_good, const char *error)
{
    if (!is_good) {
        fflush(stdout);
        fprintf(stderr, "sluice-node: %s\n", error);
    }
    return is_good;
}
