/* The values of the record log, to bytes and back. Their lengths are checked by reading them whole:
 * a shape changes with its version in the log. */
#include "node/kept.h"

#define TIME_LEN     8
#define COUNTERS_LEN 16
#define BINDING_LEN  16 /* of the SHA-256 of what a value is bound to */
#define ID_MAX       32
#define SECRET_LEN   48

static void bind(const struct sl_identity *identity, uint8_t binding[BINDING_LEN]);
static void check_binding(struct sl_records *records, enum sl_record value,
                          const uint8_t binding[BINDING_LEN]);

uint64_t sl_kept_time(const struct sl_records *records)
{
    struct sl_reader reader = sl_reader_init(sl_records_get(records, SL_RECORD_TIME));

    return sl_read_u64(&reader);
}

void sl_keep_time(struct sl_records *records, uint64_t unix_s)
{
    uint8_t bytes[TIME_LEN];
    struct sl_writer writer = sl_writer_init(bytes, sizeof bytes);

    sl_write_u64(&writer, unix_s);
    sl_records_put(records, SL_RECORD_TIME, (struct sl_view){bytes, sizeof bytes});
}

struct sl_counters sl_kept_counters(const struct sl_records *records)
{
    struct sl_reader reader = sl_reader_init(sl_records_get(records, SL_RECORD_COUNTERS));
    struct sl_counters counters;

    counters.starts = sl_read_u32(&reader);
    counters.sessions = sl_read_u32(&reader);
    counters.handshakes = sl_read_u32(&reader);
    counters.switched = sl_read_u32(&reader);
    return counters;
}

void sl_keep_counters(struct sl_records *records, const struct sl_counters *counters)
{
    uint8_t bytes[COUNTERS_LEN];
    struct sl_writer writer = sl_writer_init(bytes, sizeof bytes);

    sl_write_u32(&writer, counters->starts);
    sl_write_u32(&writer, counters->sessions);
    sl_write_u32(&writer, counters->handshakes);
    sl_write_u32(&writer, counters->switched);
    sl_records_put(records, SL_RECORD_COUNTERS, (struct sl_view){bytes, sizeof bytes});
}

void sl_kept_check(struct sl_records *records, const struct sl_identity *identity)
{
    uint8_t binding[BINDING_LEN];

    bind(identity, binding);
    check_binding(records, SL_RECORD_SESSION, binding);
    check_binding(records, SL_RECORD_KNOWN, binding);
}

static void check_binding(struct sl_records *records, enum sl_record value,
                          const uint8_t binding[BINDING_LEN])
{
    const struct sl_view bytes = sl_records_get(records, value);

    if (bytes.len < BINDING_LEN || memcmp(bytes.data, binding, BINDING_LEN) != 0)
        sl_records_put(records, value, (struct sl_view){NULL, 0});
}

bool sl_kept_session(struct sl_records *records, uint64_t unix_s, struct sl_tls_session *session,
                     uint32_t *left_s)
{
    struct sl_reader reader = sl_reader_init(sl_records_get(records, SL_RECORD_SESSION));
    br_ssl_session_parameters *parameters = &session->parameters;

    memset(session, 0, sizeof *session);
    *left_s = 0;
    sl_read_view(&reader, BINDING_LEN);
    const uint64_t made_s = sl_read_u64(&reader), good_until_s = sl_read_u64(&reader);
    const uint16_t suite = sl_read_u16(&reader);
    const uint8_t id_len = sl_read_u8(&reader);
    sl_read_u8(&reader);
    const struct sl_view id = sl_read_view(&reader, ID_MAX);
    const struct sl_view secret = sl_read_view(&reader, SECRET_LEN);
    if (reader.failed || id_len > ID_MAX || unix_s < made_s || unix_s > good_until_s ||
        unix_s - made_s >= SL_KEPT_SESSION_S) {
        sl_kept_forget_session(records);
        return false;
    }
    const uint64_t left = good_until_s - unix_s, rest = made_s + SL_KEPT_SESSION_S - unix_s;
    *left_s = (uint32_t)(left < rest ? left : rest);
    parameters->version = BR_TLS12;
    parameters->cipher_suite = suite;
    parameters->session_id_len = id_len;
    memcpy(parameters->session_id, id.data, ID_MAX);
    memcpy(parameters->master_secret, secret.data, SECRET_LEN);
    session->not_after_s = good_until_s;
    session->is_valid = true;
    return true;
}

