/* Texts of the result codes. */
#include "base/status.h"

const char *sl_status_text(enum sl_status status)
{
    static const char *const texts[] = {
#define X(code, text) text,
        SL_STATUS_LIST(X)
#undef X
    };
    return (unsigned)status < SL_STATUS_COUNT ? texts[status] : "unknown status";
}
