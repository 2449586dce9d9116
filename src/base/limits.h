/* Numbers that several modules must agree on. */
#ifndef SL_BASE_LIMITS_H
#define SL_BASE_LIMITS_H

/* Relays of one chip. */
#define SL_ZONES 8

/* A name, ^[a-z0-9][a-z0-9_-]{0,22}$: common name, user name and client id at once. */
#define SL_NAME_MAX 23

/* Base topic, without the slash that follows it. */
#define SL_BASE_MAX 64

/* A host name in text (RFC 1035, section 2.3.4). */
#define SL_HOST_MAX 253

/* Any topic the node sends or takes, response topics included. */
#define SL_TOPIC_MAX 128

#endif
