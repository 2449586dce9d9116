/* What the manual is made of: pages in roff (mdoc), the catalogue of errors in Markdown, and what
 * sluice-node's settings are told in. */
#ifndef SL_MANUAL_H
#define SL_MANUAL_H

#include "tools/sluice/cli/errors.h"
#include <stdio.h>

/* A failure of the tool itself: says so and ends it. */
void manual_fail(const char *what, const char *about) __attribute__((noreturn));

/* Every page into a folder. */
void manual_write_pages(const char *folder);
/* sluice-node(8), node.conf, and the table of settings in docs/service.md. */
void manual_write_node(FILE *out);
void manual_write_config(FILE *out);
void manual_write_settings(FILE *out);
/* docs/errors.md. */
void manual_write_catalogue(FILE *out);
/* docs/doctor.md. */
void manual_write_checks(FILE *out);

/* An error's words with the names of its marks in place of the marks; *marks moves on behind the
 * names that were used. Ends the tool when they run out. */
struct manual_words {
    char text[512];
};
struct manual_words manual_expand(const char *format, const char **marks);

/* mdoc. Text is wrapped and escaped, a sentence begins on a line of its own. */
void roff_begin(FILE *out, const char *title, int section, const char *name, const char *summary);
void roff_text(FILE *out, const char *text);
void roff_literal(FILE *out, const char *line);
/* A list of things and what they are. */
void roff_list(FILE *out);
void roff_item(FILE *out, const char *macros, const char *text);
void roff_list_end(FILE *out);

#endif
