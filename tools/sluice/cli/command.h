/* What a subcommand is: one table serves the parser, --help, the man pages and the completion.
 *
 * Texts are plain: blanks and single line breaks between words, "\n\n" between paragraphs.
 */
#ifndef SL_CLI_COMMAND_H
#define SL_CLI_COMMAND_H

#include "base/status.h"
#include "cli/errors.h"
#include <stdbool.h>
#include <stddef.h>

/* What the shell may offer in place of a word. */
enum sl_offer {
    SL_OFFER_NOTHING,
    SL_OFFER_CHOICES, /* one of the words in choices */
    SL_OFFER_NODES,
    SL_OFFER_OPERATORS,
    SL_OFFER_FILES,
    SL_OFFER_FOLDERS
};

enum sl_option_kind { SL_OPTION_FLAG, SL_OPTION_TEXT, SL_OPTION_NUMBER, SL_OPTION_LIST };

/* A value may follow as the next word or after '='. */
struct sl_option {
    const char *name; /* with its two hyphens; NULL ends a table */
    enum sl_option_kind kind;
    enum sl_offer offer;
    const char *choices;   /* words with blanks between */
    const char *value;     /* what follows, in capitals; NULL for a flag */
    const char *help;      /* a sentence without its full stop */
    const char *preset;    /* what holds when it is not given */
    const char *otherwise; /* the same in words, where it depends on something */
    long min, max;         /* of a number */
};

struct sl_argument {
    const char *name; /* in capitals; NULL ends a table */
    const char *help;
    bool is_optional;
    enum sl_offer offer;
    const char *choices;
};

/* What somebody would type, and why. */
struct sl_example {
    const char *line; /* NULL ends a table */
    const char *why;
};

struct sl_cli;
struct sl_subcommand {
    const char *name;                    /* one or two words */
    const char *summary;                 /* one line without its full stop */
    const struct sl_argument *arguments; /* NULL: none */
    const struct sl_option *options;     /* NULL: none */
    const char *text;                    /* for --help and the man page; NULL: none */
    const char *manual;                  /* for the man page, behind text; NULL: none */
    const struct sl_example *examples;
    enum sl_exit (*run)(struct sl_cli *cli);
};

/* Every subcommand, ended by NULL; and the options that all of them take. */
extern const struct sl_subcommand *const sl_commands[];
extern const struct sl_option sl_global_options[];

#define SL_OPTIONS_MAX 12 /* of a subcommand */
#define SL_WORDS_MAX   3
#define SL_LIST_MAX    8 /* values of one option */

struct sl_value {
    bool is_given;
    const char *text; /* NULL: neither given nor preset */
    long number;      /* of a number */
    const char *list[SL_LIST_MAX];
    size_t list_len;
};

/* A command line that was read. The texts are pointers into argv and into the tables. */
struct sl_cli {
    const struct sl_subcommand *command; /* NULL: none was named */
    const char *site_root;               /* --site, $SLUICE_SITE or "site" */
    bool wants_help, wants_version;
    const char *words[SL_WORDS_MAX]; /* those behind the subcommand */
    size_t words_len;
    struct sl_value values[SL_OPTIONS_MAX]; /* in the order of the command's options */
};

/* Split a command line (behind the program's name) into a subcommand, options (wherever they stand)
 * and words. Behind "--" everything is a word. With --help nothing else is checked.
 * Fails: SL_EXIT_USAGE after a message. */
SL_MUST_CHECK enum sl_exit sl_cli_read(struct sl_cli *cli, int argc, char **argv);

/* A whole decimal number within min..max; nothing else in the text. */
SL_MUST_CHECK bool sl_cli_read_number(const char *text, long min, long max, long *number);

/* How many letters must be changed, added, left out or swapped to make b of a; small words only. */
unsigned sl_cli_distance(const char *a, const char *b);

/* The usage line, the help of a subcommand, and that of the program. */
struct sl_synopsis {
    char text[128];
};
struct sl_synopsis sl_help_synopsis(const struct sl_subcommand *command);
void sl_help_print(const struct sl_subcommand *command);
void sl_help_print_overview(bool is_error);

extern const struct sl_subcommand sl_command_init, sl_command_node_add, sl_command_node_enrol,
    sl_command_node_list, sl_command_node_revoke, sl_command_renew, sl_command_broker_run,
    sl_command_broker_install, sl_command_broker_check, sl_command_broker_apply,
    sl_command_maintain, sl_command_broker_move, sl_command_operator_renew,
    sl_command_ca_passphrase, sl_command_ca_roll, sl_command_ca_log, sl_command_ca_offline,
    sl_command_ca_request, sl_command_ca_sign, sl_command_ca_accept, sl_command_backup,
    sl_command_restore, sl_command_on, sl_command_off, sl_command_status, sl_command_watch,
    sl_command_doctor, sl_command_client_args, sl_command_completion, sl_command_demo;

/* Options that several subcommands share. */
#define SL_OPTION_JSON(what)                                                                       \
    {                                                                                              \
        .name = "--json", .help = (what)                                                           \
    }
#define SL_OPTION_OPERATOR(what)                                                                   \
    {                                                                                              \
        .name = "--operator", .kind = SL_OPTION_TEXT, .value = "NAME", .help = (what),             \
        .otherwise = "the site's first", .offer = SL_OFFER_OPERATORS                               \
    }
#define SL_OPTION_TIMEOUT(what, seconds)                                                           \
    {                                                                                              \
        .name = "--timeout", .kind = SL_OPTION_NUMBER, .value = "S", .help = (what),               \
        .preset = (seconds), .min = 1, .max = 600                                                  \
    }
#define SL_OPTION_BASE                                                                             \
    {                                                                                              \
        .name = "--base", .kind = SL_OPTION_TEXT, .value = "TOPIC",                                \
        .otherwise = "irrigation/NAME", .help = "what the node's topics begin with"                \
    }
#define SL_OPTION_HOST                                                                             \
    {                                                                                              \
        .name = "--host", .kind = SL_OPTION_TEXT, .value = "HOST", .otherwise = "the site's",      \
        .help = "where the node finds the broker"                                                  \
    }
#define SL_OPTION_BROKER_PORT(option)                                                              \
    {                                                                                              \
        .name = (option), .kind = SL_OPTION_NUMBER, .value = "N", .min = 1, .max = 65535,          \
        .otherwise = "the site's", .help = "the broker's port"                                     \
    }
#define SL_ARGUMENT_NODE(what, optional)                                                           \
    {                                                                                              \
        .name = "NODE", .help = (what), .is_optional = (optional), .offer = SL_OFFER_NODES         \
    }

#endif
