/* Renewal, by a whole node on the bench: the CA of the test signs what the node asks for. */
#include "bench.h"

#include <openssl/x509.h>
#include <stdio.h>

#define YEAR_S UINT64_C(31536000)
#define HOUR   3600000
#define PART   256

/* What a site's answer may get wrong. */
struct answer {
    const struct test_cert *issuer;
    const struct test_cert *sealer;
    const struct test_cert *anchor; /* the other one, beside or in place of the first */
    bool is_alone;                  /* in place */
    const char *name, *common_name, *host;
    enum test_key_kind key; /* not P-256: another key than the one that was asked with */
    uint64_t issued_s, not_after_s;
};

static struct test_cert other_ca, other_server;
static uint8_t grant[SL_IDENTITY_MAX];
static size_t grant_len;

static int make_others(void **state)
{
    if (set_up_group(state) != 0)
        return 1;
    struct test_cert_options options = {.purpose = TEST_PURPOSE_CA,
                                        .common_name = "Next site CA",
                                        .not_before_s = (int64_t)RIG_UTC - TEST_DAY_S,
                                        .not_after_s = (int64_t)(RIG_UTC + 20 * YEAR_S)};
    test_cert_make(&other_ca, &options);
    options.issuer = &other_ca;
    options.purpose = TEST_PURPOSE_SERVER;
    options.common_name = options.dns = "broker.test";
    test_cert_make(&other_server, &options);
    return 0;
}

static int free_others(void **state)
{
    test_cert_free(&other_ca);
    test_cert_free(&other_server);
    return tear_down_group(state);
}

/* A session of a board that can keep a second identity. */
static int open_session(void **state)
{
    start(state);
    rig->identity.issued_s = RIG_UTC - 86400;
    rig->identity.not_after_s = RIG_UTC + 3 * YEAR_S;
    rig_renewable(rig);
    rig_turn(rig);
    rig_run(rig, 100);
    rig_set_time(rig);
    rig_run(rig, 100);
    return !is_open();
}

/* --- the site's side ------------------------------------------------------------------------ */

static X509_REQ *last_request(void)
{
    const struct rig_heard *heard = rig_last(rig, "cert/request");
    assert_non_null(heard);
    assert_int_equal(heard->qos, 1);
    assert_false(heard->retain);
    const unsigned char *at = (const unsigned char *)heard->payload;
    X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)heard->payload_len);
    assert_non_null(request);
    assert_int_equal(at - (const unsigned char *)heard->payload, heard->payload_len);
    assert_int_equal(X509_REQ_verify(request, X509_REQ_get0_pubkey(request)), 1);
    return request;
}

static void make_grant(const struct answer *answer)
{
    X509_REQ *request = last_request();
    const uint64_t now_s = sl_clock_utc(&rig->node.clock, rig->now);
    const struct test_cert_options options = {
        .purpose = TEST_PURPOSE_CLIENT,
        .common_name = answer->common_name ? answer->common_name : "garden",
        .dns = "garden.device.invalid",
        .not_before_s = (int64_t)now_s - TEST_DAY_S,
        .not_after_s = (int64_t)(answer->not_after_s ? answer->not_after_s : now_s + 3 * YEAR_S),
        .issuer = answer->issuer ? answer->issuer : &rig->pki.ca,
        .key = answer->key,
        .public_key = answer->key == TEST_KEY_P256 ? X509_REQ_get0_pubkey(request) : NULL,
    };
    struct test_cert made;
    test_cert_make(&made, &options);
    struct sl_identity identity = {
        .name = sl_view_text(answer->name ? answer->name : "garden"),
        .base = sl_view_text(RIG_BASE),
        .broker_host = sl_view_text(answer->host ? answer->host : "192.0.2.1"),
        .broker_port = 8883,
        .server_name = sl_view_text("broker.test"),
        .certificate = test_cert_der(&made),
        .not_after_s = (uint64_t)options.not_after_s,
        .issued_s = answer->issued_s ? answer->issued_s : now_s,
    };
    const struct test_cert *anchors[2] = {&rig->pki.ca, answer->anchor};
    for (unsigned i = answer->is_alone ? 1 : 0; i < 2 && anchors[i]; i++) {
        identity.anchors[identity.anchors_len].subject = test_cert_subject(anchors[i]);
        identity.anchors[identity.anchors_len++].point = test_cert_point(anchors[i]);
    }
    assert_int_equal(sl_grant_encode(&identity, grant, sizeof grant, &grant_len), SL_OK);
    test_cert_seal(answer->sealer ? answer->sealer : &rig->pki.ca, grant, grant_len);
    test_cert_free(&made);
    X509_REQ_free(request);
}

