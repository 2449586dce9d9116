/* The TLS engine against a server that forges, alters, drops, repeats and inserts records.
 *
 * At the start two whole connections, a full handshake and a resumed one, are recorded with the
 * honest server in memory, from fixed randomness. The client's side of them is the same each time,
 * so an input starts in any state of a connection without new arithmetic: it names a recording and
 * one of its records, then says what comes next.
 *
 * Contract: the connection opens only by the very handshake that was recorded, and only the bytes
 * that the server wrote come out, in their order; nothing is open, readable or writable after our
 * close or an end; the first failure stays; there are words for it. Any cut of the input gives the
 * same end and the same plaintext (alerts in the clear: see name_end). */
#include "fuzz.h"
#include "support/tls_pump.h"
#include "tls/tls_text.h"
#include <openssl/rand.h>

#define NOW         UINT64_C(1800000000)
#define SERVER_NAME "broker.test"
#define RECORDS_MAX 24
#define STREAM_MAX  (1 << 15)
#define HEADER_LEN  5
#define CHANGE      20 /* content types, RFC 5246, section 6.2.1 */
#define HANDSHAKE   22

struct stream {
    uint8_t bytes[STREAM_MAX];
    size_t len;
};

struct recording {
    struct stream server;                /* what the server sent */
    size_t at[RECORDS_MAX + 1], records; /* where each record starts */
    struct sl_tls states[RECORDS_MAX];   /* of the client, before each record */
    size_t plain_before[RECORDS_MAX];    /* plaintext taken before each record */
    bool was_opened[RECORDS_MAX];
    struct stream handshake; /* content of the handshake's records */
    struct stream plain;     /* what the server wrote */
};

struct run {
    const struct recording *recording;
    size_t next; /* record */
    size_t cut;
    size_t plain_len;
    bool has_opened, is_closing, has_ended;
    struct fuzz_trace *trace;
};

static void record_all(void);
static void play(struct run *run, struct sl_reader input);
static void feed(struct run *run, const uint8_t *bytes, size_t len);
static void drain(struct run *run);

static struct recording recordings[2];
static struct sl_tls client; /* never moved: it points into itself */
static struct stream fed;    /* from the first byte of the connection on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct fuzz_trace whole, bytewise;
    static bool is_ready;
    struct sl_reader input = sl_reader_init((struct sl_view){data, len});

    if (!is_ready)
        record_all();
    is_ready = true;
    const struct recording *recording = &recordings[fuzz_u8(&input) & 1];
    size_t start = fuzz_u8(&input) % recording->records;
    play(&(struct run){recording, start, SIZE_MAX, 0, false, false, false, &whole}, input);
    play(&(struct run){recording, start, 1, 0, false, false, false, &bytewise}, input);
    FUZZ_CHECK(fuzz_is_same(&whole, &bytewise));
    return 0;
}

/* --- one input ------------------------------------------------------------------------------ */

static struct sl_view record_at(const struct recording *recording, size_t index)
{
    struct sl_view view = {recording->server.bytes + recording->at[index],
                           recording->at[index + 1] - recording->at[index]};
    return view;
}

static void feed_record(struct run *run, uint8_t type, struct sl_view content)
{
    uint8_t record[HEADER_LEN + 255] = {type, 3, 3, 0, (uint8_t)content.len};
    if (content.len > 0)
        memcpy(record + HEADER_LEN, content.data, content.len);
    feed(run, record, HEADER_LEN + content.len);
}

