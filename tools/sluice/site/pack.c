/* Entries of a folder in an archive. */
#include "site/pack.h"
#include "base/bytes.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { END = 0, FOLDER = 1, FILE_ = 2 };
#define HEAD_LEN 3 /* kind, length of the path */
#define SIZE_LEN 4

static enum sl_exit pack_folder(struct sl_archive *archive, const char *root, const char *below,
                                unsigned depth, struct sl_pack_count *count);
static enum sl_exit pack_entry(struct sl_archive *archive, const char *root, const char *path,
                               unsigned depth, struct sl_pack_count *count);
static enum sl_exit pack_file(struct sl_archive *archive, const char *path, int fd, size_t size);
static enum sl_exit put_head(struct sl_archive *archive, enum kind kind, const char *path);
static enum sl_exit unpack_file(struct sl_archive *archive, const char *path,
                                struct sl_pack_count *count);
static bool is_path(const char *path, size_t len);
static enum sl_exit fail_content(const struct sl_archive *archive);

/* --- in ------------------------------------------------------------------------------------- */

enum sl_exit sl_pack(struct sl_archive *archive, const char *folder, struct sl_pack_count *count)
{
    *count = (struct sl_pack_count){.files = 0};
    enum sl_exit code = pack_folder(archive, folder, "", 1, count);
    return code == SL_EXIT_DONE ? put_head(archive, END, "") : code;
}

static int is_wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.'; /* also what an interrupted command left behind */
}

static enum sl_exit pack_folder(struct sl_archive *archive, const char *root, const char *below,
                                unsigned depth, struct sl_pack_count *count)
{
    struct dirent **entries = NULL;
    struct sl_path folder = sl_path_join(root, below);
    int len = scandir(folder.text, &entries, is_wanted, alphasort);
    if (len < 0)
        return sl_file_fail("read", folder.text);
    enum sl_exit code = SL_EXIT_DONE;
    for (int i = 0; i < len; i++) {
        struct sl_path path = {.text = ""};
        if (below[0] != '\0')
            path = sl_path_join(below, entries[i]->d_name);
        else
            (void)sl_cli_copy(path.text, sizeof path.text, entries[i]->d_name);
        if (code == SL_EXIT_DONE)
            code = pack_entry(archive, root, path.text, depth, count);
        free(entries[i]);
    }
    free(entries);
    return code;
}

