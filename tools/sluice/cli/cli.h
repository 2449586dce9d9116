/* What every subcommand shares: messages, text for a terminal. */
#ifndef SL_CLI_CLI_H
#define SL_CLI_CLI_H

#include "base/limits.h"
#include "base/status.h"
#include "cli/command.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line on stderr, "sluice: WORDS [identifier]"; gives the error's exit code, so that a failure
 * is one return: sl_cli_fail(SL_ERROR(NODE_UNKNOWN), name). Control bytes become '?'. */
enum sl_exit sl_cli_fail(enum sl_error error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for something worth knowing that stops nothing. */
void sl_cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* While told is set, failures and notes are not printed: the first one is kept there, without its
 * identifier. NULL: they are printed again. */
struct sl_cli_told {
    bool is_told;
    int error; /* an enum sl_error; -1: a note */
    char text[512];
};
void sl_cli_listen(struct sl_cli_told *told);

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

#endif
