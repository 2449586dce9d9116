/* The list of failures as a table. */
#include "cli/errors.h"

const struct sl_error_entry sl_errors[SL_ERROR_COUNT] = {
#define X(name, exit, marks, what, cure) {#name, SL_EXIT_##exit, marks, what, cure},
    SL_ERROR_LIST(X)
#undef X
};
