/* The identity image: everything that makes a node this node, in one checked block of bytes.
 *
 * Written by the CLI, read by the node as views: nothing is copied, nothing is parsed twice.
 * Layout and rules: docs/spec/identity-image.md (magic "SLID", version, length, tagged fields,
 * CRC-32).
 * Unknown optional tags are skipped, unknown mandatory tags refused.
 *
 * A grant (magic "SLGR") is the image without the private key, sealed by the site's CA: what a node
 * is given that has made its key itself, and completes to an identity.
 */
#ifndef SL_STORE_IDENTITY_H
#define SL_STORE_IDENTITY_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

#define SL_IDENTITY_MAX         1280 /* bytes of a whole image */
#define SL_IDENTITY_KEY_LEN     32
#define SL_GRANT_MAX            SL_IDENTITY_MAX /* the seal goes, and leaves room for the key */
#define SL_GRANT_SEAL_LEN       64
#define SL_IDENTITY_ANCHORS_MAX 2
#define SL_WIFI_NAME_MAX        32
#define SL_WIFI_PASSPHRASE_MAX  63

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
    struct sl_view private_key; /* 32 bytes; secret. Of a grant: none */
    uint64_t not_after_s;       /* end of the certificate, Unix seconds, not 0; for reports */
    /* Optional; 0 or empty without them. */
    uint64_t issued_s;              /* when the certificate was made, Unix seconds: the later of two
                                       identities of a name is the one that counts */
    struct sl_view wifi_name;       /* 1..SL_WIFI_NAME_MAX bytes of any value */
    struct sl_view wifi_passphrase; /* 8..63 printable ASCII; secret. Only with a name */
};

/* An identity and the bytes that its views point into. */
struct sl_identity_slot {
    uint8_t image[SL_IDENTITY_MAX];
    struct sl_identity identity;
};

/* What becomes of the identity that a board keeps: the port carries it out (ports/port.h). */
enum sl_identity_op {
    SL_IDENTITY_TRY,   /* keep the image beside the one in use */
    SL_IDENTITY_ADOPT, /* the one kept beside takes the place of the one in use, at a stroke */
    SL_IDENTITY_DROP   /* forget the one kept beside */
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

/* The same for a grant: private_key is empty, a grant that has one is malformed, and so is one
 * without a seal. Neither kind is ever taken for the other (SL_CORRUPT). encode ignores a private
 * key; its seal is zeros, which is nobody's, until sl_grant_set_seal. */
SL_MUST_CHECK enum sl_status sl_grant_decode(struct sl_view image, struct sl_identity *grant);
SL_MUST_CHECK enum sl_status sl_grant_encode(const struct sl_identity *grant, uint8_t *out,
                                             size_t out_len, size_t *len);

/* The CA's signature over a grant: ECDSA on P-256 with SHA-256, r and s of 32 bytes each (raw),
 * over all bytes in front of the seal's field. decode checks its place, node/grant.h whose it is.
 * Requires: a grant that encode has made or decode has taken.
 * Gives:    the bytes that are signed; the signature; the grant with another signature. */
struct sl_view sl_grant_sealed(struct sl_view grant);
struct sl_view sl_grant_seal(struct sl_view grant);
void sl_grant_set_seal(uint8_t *grant, size_t len, const uint8_t seal[SL_GRANT_SEAL_LEN]);

/* Make the identity of a grant, in place; the seal is dropped.
 * keep: the identity in use, whose Wi-Fi data go on when the grant has none; NULL: none.
 * Requires: *len bytes of a grant in image, which has room for cap.
 * Gives:    the identity's image, *len bytes; views into the grant are void.
 * Fails:    what decode fails with, SL_BAD_ARGUMENT (key is zero), SL_TOO_LARGE (cap); image and
 *           *len are as before. */
SL_MUST_CHECK enum sl_status sl_grant_complete(uint8_t *image, size_t cap, size_t *len,
                                               const uint8_t private_key[SL_IDENTITY_KEY_LEN],
                                               const struct sl_identity *keep);

/* The rules for names and base topics, for everyone who takes them from a person. */
bool sl_identity_is_name(struct sl_view name);
bool sl_identity_is_base(struct sl_view base);

#endif
