/* Identity images: bytes as they come, and once more with length and checksum set right.
 *
 * Contract: a failure leaves zeros; what is accepted is complete, within its limits and inside the
 * image; encode gives an image that decodes to the same identity, in every size that fits and in no
 * smaller one. */
#include "base/crc.h"
#include "fuzz.h"
#include "store/identity.h"

#define LEN_OFFSET 5
#define CRC_LEN    4

static void check(struct sl_view image);
static void check_accepted(struct sl_view image, const struct sl_identity *identity);
static bool is_same(const struct sl_identity *a, const struct sl_identity *b);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct sl_view image = {data, len};
    check(image);
    sl_identity_is_name(image);
    sl_identity_is_base(image);
    if (len < LEN_OFFSET + 2 + CRC_LEN || len > UINT16_MAX)
        return 0;

    uint8_t *mended = malloc(len);
    FUZZ_CHECK(mended != NULL);
    memcpy(mended, data, len);
    mended[LEN_OFFSET] = (uint8_t)(len >> 8);
    mended[LEN_OFFSET + 1] = (uint8_t)len;
    struct sl_writer crc = sl_writer_init(mended + len - CRC_LEN, CRC_LEN);
    sl_write_u32(&crc, sl_crc32(mended, len - CRC_LEN));
    check((struct sl_view){mended, len});
    free(mended);
    return 0;
}

static void check(struct sl_view image)
{
    struct sl_identity identity;
    memset(&identity, 0xA5, sizeof identity);
    if (sl_identity_decode(image, &identity) == SL_OK)
        check_accepted(image, &identity);
    else
        FUZZ_CHECK(fuzz_is_zero(&identity, sizeof identity));
}

static void check_accepted(struct sl_view image, const struct sl_identity *identity)
{
    FUZZ_CHECK(image.len <= SL_IDENTITY_MAX);
    FUZZ_CHECK(identity->name.len >= 1 && identity->name.len <= SL_NAME_MAX);
    FUZZ_CHECK(sl_identity_is_name(identity->name));
    FUZZ_CHECK(identity->base.len >= 1 && identity->base.len <= SL_BASE_MAX);
    FUZZ_CHECK(sl_identity_is_base(identity->base));
    FUZZ_CHECK(identity->broker_host.len >= 1 && identity->broker_host.len <= SL_HOST_MAX);
    FUZZ_CHECK(identity->broker_port != 0);
    FUZZ_CHECK(identity->server_name.len >= 1 && identity->server_name.len <= SL_HOST_MAX);
    FUZZ_CHECK(identity->anchors_len >= 1 && identity->anchors_len <= SL_IDENTITY_ANCHORS_MAX);
    FUZZ_CHECK(identity->private_key.len == 32 && identity->not_after_s != 0);
    FUZZ_CHECK(identity->certificate.len > 0);
    const struct sl_view views[] = {identity->name,        identity->base,
                                    identity->broker_host, identity->server_name,
                                    identity->certificate, identity->private_key};
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        FUZZ_CHECK(fuzz_is_within(views[i], image));
    for (uint8_t i = 0; i < identity->anchors_len; i++) {
        FUZZ_CHECK(identity->anchors[i].point.len == 65 && identity->anchors[i].subject.len > 0);
        FUZZ_CHECK(fuzz_is_within(identity->anchors[i].point, image));
        FUZZ_CHECK(fuzz_is_within(identity->anchors[i].subject, image));
    }

    uint8_t bytes[SL_IDENTITY_MAX];
    size_t len;
    struct sl_identity again;
    FUZZ_CHECK(sl_identity_encode(identity, bytes, sizeof bytes, &len) == SL_OK);
    FUZZ_CHECK(len <= image.len); /* without the optional fields that nobody knows */
    if (len == image.len)
        FUZZ_CHECK(memcmp(bytes, image.data, len) == 0);
    FUZZ_CHECK(sl_identity_decode((struct sl_view){bytes, len}, &again) == SL_OK);
    FUZZ_CHECK(is_same(identity, &again));
    uint8_t *exact = malloc(len - 1);
    size_t none;
    FUZZ_CHECK(exact != NULL);
    FUZZ_CHECK(sl_identity_encode(identity, exact, len - 1, &none) == SL_TOO_LARGE && none == 0);
    free(exact);
}

static bool is_same(const struct sl_identity *a, const struct sl_identity *b)
{
    bool same =
        sl_view_is_equal(a->name, b->name) && sl_view_is_equal(a->base, b->base) &&
        sl_view_is_equal(a->broker_host, b->broker_host) && a->broker_port == b->broker_port &&
        sl_view_is_equal(a->server_name, b->server_name) && a->anchors_len == b->anchors_len &&
        sl_view_is_equal(a->certificate, b->certificate) &&
        sl_view_is_equal(a->private_key, b->private_key) && a->not_after_s == b->not_after_s;
    for (uint8_t i = 0; same && i < a->anchors_len; i++)
        same = sl_view_is_equal(a->anchors[i].subject, b->anchors[i].subject) &&
               sl_view_is_equal(a->anchors[i].point, b->anchors[i].point);
    return same;
}