/* path: below root. */
static enum sl_exit pack_entry(struct sl_archive *archive, const char *root, const char *path,
                               unsigned depth, struct sl_pack_count *count)
{
    struct sl_path whole = sl_path_join(root, path);
    struct stat about;
    int fd = open(whole.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return sl_file_fail("read", whole.text);
    enum sl_exit code = SL_EXIT_DONE;
    bool is_file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    if (!is_path(path, strlen(path)) || depth > SL_PACK_DEPTH_MAX ||
        (!is_file && !S_ISDIR(about.st_mode)) ||
        (is_file && (about.st_size < 0 || about.st_size > SL_PACK_FILE_MAX)) ||
        count->files + count->folders >= SL_PACK_ENTRIES_MAX)
        code = sl_cli_fail(SL_ERROR(BACKUP_STRANGE), whole.text);
    else
        code = put_head(archive, is_file ? FILE_ : FOLDER, path);
    if (code == SL_EXIT_DONE && is_file) {
        code = pack_file(archive, whole.text, fd, (size_t)about.st_size);
        count->files++;
        count->bytes += (uint64_t)about.st_size;
    } else if (code == SL_EXIT_DONE) {
        count->folders++;
        if (strcmp(path, "run") != 0)
            code = pack_folder(archive, root, path, depth + 1, count);
    }
    close(fd);
    return code;
}

static enum sl_exit put_head(struct sl_archive *archive, enum kind kind, const char *path)
{
    uint8_t head[HEAD_LEN];
    struct sl_writer writer = sl_writer_init(head, sizeof head);
    sl_write_u8(&writer, (uint8_t)kind);
    sl_write_u16(&writer, (uint16_t)strlen(path));
    enum sl_exit code = sl_archive_put(archive, head, sizeof head);
    return code == SL_EXIT_DONE ? sl_archive_put(archive, path, strlen(path)) : code;
}

/* Exactly size bytes: the site is locked, so nobody who plays by the rules writes it now. */
static enum sl_exit pack_file(struct sl_archive *archive, const char *path, int fd, size_t size)
{
    uint8_t bytes[4096], length[SIZE_LEN];
    struct sl_writer writer = sl_writer_init(length, sizeof length);
    sl_write_u32(&writer, (uint32_t)size);
    enum sl_exit code = sl_archive_put(archive, length, sizeof length);
    while (size > 0 && code == SL_EXIT_DONE) {
        ssize_t got = read(fd, bytes, size < sizeof bytes ? size : sizeof bytes);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            code =
                got < 0 ? sl_file_fail("read", path) : sl_cli_fail(SL_ERROR(BACKUP_CHANGED), path);
        else
            code = sl_archive_put(archive, bytes, (size_t)got);
        size -= got > 0 ? (size_t)got : 0;
    }
    sl_wipe(bytes, sizeof bytes);
    return code;
}

/* --- out ------------------------------------------------------------------------------------ */

enum sl_exit sl_unpack(struct sl_archive *archive, const char *folder, struct sl_pack_count *count)
{
    char path[SL_PACK_PATH_MAX + 1];
    enum sl_exit code = SL_EXIT_DONE;
    *count = (struct sl_pack_count){.files = 0};
    for (;;) {
        uint8_t head[HEAD_LEN];
        code = sl_archive_take(archive, head, sizeof head);
        if (code != SL_EXIT_DONE)
            return code;
        struct sl_reader reader = sl_reader_init((struct sl_view){head, sizeof head});
        enum kind kind = (enum kind)sl_read_u8(&reader);
        size_t len = sl_read_u16(&reader);
        if (kind == END && len == 0)
            return sl_archive_expect_end(archive);
        if ((kind != FOLDER && kind != FILE_) || len > SL_PACK_PATH_MAX ||
            count->files + count->folders >= SL_PACK_ENTRIES_MAX)
            return fail_content(archive);
        code = sl_archive_take(archive, path, len);
        path[len] = '\0';
        if (code == SL_EXIT_DONE && !is_path(path, len))
            code = fail_content(archive);
        struct sl_path whole = sl_path_join(folder ? folder : "", path);
        if (code == SL_EXIT_DONE && kind == FOLDER) {
            count->folders++;
            code = folder ? sl_folder_make(whole.text) : SL_EXIT_DONE;
        } else if (code == SL_EXIT_DONE) {
            code = unpack_file(archive, folder ? whole.text : NULL, count);
        }
        if (code != SL_EXIT_DONE)
            return code;
    }
}

/* path NULL: only checked. An entry cannot come twice, nor through a link: O_EXCL. */
static enum sl_exit unpack_file(struct sl_archive *archive, const char *path,
                                struct sl_pack_count *count)
{
    uint8_t bytes[4096], length[SIZE_LEN];
    enum sl_exit code = sl_archive_take(archive, length, sizeof length);
    struct sl_reader reader = sl_reader_init((struct sl_view){length, sizeof length});
    size_t size = sl_read_u32(&reader);
    if (code == SL_EXIT_DONE && size > SL_PACK_FILE_MAX)
        code = fail_content(archive);
    if (code != SL_EXIT_DONE)
        return code;
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (path && fd < 0)
        return sl_file_fail("write", path);
    size_t whole = size;
    while (size > 0 && code == SL_EXIT_DONE) {
        size_t part = size < sizeof bytes ? size : sizeof bytes;
        code = sl_archive_take(archive, bytes, part);
        if (code == SL_EXIT_DONE && path && !sl_file_put(fd, bytes, part))
            code = sl_file_fail("write", path);
        size -= part;
    }
    sl_wipe(bytes, sizeof bytes);
    if (path && code == SL_EXIT_DONE && fsync(fd) != 0)
        code = sl_file_fail("write", path);
    if (path)
        close(fd);
    count->files += code == SL_EXIT_DONE;
    count->bytes += code == SL_EXIT_DONE ? whole : 0;
    return code;
}

/* --- paths ---------------------------------------------------------------------------------- */

/* Names of letters, digits, full stops not in front, hyphens and underscores, with single slashes
 * between them. */
static bool is_path(const char *path, size_t len)
{
    char before = '/';
    unsigned depth = 1;
    if (len == 0 || len > SL_PACK_PATH_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = path[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!is_letter && (before == '/' || (c != '.' && c != '/')))
            return false;
        depth += c == '/';
        before = c;
    }
    return before != '/' && depth <= SL_PACK_DEPTH_MAX;
}

static enum sl_exit fail_content(const struct sl_archive *archive)
{
    return sl_cli_fail(SL_ERROR(BACKUP_CONTENT), archive->path);
}
