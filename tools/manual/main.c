/* sluice-manual: builds man pages, docs/errors.md, docs/doctor.md and node.conf from the tables in
 * the code. */
#include "manual.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*write)(FILE *out);
    } files[] = {{"errors", manual_write_catalogue},
                 {"checks", manual_write_checks},
                 {"config", manual_write_config},
                 {"settings", manual_write_settings}};

    if (argc == 3 && strcmp(argv[1], "man") == 0) {
        manual_write_pages(argv[2]);
        return 0;
    }
    for (size_t i = 0; argc == 3 && i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(argv[1], files[i].name) != 0)
            continue;
        FILE *out = fopen(argv[2], "w");
        if (!out)
            manual_fail(strerror(errno), argv[2]);
        files[i].write(out);
        if (fclose(out) != 0)
            manual_fail(strerror(errno), argv[2]);
        return 0;
    }
    fputs("usage: sluice-manual man FOLDER | errors FILE | checks FILE | config FILE | settings "
          "FILE\n",
          stderr);
    return 2;
}

void manual_fail(const char *what, const char *about)
{
    fprintf(stderr, "sluice-manual: %s: %s\n", about, what);
    exit(1);
}

struct manual_words manual_expand(const char *format, const char **marks)
{
    struct manual_words words = {""};
    size_t len = 0;
    for (const char *at = format; *at != '\0' && len < sizeof words.text - 1; at++) {
        if (*at != '%') {
            words.text[len++] = *at;
            continue;
        }
        at += strcspn(at, "duoscx");
        size_t name_len = strcspn(*marks, " ");
        if (*at == '\0' || name_len == 0 || len + name_len >= sizeof words.text)
            manual_fail("its marks have no names, or it is too long", format);
        memcpy(words.text + len, *marks, name_len);
        len += name_len;
        *marks += name_len + ((*marks)[name_len] == ' ');
    }
    return words;
}
