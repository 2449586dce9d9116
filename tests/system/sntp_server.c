/* sntp-server MODE: an SNTP server on loopback, honest or not, for system tests.
 *
 * Prints "port N", then "asked" for every request, until it is killed. Source: RFC 4330. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define PACKET_LEN  48
#define NTP_EPOCH_S UINT64_C(2208988800) /* 1900 to 1970 */
#define YEAR_S      INT64_C(31557600)

struct mode {
    const char *name;
    const char *what;
    uint8_t first; /* leap indicator, version, mode */
    uint8_t stratum;
    int64_t offset_s;
    size_t len;
    uint8_t origin_xor;
};

#define ANSWER 0x24 /* leap 0, version 4, server */

static const struct mode modes[] = {
    {"honest", "the time of this machine", ANSWER, 2, 0, PACKET_LEN, 0},
    {"wrong-origin", "an answer to somebody else's question", ANSWER, 2, 0, PACKET_LEN, 0xFF},
    {"kiss-of-death", "stratum 0 with the code RATE", ANSWER, 0, 0, PACKET_LEN, 0},
    {"unsynchronised", "leap indicator 3", ANSWER | 0xC0, 2, 0, PACKET_LEN, 0},
    {"stratum-16", "a server without a source", ANSWER, 16, 0, PACKET_LEN, 0},
    {"client-mode", "mode 3, as in a reflected request", 0x23, 2, 0, PACKET_LEN, 0},
    {"past", "ten years ago", ANSWER, 2, -10 * YEAR_S, PACKET_LEN, 0},
    {"far-future", "in thirty years", ANSWER, 2, 30 * YEAR_S, PACKET_LEN, 0},
    {"short", "47 bytes", ANSWER, 2, 0, PACKET_LEN - 1, 0},
    {"silent", "no answer at all", ANSWER, 2, 0, 0, 0},
};
static const size_t modes_len = sizeof modes / sizeof modes[0];

static const struct mode *find_mode(const char *name);
static size_t answer(const struct mode *mode, const uint8_t *request, uint8_t *packet);
static void write_time(uint8_t *out, const struct timeval *now, int64_t offset_s);

int main(int argc, char **argv)
{
    const struct mode *mode = argc == 2 ? find_mode(argv[1]) : NULL;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    if (!mode) {
        fputs("usage: sntp-server MODE\n", stderr);
        for (size_t i = 0; i < modes_len; i++)
            fprintf(stderr, "  %-15s %s\n", modes[i].name, modes[i].what);
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror("sntp-server");
        return 4;
    }
    printf("port %u\n", ntohs(address.sin_port));
    for (;;) {
        uint8_t request[512], packet[PACKET_LEN];
        len = sizeof address;
        const ssize_t got =
            recvfrom(fd, request, sizeof request, 0, (struct sockaddr *)&address, &len);
        if (got < PACKET_LEN)
            continue;
        puts("asked");
        const size_t answer_len = answer(mode, request, packet);
        if (answer_len > 0)
            (void)!sendto(fd, packet, answer_len, 0, (const struct sockaddr *)&address, len);
    }
}

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; i < modes_len; i++)
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    return NULL;
}

static size_t answer(const struct mode *mode, const uint8_t *request, uint8_t *packet)
{
    struct timeval now;

    memset(packet, 0, PACKET_LEN);
    gettimeofday(&now, NULL);
    packet[0] = mode->first;
    packet[1] = mode->stratum;
    packet[3] = 0xEC; /* precision: a microsecond */
    if (mode->stratum == 0)
        memcpy(packet + 12, "RATE", 4);
    write_time(packet + 16, &now, mode->offset_s); /* reference */
    for (size_t i = 0; i < 8; i++)                 /* origin: the request's transmit time */
        packet[24 + i] = request[40 + i] ^ mode->origin_xor;
    write_time(packet + 32, &now, mode->offset_s); /* receive */
    write_time(packet + 40, &now, mode->offset_s); /* transmit */
    return mode->len;
}

static void write_time(uint8_t *out, const struct timeval *now, int64_t offset_s)
{
    const uint64_t s = (uint64_t)(now->tv_sec + offset_s) + NTP_EPOCH_S;
    const uint64_t fraction = ((uint64_t)now->tv_usec << 32) / 1000000;

    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(s >> (24 - 8 * i)); /* the era of 2036 shows by the wrap */
        out[4 + i] = (uint8_t)(fraction >> (24 - 8 * i));
    }
}
