/* The messages of an enrolment on a serial line, and their way through log text and noise.
 *
 * On the line a frame stands between two bytes 0x00 and holds none (COBS). Text never holds one
 * either, so whatever else comes down the line, log lines or noise, is cut off by the next 0x00 and
 * fails the checksum. Wire layout and conversation: docs/spec/enrolment.md.
 *
 *   byte  0      version of the protocol, 1
 *         1      kind (enum sl_enrol_kind); 0x80 set: from the device
 *         2..5   session: the host's choice, repeated in every answer
 *         6..    body, by kind
 *         n-4    CRC-32/ISO-HDLC of all bytes before it
 *
 * Source of COBS: S. Cheshire, M. Baker, "Consistent Overhead Byte Stuffing", IEEE/ACM
 * Transactions on Networking 7(2), 1999.
 */
#ifndef SL_ENROL_FRAME_H
#define SL_ENROL_FRAME_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/status.h"

#define SL_ENROL_VERSION  1
#define SL_ENROL_BODY_MAX 240
#define SL_ENROL_PART_MAX 192 /* bytes of the grant in one message */
#define SL_ENROL_WIRE_MAX (1 + 1 + 6 + SL_ENROL_BODY_MAX + 4 + 1) /* 0x00, COBS, 0x00 */

enum sl_enrol_kind {
    /* from the host */
    SL_ENROL_ASK = 0x01,  /* name, unix_s: make a key and ask for its certificate */
    SL_ENROL_PART = 0x02, /* offset, total, bytes: a part of the grant */
    SL_ENROL_DONE = 0x03, /* STORED was heard; no answer */
    /* from the device */
    SL_ENROL_REQUEST = 0x81, /* bytes: PKCS#10 in DER */
    SL_ENROL_TAKEN = 0x82,  /* offset: how much of the grant is there; the next part begins there */
    SL_ENROL_STORED = 0x83, /* the identity is stored: the enrolment has succeeded */
    SL_ENROL_REFUSED = 0x84 /* refusal */
};

/* Why the device refuses. code on the wire (stable), name, text for a person, cure */
#define SL_ENROL_REFUSAL_LIST(X)                                                                   \
    X(1, VERSION, "it speaks another version of the protocol", "use programs of one version")      \
    X(2, NAME, "it takes no such name", "give one of a-z, 0-9, - and _")                           \
    X(3, TIME, "the time it was told lies before it was made", "set this computer's clock right")  \
    X(4, SESSION, "it knows nothing of this enrolment, as after a restart", "enrol it again")      \
    X(5, SIZE, "the grant is larger than it can store", "use a shorter base topic or broker name") \
    X(6, DAMAGED, "the grant is damaged or not one that it can read",                              \
      "use programs of one version")                                                               \
    X(7, KEY, "the certificate is for another key or another name", "enrol it again")              \
    X(8, UNTRUSTED, "the certificate does not lead to the authority that came with it",            \
      "check the site's ca folder")                                                                \
    X(9, DATES, "the certificate is not valid at the time it was told",                            \
      "set this computer's clock right")                                                           \
    X(10, STORE, "it cannot store the identity", "check its flash or disk; its log may say more")

enum sl_enrol_refusal {
    SL_ENROL_REFUSAL_NONE,
#define X(code, name, text, cure) SL_ENROL_REFUSAL_##name = (code),
    SL_ENROL_REFUSAL_LIST(X)
#undef X
};

/* What a kind does not have is zero. */
struct sl_enrol_message {
    uint8_t kind; /* enum sl_enrol_kind */
    uint32_t session;
    struct sl_view name;  /* 1..SL_NAME_MAX; its letters are not judged here */
    uint64_t unix_s;      /* of ASK: now, as the host knows it */
    uint16_t offset;      /* of PART and TAKEN */
    uint16_t total;       /* of PART: length of the whole grant; offset + bytes.len <= total */
    struct sl_view bytes; /* of PART: 1..SL_ENROL_PART_MAX; of REQUEST: 1..SL_ENROL_BODY_MAX */
    uint8_t refusal;      /* of REFUSED: not 0; a later version may have others */
};

/* Gives: the whole frame with both 0x00 in out, *len bytes.
 * Fails: SL_BAD_ARGUMENT (a message that decode would not give); *len is 0 then. */
SL_MUST_CHECK enum sl_status sl_enrol_encode(const struct sl_enrol_message *message,
                                             uint8_t out[SL_ENROL_WIRE_MAX], size_t *len);

/* frame: what stood between the two 0x00, with COBS undone (sl_enrol_line_feed).
 * Gives: views into frame. Of another version only session is told.
 * Fails: SL_CORRUPT (too short, checksum), SL_UNSUPPORTED (a version that is not ours, with the
 * session), SL_MALFORMED (kind or body); all else in *message is zero then. */
SL_MUST_CHECK enum sl_status sl_enrol_decode(struct sl_view frame,
                                             struct sl_enrol_message *message);

/* Finds the frames in what comes down the line. */
struct sl_enrol_line {
    uint8_t bytes[SL_ENROL_WIRE_MAX - 3]; /* of the frame so far, COBS undone */
    uint16_t len;
    uint8_t left;  /* bytes up to the next code byte of COBS; 0: it is due */
    bool has_zero; /* ... and what follows it is preceded by a zero */
    bool is_bad;   /* no frame: wait for the next 0x00 */
};

/* All zeros is a good start, too; but then what comes before the first 0x00 may be a frame. */
void sl_enrol_line_init(struct sl_enrol_line *line);
/* Takes bytes up to the end of a frame.
 * Gives: how many; *frame: the frame that they end, valid until the next call; else empty. */
size_t sl_enrol_line_feed(struct sl_enrol_line *line, const uint8_t *in, size_t len,
                          struct sl_view *frame);

#endif