static void say_part(size_t offset, size_t total, const uint8_t *bytes, size_t len, bool retain)
{
    uint8_t payload[1024];
    struct sl_writer writer = sl_writer_init(payload, sizeof payload);
    sl_write_u16(&writer, (uint16_t)offset);
    sl_write_u16(&writer, (uint16_t)total);
    sl_write_view(&writer, (struct sl_view){bytes, len});
    rig_say_message(rig, &(struct test_mqtt_publish){.topic = RIG_BASE "/cert/issue",
                                                     .payload = {payload, sl_writer_len(&writer)},
                                                     .qos = 1,
                                                     .retain = retain});
}

static void say_grant(void)
{
    for (size_t at = 0; at < grant_len; at += PART)
        say_part(at, grant_len, grant + at, grant_len - at < PART ? grant_len - at : PART, false);
}

static void give(const struct answer *answer)
{
    make_grant(answer);
    say_grant();
}

static void ask(void)
{
    rig_forget(rig);
    rig_say(rig, "cert/renew", "");
    assert_int_equal(rig_count(rig, "cert/request"), 1);
}

/* --- what must be so ------------------------------------------------------------------------ */

static const struct sl_renewal *renewal(void)
{
    return &rig->node.renewal;
}

static const cJSON *certificate_of_report(const cJSON **json)
{
    static uint8_t text[SL_REPORT_LEN];
    struct sl_view report = sl_node_report(&rig->node, rig->now, text, sizeof text);
    cJSON_Delete((cJSON *)*json);
    *json = cJSON_ParseWithLength((const char *)report.data, report.len);
    assert_non_null(*json);
    return cJSON_GetObjectItem(*json, "certificate");
}

static void assert_reported(const char *stage, const char *error)
{
    const cJSON *json = NULL, *certificate = certificate_of_report(&json);
    assert_string_equal(cJSON_GetObjectItem(certificate, "renewal")->valuestring, stage);
    assert_string_equal(cJSON_GetObjectItem(certificate, "last_error")->valuestring, error);
    cJSON_Delete((cJSON *)json);
}

/* The board keeps one identity, and the node uses it. Gives: is it the first one still? */
static bool is_settled(void)
{
    struct sl_identity identity;
    assert_int_equal(rig->kept.lens[1], 0);
    assert_int_equal(
        sl_identity_decode((struct sl_view){rig->kept.images[0], rig->kept.lens[0]}, &identity),
        SL_OK);
    assert_true(sl_view_is_equal(identity.certificate, rig->node.config.identity->certificate));
    assert_ptr_equal(rig->node.config.identity, rig->node.connection.identity);
    return sl_view_is_equal(identity.certificate, test_cert_der(&rig->pki.client));
}

static void assert_refused(const char *words)
{
    const struct rig_heard *heard = rig_last(rig, "refused");
    assert_non_null(heard);
    assert_non_null(strstr(heard->payload, "cert/issue"));
    if (strstr(heard->payload, words) == NULL)
        fail_msg("%s does not say %s", heard->payload, words);
    assert_true(is_settled());
    assert_int_equal(rig->stores, 0);
}

