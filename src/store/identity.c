/* The identity image and the grant: one description of their fields, one check of their content for
 * both directions. */
#include "store/identity.h"
#include "base/crc.h"

#define VERSION          1
#define HEADER_LEN       7 /* magic, version, length */
#define FIELD_HEADER_LEN 3 /* tag, length */
#define CRC_LEN          4
#define MANDATORY        0x80 /* a reader that does not know the tag refuses the image */
#define POINT_LEN        65
#define SEAL_FIELD_LEN   (FIELD_HEADER_LEN + SL_GRANT_SEAL_LEN)
#define NAME_LABEL_MAX   63 /* RFC 1035, section 2.3.4 */
#define PASSPHRASE_MIN   8  /* IEEE 802.11, annex J.4.1 */

enum tag {
    TAG_NAME = MANDATORY | 0x01,
    TAG_BASE = MANDATORY | 0x02,
    TAG_BROKER_HOST = MANDATORY | 0x03,
    TAG_BROKER_PORT = MANDATORY | 0x04,
    TAG_SERVER_NAME = MANDATORY | 0x05,
    TAG_ANCHOR = MANDATORY | 0x06, /* point, then subject; the only tag that may repeat */
    TAG_CERTIFICATE = MANDATORY | 0x07,
    TAG_PRIVATE_KEY = MANDATORY | 0x08,
    TAG_NOT_AFTER = MANDATORY | 0x09,
    TAG_ISSUED = 0x0A,
    TAG_WIFI_NAME = 0x0B,
    TAG_WIFI_PASSPHRASE = 0x0C,
    TAG_SEAL = MANDATORY | 0x7F /* of a grant only; no field comes behind it */
};

enum { MAGIC_LEN = 4 };
enum kind { IDENTITY, GRANT };
static const uint8_t magic[][MAGIC_LEN] = {
    [IDENTITY] = {'S', 'L', 'I', 'D'}, [GRANT] = {'S', 'L', 'G', 'R'}};

static enum sl_status decode(enum kind kind, struct sl_view image, struct sl_identity *identity);
static enum sl_status encode(enum kind kind, const struct sl_identity *identity, uint8_t *out,
                             size_t out_len, size_t *len);
static void insert(uint8_t *image, size_t *len, uint8_t tag, struct sl_view value);
static void close_envelope(enum kind kind, uint8_t *image, size_t len);
static enum sl_status check_envelope(enum kind kind, struct sl_view image,
                                     struct sl_reader *fields);
static enum sl_status check_seal(struct sl_reader *fields);
static enum sl_status read_fields(struct sl_reader *fields, struct sl_identity *identity);
static enum sl_status read_field(struct sl_identity *identity, uint8_t tag, struct sl_view value);
static bool is_complete(enum kind kind, const struct sl_identity *identity);
static bool is_private_key(struct sl_view key);
static void write_number(struct sl_writer *writer, uint8_t tag, uint64_t number);
static void write_field(struct sl_writer *writer, uint8_t tag, struct sl_view value);
static void write_anchor(struct sl_writer *writer, struct sl_view subject, struct sl_view point);

enum sl_status sl_identity_decode(struct sl_view image, struct sl_identity *identity)
{
    return decode(IDENTITY, image, identity);
}

enum sl_status sl_identity_encode(const struct sl_identity *identity, uint8_t *out, size_t out_len,
                                  size_t *len)
{
    return encode(IDENTITY, identity, out, out_len, len);
}

enum sl_status sl_grant_decode(struct sl_view image, struct sl_identity *grant)
{
    return decode(GRANT, image, grant);
}

enum sl_status sl_grant_encode(const struct sl_identity *grant, uint8_t *out, size_t out_len,
                               size_t *len)
{
    struct sl_identity public = *grant;

    public.private_key = (struct sl_view){NULL, 0};
    return encode(GRANT, &public, out, out_len, len);
}

struct sl_view sl_grant_sealed(struct sl_view grant)
{
    return (struct sl_view){grant.data, grant.len - CRC_LEN - SEAL_FIELD_LEN};
}

struct sl_view sl_grant_seal(struct sl_view grant)
{
    return (struct sl_view){grant.data + grant.len - CRC_LEN - SL_GRANT_SEAL_LEN,
                            SL_GRANT_SEAL_LEN};
}