/* The next record of the recording, altered: a byte, its end, or its cut. */
static void feed_altered(struct run *run, uint8_t how, struct sl_reader *input)
{
    struct sl_view record = record_at(run->recording, run->next++);
    static uint8_t copy[STREAM_MAX];
    uint16_t where = fuzz_u16(input);
    memcpy(copy, record.data, record.len);
    if (how == 0) {
        copy[where % record.len] ^= fuzz_u8(input);
        feed(run, copy, record.len);
    } else if (how == 1) { /* the rest is lost */
        feed(run, copy, where % record.len);
    } else { /* in two records: legal in the clear, not under a key */
        size_t content = record.len - HEADER_LEN, part = 1 + where % content;
        struct sl_view first = {copy + HEADER_LEN, part};
        struct sl_view second = {copy + HEADER_LEN + part, content - part};
        if (first.len <= 255 && second.len <= 255) {
            feed_record(run, copy[0], first);
            feed_record(run, copy[0], second);
        }
    }
}

static void step(struct run *run, struct sl_reader *input)
{
    uint8_t op = fuzz_u8(input);
    bool has_next = run->next < run->recording->records;
    switch (op & 7) {
    case 0:
        for (unsigned i = 0; i <= op >> 3 && run->next < run->recording->records; i++) {
            struct sl_view record = record_at(run->recording, run->next++);
            feed(run, record.data, record.len);
        }
        break;
    case 1:
        if (has_next)
            feed_altered(run, (op >> 3) % 3, input);
        break;
    case 2: { /* a record out of its order, or once more */
        size_t index = fuzz_u8(input) % run->recording->records;
        struct sl_view record = record_at(run->recording, index);
        feed(run, record.data, record.len);
        break;
    }
    case 3: {
        struct sl_view bytes = fuzz_take(input, fuzz_u8(input));
        feed(run, bytes.data, bytes.len);
        break;
    }
    case 4: /* a record with any content: alert, handshake, data */
        feed_record(run, (uint8_t)(CHANGE + (op >> 3 & 3)), fuzz_take(input, fuzz_u8(input)));
        break;
    case 5:
        run->next += has_next;
        break;
    case 6: {
        struct sl_view bytes = fuzz_take(input, fuzz_u8(input));
        size_t taken = sl_tls_write(&client, bytes.data, bytes.len);
        FUZZ_CHECK(taken <= bytes.len);
        FUZZ_CHECK(taken == 0 || (run->has_opened && !run->is_closing && !run->has_ended));
        sl_tls_flush(&client);
        drain(run);
        break;
    }
    default:
        sl_tls_close(&client);
        run->is_closing = run->has_opened;
        drain(run);
    }
}

static void play(struct run *run, struct sl_reader input)
{
    const struct recording *recording = run->recording;
    run->trace->len = 0;
    client = recording->states[run->next];
    run->plain_len = recording->plain_before[run->next];
    run->has_opened = recording->was_opened[run->next];
    fed.len = recording->at[run->next];
    memcpy(fed.bytes, recording->server.bytes, fed.len);
    drain(run);
    while (fuzz_has_more(&input))
        step(run, &input);

    struct sl_tls_session session;
    sl_tls_save(&client, &session);
    FUZZ_CHECK(run->has_opened || fuzz_is_zero(&session, sizeof session));
    FUZZ_CHECK((sl_tls_status(&client) == SL_OK) == !run->has_ended);
    const struct sl_tls_text *text = sl_tls_text(sl_tls_error(&client));
    FUZZ_CHECK(text != NULL && text->what != NULL && text->cure != NULL);
}

static void append(struct stream *stream, const uint8_t *bytes, size_t len)
{
    if (len > sizeof stream->bytes - stream->len)
        len = sizeof stream->bytes - stream->len;
    if (len > 0)
        memcpy(stream->bytes + stream->len, bytes, len);
    stream->len += len;
}

static void feed(struct run *run, const uint8_t *bytes, size_t len)
{
    size_t used = 0;
    for (unsigned idle = 0; used < len && idle < 2;) {
        size_t part = len - used < run->cut ? len - used : run->cut;
        size_t taken = sl_tls_feed(&client, bytes + used, part);
        FUZZ_CHECK(taken <= part && (taken == part || !run->has_ended));
        append(&fed, bytes + used, taken);
        used += taken;
        drain(run);
        idle = taken > 0 ? 0 : idle + 1;
    }
    FUZZ_CHECK(used == len); /* everything was read and sent, so nothing holds it back */
}

