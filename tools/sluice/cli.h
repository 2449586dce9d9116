/* What every subcommand shares: options, messages. */
#ifndef SL_CLI_CLI_H
#define SL_CLI_CLI_H

#include "base/limits.h"
#include "base/status.h"
#include "errors.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sl_cli {
    const char *site_root; /* --site, $SLUICE_SITE or "site" */
    bool wants_help;       /* --help came after the subcommand */
};

struct sl_command {
    const char *name;      /* one or two words */
    const char *arguments; /* as the usage line shows them */
    const char *summary;   /* one line */
    const char *help;      /* options and examples */
    enum sl_exit (*run)(struct sl_cli *cli, int argc, char **argv); /* argv: behind the name */
};

enum sl_option_kind { SL_OPTION_FLAG, SL_OPTION_TEXT, SL_OPTION_NUMBER, SL_OPTION_LIST };

/* One option of a subcommand; a value may follow as the next word or after '='. */
struct sl_option {
    const char *name; /* with its two hyphens */
    enum sl_option_kind kind;
    union {
        bool *flag;
        const char **text;
        long *number;
        const char **list; /* room for list_max; *list_len counts */
    } value;
    long min, max;   /* of a number */
    size_t list_max; /* of a list */
    size_t *list_len;
};

/* The subcommand that runs from here on: messages about its words name it. */
void sl_cli_begin(const struct sl_command *command);

/* Split the command line into options (wherever they stand) and words.
 * Gives: words[0..*words_len), pointers into argv.
 * Fails: SL_EXIT_USAGE after a message: unknown option, missing or bad value, a number of words
 * outside words_min..words_max. Behind "--" everything is a word. */
SL_MUST_CHECK enum sl_exit sl_cli_parse(int argc, char **argv, const struct sl_option *options,
                                        size_t options_len, const char **words, size_t words_min,
                                        size_t words_max, size_t *words_len);

/* A whole decimal number within min..max; nothing else in the text. */
SL_MUST_CHECK bool sl_cli_read_number(const char *text, long min, long max, long *number);

/* One line on stderr, "sluice: WORDS [identifier]"; gives the error's exit code, so that a failure
 * is one return: sl_cli_fail(SL_ERROR(NODE_UNKNOWN), name). Control bytes become '?'. */
enum sl_exit sl_cli_fail(enum sl_error error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for something worth knowing that stops nothing. */
void sl_cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An escape sequence when stdout is a terminal that wants colours, else "". */
enum sl_colour {
    SL_COLOUR_OFF,
    SL_COLOUR_GOOD,
    SL_COLOUR_WARN,
    SL_COLOUR_BAD,
    SL_COLOUR_DIM,
    SL_COLOUR_BOLD
};
const char *sl_cli_colour(enum sl_colour colour);

/* Copy text from the network for a terminal: control bytes and bytes above ASCII become '?'.
 * out is always terminated; what does not fit is cut. */
void sl_cli_clean(char *out, size_t out_len, const void *text, size_t len);

/* Print json as one line of ASCII on stdout, and delete it. Strings in it may come from the
 * network: what a terminal could take for orders is escaped; bytes that are no UTF-8 become '?'. */
struct cJSON;
void sl_cli_print_json(struct cJSON *json);

/* Copy a text that may be too long: false then, and out is empty. */
bool sl_cli_copy(char *out, size_t out_len, const char *text);

/* Milliseconds of a monotonic clock. */
uint64_t sl_cli_now_ms(void);

/* The table of subcommands, ended by an entry without a name (main.c). */
extern const struct sl_command sl_commands[];

enum sl_exit sl_init_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_node_add_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_node_list_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_broker_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_on_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_off_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_status_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_watch_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_client_args_run(struct sl_cli *cli, int argc, char **argv);
enum sl_exit sl_demo_run_command(struct sl_cli *cli, int argc, char **argv);

extern const char sl_init_help[], sl_node_add_help[], sl_node_list_help[], sl_broker_help[],
    sl_on_help[], sl_off_help[], sl_status_help[], sl_watch_help[], sl_client_args_help[],
    sl_demo_help[];

#endif