void sl_grant_set_seal(uint8_t *grant, size_t len, const uint8_t seal[SL_GRANT_SEAL_LEN])
{
    memcpy(grant + len - CRC_LEN - SL_GRANT_SEAL_LEN, seal, SL_GRANT_SEAL_LEN);
    close_envelope(GRANT, grant, len);
}

enum sl_status sl_grant_complete(uint8_t *image, size_t cap, size_t *len,
                                 const uint8_t private_key[SL_IDENTITY_KEY_LEN],
                                 const struct sl_identity *keep)
{
    struct sl_identity grant;
    const struct sl_view key = {private_key, SL_IDENTITY_KEY_LEN};
    const enum sl_status status = decode(GRANT, (struct sl_view){image, *len}, &grant);
    size_t added = FIELD_HEADER_LEN + SL_IDENTITY_KEY_LEN;
    size_t total = *len - SEAL_FIELD_LEN; /* of an image that decodes */

    if (status != SL_OK)
        return status;
    if (!is_private_key(key))
        return SL_BAD_ARGUMENT;
    if (grant.wifi_name.len > 0 || keep == NULL || keep->wifi_name.len == 0)
        keep = NULL;
    else
        added += FIELD_HEADER_LEN + keep->wifi_name.len +
                 (keep->wifi_passphrase.len > 0 ? FIELD_HEADER_LEN + keep->wifi_passphrase.len : 0);
    if (total + added > cap || total + added > SL_IDENTITY_MAX)
        return SL_TOO_LARGE;
    insert(image, &total, TAG_PRIVATE_KEY, key);
    if (keep != NULL)
        insert(image, &total, TAG_WIFI_NAME, keep->wifi_name);
    if (keep != NULL && keep->wifi_passphrase.len > 0)
        insert(image, &total, TAG_WIFI_PASSPHRASE, keep->wifi_passphrase);
    close_envelope(IDENTITY, image, total);
    *len = total;
    return SL_OK;
}

/* A field in its place: what stands behind that, fields that nobody knows included, moves on. */
static void insert(uint8_t *image, size_t *len, uint8_t tag, struct sl_view value)
{
    const size_t end = *len - CRC_LEN, added = FIELD_HEADER_LEN + value.len;
    size_t at = HEADER_LEN;

    while (at < end && (image[at] & (uint8_t)~MANDATORY) < (tag & (uint8_t)~MANDATORY))
        at += FIELD_HEADER_LEN + ((size_t)image[at + 1] << 8 | image[at + 2]);
    struct sl_writer writer = sl_writer_init(image + at, added);
    memmove(image + at + added, image + at, *len - at);
    write_field(&writer, tag, value);
    *len += added;
}

static enum sl_status decode(enum kind kind, struct sl_view image, struct sl_identity *identity)
{
    struct sl_reader fields;
    enum sl_status status = check_envelope(kind, image, &fields);

    memset(identity, 0, sizeof *identity);
    if (status == SL_OK && kind == GRANT)
        status = check_seal(&fields);
    if (status == SL_OK)
        status = read_fields(&fields, identity);
    if (status == SL_OK && !is_complete(kind, identity))
        status = SL_MALFORMED;
    if (status != SL_OK)
        memset(identity, 0, sizeof *identity);
    return status;
}