/* Contents of the records that make a handshake, each byte marked with its type. */
static void collect_handshake(const struct stream *records, struct stream *content)
{
    size_t at = 0;
    content->len = 0;
    while (records->len - at >= HEADER_LEN) {
        const uint8_t *record = records->bytes + at;
        size_t len = (size_t)record[3] << 8 | record[4];
        if (records->len - at < HEADER_LEN + len)
            return;
        for (size_t i = 0; i < len && (record[0] == HANDSHAKE || record[0] == CHANGE); i++) {
            const uint8_t marked[2] = {record[0], record[HEADER_LEN + i]};
            append(content, marked, sizeof marked);
        }
        at += HEADER_LEN + len;
    }
}

static void check_opened(struct run *run)
{
    static struct stream content;
    const struct stream *expected = &run->recording->handshake;
    collect_handshake(&fed, &content);
    FUZZ_CHECK(content.len >= expected->len);
    FUZZ_CHECK(memcmp(content.bytes, expected->bytes, expected->len) == 0);
}

/* The error; but one number for every end by an alert in the clear. A record of several alerts is
 * looked at as a whole where it comes whole, so which of them counts depends on the cut. Anybody on
 * the way can end a handshake; none can open one. */
static uint16_t name_end(const struct run *run)
{
    uint16_t error = sl_tls_error(&client);
    bool is_alert =
        error == BR_ERR_OK || (error >= BR_ERR_RECV_FATAL_ALERT && error < BR_ERR_SEND_FATAL_ALERT);
    return !run->has_opened && is_alert ? BR_ERR_RECV_FATAL_ALERT : error;
}

/* Take everything that comes out. */
static void drain(struct run *run)
{
    struct sl_tls_event event;
    struct sl_view view;
    bool has_moved = true;
    while (has_moved) {
        has_moved = false;
        while (sl_tls_next(&client, &event)) {
            FUZZ_CHECK(!run->has_ended && (event.kind != SL_TLS_OPENED || !run->has_opened));
            if (event.kind == SL_TLS_OPENED)
                check_opened(run);
            run->has_opened = run->has_opened || event.kind == SL_TLS_OPENED;
            run->has_ended = event.kind != SL_TLS_OPENED;
            fuzz_note_number(run->trace, event.is_resumed);
            if (run->has_ended)
                fuzz_note_number(run->trace, name_end(run));
        }
        while ((view = sl_tls_peek(&client)).len > 0) {
            FUZZ_CHECK(!run->has_ended);
            sl_tls_sent(&client, view.len);
            has_moved = true;
        }
        while ((view = sl_tls_peek_plain(&client)).len > 0) {
            const struct stream *plain = &run->recording->plain;
            FUZZ_CHECK(run->has_opened && !run->is_closing && !run->has_ended);
            FUZZ_CHECK(view.len <= plain->len - run->plain_len);
            FUZZ_CHECK(memcmp(view.data, plain->bytes + run->plain_len, view.len) == 0);
            run->plain_len += view.len;
            fuzz_note(run->trace, view.data, view.len);
            sl_tls_taken(&client, view.len);
            has_moved = true;
        }
    }
}

/* --- the recordings ------------------------------------------------------------------------- */

static void start_client(const struct test_pki *pki, const struct sl_tls_session *session)
{
    static const uint8_t seed[SL_TLS_SEED_LEN] = {42};
    const struct sl_tls_credentials credentials = test_tls_credentials(&pki->ca, &pki->client);
    FUZZ_CHECK(sl_tls_init(&client, &credentials) == SL_OK);
    sl_tls_open(&client, SERVER_NAME, NOW, seed, session);
}

