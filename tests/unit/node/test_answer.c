/* The queue of commands under way: what settles one, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/answer.h"

static struct sl_answers answers;

static void add(uint8_t zone, uint8_t waiting, sl_ms now)
{
    const struct sl_command command = {.topic = SL_TOPIC_ON, .zone = zone};
    const struct sl_mqtt_message message = {.response_topic = sl_view_text("site/answer"),
                                            .correlation = sl_view_text("42")};
    sl_answers_add(&answers, now, &command, &message, waiting);
}

static int empty(void **state)
{
    (void)state;
    answers = (struct sl_answers){0};
    return 0;
}

static void every_zone_must_be_read_back(void **state)
{
    (void)state;
    add(2, 0x14, 0);
    assert_null(sl_answers_ready(&answers));
    sl_answers_confirm(&answers, 0xEB); /* all the others */
    assert_null(sl_answers_ready(&answers));
    sl_answers_confirm(&answers, 0x04);
    assert_null(sl_answers_ready(&answers));
    sl_answers_confirm(&answers, 0x10);
    struct sl_answer *answer = sl_answers_ready(&answers);
    assert_non_null(answer);
    assert_int_equal(answer->result, SL_RESULT_DONE);
    assert_memory_equal(answer->response, "site/answer", answer->response_len);
    assert_memory_equal(answer->correlation, "42", answer->correlation_len);
    assert_false(sl_answer_is_refusal(answer));
    sl_answers_remove(&answers, answer);
    assert_int_equal(answers.len, 0);
}

static void one_zone_that_fails_fails_the_command(void **state)
{
    (void)state;
    add(2, 0x14, 0);
    add(3, 0x08, 0);
    sl_answers_fail(&answers, 0x10, SL_REFUSAL_NOT_READ_BACK);
    struct sl_answer *answer = sl_answers_ready(&answers);
    assert_non_null(answer);
    assert_int_equal(answer->zone, 2);
    assert_int_equal(answer->result, SL_RESULT_UNCONFIRMED);
    assert_true(sl_answer_is_refusal(answer));
    sl_answers_remove(&answers, answer);
    assert_null(sl_answers_ready(&answers)); /* zone 3 still waits */
    assert_int_equal(answers.len, 1);
}

static void a_settled_command_stays_settled(void **state)
{
    (void)state;
    add(2, 0x04, 0);
    sl_answers_confirm(&answers, 0x04);
    sl_answers_fail(&answers, 0xFF, SL_REFUSAL_LEASE);
    sl_answers_overtake(&answers, 0xFF);
    sl_answers_tick(&answers, 1000000);
    assert_int_equal(sl_answers_ready(&answers)->result, SL_RESULT_DONE);
}

static void a_wait_ends_also_across_the_wrap(void **state)
{
    static const sl_ms clocks[] = {0, 0xFFFFFFFF - 1000};
    (void)state;
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        bool has = false;
        sl_ms due = 0, now = clocks[i];
        (void)empty(NULL);
        add(2, 0x04, now);
        sl_answers_deadline(&answers, now, &has, &due);
        assert_true(has);
        assert_int_equal((sl_ms)(due - now), SL_ANSWER_WAIT_MS);
        sl_answers_tick(&answers, due - 1);
        assert_null(sl_answers_ready(&answers));
        sl_answers_tick(&answers, due);
        assert_int_equal(sl_answers_ready(&answers)->result, SL_RESULT_UNCONFIRMED);
        has = false;
        sl_answers_deadline(&answers, due, &has, &due);
        assert_false(has);
    }
}

static void answers_come_in_order_and_the_queue_is_short(void **state)
{
    (void)state;
    for (uint8_t zone = 0; zone < SL_ANSWERS_MAX + 2; zone++)
        add(zone, 0, 0);
    assert_true(sl_answers_is_full(&answers));
    for (uint8_t zone = 0; zone < SL_ANSWERS_MAX; zone++) {
        struct sl_answer *answer = sl_answers_ready(&answers);
        assert_non_null(answer);
        assert_int_equal(answer->zone, zone);
        sl_answers_remove(&answers, answer);
        assert_false(sl_answers_is_full(&answers));
    }
    assert_null(sl_answers_ready(&answers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_zone_must_be_read_back, empty),
        cmocka_unit_test_setup(one_zone_that_fails_fails_the_command, empty),
        cmocka_unit_test_setup(a_settled_command_stays_settled, empty),
        cmocka_unit_test_setup(a_wait_ends_also_across_the_wrap, empty),
        cmocka_unit_test_setup(answers_come_in_order_and_the_queue_is_short, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