static enum sl_status encode(enum kind kind, const struct sl_identity *identity, uint8_t *out,
                             size_t out_len, size_t *len)
{
    *len = 0;
    if (!is_complete(kind, identity))
        return SL_BAD_ARGUMENT;

    const uint16_t port = identity->broker_port;
    const uint8_t no_seal[SL_GRANT_SEAL_LEN] = {0};
    const uint8_t port_bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    const size_t room = out_len < SL_IDENTITY_MAX ? out_len : SL_IDENTITY_MAX;
    struct sl_writer writer = sl_writer_init(out, room);
    sl_write_view(&writer, (struct sl_view){magic[kind], MAGIC_LEN});
    sl_write_u8(&writer, VERSION);
    sl_write_u16(&writer, 0); /* the length, known at the end */
    write_field(&writer, TAG_NAME, identity->name);
    write_field(&writer, TAG_BASE, identity->base);
    write_field(&writer, TAG_BROKER_HOST, identity->broker_host);
    write_field(&writer, TAG_BROKER_PORT, (struct sl_view){port_bytes, sizeof port_bytes});
    write_field(&writer, TAG_SERVER_NAME, identity->server_name);
    for (uint8_t i = 0; i < identity->anchors_len; i++)
        write_anchor(&writer, identity->anchors[i].subject, identity->anchors[i].point);
    write_field(&writer, TAG_CERTIFICATE, identity->certificate);
    if (kind == IDENTITY)
        write_field(&writer, TAG_PRIVATE_KEY, identity->private_key);
    write_number(&writer, TAG_NOT_AFTER, identity->not_after_s);
    if (identity->issued_s != 0)
        write_number(&writer, TAG_ISSUED, identity->issued_s);
    if (identity->wifi_name.len > 0)
        write_field(&writer, TAG_WIFI_NAME, identity->wifi_name);
    if (identity->wifi_passphrase.len > 0)
        write_field(&writer, TAG_WIFI_PASSPHRASE, identity->wifi_passphrase);
    if (kind == GRANT)
        write_field(&writer, TAG_SEAL, (struct sl_view){no_seal, sizeof no_seal});

    const size_t total = sl_writer_len(&writer) + CRC_LEN;
    if (writer.failed || total > room) {
        sl_wipe(out, room); /* the private key may be in there already */
        return SL_TOO_LARGE;
    }
    close_envelope(kind, out, total);
    *len = total;
    return SL_OK;
}

/* Magic, length and CRC around fields that are complete. */
static void close_envelope(enum kind kind, uint8_t *image, size_t len)
{
    struct sl_writer length = sl_writer_init(image + MAGIC_LEN + 1, 2);
    struct sl_writer crc = sl_writer_init(image + len - CRC_LEN, CRC_LEN);

    memcpy(image, magic[kind], MAGIC_LEN);
    sl_write_u16(&length, (uint16_t)len);
    sl_write_u32(&crc, sl_crc32(image, len - CRC_LEN));
}

/* Magic, length and CRC say whether these bytes are an image at all; only then does its version
 * mean something. Gives the bytes between header and CRC. */
static enum sl_status check_envelope(enum kind kind, struct sl_view image, struct sl_reader *fields)
{
    *fields = sl_reader_init((struct sl_view){NULL, 0});
    if (image.len > SL_IDENTITY_MAX)
        return SL_TOO_LARGE;
    if (image.len < HEADER_LEN + CRC_LEN)
        return SL_CORRUPT;

    struct sl_reader reader = sl_reader_init(image);
    struct sl_view start = sl_read_view(&reader, MAGIC_LEN);
    uint8_t version = sl_read_u8(&reader);
    uint16_t len = sl_read_u16(&reader);
    struct sl_view body = sl_read_view(&reader, image.len - HEADER_LEN - CRC_LEN);
    uint32_t crc = sl_read_u32(&reader);
    if (!sl_view_is_equal(start, (struct sl_view){magic[kind], MAGIC_LEN}) || len != image.len ||
        crc != sl_crc32(image.data, image.len - CRC_LEN))
        return SL_CORRUPT;
    if (version != VERSION)
        return SL_UNSUPPORTED;
    *fields = sl_reader_init(body);
    return SL_OK;
}

/* A grant ends with its seal: takes it from the fields. Whose it is, is not asked here. */
static enum sl_status check_seal(struct sl_reader *fields)
{
    const size_t before = sl_reader_left(fields) - SEAL_FIELD_LEN;

    if (sl_reader_left(fields) < SEAL_FIELD_LEN)
        return SL_MALFORMED;
    const struct sl_view others = sl_read_view(fields, before);
    if (sl_read_u8(fields) != TAG_SEAL || sl_read_u16(fields) != SL_GRANT_SEAL_LEN)
        return SL_MALFORMED;
    *fields = sl_reader_init(others);
    return SL_OK;
}

/* Tags ascend, so there is one way to write an image and a field cannot come twice. */
static enum sl_status read_fields(struct sl_reader *fields, struct sl_identity *identity)
{
    uint8_t last = 0;