/* Bytes between the two, until nothing moves; the server's are kept. */
static void talk(struct test_tls_server *server, struct stream *kept)
{
    static struct test_tls_log log;
    for (bool has_moved = true; has_moved;) {
        struct sl_view out = sl_tls_peek(&client);
        size_t used = test_tls_server_feed(server, out.data, out.len);
        sl_tls_sent(&client, used);
        has_moved = used > 0;
        out = test_tls_server_peek(server);
        used = sl_tls_feed(&client, out.data, out.len);
        append(kept, out.data, used);
        test_tls_server_sent(server, used);
        log.events_len = log.plain_len = 0;
        has_moved = test_tls_drain(&client, &log) || has_moved || used > 0;
    }
}

/* The same connection once more, without a server, keeping the client before each record. */
static void keep_states(struct recording *recording)
{
    static struct fuzz_trace trace;
    struct run run = {.recording = recording, .cut = SIZE_MAX, .trace = &trace};
    struct stream *server = &recording->server;
    fed.len = 0;
    for (size_t at = 0; at < server->len; recording->records++) {
        FUZZ_CHECK(recording->records < RECORDS_MAX);
        recording->at[recording->records] = at;
        recording->states[recording->records] = client;
        recording->plain_before[recording->records] = run.plain_len;
        recording->was_opened[recording->records] = run.has_opened;
        size_t len = HEADER_LEN + ((size_t)server->bytes[at + 3] << 8 | server->bytes[at + 4]);
        feed(&run, server->bytes + at, len);
        at += len;
        recording->at[recording->records + 1] = at;
        drain(&run);
    }
    FUZZ_CHECK(run.has_opened && run.plain_len == recording->plain.len);
    FUZZ_CHECK(sl_tls_status(&client) == SL_CLOSED);
}

static void record(struct recording *recording, struct test_tls_server *server,
                   const struct test_pki *pki, struct sl_tls_session *session)
{
    static const char *const messages[] = {"\x20\x03\x00\x00\x00", "2 120", "a longer message"};
    start_client(pki, session);
    test_tls_server_open(server, 1);
    talk(server, &recording->server);
    FUZZ_CHECK(test_tls_server_is_open(server));
    collect_handshake(&recording->server, &recording->handshake);
    for (size_t i = 0; i < 3; i++) {
        size_t len = i == 0 ? 5 : strlen(messages[i]);
        append(&recording->plain, (const uint8_t *)messages[i], len);
        test_tls_server_write(server, (const uint8_t *)messages[i], len);
        talk(server, &recording->server);
    }
    struct sl_tls_session next;
    sl_tls_save(&client, &next);
    test_tls_server_close(server);
    talk(server, &recording->server);
    start_client(pki, session);
    keep_states(recording);
    *session = next;
}

/* Keys, certificates and both ends' randomness from a counter: an input means the same in every
 * process. */
static uint64_t random_state;

static int random_bytes(unsigned char *out, int len)
{
    for (int i = 0; i < len; i++) {
        random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (unsigned char)(random_state >> 56);
    }
    return 1;
}

static int random_status(void)
{
    return 1;
}

/* In place of BearSSL's own: no entropy but what is injected. */
br_prng_seeder br_prng_seeder_system(const char **name)
{
    if (name != NULL)
        *name = "none";
    return 0;
}

static void record_all(void)
{
    static struct test_pki pki;
    static struct test_tls_server server;
    static RAND_METHOD method = {
        .bytes = random_bytes, .pseudorand = random_bytes, .status = random_status};
    struct sl_tls_session session = {.is_valid = false};

    FUZZ_CHECK(RAND_set_rand_method(&method) == 1);
    test_pki_make(&pki, (int64_t)NOW);
    const struct test_tls_server_options options = {
        .certificate = &pki.server, .client_ca = &pki.ca, .unix_s = NOW, .has_cache = true};
    test_tls_server_init(&server, &options);
    record(&recordings[0], &server, &pki, &session);
    FUZZ_CHECK(session.is_valid);
    record(&recordings[1], &server, &pki, &session);
    FUZZ_CHECK(recordings[1].server.len < recordings[0].server.len); /* it was resumed */
}
