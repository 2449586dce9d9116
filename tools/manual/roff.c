/* mdoc, as mandoc and groff read it. Source: mdoc(7) and roff(7) of mandoc. */
#include "manual.h"
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define WIDTH 64 /* of a line of source */

static size_t put_word(FILE *out, const char *word, size_t len, bool is_first);

void roff_begin(FILE *out, const char *title, int section, const char *name, const char *summary)
{
    const time_t built = SL_BUILD_TIME;
    struct tm parts;
    char day[32] = "";
    if (gmtime_r(&built, &parts)) /* mdoc wants no leading zero */
        strftime(day, sizeof day, parts.tm_mday < 10 ? "%B%e, %Y" : "%B %e, %Y", &parts);
    fprintf(out,
            ".\\\" Made by sluice-manual from the tables in the code.\n"
            ".Dd %s\n.Dt %s %d\n.Os Sluice %s\n.Sh NAME\n.Nm %s\n.Nd %s\n",
            day, title, section, SL_VERSION, name, summary);
}

void roff_text(FILE *out, const char *text)
{
    size_t column = 0;
    char last = '\0';
    while (*text != '\0') {
        bool is_paragraph = strncmp(text, "\n\n", 2) == 0;
        text += strspn(text, " \n");
        size_t len = strcspn(text, " \n");
        if (len == 0)
            break;
        bool is_sentence = last == '.' || last == '?' || last == '!';
        if (is_paragraph)
            fputs("\n.Pp\n", out);
        else if (column > 0 && (is_sentence || column + len > WIDTH))
            fputc('\n', out);
        else if (column > 0)
            fputc(' ', out);
        bool is_first = column == 0 || is_paragraph || is_sentence || column + len > WIDTH;
        column = (is_first ? 0 : column + 1) + put_word(out, text, len, is_first);
        last = text[len - 1];
        if ((last == ')' || last == '\'' || last == '"') && len > 1)
            last = text[len - 2];
        text += len;
    }
    fputc('\n', out);
}

/* Gives how many bytes it has in the text. */
static size_t put_word(FILE *out, const char *word, size_t len, bool is_first)
{
    if (is_first && (word[0] == '.' || word[0] == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < len; i++) {
        switch (word[i]) {
        case '\\':
            fputs("\\e", out);
            break;
        case '-':
            fputs("\\-", out);
            break;
        case '\'':
            fputs("\\(aq", out);
            break;
        case '"':
            fputs("\\(dq", out);
            break;
        case '~':
            fputs("\\(ti", out);
            break;
        case '^':
            fputs("\\(ha", out);
            break;
        case '`':
            fputs("\\(ga", out);
            break;
        default:
            fputc(word[i], out);
        }
    }
    return len;
}

void roff_literal(FILE *out, const char *line)
{
    fputs(".Bd -literal -offset indent\n", out);
    put_word(out, line, strlen(line), true);
    fputs("\n.Ed\n", out);
}

void roff_list(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
}

void roff_item(FILE *out, const char *macros, const char *text)
{
    fprintf(out, ".It %s\n", macros);
    roff_text(out, text);
}

void roff_list_end(FILE *out)
{
    fputs(".El\n", out);
}