    while (sl_reader_left(fields) > 0) {
        uint8_t tag = sl_read_u8(fields);
        struct sl_view value = sl_read_view(fields, sl_read_u16(fields));
        uint8_t number = tag & (uint8_t)~MANDATORY;
        if (fields->failed || number < last || (number == last && tag != TAG_ANCHOR))
            return SL_MALFORMED;
        last = number;
        enum sl_status status = read_field(identity, tag, value);
        if (status != SL_OK)
            return status;
    }
    return SL_OK;
}

/* Lengths that a fixed type needs are checked here, all other rules in is_complete. */
static enum sl_status read_field(struct sl_identity *identity, uint8_t tag, struct sl_view value)
{
    struct sl_reader reader = sl_reader_init(value);

    switch (tag) {
    case TAG_NAME:
        identity->name = value;
        return SL_OK;
    case TAG_BASE:
        identity->base = value;
        return SL_OK;
    case TAG_BROKER_HOST:
        identity->broker_host = value;
        return SL_OK;
    case TAG_BROKER_PORT:
        identity->broker_port = sl_read_u16(&reader);
        break;
    case TAG_SERVER_NAME:
        identity->server_name = value;
        return SL_OK;
    case TAG_ANCHOR:
        if (identity->anchors_len >= SL_IDENTITY_ANCHORS_MAX)
            return SL_MALFORMED;
        identity->anchors[identity->anchors_len].point = sl_read_view(&reader, POINT_LEN);
        identity->anchors[identity->anchors_len].subject =
            sl_read_view(&reader, sl_reader_left(&reader));
        identity->anchors_len++;
        break;
    case TAG_CERTIFICATE:
        identity->certificate = value;
        return SL_OK;
    case TAG_PRIVATE_KEY:
        identity->private_key = value;
        return value.len > 0 ? SL_OK : SL_MALFORMED;
    case TAG_NOT_AFTER:
        identity->not_after_s = sl_read_u64(&reader);
        break;
    case TAG_ISSUED:
        identity->issued_s = sl_read_u64(&reader);
        if (identity->issued_s == 0)
            return SL_MALFORMED; /* a field that says nothing: it is left out */
        break;
    case TAG_WIFI_NAME:
        identity->wifi_name = value;
        return value.len > 0 ? SL_OK : SL_MALFORMED;
    case TAG_WIFI_PASSPHRASE:
        identity->wifi_passphrase = value;
        return value.len > 0 ? SL_OK : SL_MALFORMED;
    default:
        if (tag < TAG_ISSUED || tag == (TAG_SEAL & ~MANDATORY))
            return SL_MALFORMED; /* a field that must be there, marked as one that need not be */
        return tag & MANDATORY ? SL_UNSUPPORTED : SL_OK;
    }
    return reader.failed || sl_reader_left(&reader) > 0 ? SL_MALFORMED : SL_OK;
}

static void write_number(struct sl_writer *writer, uint8_t tag, uint64_t number)
{
    uint8_t bytes[8];
    struct sl_writer value = sl_writer_init(bytes, sizeof bytes);

    sl_write_u64(&value, number);
    write_field(writer, tag, (struct sl_view){bytes, sizeof bytes});
}

static void write_field(struct sl_writer *writer, uint8_t tag, struct sl_view value)
{
    if (value.len > SL_IDENTITY_MAX) {
        writer->failed = true; /* its length may not fit into 16 bits */
        return;
    }
    sl_write_u8(writer, tag);
    sl_write_u16(writer, (uint16_t)value.len);
    sl_write_view(writer, value);
}

