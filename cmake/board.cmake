# Builds the programs for the virtual ESP8266, silently when they are up to date.
# Usage: cmake -P cmake/board.cmake
# The host build runs it too (target board), so that no test and no figure is about an old ELF.
get_filename_component(source ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
# Also when a library has joined those that were fetched at first.
execute_process(COMMAND sh ${source}/tools/dev/sources.sh ${source}/build/sources
                RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT result EQUAL 0)
    message(FATAL_ERROR "the sources of the virtual board's libraries are not there:\n${said}")
endif()
foreach(step "--preset;lx106" "--build;${source}/build/lx106")
    execute_process(COMMAND ${CMAKE_COMMAND} ${step} WORKING_DIRECTORY ${source}
                    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
    if(NOT result EQUAL 0)
        message(FATAL_ERROR "the virtual board's programs were not built:\n${said}")
    endif()
endforeach()