static bool is_wiped(const void *memory, size_t len)
{
    const uint8_t *bytes = memory;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* --- a renewal that goes well --------------------------------------------------------------- */

static void an_asked_renewal_ends_in_a_new_identity(void **state)
{
    (void)state;
    const unsigned dials = rig->dials;
    rig_say(rig, "zone/on", "2 600");
    assert_int_equal(rig_pins(rig), 4);
    ask();
    assert_reported("asking", "");
    X509_REQ *request = last_request();
    char name[32];
    assert_int_equal(
        X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request), NID_commonName, name, 32), 6);
    assert_string_equal(name, "garden");
    X509_REQ_free(request);

    give(&(struct answer){0});
    rig_run(rig, 5000);
    assert_true(is_open());
    assert_int_equal(rig->dials, dials + 1);
    assert_false(is_settled());
    assert_int_equal(rig->stores, 2); /* kept, adopted */
    assert_int_equal(rig_logged(rig, SL_LOG_RENEWED), 1);
    assert_reported("idle", "");
    assert_int_equal(rig_pins(rig), 4); /* the water runs on */
    assert_null(rig_last(rig, "refused"));
    /* The old identity and the key of the request are nowhere any more. */
    assert_true(is_wiped(&rig->slots[0], sizeof rig->slots[0]));
    assert_true(is_wiped(renewal()->key, sizeof renewal()->key));
    /* It can be renewed again, and starts from what it has kept. */
    ask();
    rig_run(rig, 1000);
    give(&(struct answer){0});
    rig_run(rig, 5000);
    assert_int_equal(rig_logged(rig, SL_LOG_RENEWED), 1);
    assert_int_equal(rig->stores, 4);
    rig_boot(rig);
    rig_set_time(rig);
    rig_run(rig, 5000);
    assert_true(is_open());
    assert_false(is_settled());
}

static void the_old_connection_ends_with_the_will(void **state)
{
    (void)state;
    ask();
    rig->has_disconnect = false;
    make_grant(&(struct answer){0});
    rig->is_unreachable = true; /* the next dial */
    say_grant();
    rig_run(rig, 100);
    assert_true(rig->has_disconnect);
    assert_int_equal(rig->disconnect, 0x04);
    assert_reported("trying", "");
}

static void session_and_known_server_fall_with_the_identity(void **state)
{
    (void)state;
    rig_run(rig, 1000);
    assert_true(has_session());
    ask();
    make_grant(&(struct answer){0});
    rig->is_unreachable = true;
    say_grant();
    rig_run(rig, 100);
    assert_false(has_session());
    assert_int_equal(sl_records_get(&rig->records, SL_RECORD_KNOWN).len, 0);
}

static void it_begins_at_two_thirds_of_its_life(void **state)
{
    start(state);
    rig->identity.issued_s = RIG_UTC - 20 * 86400;
    rig->identity.not_after_s = RIG_UTC + 10 * 86400 + 3600;
    rig_renewable(rig);
    rig_set_time(rig);
    rig_run(rig, 2390000);
    assert_int_equal(rig_count(rig, "cert/request"), 0);
    rig_run(rig, SL_RENEWAL_LOOK_MS + 10000);
    assert_in_range(rig_count(rig, "cert/request"), 1, 5);
    give(&(struct answer){0});
    rig_run(rig, 1000);
    assert_false(is_settled());
}

static void an_identity_without_issue_counts_three_years_back(void **state)
{
    start(state);
    rig->identity.not_after_s = RIG_UTC + 365 * 86400 + 3600;
    rig_renewable(rig);
    rig_set_time(rig);
    rig_run(rig, 3590000);
    assert_int_equal(rig_count(rig, "cert/request"), 0);
    rig_run(rig, SL_RENEWAL_LOOK_MS + 10000);
    assert_in_range(rig_count(rig, "cert/request"), 1, 5);
}

static bool is_due(uint64_t issued_s, uint64_t not_after_s, uint64_t unix_s)
{
    const uint8_t seed[SL_NODE_SEED_LEN] = {1};
    struct sl_identity_slot slots[2] = {
        {.identity = {.issued_s = issued_s, .not_after_s = not_after_s}}};
    struct sl_random random;
    struct sl_log_queue log = {0};
    struct sl_renewal calendar;

    sl_random_init(&random, seed, sizeof seed);
    sl_renewal_init(&calendar, slots, false, &random, &log);
    assert_true(sl_renewal_looks(&calendar));
    sl_renewal_tick(&calendar, 0, unix_s);
    return calendar.stage == SL_RENEWAL_ASKING;
}

