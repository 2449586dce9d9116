/* The identity image: everything that makes a node this node, in one checked block of bytes.
 *
 * Written by the CLI, read by the node as views: nothing is copied, nothing is parsed twice.
 * Layout and rules: docs/spec/identity-image.md (magic "SLID", version, length, tagged fields,
 * CRC-32).
 * Unknown optional tags are skipped, unknown mandatory tags refused.
 */
#ifndef SL_STORE_IDENTITY_H
#define SL_STORE_IDENTITY_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

#define SL_IDENTITY_MAX         2048 /* bytes of a whole image */
#define SL_IDENTITY_ANCHORS_MAX 2

struct sl_identity {
    struct sl_view name;        /* 1..SL_NAME_MAX, ^[a-z0-9][a-z0-9_-]{0,22}$ */
    struct sl_view base;        /* base topic, 1..SL_BASE_MAX: [A-Za-z0-9._-]+ between slashes */
    struct sl_view broker_host; /* 1..SL_HOST_MAX: DNS name or address literal to dial */
    uint16_t broker_port;       /* 1..65535 */
    struct sl_view server_name; /* DNS name that the broker's certificate must carry */
    struct {
        struct sl_view subject; /* DER of the distinguished name */
        struct sl_view point;   /* 65 bytes, uncompressed P-256 */
    } anchors[SL_IDENTITY_ANCHORS_MAX];
    uint8_t anchors_len;
    struct sl_view certificate; /* DER */
    struct sl_view private_key; /* 32 bytes; secret */
    uint64_t not_after_s;       /* end of the certificate, Unix seconds, not 0; for reports */
};

/* Gives: views into image, which must outlive *identity.
 * Fails: SL_CORRUPT (magic, length, CRC), SL_MALFORMED (a field's length, characters, duplicates,
 * missing fields, bytes left over), SL_UNSUPPORTED (version, unknown mandatory tag), SL_TOO_LARGE.
 * On failure *identity is all zeros. */
SL_MUST_CHECK enum sl_status sl_identity_decode(struct sl_view image, struct sl_identity *identity);

/* Gives: the image in out, *len bytes.
 * Fails: SL_BAD_ARGUMENT (a field that decode would refuse), SL_TOO_LARGE; *len is 0 then. */
SL_MUST_CHECK enum sl_status sl_identity_encode(const struct sl_identity *identity, uint8_t *out,
                                                size_t out_len, size_t *len);

/* The rules for names and base topics, for everyone who takes them from a person. */
bool sl_identity_is_name(struct sl_view name);
bool sl_identity_is_base(struct sl_view base);

#endif
