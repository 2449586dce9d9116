/* The list of checks as a table. */
#include "doctor/checks.h"

#define FIX_FIX  true
#define FIX_HAND false
const struct sl_check_entry sl_checks[SL_CHECKS] = {
#define X(name, severity, fix, what, harm, cure)                                                   \
    {#name, SL_SEVERITY_##severity, FIX_##fix, what, harm, cure},
    SL_CHECK_LIST(X)
#undef X
};

const char *sl_check_id(enum sl_check check, char id[SL_CHECK_ID_MAX])
{
    const char *name = sl_checks[check].name;
    int len = 0;
    for (; len < SL_CHECK_ID_MAX - 1 && name[len] != '\0'; len++)
        id[len] = name[len] == '_' ? '-' : (char)(name[len] | 0x20);
    id[len] = '\0';
    return id;
}

const char *sl_severity_text(enum sl_severity severity)
{
    static const char *const texts[] = {
#define X(id, text) text,
        SL_SEVERITY_LIST(X)
#undef X
    };
    return texts[severity];
}
