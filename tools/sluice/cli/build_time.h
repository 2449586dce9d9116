/* When the sources were last changed: no clock that lies before it is right. */
#ifndef SL_CLI_BUILD_TIME_H
#define SL_CLI_BUILD_TIME_H

#include <stdint.h>

uint64_t sl_build_time_s(void); /* Unix seconds */

#endif
