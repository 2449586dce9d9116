# The unit tests of src/, the same sources with the same assertions, as programs for the board, with
# Debian's cmocka built for it. Left to the host are those that make certificates with OpenSSL (what
# they test is shown on the board by the system tests), that want floating point, as cJSON does, or
# that try so many cases that they take minutes here (link faults, record log cut by cut). Some are
# larger than the chip: their data lie in memory that it does not have.
set(units
    base/test_bytes base/test_crc base/test_ms base/test_status_text
    clock/test_clock clock/test_sntp
    link/test_frame link/test_link_laws link/test_master
    link/test_master_commands link/test_master_restarts link/test_slave
    mqtt/test_mqtt_laws mqtt/test_mqtt_outbound mqtt/test_mqtt_packet mqtt/test_mqtt_session
    node/test_answer node/test_command node/test_log_text
    store/test_identity store/test_records
    tls/test_hello tls/test_random tls/test_signer
    zone/test_zone)

# For the board: a program for each.
function(unit_programs)
    set(tests ${PROJECT_SOURCE_DIR}/tests)
    set(sources ${PROJECT_SOURCE_DIR}/build/sources)
    add_library(board_cmocka STATIC ${sources}/cmocka/src/cmocka.c)
    target_include_directories(board_cmocka SYSTEM PUBLIC ${sources}/cmocka/include PRIVATE cmocka)
    # The compiler's library for this chip cannot add floating-point numbers, and cmocka adds seconds.
    target_compile_definitions(board_cmocka PRIVATE HAVE_CONFIG_H double=long)
    target_compile_options(board_cmocka PRIVATE -w)
    target_link_libraries(board_cmocka PUBLIC lx106_options)

    set(texts ${SL_BASE_TEXT_SOURCES} ${SL_MQTT_TEXT_SOURCES} ${SL_TLS_TEXT_SOURCES}
        ${SL_NODE_TEXT_SOURCES} ${SL_LINK_SLAVE_SOURCES})
    list(TRANSFORM texts PREPEND ${PROJECT_SOURCE_DIR}/src/)
    add_library(board_test_support STATIC ${texts} ${tests}/unit/link/wire.c ${tests}/support/flash.c)
    target_include_directories(board_test_support PUBLIC ${tests})
    target_link_libraries(board_test_support PUBLIC lx106_core board_cmocka)

    add_library(board_unit OBJECT unit.c)
    target_link_libraries(board_unit PRIVATE lx106_base sl_warnings)

    foreach(unit ${units})
        get_filename_component(name ${unit} NAME)
        lx106_program(${name} ${tests}/unit/${unit}.c $<TARGET_OBJECTS:board_unit> MEMORY 0x60000000 0x400000 0x10000)
        target_compile_definitions(${name} PRIVATE SL_VECTORS="${tests}/vectors")
        target_link_libraries(${name} PRIVATE board_test_support)
        target_link_options(${name} PRIVATE -DPICOLIBC_INTEGER_PRINTF_SCANF)
    endforeach()
endfunction()
