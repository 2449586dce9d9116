/* The build description knows it: cmake/build-time.cmake. */
#include "cli/build_time.h"

uint64_t sl_build_time_s(void)
{
    return SL_BUILD_TIME;
}
