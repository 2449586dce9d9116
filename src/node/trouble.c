/* Words and log events of what ended a connection. */
#include "node/trouble.h"
#include "node/text.h"

enum sl_log_code sl_trouble_log(enum sl_trouble_kind kind)
{
    static const uint8_t codes[] = {
#define X(code, word, log) log,
        SL_TROUBLE_LIST(X)
#undef X
    };
    return (enum sl_log_code)codes[(unsigned)kind < SL_TROUBLE_COUNT ? kind : 0];
}

void sl_trouble_write(struct sl_writer *writer, struct sl_trouble trouble)
{
    static const char *const words[] = {
#define X(code, word, log) word,
        SL_TROUBLE_LIST(X)
#undef X
    };
    sl_text_add(writer, words[(unsigned)trouble.kind < SL_TROUBLE_COUNT ? trouble.kind : 0]);
    if (trouble.number == 0)
        return;
    sl_text_add(writer, trouble.number < 0 ? " -" : " ");
    sl_text_add_number(writer, trouble.number < 0 ? (uint64_t)(-(int64_t)trouble.number)
                                                  : (uint64_t)trouble.number);
}
