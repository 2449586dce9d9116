# The trusted-time floor of a fresh node: no clock is believed that lies before the sources.
# SOURCE_DATE_EPOCH wins, then the last commit, then the day of the first release.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
    set(SL_BUILD_TIME $ENV{SOURCE_DATE_EPOCH})
else()
    execute_process(COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct
                    OUTPUT_VARIABLE SL_BUILD_TIME OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT SL_BUILD_TIME MATCHES "^[0-9]+$")
    set(SL_BUILD_TIME 1795305600) # 2026-11-22
endif()
