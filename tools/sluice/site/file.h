/* The one way in which files are written and read.
 *
 * A file is there whole or not at all: written to a temporary neighbour, flushed to the disk, then
 * renamed, and the folder flushed too. Every function says on stderr what failed and how to cure
 * it, and gives SL_EXIT_FILES then.
 */
#ifndef SL_CLI_FILE_H
#define SL_CLI_FILE_H

#include "cli/cli.h"
#include <limits.h>
#include <sys/types.h>

/* A path by value; longer ones are refused by the system calls that take them. */
struct sl_path {
    char text[PATH_MAX];
};

/* folder "/" name; a result that does not fit is empty, which no system call accepts. */
struct sl_path sl_path_join(const char *folder, const char *name);
struct sl_path sl_path_join3(const char *folder, const char *middle, const char *name);

/* Bytes on the heap, with a NUL behind them that len does not count. */
struct sl_bytes {
    char *data;
    size_t len;
};
/* Wipes, then frees: the bytes may be a key. */
void sl_bytes_free(struct sl_bytes *bytes);

/* Replace path by these bytes. Mode 0600 for everything a stranger need not read. */
SL_MUST_CHECK enum sl_exit sl_file_write(const char *path, const void *data, size_t len,
                                         mode_t mode);
/* Write a file for sl_file_rename, flushed, in place of what an interrupted command left there.
 * group: that it is given to, with root as its owner; 0: it stays ours. */
SL_MUST_CHECK enum sl_exit sl_file_prepare(const char *path, const void *data, size_t len,
                                           mode_t mode, gid_t group);
/* Give a file that is flushed its name, and flush the folder. */
SL_MUST_CHECK enum sl_exit sl_file_rename(const char *temporary, const char *path);
/* All of it, as often as it takes. */
SL_MUST_CHECK bool sl_file_put(int fd, const void *data, size_t len);
/* Add one line to a journal and flush it. */
SL_MUST_CHECK enum sl_exit sl_file_append(const char *path, const char *line);
/* A regular file of at most max bytes. */
SL_MUST_CHECK enum sl_exit sl_file_read(const char *path, size_t max, struct sl_bytes *bytes);
/* "cannot VERB PATH", with the cause and the cure that errno tells; gives SL_EXIT_FILES. */
enum sl_exit sl_file_fail(const char *verb, const char *path);

SL_MUST_CHECK enum sl_exit sl_folder_make(const char *path);
SL_MUST_CHECK enum sl_exit sl_folder_flush(const char *path);
SL_MUST_CHECK enum sl_exit sl_folder_flush_all(const char *path);
/* The absolute path of a site that does not exist yet, and a new empty folder beside it. */
SL_MUST_CHECK enum sl_exit sl_folder_begin(const char *root, struct sl_path *path,
                                           struct sl_path *temporary);
/* Give a finished folder or file its name; an existing one is never replaced (SL_EXIT_REFUSED,
 * silent). */
SL_MUST_CHECK enum sl_exit sl_folder_publish(const char *temporary, const char *path);
/* Give a finished folder the name of an existing one, which gets the name of the temporary one: at
 * every moment there is one whole folder of that name. */
SL_MUST_CHECK enum sl_exit sl_folder_exchange(const char *temporary, const char *path);
/* A folder and what is in it; best effort. */
void sl_folder_remove(const char *path);

#endif