static void two_thirds_are_meant_to_the_second(void **state)
{
    const struct {
        uint64_t issued_s, not_after_s, due_s;
    } cases[] = {
        {RIG_UTC, RIG_UTC + 3 * YEAR_S, RIG_UTC + 2 * YEAR_S},
        {RIG_UTC, RIG_UTC + 90 * UINT64_C(86400), RIG_UTC + 60 * UINT64_C(86400)},
        {RIG_UTC, RIG_UTC + 100, RIG_UTC + 67}, /* never before two thirds */
        {RIG_UTC, RIG_UTC + 101, RIG_UTC + 68},
        {RIG_UTC, RIG_UTC + 102, RIG_UTC + 68},
        {RIG_UTC, RIG_UTC, RIG_UTC},
        {0, RIG_UTC + 3 * YEAR_S, RIG_UTC + 2 * YEAR_S}, /* no issue: three years before its end */
        {0, RIG_UTC, RIG_UTC - YEAR_S},
        {0, 300, 200}, /* an end that lies before those three years */
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(is_due(cases[i].issued_s, cases[i].not_after_s, cases[i].due_s - 1));
        assert_true(is_due(cases[i].issued_s, cases[i].not_after_s, cases[i].due_s));
        assert_true(is_due(cases[i].issued_s, cases[i].not_after_s, UINT64_MAX));
    }
    assert_false(is_due(RIG_UTC, RIG_UTC + 3 * YEAR_S, 0)); /* the time is not known */
}

/* What is already due when it comes, as with a site's clock far behind, is no endless chain. */
static void a_new_identity_is_not_renewed_at_once(void **state)
{
    (void)state;
    ask();
    give(&(struct answer){.issued_s = RIG_UTC - 86399, .not_after_s = RIG_UTC + 30000});
    rig_run(rig, 5000);
    assert_false(is_settled());
    assert_int_equal(rig_logged(rig, SL_LOG_RENEWED), 1);
    rig_forget(rig);
    rig_run(rig, SL_RENEWAL_LOOK_MS - 10000);
    assert_int_equal(rig_count(rig, "cert/request"), 0);
    rig_run(rig, 20000);
    assert_int_equal(rig_count(rig, "cert/request"), 1);
}

static void a_new_anchor_and_a_new_address_come_the_same_way(void **state)
{
    (void)state;
    ask();
    give(&(struct answer){.anchor = &other_ca, .host = "192.0.2.99"});
    rig_run(rig, 5000);
    assert_false(is_settled());
    assert_true(is_open());
    assert_int_equal(rig->node.config.identity->anchors_len, 2);
    assert_true(
        sl_view_is_equal(rig->node.config.identity->broker_host, sl_view_text("192.0.2.99")));
    /* The roll-over goes on: the broker's certificate is of the new CA, then ours, then the old
     * anchor goes. */
    rig->server_options.certificate = &other_server;
    test_tls_server_init(&rig->server, &rig->server_options);
    rig_break_line(rig, 104);
    rig_run(rig, 5000);
    assert_true(is_open());
}

/* --- asking again --------------------------------------------------------------------------- */

static void it_asks_again_later_and_later_with_the_same_key(void **state)
{
    (void)state;
    ask();
    uint8_t first[SL_REQUEST_MAX];
    const struct rig_heard *heard = rig_last(rig, "cert/request");
    const size_t len = heard->payload_len;
    memcpy(first, heard->payload, len);
    sl_ms pause = 30000, asked = rig->now;
    for (unsigned n = 1; n <= 14; n++) {
        rig_forget(rig);
        for (unsigned i = 0; rig_count(rig, "cert/request") == 0; i++) {
            assert_true(i < 8640);
            rig_run(rig, 10000);
        }
        heard = rig_last(rig, "cert/request");
        assert_int_equal(heard->payload_len, len);
        assert_memory_equal(heard->payload, first, len);
        assert_in_range(rig->now - asked, pause, 2 * pause + 10000);
        asked = rig->now;
        pause = pause < 43200000 / 2 ? 2 * pause : 43200000;
    }
    assert_int_equal(pause, 43200000);
    rig->server_options.unix_s = sl_clock_utc(&rig->node.clock, rig->now);
    test_tls_server_init(&rig->server, &rig->server_options);
    rig_break_line(rig, 104);
    rig_run(rig, 5000);
    give(&(struct answer){0}); /* an answer after days is as good */
    rig_run(rig, 5000);
    assert_false(is_settled());
}

static void it_asks_again_after_a_reconnect_and_when_asked(void **state)
{
    (void)state;
    ask();
    rig_break_line(rig, 104);
    rig_run(rig, 5000);
    assert_true(is_open());
    assert_int_equal(rig_count(rig, "cert/request"), 2);
    rig_say(rig, "cert/renew", "again");
    assert_int_equal(rig_count(rig, "cert/request"), 3);
}

