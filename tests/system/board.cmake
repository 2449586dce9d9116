# The same path with the node on the virtual ESP8266.
if(NOT TARGET board OR SL_SANITIZE)
    return()
endif()
foreach(name test_board_path test_board_refusals test_board_day test_board_network
        test_board_cuts)
    add_executable(${name} ${PROJECT_SOURCE_DIR}/tests/board/${name}.c)
    target_include_directories(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_compile_definitions(${name} PRIVATE
        SL_BOARD_PROGRAM="$<TARGET_FILE:sluice-board>"
        SL_BOARD_ELF="${SL_BOARD}/sluice-board.elf"
        SL_DAY_ELF="${SL_BOARD}/board-day.elf"
        SL_FAULTY_ELF="${SL_BOARD}/board-faulty.elf")
    target_link_libraries(${name} PRIVATE system_harness sl_warnings)
    add_dependencies(${name} sluice-board board)
    add_test(NAME board/${name} COMMAND ${name})
    set_tests_properties(board/${name} PROPERTIES LABELS board TIMEOUT 400)
endforeach()
target_sources(test_board_network PRIVATE ${PROJECT_SOURCE_DIR}/tests/board/frames.c)
target_include_directories(test_board_cuts PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(test_board_cuts PRIVATE sl_store)
