/* sluice: the operator's command line. The table below is the whole map of it. */
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

const struct sl_command sl_commands[] = {
    {"init", "[options]", "make a site: keys, certificates, broker files", sl_init_help,
     sl_init_run},
    {"node add", "NAME [options]", "make a node's identity and let it in", sl_node_add_help,
     sl_node_add_run},
    {"node list", "[--json]", "list the nodes of the site", sl_node_list_help, sl_node_list_run},
    {"broker run", "", "check every file, then run the broker here", sl_broker_help, sl_broker_run},
    {"on", "NODE ZONE SECONDS", "switch a zone on and wait for the pin", sl_on_help, sl_on_run},
    {"off", "NODE [ZONE|all]", "switch a zone, or all, off", sl_off_help, sl_off_run},
    {"status", "[NODE]", "show what the nodes report", sl_status_help, sl_status_run},
    {"watch", "[NODE]", "print what happens, as it happens", sl_watch_help, sl_watch_run},
    {"client-args", "[options]", "print the options for mosquitto_pub and mosquitto_sub",
     sl_client_args_help, sl_client_args_run},
    {"demo", "[options]", "try everything here, with a simulated chip", sl_demo_help,
     sl_demo_run_command},
    {NULL, NULL, NULL, NULL, NULL},
};

static void settle(void);
static enum sl_exit dispatch(struct sl_cli *cli, int argc, char **argv);
static const struct sl_command *find_command(int argc, char **argv, int *words);
static enum sl_exit refuse(const struct sl_cli *cli, const char *word);
static enum sl_exit run_command(struct sl_cli *cli, const struct sl_command *command, int argc,
                                char **argv);
static enum sl_exit read_globals(struct sl_cli *cli, int *argc, char **argv);
static void print_usage(FILE *out);
static void print_help(const struct sl_command *command);

int main(int argc, char **argv)
{
    struct sl_cli cli = {.site_root = getenv("SLUICE_SITE")};
    if (!cli.site_root || cli.site_root[0] == '\0')
        cli.site_root = "site";

    settle();
    return (int)dispatch(&cli, argc - 1, argv + 1);
}

/* What a parent may have left us: with SIGCHLD ignored the ends of our own children would be lost.
 * And a core file would hold a private key; helpers that collect cores heed only the second call.
 */
static void settle(void)
{
    signal(SIGCHLD, SIG_DFL);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    (void)prctl(PR_SET_DUMPABLE, 0);
}

static enum sl_exit dispatch(struct sl_cli *cli, int argc, char **argv)
{
    enum sl_exit code = read_globals(cli, &argc, argv);
    if (code != SL_EXIT_DONE)
        return code;
    if (argc == 1 && strcmp(argv[0], "--version") == 0) {
        puts("sluice " SL_VERSION);
        return SL_EXIT_DONE;
    }
    if (argc == 0) {
        print_usage(cli->wants_help ? stdout : stderr);
        return cli->wants_help ? SL_EXIT_DONE : SL_EXIT_USAGE;
    }
    int used = 0;
    const struct sl_command *command = find_command(argc, argv, &used);
    if (!command)
        return refuse(cli, argv[0]);
    return run_command(cli, command, argc - used, argv + used);
}

/* No subcommand, or only the first of its two words. */
static enum sl_exit refuse(const struct sl_cli *cli, const char *word)
{
    char seconds[64] = "";
    size_t len = strlen(word);
    for (const struct sl_command *c = sl_commands; c->name; c++) {
        if (strncmp(c->name, word, len) != 0 || c->name[len] != ' ')
            continue;
        size_t used = strlen(seconds);
        snprintf(seconds + used, sizeof seconds - used, "%s%s", used ? ", " : "",
                 c->name + len + 1);
    }
    if (seconds[0] == '\0')
        return sl_cli_fail(SL_ERROR(SUBCOMMAND_UNKNOWN), word);
    if (cli->wants_help) {
        print_usage(stdout);
        return SL_EXIT_DONE;
    }
    return sl_cli_fail(SL_ERROR(SUBCOMMAND_HALF), word, seconds);
}

static enum sl_exit run_command(struct sl_cli *cli, const struct sl_command *command, int argc,
                                char **argv)
{
    if (cli->wants_help) {
        print_help(command);
        return SL_EXIT_DONE;
    }
    sl_cli_begin(command);
    enum sl_exit code = command->run(cli, argc, argv);
    /* A full disk or a closed pipe must not look like success. */
    errno = 0;
    bool is_written = fflush(stdout) == 0 && !ferror(stdout);
    if (code == SL_EXIT_DONE && !is_written)
        return sl_cli_fail(SL_ERROR(OUTPUT_FAILED), strerror(errno ? errno : EIO));
    return code;
}

/* Take --site and --help out of the words, wherever they stand. */
static enum sl_exit read_globals(struct sl_cli *cli, int *argc, char **argv)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            cli->wants_help = true;
        } else if (strncmp(argv[i], "--site=", 7) == 0) {
            cli->site_root = argv[i] + 7;
        } else if (strcmp(argv[i], "--site") == 0) {
            if (i + 1 == *argc)
                return sl_cli_fail(SL_ERROR(OPTION_VALUE_MISSING), "--site", "");
            cli->site_root = argv[++i];
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    if (cli->site_root[0] == '\0')
        return sl_cli_fail(SL_ERROR(OPTION_VALUE_MISSING), "--site", "");
    return SL_EXIT_DONE;
}

static const struct sl_command *find_command(int argc, char **argv, int *words)
{
    for (const struct sl_command *c = sl_commands; c->name; c++) {
        const char *space = strchr(c->name, ' ');
        size_t first_len = space ? (size_t)(space - c->name) : strlen(c->name);
        if (strlen(argv[0]) != first_len || memcmp(argv[0], c->name, first_len) != 0)
            continue;
        if (space && (argc < 2 || strcmp(argv[1], space + 1) != 0))
            continue;
        *words = space ? 2 : 1;
        return c;
    }
    return NULL;
}

static void print_usage(FILE *out)
{
    fputs("usage: sluice [--site DIR] SUBCOMMAND ...\n\n", out);
    for (const struct sl_command *c = sl_commands; c->name; c++)
        fprintf(out, "  %-12s %-18s %s\n", c->name, c->arguments, c->summary);
    fputs("\n"
          "  --site DIR   the site's folder (default: $SLUICE_SITE, else ./site)\n"
          "  --help       this text, or that of a subcommand\n"
          "  --version    the version\n\n"
          "exit codes: 0 done, 1 refused, 2 usage, 3 no answer or offline, 4 local files\n\n"
          "example: sluice init && sluice node add garden && sluice broker run\n",
          out);
}

static void print_help(const struct sl_command *command)
{
    printf("usage: sluice [--site DIR] %s %s\n\n%s.\n\n%s", command->name, command->arguments,
           command->summary, command->help);
}
