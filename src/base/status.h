/* Result codes: one list makes the enum, the names and the texts. */
#ifndef SL_BASE_STATUS_H
#define SL_BASE_STATUS_H

#define SL_MUST_CHECK __attribute__((warn_unused_result))

/* code, text for a person */
#define SL_STATUS_LIST(X)                                                                          \
    X(SL_OK, "ok")                                                                                 \
    X(SL_MORE, "more input is needed")                                                             \
    X(SL_FULL, "no room at the moment, try again later")                                           \
    X(SL_BAD_ARGUMENT, "the caller gave a value out of range")                                     \
    X(SL_BAD_STATE, "not possible in the present state")                                           \
    X(SL_MALFORMED, "the bytes break the format")                                                  \
    X(SL_PROTOCOL, "the peer broke the protocol")                                                  \
    X(SL_TOO_LARGE, "larger than the memory given for it")                                         \
    X(SL_CORRUPT, "the checksum does not match")                                                   \
    X(SL_UNSUPPORTED, "a version or feature that is not supported")                                \
    X(SL_REFUSED, "the peer or a rule refused")                                                    \
    X(SL_TIMEOUT, "no answer in time")                                                             \
    X(SL_CLOSED, "the connection is closed")                                                       \
    X(SL_UNTRUSTED, "the peer could not be authenticated")

enum sl_status {
#define X(code, text) code,
    SL_STATUS_LIST(X)
#undef X
        SL_STATUS_COUNT
};

/* Text of a code, never NULL. Host programs only: the device logs numbers. */
const char *sl_status_text(enum sl_status status);

#endif
