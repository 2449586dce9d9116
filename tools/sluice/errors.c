/* The list of failures as a table. */
#include "errors.h"

const struct sl_error_entry sl_errors[SL_ERROR_COUNT] = {
#define X(name, exit, marks, what, cure) {#name, SL_EXIT_##exit, marks, what, cure},
    SL_ERROR_LIST(X)
#undef X
};

const char *sl_error_id(enum sl_error error, char id[SL_ERROR_ID_MAX])
{
    const char *name = sl_errors[error].name;
    size_t len = 0;
    for (; len < SL_ERROR_ID_MAX - 1 && name[len] != '\0'; len++)
        id[len] = name[len] == '_' ? '-' : (char)(name[len] | 0x20); /* ASCII small letter */
    id[len] = '\0';
    return id;
}
