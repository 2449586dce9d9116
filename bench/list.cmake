# cmake -DMODULE=MQTT -P bench/list.cmake: the module's portable sources, one a line.
include(${CMAKE_CURRENT_LIST_DIR}/../cmake/sources.cmake)
foreach(source ${SL_${MODULE}_SOURCES})
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo ${source})
endforeach()
