/* A board without an identity gets one over its serial line: docs/spec/enrolment.md. */
#ifndef SL_LX106_ENROL_H
#define SL_LX106_ENROL_H

#include "node/enrolment.h"

/* Waits until an identity is stored; with one to go on with, until nobody has asked for five
 * minutes. What was kept in flash goes with the identity before. engine: memory to work in, wiped
 * at the end. */
void lx106_enrol(struct sl_enrolment *engine, bool has_identity);

#endif
