# Builds the relay chip's firmware for both chips, silently when it is up to date.
# Usage: cmake -P cmake/firmware.cmake
# The host build runs it too (target firmware), so that no test and no figure is about an old ELF.
get_filename_component(source ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
foreach(mcu atmega168 atmega328p)
    foreach(step "--preset;${mcu}" "--build;${source}/build/${mcu}")
        execute_process(COMMAND ${CMAKE_COMMAND} ${step} WORKING_DIRECTORY ${source}
                        RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
        if(NOT result EQUAL 0)
            message(FATAL_ERROR "the firmware for ${mcu} was not built:\n${said}")
        endif()
    endforeach()
endforeach()
