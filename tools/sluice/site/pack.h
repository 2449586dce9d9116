/* A folder as a stream of entries in an archive, and back: docs/spec/backup.md.
 *
 * Only folders and regular files, by paths of harmless letters below the folder: nothing that was
 * packed can land anywhere else. Everything becomes 0700 and 0600, as a site has it.
 */
#ifndef SL_CLI_PACK_H
#define SL_CLI_PACK_H

#include "site/archive.h"

#define SL_PACK_PATH_MAX    255
#define SL_PACK_DEPTH_MAX   4
#define SL_PACK_FILE_MAX    67108864 /* bytes of a file */
#define SL_PACK_ENTRIES_MAX 20000

struct sl_pack_count {
    unsigned files, folders;
    uint64_t bytes;
};

/* Every entry of folder but those whose names begin with a full stop, and what is in run/. */
SL_MUST_CHECK enum sl_exit sl_pack(struct sl_archive *archive, const char *folder,
                                   struct sl_pack_count *count);
/* Read every entry up to the end. folder: an empty one to put them into; NULL: only check. */
SL_MUST_CHECK enum sl_exit sl_unpack(struct sl_archive *archive, const char *folder,
                                     struct sl_pack_count *count);

#endif
