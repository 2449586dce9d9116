/* Identity images and grants: bytes as they come, and once more with magic, length and checksum set
 * right.
 *
 * Contract: a failure leaves zeros; what is accepted is complete, within its limits and inside the
 * image; encode gives an image that decodes to the same identity, in every size that fits and in no
 * smaller one; nothing is both; a grant ends with its seal, and completes to the identity with the
 * key and without the seal, and to nothing else. */
#include "base/crc.h"
#include "fuzz.h"
#include "store/identity.h"

#define LEN_OFFSET 5
#define CRC_LEN    4

/* Both kinds have the same shape, and the same laws. */
static const struct kind {
    const char *magic;
    size_t key_len, most;
    enum sl_status (*decode)(struct sl_view image, struct sl_identity *identity);
    enum sl_status (*encode)(const struct sl_identity *identity, uint8_t *out, size_t out_len,
                             size_t *len);
} kinds[] = {
    {"SLID", SL_IDENTITY_KEY_LEN, SL_IDENTITY_MAX, sl_identity_decode, sl_identity_encode},
    {"SLGR", 0, SL_GRANT_MAX, sl_grant_decode, sl_grant_encode},
};

static bool check(const struct kind *kind, struct sl_view image);
static void check_accepted(const struct kind *kind, struct sl_view image,
                           const struct sl_identity *identity);
static void check_completed(struct sl_view image);
static bool is_same(const struct sl_identity *a, const struct sl_identity *b);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct sl_view image = {data, len};
    FUZZ_CHECK(!check(&kinds[0], image) || !check(&kinds[1], image));
    sl_identity_is_name(image);
    sl_identity_is_base(image);
    if (len < LEN_OFFSET + 2 + CRC_LEN || len > UINT16_MAX)
        return 0;

    uint8_t *mended = malloc(len);
    FUZZ_CHECK(mended != NULL);
    memcpy(mended, data, len);
    mended[LEN_OFFSET] = (uint8_t)(len >> 8);
    mended[LEN_OFFSET + 1] = (uint8_t)len;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        memcpy(mended, kinds[i].magic, 4);
        struct sl_writer crc = sl_writer_init(mended + len - CRC_LEN, CRC_LEN);
        sl_write_u32(&crc, sl_crc32(mended, len - CRC_LEN));
        if (check(&kinds[i], (struct sl_view){mended, len}) && kinds[i].key_len == 0)
            check_completed((struct sl_view){mended, len});
    }
    free(mended);
    return 0;
}

static bool check(const struct kind *kind, struct sl_view image)
{
    struct sl_identity identity;
    memset(&identity, 0xA5, sizeof identity);
    const bool is_accepted = kind->decode(image, &identity) == SL_OK;
    if (is_accepted)
        check_accepted(kind, image, &identity);
    else
        FUZZ_CHECK(fuzz_is_zero(&identity, sizeof identity));
    return is_accepted;
}

