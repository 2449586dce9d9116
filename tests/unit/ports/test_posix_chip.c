/* The Linux board's SPI line against a chip of this test that answers late, twice, or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "chip_socket.h"
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEADER_LEN 9 /* docs/spec/twin-socket.md */

static char folder[] = "/tmp/sluice-test.XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int listener, chip = -1;

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(address.sun_path, sizeof address.sun_path, "%s/spi", folder);
    listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    posix_chip_socket_init(address.sun_path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(chip);
    close(listener);
    unlink(address.sun_path);
    return rmdir(folder);
}

static void ask(uint8_t mark)
{
    uint8_t frame[SL_FRAME_LEN];

    memset(frame, mark, sizeof frame);
    sl_port_spi_start(frame);
    if (chip < 0)
        chip = accept(listener, NULL, NULL);
}

/* Gives: the mark of the order that has come, -1 for none. */
static int heard(void)
{
    uint8_t packet[HEADER_LEN + SL_FRAME_LEN];
    const ssize_t got = recv(chip, packet, sizeof packet, MSG_DONTWAIT);

    return got == (ssize_t)sizeof packet && packet[0] == 'X' ? packet[HEADER_LEN] : -1;
}

static void answer(uint8_t mark)
{
    uint8_t packet[HEADER_LEN + SL_FRAME_LEN] = {'X'};

    memset(packet + HEADER_LEN, mark, SL_FRAME_LEN);
    assert_int_equal(send(chip, packet, sizeof packet, 0), sizeof packet);
}

/* Gives: the mark of the answer that is there, -1 for none. */
static int taken(void)
{
    uint8_t frame[SL_FRAME_LEN];

    return sl_port_spi_take(frame) ? frame[0] : -1;
}

static void an_answer_belongs_to_its_order(void **state)
{
    (void)state;
    ask(1);
    assert_int_equal(heard(), 1);
    assert_int_equal(taken(), -1);
    answer(11);
    assert_int_equal(taken(), 11);
    assert_int_equal(taken(), -1);
}

static void a_late_answer_is_not_taken_for_the_next(void **state)
{
    (void)state;
    ask(1); /* given up by the node: the next order supersedes it */
    ask(2);
    answer(11);
    assert_int_equal(taken(), -1);
    answer(12);
    assert_int_equal(taken(), 12);
    assert_int_equal(heard(), 1);
    assert_int_equal(heard(), 2);
}

static void an_answer_given_twice_is_not_taken_for_the_next(void **state)
{
    (void)state;
    ask(1);
    answer(11);
    answer(11);
    assert_int_equal(taken(), 11);
    ask(2);
    assert_int_equal(taken(), -1);
    answer(12);
    assert_int_equal(taken(), 12);
    assert_int_equal(heard(), 1);
    assert_int_equal(heard(), 2);
}

static void a_silent_chip_finds_no_old_orders_later(void **state)
{
    (void)state;
    for (uint8_t mark = 1; mark < 10; mark++)
        ask(mark);
    assert_int_equal(heard(), 1);
    assert_int_equal(heard(), 2);
    assert_int_equal(heard(), -1);
    answer(11);
    answer(12);
    assert_int_equal(taken(), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_belongs_to_its_order),
        cmocka_unit_test(a_late_answer_is_not_taken_for_the_next),
        cmocka_unit_test(an_answer_given_twice_is_not_taken_for_the_next),
        cmocka_unit_test(a_silent_chip_finds_no_old_orders_later),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
