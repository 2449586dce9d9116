/* The list of failures as a table, and a failure as a line. */
#include "errors.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct sl_error_entry posix_errors[POSIX_ERRORS] = {
#define X(name, exit, marks, what, cure) {#name, POSIX_EXIT_##exit, marks, what, cure},
    POSIX_ERROR_LIST(X)
#undef X
};

bool posix_fail(struct posix_failure *failure, enum posix_error error, const char *format, ...)
{
    va_list arguments;

    failure->exit = (enum posix_exit)posix_errors[error].exit;
    va_start(arguments, format);
    posix_error_line(failure->line, sizeof failure->line, error, format, arguments);
    va_end(arguments);
    return false;
}

void posix_failure_show(const struct posix_failure *failure)
{
    fflush(stdout); /* keeps the order when both go to one file */
    fprintf(stderr, "sluice-node: %s\n", failure->line);
}

bool posix_output_end(struct posix_failure *failure)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    return posix_fail(failure, POSIX_ERROR(OUTPUT_UNWRITTEN), strerror(errno ? errno : EIO));
}

void posix_error_line(char *line, size_t line_len, enum posix_error error, const char *format,
                      va_list arguments)
{
    char id[SL_ERROR_ID_MAX];
    const size_t id_len = strlen(sl_error_id(&posix_errors[error], id));

    vsnprintf(line, line_len - id_len - strlen(" []"), format, arguments);
    sl_error_clean(line);
    const size_t len = strlen(line);
    snprintf(line + len, line_len - len, " [%s]", id);
}
