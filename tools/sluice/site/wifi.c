/* A name and a passphrase, as the identity image takes them. */
#include "site/wifi.h"
#include "base/bytes.h"
#include "site/file.h"
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 256

static enum sl_exit read_file(const char *path, struct sl_wifi *wifi);
static enum sl_exit ask(struct sl_wifi *wifi);
static bool take_line(char **at, char *out, size_t size);
static bool is_passphrase(const char *text);

enum sl_exit sl_wifi_take(const char *source, struct sl_wifi *wifi)
{
    memset(wifi, 0, sizeof *wifi);
    enum sl_exit code = strcmp(source, "-") == 0 ? ask(wifi) : read_file(source, wifi);
    if (code == SL_EXIT_DONE && (wifi->name[0] == '\0' || !is_passphrase(wifi->passphrase)))
        code = sl_cli_fail(SL_ERROR(WIFI_BAD), SL_WIFI_NAME_MAX, SL_WIFI_PASSPHRASE_MAX);
    if (code != SL_EXIT_DONE)
        sl_wipe(wifi, sizeof *wifi);
    return code;
}

static enum sl_exit read_file(const char *path, struct sl_wifi *wifi)
{
    struct stat about;
    struct sl_bytes bytes;
    if (stat(path, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & 077) != 0)
        return sl_cli_fail(SL_ERROR(PASSPHRASE_FILE_OPEN), path, path);
    enum sl_exit code = sl_file_read(path, FILE_MAX, &bytes);
    if (code != SL_EXIT_DONE)
        return code;
    char *at = bytes.data;
    if (strlen(bytes.data) != bytes.len || !take_line(&at, wifi->name, sizeof wifi->name) ||
        !take_line(&at, wifi->passphrase, sizeof wifi->passphrase) || *at != '\0')
        code = sl_cli_fail(SL_ERROR(WIFI_BAD), SL_WIFI_NAME_MAX, SL_WIFI_PASSPHRASE_MAX);
    sl_bytes_free(&bytes);
    return code;
}

/* False: it does not fit. A last line may lack its end, or be missing. */
static bool take_line(char **at, char *out, size_t size)
{
    size_t len = strcspn(*at, "\n");
    size_t text_len = len > 0 && (*at)[len - 1] == '\r' ? len - 1 : len;
    if (text_len >= size)
        return false;
    memcpy(out, *at, text_len);
    out[text_len] = '\0';
    *at += len + ((*at)[len] == '\n');
    return true;
}

static enum sl_exit ask(struct sl_wifi *wifi)
{
    struct sl_passphrase passphrase = {.len = 0};
    int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0)
        return sl_cli_fail(SL_ERROR(WIFI_NO_TERMINAL));
    static const char question[] = "Name of the Wi-Fi network: ";
    (void)!write(terminal, question, strlen(question));
    char line[SL_WIFI_NAME_MAX + 2], *at = line;
    ssize_t got = read(terminal, line, sizeof line - 1);
    close(terminal);
    line[got > 0 ? got : 0] = '\0';
    if (!strchr(line, '\n') || !take_line(&at, wifi->name, sizeof wifi->name))
        return sl_cli_fail(SL_ERROR(WIFI_BAD), SL_WIFI_NAME_MAX, SL_WIFI_PASSPHRASE_MAX);
    char what[SL_WIFI_NAME_MAX + 16];
    snprintf(what, sizeof what, "the network %s", wifi->name);
    enum sl_exit code = sl_passphrase_prompt(what, &passphrase);
    if (code == SL_EXIT_DONE &&
        !sl_cli_copy(wifi->passphrase, sizeof wifi->passphrase, passphrase.text))
        code = sl_cli_fail(SL_ERROR(WIFI_BAD), SL_WIFI_NAME_MAX, SL_WIFI_PASSPHRASE_MAX);
    sl_wipe(&passphrase, sizeof passphrase);
    return code;
}

/* IEEE 802.11, annex J.4.1: 8 to 63 printable characters. */
static bool is_passphrase(const char *text)
{
    size_t len = strlen(text);
    if (len > 0 && len < 8)
        return false;
    for (const char *at = text; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            return false;
    return true;
}