static void a_board_that_keeps_nothing_says_so(void **state)
{
    connect(state);
    rig_say(rig, "cert/renew", "");
    assert_int_equal(rig->subscribe.filters_len, 4); /* a broker without a proper list sends it */
    assert_non_null(strstr(rig_last(rig, "refused")->payload, "cannot keep a new identity"));
    say_part(0, 10, grant, 10, false);
    assert_non_null(strstr(rig_last(rig, "refused")->payload, "cannot keep a new identity"));
    rig_run(rig, HOUR);
    assert_int_equal(rig_count(rig, "cert/request"), 0);
}

static void a_broker_that_refuses_only_these_topics_is_borne(void **state)
{
    start(state);
    rig_renewable(rig);
    rig->refuses_cert = true;
    rig_set_time(rig);
    rig_run(rig, 1000);
    assert_true(is_open());
    assert_int_equal(rig->subscribe.filters_len, 6);
}

/* --- what is refused ------------------------------------------------------------------------ */

static void a_grant_that_nobody_asked_for_is_refused(void **state)
{
    (void)state;
    ask();
    make_grant(&(struct answer){0});
    rig_boot(rig); /* another life: the same bytes come again */
    rig_set_time(rig);
    rig_run(rig, 1000);
    say_grant();
    assert_refused("waits for no grant");
    assert_int_equal(rig_count(rig, "cert/request"), 1);
    ask(); /* and with a request open: the key is another one */
    say_grant();
    assert_refused("not for the key");
}

static void a_grant_that_was_used_is_refused(void **state)
{
    (void)state;
    ask();
    give(&(struct answer){0});
    rig_run(rig, 5000);
    assert_false(is_settled());
    const unsigned stores = rig->stores, dials = rig->dials;
    say_grant();
    assert_non_null(strstr(rig_last(rig, "refused")->payload, "waits for no grant"));
    rig_say(rig, "cert/renew", "");
    say_grant();
    rig_run(rig, 5000);
    assert_non_null(strstr(rig_last(rig, "refused")->payload, "not later than"));
    assert_int_equal(rig->stores, stores);
    assert_int_equal(rig->dials, dials);
}

/* The first part would lie over the image that is being kept, or that connections use. */
static void assert_not_taken(void)
{
    static uint8_t before[SL_IDENTITY_MAX];
    const uint8_t part[] = {0, 0, 0, 200, 0xAA, 0xAA, 0xAA, 0xAA};
    struct sl_renewal *own = &rig->node.renewal;
    const uint8_t stage = own->stage;
    uint32_t number;

    memcpy(before, rig->slots[1].image, sizeof before);
    assert_int_equal(sl_renewal_feed(own, (struct sl_view){part, sizeof part}, RIG_UTC,
                                     &rig->node.connection.tls.chain, &number),
                     SL_REFUSAL_GRANT_UNASKED);
    assert_memory_equal(rig->slots[1].image, before, sizeof before);
    assert_int_equal(own->stage, stage);
}

static void a_grant_is_refused_while_one_is_on_its_way(void **state)
{
    const unsigned dials = rig->dials;
    (void)state;
    ask();
    make_grant(&(struct answer){0});
    rig->holds_store = true;
    say_grant();
    assert_int_equal(renewal()->stage, SL_RENEWAL_STORING);
    assert_not_taken();
    say_grant(); /* the same from the broker: in words, and the one before goes on */
    assert_non_null(strstr(rig_last(rig, "refused")->payload, "waits for no grant"));
    assert_int_equal(rig->stores, 1);

    memcpy(rig->kept.images[1], rig->slots[1].image, SL_IDENTITY_MAX);
    rig->kept.lens[1] = renewal()->total;
    rig->is_unreachable = true;
    sl_node_identity_did(&rig->node, rig->now, true);
    assert_int_equal(renewal()->stage, SL_RENEWAL_PARTING);
    assert_not_taken();
    rig->is_storing = rig->holds_store = false;
    rig_run(rig, 1000);
    assert_int_equal(renewal()->stage, SL_RENEWAL_TRYING);
    assert_not_taken();

    rig->holds_store = true;
    rig->is_unreachable = false;
    rig_run(rig, SL_CONNECTION_DIAL_MS + 5000);
    assert_int_equal(renewal()->stage, SL_RENEWAL_ADOPTING);
    assert_not_taken();
    assert_int_equal(rig->stores, 2);
    assert_true(rig->dials > dials);
}

