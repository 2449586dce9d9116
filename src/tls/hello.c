/* Collects the ServerHello out of its records, then reads it once. */
#include "tls/hello.h"

#define RECORD_HANDSHAKE     22
#define MESSAGE_SERVER_HELLO 2
#define MESSAGE_HEADER_LEN   4
#define RANDOM_LEN           32
#define EXTENSION_FRAGMENT   1
#define FRAGMENT_512         1 /* MaxFragmentLength 2^9 */

static void take_record_byte(struct sl_hello *hello, uint8_t byte);
static void take_message_byte(struct sl_hello *hello, uint8_t byte);
static void read_server_hello(struct sl_hello *hello);

void sl_hello_init(struct sl_hello *hello)
{
    memset(hello, 0, sizeof *hello);
}

void sl_hello_feed(struct sl_hello *hello, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len && !hello->is_done; i++)
        take_record_byte(hello, in[i]);
}

static void take_record_byte(struct sl_hello *hello, uint8_t byte)
{
    if (hello->header_len < sizeof hello->header) {
        hello->header[hello->header_len++] = byte;
        if (hello->header_len < sizeof hello->header)
            return;
        hello->record_left = (uint16_t)(hello->header[3] << 8 | hello->header[4]);
    } else {
        hello->record_left--;
        if (hello->header[0] == RECORD_HANDSHAKE)
            take_message_byte(hello, byte);
    }
    if (hello->record_left == 0)
        hello->header_len = 0;
}

static void take_message_byte(struct sl_hello *hello, uint8_t byte)
{
    hello->message[hello->message_len++] = byte;
    if (hello->message_len < MESSAGE_HEADER_LEN)
        return;
    const uint8_t *message = hello->message;
    uint32_t len = (uint32_t)message[1] << 16 | (uint32_t)message[2] << 8 | message[3];
    if (message[0] != MESSAGE_SERVER_HELLO || len > SL_HELLO_MAX - MESSAGE_HEADER_LEN) {
        hello->is_done = true;
    } else if (hello->message_len == MESSAGE_HEADER_LEN + len) {
        read_server_hello(hello);
        hello->is_done = true;
    }
}

static void read_server_hello(struct sl_hello *hello)
{
    struct sl_reader reader = sl_reader_init((struct sl_view){hello->message, hello->message_len});

    sl_read_view(&reader, MESSAGE_HEADER_LEN);
    sl_read_u16(&reader); /* version */
    sl_read_view(&reader, RANDOM_LEN);
    struct sl_view id = sl_read_view(&reader, sl_read_u8(&reader));
    sl_read_u16(&reader); /* cipher suite */
    sl_read_u8(&reader);  /* compression */
    struct sl_reader extensions = sl_reader_init(sl_read_view(&reader, sl_read_u16(&reader)));
    if (reader.failed || id.len > SL_HELLO_SESSION_ID)
        return;

    bool has_fragment = false;
    while (sl_reader_left(&extensions) > 0) {
        uint16_t type = sl_read_u16(&extensions);
        struct sl_view value = sl_read_view(&extensions, sl_read_u16(&extensions));
        if (type == EXTENSION_FRAGMENT)
            has_fragment = value.len == 1 && value.data[0] == FRAGMENT_512;
    }
    if (extensions.failed)
        return;
    hello->has_fragment = has_fragment;
}