static void check_accepted(const struct kind *kind, struct sl_view image,
                           const struct sl_identity *identity)
{
    FUZZ_CHECK(image.len <= kind->most);
    FUZZ_CHECK(identity->name.len >= 1 && identity->name.len <= SL_NAME_MAX);
    FUZZ_CHECK(sl_identity_is_name(identity->name));
    FUZZ_CHECK(identity->base.len >= 1 && identity->base.len <= SL_BASE_MAX);
    FUZZ_CHECK(sl_identity_is_base(identity->base));
    FUZZ_CHECK(identity->broker_host.len >= 1 && identity->broker_host.len <= SL_HOST_MAX);
    FUZZ_CHECK(identity->broker_port != 0);
    FUZZ_CHECK(identity->server_name.len >= 1 && identity->server_name.len <= SL_HOST_MAX);
    FUZZ_CHECK(identity->anchors_len >= 1 && identity->anchors_len <= SL_IDENTITY_ANCHORS_MAX);
    FUZZ_CHECK(identity->private_key.len == kind->key_len && identity->not_after_s != 0);
    FUZZ_CHECK(identity->issued_s <= identity->not_after_s);
    FUZZ_CHECK(identity->wifi_name.len <= SL_WIFI_NAME_MAX);
    FUZZ_CHECK(identity->wifi_passphrase.len <= SL_WIFI_PASSPHRASE_MAX);
    FUZZ_CHECK(identity->wifi_passphrase.len == 0 ||
               (identity->wifi_passphrase.len >= 8 && identity->wifi_name.len > 0));
    FUZZ_CHECK(identity->certificate.len > 0);
    const struct sl_view views[] = {identity->name,        identity->base,
                                    identity->broker_host, identity->server_name,
                                    identity->certificate, identity->private_key,
                                    identity->wifi_name,   identity->wifi_passphrase};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        FUZZ_CHECK(views[i].len == 0 || fuzz_is_within(views[i], image));
    for (uint8_t i = 0; i < identity->anchors_len; i++) {
        FUZZ_CHECK(identity->anchors[i].point.len == 65 && identity->anchors[i].subject.len > 0);
        FUZZ_CHECK(fuzz_is_within(identity->anchors[i].point, image));
        FUZZ_CHECK(fuzz_is_within(identity->anchors[i].subject, image));
    }

    uint8_t bytes[SL_IDENTITY_MAX];
    size_t len;
    struct sl_identity again;
    FUZZ_CHECK(kind->encode(identity, bytes, sizeof bytes, &len) == SL_OK);
    if (kind->key_len == 0)
        sl_grant_set_seal(bytes, len, sl_grant_seal(image).data);
    FUZZ_CHECK(len <= image.len); /* without the optional fields that nobody knows */
    if (len == image.len)
        FUZZ_CHECK(memcmp(bytes, image.data, len) == 0);
    FUZZ_CHECK(kind->decode((struct sl_view){bytes, len}, &again) == SL_OK);
    FUZZ_CHECK(is_same(identity, &again));
    uint8_t *exact = malloc(len - 1);
    size_t none;
    FUZZ_CHECK(exact != NULL);
    FUZZ_CHECK(kind->encode(identity, exact, len - 1, &none) == SL_TOO_LARGE && none == 0);
    free(exact);
}

/* image: of a grant that was accepted. */
static void check_completed(struct sl_view image)
{
    static const uint8_t key[SL_IDENTITY_KEY_LEN] = {1};
    const size_t whole = image.len - SL_GRANT_SEAL_LEN + sizeof key; /* both in a field */
    struct sl_identity grant, identity;
    size_t len = image.len;
    uint8_t *bytes = malloc(len);

    FUZZ_CHECK(bytes != NULL);
    memcpy(bytes, image.data, image.len);
    FUZZ_CHECK(sl_grant_complete(bytes, whole - 1, &len, key, NULL) == SL_TOO_LARGE);
    FUZZ_CHECK(len == image.len && memcmp(bytes, image.data, len) == 0);
    FUZZ_CHECK(sl_grant_complete(bytes, whole, &len, key, NULL) == SL_OK && len == whole);
    FUZZ_CHECK(sl_identity_decode((struct sl_view){bytes, len}, &identity) == SL_OK);
    FUZZ_CHECK(sl_grant_decode(image, &grant) == SL_OK);
    grant.private_key = (struct sl_view){key, sizeof key};
    FUZZ_CHECK(is_same(&grant, &identity));
    free(bytes);
}

static bool is_same(const struct sl_identity *a, const struct sl_identity *b)
{
    bool same =
        sl_view_is_equal(a->name, b->name) && sl_view_is_equal(a->base, b->base) &&
        sl_view_is_equal(a->broker_host, b->broker_host) && a->broker_port == b->broker_port &&
        sl_view_is_equal(a->server_name, b->server_name) && a->anchors_len == b->anchors_len &&
        sl_view_is_equal(a->certificate, b->certificate) &&
        sl_view_is_equal(a->private_key, b->private_key) && a->not_after_s == b->not_after_s &&
        a->issued_s == b->issued_s && sl_view_is_equal(a->wifi_name, b->wifi_name) &&
        sl_view_is_equal(a->wifi_passphrase, b->wifi_passphrase);
    for (uint8_t i = 0; same && i < a->anchors_len; i++)
        same = sl_view_is_equal(a->anchors[i].subject, b->anchors[i].subject) &&
               sl_view_is_equal(a->anchors[i].point, b->anchors[i].point);
    return same;
}
