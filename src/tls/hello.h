/* Watches the server's first handshake message for what BearSSL does not tell: whether the server
 * agreed to the maximum fragment length.
 *
 * The engine sees the same bytes and judges them; here everything unclear reads as "not agreed".
 * Source: RFC 5246, sections 6.2.1 and 7.4.1.3; RFC 6066, section 4.
 */
#ifndef SL_TLS_HELLO_H
#define SL_TLS_HELLO_H

#include "base/bytes.h"

#define SL_HELLO_MAX        160 /* a ServerHello that answers ours needs at most 100 bytes */
#define SL_HELLO_SESSION_ID 32

struct sl_hello {
    uint8_t header[5]; /* of the present record */
    uint8_t header_len;
    uint16_t record_left;
    uint8_t message[SL_HELLO_MAX];
    uint16_t message_len;
    bool is_done; /* the ServerHello is complete, or cannot be one that we accept */
    bool has_fragment;
};

void sl_hello_init(struct sl_hello *hello);
/* Bytes from the transport, from the first one on, cut in any way; ignored once is_done. */
void sl_hello_feed(struct sl_hello *hello, const uint8_t *in, size_t len);

#endif
