/* A disk that has almost no room left, for whoever asks how much: loaded before a program's
 * libraries (LD_PRELOAD). */
#include <string.h>
#include <sys/statvfs.h>

int statvfs(const char *restrict path, struct statvfs *restrict disk)
{
    (void)path;
    memset(disk, 0, sizeof *disk);
    disk->f_bsize = disk->f_frsize = 4096;
    disk->f_blocks = 1000;
    disk->f_bavail = 7;
    return 0;
}