static void wrong_grants_are_refused_in_words(void **state)
{
    const struct {
        struct answer answer;
        const char *words;
    } cases[] = {
        {{.name = "greenhouse"}, "for another node"},
        {{.common_name = "greenhouse"}, "for another node"},
        {{.key = TEST_KEY_P384}, "not of the curve P-256"},
        {{.key = TEST_KEY_RSA_2048}, "not of the curve P-256"},
        {{.issuer = &other_ca}, "does not lead to its trust anchors"},
        {{.anchor = &other_ca, .is_alone = true}, "does not lead to its trust anchors"},
        {{.sealer = &other_ca}, "seal is not of an authority that this node trusts"},
        {{.issuer = &other_ca, .sealer = &other_ca, .anchor = &other_ca, .host = "192.0.2.99"},
         "seal is not of an authority that this node trusts"},
    };
    (void)state;
    ask();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        give(&cases[i].answer);
        assert_refused(cases[i].words);
    }
    make_grant(&(struct answer){0});
    grant[grant_len / 2] ^= 1;
    say_grant();
    assert_refused("damaged");
    grant[grant_len / 2] ^= 1;
    grant_len -= 4;
    say_grant();
    assert_refused("damaged");
    grant_len += 4;
    /* None of these has harmed: the right one is taken. */
    say_grant();
    rig_run(rig, 5000);
    assert_false(is_settled());
}

static void wrong_parts_are_refused_in_words(void **state)
{
    (void)state;
    static const uint8_t zeros[1024];
    ask();
    make_grant(&(struct answer){0});
    assert_true(grant_len > PART + 1 && grant_len < 3 * PART);
    say_part(PART, grant_len, grant + PART, 10, false); /* before the first */
    assert_refused("in order from offset 0");
    say_part(0, grant_len, grant, 0, false);
    assert_refused("in order from offset 0");
    rig_forget(rig);
    say_part(0, grant_len, grant, PART, false);
    assert_null(rig_last(rig, "refused"));
    say_part(PART + 1, grant_len, grant + PART + 1, 10, false); /* a gap */
    assert_refused("in order from offset 0");
    say_part(PART, grant_len, grant + PART, 10, false); /* what was there is dropped */
    assert_refused("in order from offset 0");
    say_part(0, grant_len, grant, PART, false);
    say_part(PART, grant_len + 1, grant + PART, 10, false); /* another length */
    assert_refused("in order from offset 0");
    say_part(0, 10, grant, 11, false); /* more than there should be */
    assert_refused("in order from offset 0");
    say_part(0, grant_len, grant, PART + 1, false);
    assert_refused("in order from offset 0");
    say_part(0, SL_GRANT_MAX + 1, grant, PART, false);
    assert_refused("more than 1280 bytes");
    say_part(0, UINT16_MAX, grant, PART, false);
    assert_refused("more than 1280 bytes");
    say_part(0, grant_len, zeros, sizeof zeros - 4, false); /* cut by the node */
    assert_refused("far longer than any command");
    rig_forget(rig);
    say_part(0, grant_len, grant, PART, true);
    assert_refused("retained");
    /* Byte by byte it is as good. */
    rig_forget(rig);
    for (size_t at = 0; at < grant_len; at++)
        say_part(at, grant_len, grant + at, 1, false);
    rig_run(rig, 5000);
    assert_null(rig_last(rig, "refused"));
    assert_false(is_settled());
}

