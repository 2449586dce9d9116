/* Vectors as text: tests/vectors/mqtt/README.md draws the format. */
#ifndef SL_TESTS_MQTT_VECTORS_H
#define SL_TESTS_MQTT_VECTORS_H

#include "harness.h"
#include <ctype.h>

struct vector {
    char name[64];
    enum sl_mqtt_version version;
    char setup[256];
    uint8_t bytes[512];
    size_t len;
    char events[512];
    char wire[256];
};

static const char *const vector_files[] = {
    SL_VECTORS "/mqtt/connack.txt", SL_VECTORS "/mqtt/publish.txt", SL_VECTORS "/mqtt/acks.txt",
    SL_VECTORS "/mqtt/framing.txt", SL_VECTORS "/mqtt/properties.txt"};

static inline char *vector_field(char **line)
{
    char *start = *line;
    assert_non_null(start);
    char *end = strchr(start, '|');
    *line = end ? end + 1 : NULL;
    if (!end)
        end = start + strlen(start);
    while (isspace((unsigned char)*start))
        start++;
    while (end > start && isspace((unsigned char)end[-1]))
        end--;
    *end = 0;
    return start;
}

static inline void vector_copy(char *out, size_t size, const char *field)
{
    size_t len = strlen(field);
    assert_true(len < size);
    memcpy(out, field, len + 1);
}

/* False at the end of the file. */
static inline bool vector_read(FILE *file, struct vector *vector)
{
    char line[2048];
    while (fgets(line, sizeof line, file)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        char *rest = line;
        vector_copy(vector->name, sizeof vector->name, vector_field(&rest));
        vector->version = vector_field(&rest)[0] == '5' ? SL_MQTT_V5 : SL_MQTT_V3;
        vector_copy(vector->setup, sizeof vector->setup, vector_field(&rest));
        vector->len = from_hex(vector_field(&rest), vector->bytes, sizeof vector->bytes);
        vector_copy(vector->events, sizeof vector->events, vector_field(&rest));
        vector_copy(vector->wire, sizeof vector->wire, vector_field(&rest));
        assert_null(rest);
        return true;
    }
    return false;
}

static inline void vector_setup_word(struct fixture *f, const char *word)
{
    if (strcmp(word, "keep") == 0)
        f->config.clean_start = false;
    else if (strcmp(word, "dial") == 0)
        dial(f);
    else if (strcmp(word, "open") == 0)
        open_plain(f);
    else if (strcmp(word, "sub") == 0)
        must_subscribe(f, "a/#");
    else if (strcmp(word, "unsub") == 0)
        must_unsubscribe(f, "a/#");
    else if (strncmp(word, "pub", 3) == 0)
        must_publish(f, (uint8_t)(word[3] - '0'), "hi");
    else if (strncmp(word, "feed:", 5) == 0)
        serve_hex(f, word + 5);
    else if (strcmp(word, "resume") == 0) {
        sl_mqtt_close(&f->mqtt);
        f->config.clean_start = false;
        dial(f);
    } else if (strcmp(word, "ping") == 0) {
        f->now += 30000;
        sl_mqtt_tick(&f->mqtt, f->now);
    } else
        fail_msg("unknown setup word %s", word);
    flush(f, SIZE_MAX);
    clear_traces(f);
}

/* A fixture in the state that the vector starts from. */
static inline void vector_setup(struct fixture *f, const struct vector *vector, sl_ms now)
{
    char setup[sizeof vector->setup];
    fixture_init(f, vector->version, now);
    vector_copy(setup, sizeof setup, vector->setup);
    for (char *word = strtok(setup, " "); word; word = strtok(NULL, " "))
        vector_setup_word(f, word);
}

#endif
