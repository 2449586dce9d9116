/* The driver of a build without libFuzzer: gives every file that is named, or lies in a folder that
 * is named, to the target once. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static void replay_file(const char *path);
static void replay_folder(DIR *folder, const char *path);

static unsigned count;

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        if (folder != NULL)
            replay_folder(folder, argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1; /* nothing replayed proves nothing */
}

static void replay_folder(DIR *folder, const char *path)
{
    char file[4096];

    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        replay_file(file);
    }
    closedir(folder);
}

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat stat;

    if (file == NULL || fstat(fileno(file), &stat) != 0) {
        perror(path);
        exit(1);
    }
    size_t len = (size_t)stat.st_size;
    uint8_t *bytes = malloc(len > 0 ? len : 1); /* exact: AddressSanitizer guards the end */
    if (bytes == NULL || fread(bytes, 1, len, file) != len) {
        perror(path);
        exit(1);
    }
    fclose(file);
    fprintf(stderr, "%s\n", path); /* the last line before a crash names its input */
    LLVMFuzzerTestOneInput(bytes, len);
    free(bytes);
    count++;
}