static void every_flipped_bit_of_a_grant_is_refused(void **state)
{
    (void)state;
    ask();
    make_grant(&(struct answer){0});
    for (size_t bit = 0; bit < 8 * grant_len; bit += 5) {
        grant[bit / 8] ^= (uint8_t)(1u << bit % 8);
        rig_forget(rig);
        say_grant();
        assert_refused("damaged");
        grant[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* --- the old one works when the new one fails ----------------------------------------------- */

static void go_back_after(uint32_t ms, const char *error)
{
    rig_run(rig, ms);
    assert_int_equal(rig_logged(rig, SL_LOG_RENEWAL_FAILED), 1);
    assert_true(is_settled());
    assert_true(is_open());
    assert_reported("asking", error);
    assert_true(is_wiped(&rig->slots[1], sizeof rig->slots[1]));
    assert_true(is_wiped(renewal()->key, sizeof renewal()->key));
    rig_say(rig, "zone/on", "1 60");
    assert_int_equal(rig_pins(rig), 2);
}

static void an_unreachable_address_leads_back(void **state)
{
    (void)state;
    ask();
    make_grant(&(struct answer){.host = "192.0.2.99"});
    rig->unreachable_host = "192.0.2.99";
    say_grant();
    go_back_after(60000 + 3 * SL_CONNECTION_DIAL_MS, "dial time-out 15");
    /* And asks again, with another key. */
    rig_forget(rig);
    rig_run(rig, 120000);
    assert_int_equal(rig_count(rig, "cert/request"), 1);
    rig->unreachable_host = NULL;
    give(&(struct answer){0});
    rig_run(rig, 5000);
    assert_false(is_settled());
    assert_reported("idle", "");
}

static void an_anchor_that_is_not_the_brokers_leads_back(void **state)
{
    (void)state;
    ask();
    give(&(struct answer){.issuer = &other_ca, .anchor = &other_ca, .is_alone = true});
    go_back_after(15000, "tls 62"); /* BR_ERR_X509_NOT_TRUSTED */
}

static void a_broker_that_refuses_the_new_one_leads_back(void **state)
{
    (void)state;
    ask();
    make_grant(&(struct answer){.host = "192.0.2.99"});
    rig->refusing_host = "192.0.2.99";
    say_grant();
    go_back_after(15000, "connack 135");
}

static void an_attempt_that_succeeds_late_counts(void **state)
{
    (void)state;
    ask();
    make_grant(&(struct answer){0});
    rig->is_unreachable = true;
    say_grant();
    rig_run(rig, SL_CONNECTION_DIAL_MS + 2000); /* the first */
    rig->is_unreachable = false;
    rig_run(rig, SL_CONNECTION_DIAL_MS + 5000);
    assert_true(is_open());
    assert_false(is_settled());
}

/* --- storing -------------------------------------------------------------------------------- */

static void what_cannot_be_stored_is_not_tried(void **state)
{
    (void)state;
    const unsigned dials = rig->dials;
    ask();
    rig->refuses_store = true;
    give(&(struct answer){0});
    rig_run(rig, 5000);
    assert_int_equal(rig->dials, dials);
    assert_true(is_settled());
    assert_true(is_open());
    assert_reported("asking", "not stored");
    assert_int_equal(rig_logged(rig, SL_LOG_RENEWAL_UNKEPT), 1);
    rig->refuses_store = false; /* there is room again: the same answer will do */
    rig_run(rig, 120000);
    assert_int_equal(rig_count(rig, "cert/request"), 2);
    say_grant();
    rig_run(rig, 5000);
    assert_false(is_settled());
    assert_reported("idle", "");
}

static void adopting_is_tried_until_it_is_stored(void **state)
{
    (void)state;
    ask();
    make_grant(&(struct answer){0});
    rig->is_unreachable = true;
    say_grant();
    rig_run(rig, 1000);
    rig->refuses_store = true;
    rig->is_unreachable = false;
    rig_run(rig, SL_CONNECTION_DIAL_MS + 5000);
    assert_true(is_open());
    assert_reported("adopting", "not stored");
    rig->refuses_store = false;
    rig_run(rig, 61000);
    assert_true(is_open());
    assert_false(is_settled());
    assert_reported("idle", "");
}

/* A flash that is worn out is not erased once a minute for ever. */
static void adopting_is_tried_later_and_later(void **state)
{
    (void)state;
    ask();
    make_grant(&(struct answer){0});
    rig->is_unreachable = true;
    say_grant();
    rig_run(rig, 1000);
    rig->refuses_store = true;
    rig->is_unreachable = false;
    rig_run(rig, SL_CONNECTION_DIAL_MS + 5000);
    const unsigned stores = rig->stores;
    rig_run(rig, 2 * HOUR);
    assert_in_range(rig->stores - stores, 5, 9); /* 60 s, doubled, and the half of that */
    assert_true(is_open());
    assert_reported("adopting", "not stored");
    rig->refuses_store = false;
    rig_run(rig, 3 * HOUR);
    assert_false(is_settled());
    assert_reported("idle", "");
}

/* The power is cut while any of the operations is under way, before or after it took effect; then
 * the broker knows only the old certificate, or only the new one, or both. */
static void a_cut_at_any_point_leaves_one_that_works(void **state)
{
    for (unsigned at = 1; at <= 2; at++)
        for (unsigned is_done = 0; is_done < 2; is_done++)
            for (unsigned is_gone = 0; is_gone < 2; is_gone++) {
                open_session(state);
                ask();
                make_grant(&(struct answer){.host = "192.0.2.99"});
                if (at == 1)
                    rig->holds_store = true;
                say_grant();
                if (at == 2) {
                    rig->is_unreachable = true;
                    rig_run(rig, 1000);
                    rig->holds_store = true;
                    rig->is_unreachable = false;
                    rig_run(rig, SL_CONNECTION_DIAL_MS + 5000);
                }
                assert_true(rig->is_storing);
                assert_int_equal(rig->stores, at);
                if (is_done && at == 1) {
                    memcpy(rig->kept.images[1], rig->slots[1].image, SL_IDENTITY_MAX);
                    rig->kept.lens[1] = renewal()->total;
                } else if (is_done) {
                    memcpy(rig->kept.images[0], rig->kept.images[1], SL_IDENTITY_MAX);
                    rig->kept.lens[0] = rig->kept.lens[1];
                    rig->kept.lens[1] = 0;
                }
                rig->holds_store = false;
                rig->unreachable_host = is_gone ? "192.0.2.99" : NULL;
                rig_boot(rig);
                rig_set_time(rig);
                rig_run(rig, 60000);
                if (at == 2 && is_done && is_gone)
                    continue; /* adopted, then the new address went: nothing to do with the cut */
                assert_true(is_open());
                const bool has_new = !is_settled();
                assert_int_equal(has_new, !is_gone && (at == 2 || is_done));
            }
}

static void a_node_that_stops_does_not_part(void **state)
{
    (void)state;
    const unsigned dials = rig->dials;
    ask();
    make_grant(&(struct answer){0});
    rig->holds_store = true;
    say_grant();
    sl_node_stop(&rig->node, rig->now);
    sl_node_identity_did(&rig->node, rig->now, true);
    rig_run(rig, 10000);
    assert_true(rig->has_finished);
    assert_int_equal(rig->dials, dials);
}

int main(void)
{
#define RENEWAL(name) cmocka_unit_test_setup(name, open_session)
    const struct CMUnitTest tests[] = {
        RENEWAL(an_asked_renewal_ends_in_a_new_identity),
        RENEWAL(the_old_connection_ends_with_the_will),
        RENEWAL(session_and_known_server_fall_with_the_identity),
        cmocka_unit_test(it_begins_at_two_thirds_of_its_life),
        cmocka_unit_test(two_thirds_are_meant_to_the_second),
        RENEWAL(a_new_identity_is_not_renewed_at_once),
        cmocka_unit_test(an_identity_without_issue_counts_three_years_back),
        RENEWAL(a_new_anchor_and_a_new_address_come_the_same_way),
        RENEWAL(it_asks_again_later_and_later_with_the_same_key),
        RENEWAL(it_asks_again_after_a_reconnect_and_when_asked),
        cmocka_unit_test(a_board_that_keeps_nothing_says_so),
        cmocka_unit_test(a_broker_that_refuses_only_these_topics_is_borne),
        RENEWAL(a_grant_that_nobody_asked_for_is_refused),
        RENEWAL(a_grant_that_was_used_is_refused),
        RENEWAL(a_grant_is_refused_while_one_is_on_its_way),
        RENEWAL(wrong_grants_are_refused_in_words),
        RENEWAL(wrong_parts_are_refused_in_words),
        RENEWAL(every_flipped_bit_of_a_grant_is_refused),
        RENEWAL(an_unreachable_address_leads_back),
        RENEWAL(an_anchor_that_is_not_the_brokers_leads_back),
        RENEWAL(a_broker_that_refuses_the_new_one_leads_back),
        RENEWAL(an_attempt_that_succeeds_late_counts),
        RENEWAL(what_cannot_be_stored_is_not_tried),
        RENEWAL(adopting_is_tried_until_it_is_stored),
        RENEWAL(adopting_is_tried_later_and_later),
        RENEWAL(a_cut_at_any_point_leaves_one_that_works),
        RENEWAL(a_node_that_stops_does_not_part),
    };
    return cmocka_run_group_tests(tests, make_others, free_others);
}
