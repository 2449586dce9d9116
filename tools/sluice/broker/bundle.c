/* The parts as a tar file, for a broker's computer that has no sluice. */
#include "broker/parts.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK 512

/* POSIX.1-2017, pax, "ustar Interchange Format". Numbers are octal text. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

static void fill(struct header *header, const struct sl_part *part);
static bool write_blocks(FILE *out, const void *data, size_t len);

enum sl_exit sl_parts_bundle(const struct sl_parts *parts, const char *path)
{
    struct sl_bytes bytes = {NULL, 0};
    FILE *out = open_memstream(&bytes.data, &bytes.len);
    bool ok = out != NULL;
    for (size_t i = 0; ok && i < parts->len; i++) {
        struct header header;
        fill(&header, &parts->list[i]);
        ok = write_blocks(out, &header, sizeof header) &&
             write_blocks(out, parts->list[i].bytes.data, parts->list[i].bytes.len);
    }
    static const char end[2 * BLOCK];
    ok = ok && write_blocks(out, end, sizeof end);
    if (out)
        ok = fclose(out) == 0 && ok;
    enum sl_exit code =
        ok ? sl_file_write(path, bytes.data, bytes.len, 0600) : sl_cli_fail(SL_ERROR(MEMORY));
    sl_bytes_free(&bytes);
    return code;
}

static void fill(struct header *header, const struct sl_part *part)
{
    bool is_folder = part->kind == SL_PART_FOLDER;
    *header = (struct header){.type = is_folder ? '5' : '0'};
    snprintf(header->name, sizeof header->name, "%s%s", part->inside, is_folder ? "/" : "");
    snprintf(header->mode, sizeof header->mode, "%07o", (unsigned)part->mode);
    snprintf(header->uid, sizeof header->uid, "%07o", 0U);
    snprintf(header->gid, sizeof header->gid, "%07o", 0U);
    snprintf(header->size, sizeof header->size, "%011lo", (unsigned long)part->bytes.len);
    snprintf(header->mtime, sizeof header->mtime, "%011lo", (unsigned long)time(NULL));
    snprintf(header->user, sizeof header->user, "root");
    snprintf(header->group, sizeof header->group, "%s", part->is_brokers ? "mosquitto" : "root");
    memcpy(header->magic, "ustar", sizeof header->magic);
    memcpy(header->version, "00", sizeof header->version);
    memset(header->checksum, ' ', sizeof header->checksum);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += ((const unsigned char *)header)[i];
    snprintf(header->checksum, sizeof header->checksum, "%06o", sum);
}

/* Filled up to a whole block. */
static bool write_blocks(FILE *out, const void *data, size_t len)
{
    static const char zeros[BLOCK];
    size_t over = len % BLOCK;
    return (len == 0 || fwrite(data, 1, len, out) == len) &&
           (over == 0 || fwrite(zeros, 1, BLOCK - over, out) == BLOCK - over);
}
