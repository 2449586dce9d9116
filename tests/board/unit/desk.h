/* Certificates for tests on the board: made by the computer that simulates it (runner.c), asked for
 * by the board (pki_desk.c) over a socket, one packet each way. Both ends are little-endian and lay
 * these out alike. */
#ifndef TEST_BOARD_UNIT_DESK_H
#define TEST_BOARD_UNIT_DESK_H

#include "support/pki.h"

#define DESK_NAME_MAX 300
#define DESK_SELF     UINT32_MAX /* issuer of a certificate that signs itself */

enum desk_kind { DESK_MAKE, DESK_KEY }; /* a certificate; the DER form of the key of one */

struct desk_order {
    int64_t not_before_s, not_after_s;
    uint64_t serial;
    uint32_t kind;   /* enum desk_kind */
    uint32_t number; /* DESK_KEY: which one; DESK_MAKE: its issuer */
    uint32_t key, purpose;
    char common_name[DESK_NAME_MAX];
    char dns[DESK_NAME_MAX]; /* empty: none */
};

struct desk_answer {
    uint32_t number; /* DESK_MAKE: counted from 0 */
    uint32_t der_len, subject_len;
    uint8_t der[TEST_CERT_MAX];
    uint8_t subject[TEST_SUBJECT_MAX];
    uint8_t point[TEST_POINT_LEN];
    uint8_t private_key[TEST_KEY_LEN];
};

#endif
