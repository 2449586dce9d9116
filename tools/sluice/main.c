/* sluice: the operator's command line. The table of subcommands stands in help.c. */
#include "cli/cli.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void settle(void);
static enum sl_exit finish(enum sl_exit code);

int main(int argc, char **argv)
{
    struct sl_cli cli;

    settle();
    enum sl_exit code = sl_cli_read(&cli, argc - 1, argv + 1);
    if (code != SL_EXIT_DONE)
        return (int)code;
    if (cli.wants_version) {
        puts("sluice " SL_VERSION);
    } else if (!cli.command) {
        sl_help_print_overview(!cli.wants_help);
        code = cli.wants_help ? SL_EXIT_DONE : SL_EXIT_USAGE;
    } else if (cli.wants_help) {
        sl_help_print(cli.command);
    } else {
        code = cli.command->run(&cli);
    }
    return (int)finish(code);
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

/* A full disk or a closed pipe must not look like success. */
static enum sl_exit finish(enum sl_exit code)
{
    errno = 0;
    bool is_written = fflush(stdout) == 0 && !ferror(stdout);
    if (code == SL_EXIT_DONE && !is_written)
        return sl_cli_fail(SL_ERROR(OUTPUT_FAILED), strerror(errno ? errno : EIO));
    return code;
}