static void write_anchor(struct sl_writer *writer, struct sl_view subject, struct sl_view point)
{
    if (subject.len > SL_IDENTITY_MAX) {
        writer->failed = true;
        return;
    }
    sl_write_u8(writer, TAG_ANCHOR);
    sl_write_u16(writer, (uint16_t)(point.len + subject.len));
    sl_write_view(writer, point);
    sl_write_view(writer, subject);
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(uint8_t c)
{
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

bool sl_identity_is_name(struct sl_view name)
{
    if (name.len < 1 || name.len > SL_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!is_lower(c) && !is_digit(c) && (i == 0 || (c != '_' && c != '-')))
            return false;
    }
    return true;
}

bool sl_identity_is_base(struct sl_view base)
{
    if (base.len < 1 || base.len > SL_BASE_MAX)
        return false;
    uint8_t before = '/';
    for (size_t i = 0; i < base.len; i++) {
        uint8_t c = base.data[i];
        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-' && (c != '/' || before == '/'))
            return false;
        before = c;
    }
    return before != '/';
}

/* What may be handed to a resolver: a host name, an IPv4 or an IPv6 literal with its zone. */
static bool is_host(struct sl_view host)
{
    if (host.len < 1 || host.len > SL_HOST_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.data[i];
        bool is_inner = c == '-' || c == '.' || c == '_' || c == '%';
        if (!is_alphanumeric(c) && c != ':' && (i == 0 || !is_inner))
            return false;
    }
    return true;
}

/* Labels of letters, digits and inner hyphens (RFC 1123, section 2.1), no dot at the end. */
static bool is_dns_name(struct sl_view name)
{
    if (name.len < 1 || name.len > SL_HOST_MAX)
        return false;
    size_t label_len = 0;
    uint8_t before = '.';
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        bool is_dot = c == '.';
        if (is_dot ? !is_alphanumeric(before) : !is_alphanumeric(c) && (c != '-' || label_len == 0))
            return false;
        label_len = is_dot ? 0 : label_len + 1;
        if (label_len > NAME_LABEL_MAX)
            return false;
        before = c;
    }
    return is_alphanumeric(before);
}

/* One DER SEQUENCE with content that fills the view exactly (X.690, section 8.1.3). */
static bool is_der_sequence(struct sl_view der)
{
    struct sl_reader reader = sl_reader_init(der);
    uint8_t tag = sl_read_u8(&reader);
    size_t len = sl_read_u8(&reader);
    size_t least = 1;

    if (len == 0x81) {
        len = sl_read_u8(&reader);
        least = 0x80;
    } else if (len == 0x82) {
        len = sl_read_u16(&reader);
        least = 0x100;
    } else if (len >= 0x80) {
        return false;
    }
    return !reader.failed && tag == 0x30 && len >= least && len == sl_reader_left(&reader);
}

static bool is_point(struct sl_view point)
{
    return point.len == POINT_LEN && point.data[0] == 0x04;
}

static bool is_private_key(struct sl_view key)
{
    uint8_t any = 0;

    if (key.len != SL_IDENTITY_KEY_LEN)
        return false;
    for (size_t i = 0; i < SL_IDENTITY_KEY_LEN; i++)
        any |= key.data[i];
    return any != 0;
}

/* A WPA2 passphrase; open networks have none. */
static bool is_wifi(struct sl_view name, struct sl_view passphrase)
{
    if (name.len > SL_WIFI_NAME_MAX)
        return false;
    if (passphrase.len == 0)
        return true;
    for (size_t i = 0; i < passphrase.len; i++)
        if (passphrase.data[i] < ' ' || passphrase.data[i] > '~')
            return false;
    return name.len > 0 && passphrase.len >= PASSPHRASE_MIN &&
           passphrase.len <= SL_WIFI_PASSPHRASE_MAX;
}

static bool is_complete(enum kind kind, const struct sl_identity *identity)
{
    const bool has_key =
        kind == GRANT ? identity->private_key.len == 0 : is_private_key(identity->private_key);

    if (identity->anchors_len < 1 || identity->anchors_len > SL_IDENTITY_ANCHORS_MAX)
        return false;
    for (uint8_t i = 0; i < identity->anchors_len; i++) {
        if (!is_der_sequence(identity->anchors[i].subject) || !is_point(identity->anchors[i].point))
            return false;
    }
    return sl_identity_is_name(identity->name) && sl_identity_is_base(identity->base) &&
           is_host(identity->broker_host) && identity->broker_port != 0 &&
           is_dns_name(identity->server_name) && is_der_sequence(identity->certificate) &&
           has_key && identity->not_after_s != 0 && identity->issued_s <= identity->not_after_s &&
           is_wifi(identity->wifi_name, identity->wifi_passphrase);
}
