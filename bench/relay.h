/* A relay between two programs of this computer, on a thread of its own: tells when what they say
 * to each other passes. It sees nothing but the times: what passes may well be TLS. */
#ifndef SL_BENCH_RELAY_H
#define SL_BENCH_RELAY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define BENCH_MARKS_MAX 128

enum bench_mark_kind { BENCH_OPENED, BENCH_UP, BENCH_DOWN }; /* up: from who dialled the relay */

struct bench_mark {
    enum bench_mark_kind kind;
    double at_ms; /* of bench_now_ms: just before it is handed on */
    size_t len;   /* bytes in the chunk */
};

struct bench_relay {
    int listener;
    struct sockaddr_storage to; /* of the listener's own type of socket */
    socklen_t to_len;
    pthread_t thread;
    pthread_mutex_t lock;
    struct bench_mark marks[BENCH_MARKS_MAX]; /* once it is full, no more come */
    size_t len;
};

/* One connection at a time. The relay lives as long as the program.
 * Gives: false, and a word on stderr, when it cannot be. */
bool bench_relay_start(struct bench_relay *relay, int listener, const struct sockaddr *to,
                       socklen_t to_len);
/* Gives: how many marks there are since the last call, copied to marks; forgets them. */
size_t bench_relay_take(struct bench_relay *relay, struct bench_mark marks[BENCH_MARKS_MAX]);

#endif
