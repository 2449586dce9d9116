/* Reads vectors: text files of lines with fields between blanks, '#' starts a comment. */
#ifndef TEST_SUPPORT_VECTORS_H
#define TEST_SUPPORT_VECTORS_H

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_LINE_MAX   8192
#define TEST_FIELDS_MAX 12

struct test_vectors {
    FILE *file;
    unsigned line;
    char text[TEST_LINE_MAX];
    char *fields[TEST_FIELDS_MAX];
    unsigned fields_len;
};

/* A missing file ends the test program. */
static inline void test_vectors_open(struct test_vectors *vectors, const char *path)
{
    memset(vectors, 0, sizeof *vectors);
    vectors->file = fopen(path, "r");
    if (vectors->file == NULL) {
        perror(path);
        abort();
    }
}

/* The next line that has fields; false (and closed) at the end. */
static inline bool test_vectors_next(struct test_vectors *vectors)
{
    while (fgets(vectors->text, sizeof vectors->text, vectors->file) != NULL) {
        vectors->line++;
        vectors->fields_len = 0;
        vectors->text[strcspn(vectors->text, "#\n")] = '\0';
        for (char *at = vectors->text; vectors->fields_len < TEST_FIELDS_MAX;) {
            at += strspn(at, " \t");
            if (*at == '\0')
                break;
            vectors->fields[vectors->fields_len++] = at;
            at += strcspn(at, " \t");
            if (*at != '\0')
                *at++ = '\0';
        }
        if (vectors->fields_len > 0)
            return true;
    }
    fclose(vectors->file);
    return false;
}

/* Hexadecimal digits, or "-" for no bytes. Gives the length; anything else ends the program. */
static inline size_t test_hex(const char *text, uint8_t *out, size_t out_len)
{
    size_t len = 0;

    if (strcmp(text, "-") == 0)
        return 0;
    for (; isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]); text += 2) {
        const char digits[3] = {text[0], text[1], '\0'};
        if (len == out_len)
            abort();
        out[len++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    if (*text != '\0') {
        fprintf(stderr, "not hexadecimal: %s\n", text);
        abort();
    }
    return len;
}

#endif