void sl_keep_session(struct sl_records *records, const struct sl_identity *identity,
                     const struct sl_tls_session *session, uint64_t made_s)
{
    const br_ssl_session_parameters *parameters = &session->parameters;
    uint8_t bytes[SL_RECORDS_VALUE_MAX], binding[BINDING_LEN];
    struct sl_writer writer = sl_writer_init(bytes, sizeof bytes);

    if (!session->is_valid || session->not_after_s < made_s) {
        sl_kept_forget_session(records);
        return;
    }
    bind(identity, binding);
    sl_write_view(&writer, (struct sl_view){binding, sizeof binding});
    sl_write_u64(&writer, made_s);
    sl_write_u64(&writer, session->not_after_s);
    sl_write_u16(&writer, parameters->cipher_suite);
    sl_write_u8(&writer, parameters->session_id_len);
    sl_write_u8(&writer, 0);
    sl_write_view(&writer, (struct sl_view){parameters->session_id, ID_MAX});
    sl_write_view(&writer, (struct sl_view){parameters->master_secret, SECRET_LEN});
    sl_records_put(records, SL_RECORD_SESSION, (struct sl_view){bytes, sl_writer_len(&writer)});
    sl_wipe(bytes, sizeof bytes);
}

void sl_kept_forget_session(struct sl_records *records)
{
    sl_records_put(records, SL_RECORD_SESSION, (struct sl_view){NULL, 0});
}

struct sl_tls_known sl_kept_known(const struct sl_records *records)
{
    struct sl_reader reader = sl_reader_init(sl_records_get(records, SL_RECORD_KNOWN));
    struct sl_tls_known known = {.len = 0};

    sl_read_view(&reader, BINDING_LEN);
    while (known.len < SL_TLS_KNOWN_MAX && sl_reader_left(&reader) >= SL_TLS_KNOWN_BYTES)
        memcpy(known.digests[known.len++], sl_read_view(&reader, SL_TLS_KNOWN_BYTES).data,
               SL_TLS_KNOWN_BYTES);
    return known;
}

void sl_keep_known(struct sl_records *records, const struct sl_identity *identity,
                   const struct sl_tls_known *known)
{
    uint8_t bytes[BINDING_LEN + sizeof known->digests];
    struct sl_writer writer = sl_writer_init(bytes, sizeof bytes);
    uint8_t binding[BINDING_LEN];

    bind(identity, binding);
    sl_write_view(&writer, (struct sl_view){binding, sizeof binding});
    for (uint8_t i = 0; i < known->len; i++)
        sl_write_view(&writer, (struct sl_view){known->digests[i], SL_TLS_KNOWN_BYTES});
    sl_records_put(records, SL_RECORD_KNOWN,
                   (struct sl_view){bytes, known->len > 0 ? sl_writer_len(&writer) : 0});
}

/* Every field with its length before it, so that no two identities give the same bytes. */
static void bind(const struct sl_identity *identity, uint8_t binding[BINDING_LEN])
{
    struct sl_view fields[2 + 2 * SL_IDENTITY_ANCHORS_MAX] = {identity->server_name,
                                                              identity->certificate};
    uint8_t hash[br_sha256_SIZE];
    br_sha256_context context;
    unsigned fields_len = 2;

    for (uint8_t i = 0; i < identity->anchors_len; i++) {
        fields[fields_len++] = identity->anchors[i].subject;
        fields[fields_len++] = identity->anchors[i].point;
    }
    br_sha256_init(&context);
    for (unsigned i = 0; i < fields_len; i++) {
        const uint8_t len[2] = {(uint8_t)(fields[i].len >> 8), (uint8_t)fields[i].len};
        br_sha256_update(&context, len, sizeof len);
        br_sha256_update(&context, fields[i].data, fields[i].len);
    }
    br_sha256_out(&context, hash);
    memcpy(binding, hash, BINDING_LEN);
}
