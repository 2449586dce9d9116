# The whole path with the real programs: Mosquitto, sluice-node, sluice-chip with its firmware.
find_program(SL_MOSQUITTO mosquitto HINTS /usr/sbin REQUIRED)
find_library(SL_LIBMOSQUITTO mosquitto REQUIRED)

add_executable(hostile-broker hostile_broker.c hostile_mqtt.c)
target_link_libraries(hostile-broker PRIVATE test_support sl_store)
add_executable(sntp-server sntp_server.c)
add_library(slow_names MODULE slow_names.c)
foreach(target hostile-broker sntp-server slow_names)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_link_libraries(${target} PRIVATE sl_warnings)
endforeach()

add_library(system_harness STATIC harness.c garden.c terminal.c)
target_compile_definitions(system_harness PUBLIC _GNU_SOURCE
    SL_NODE="$<TARGET_FILE:sluice-node>"
    SL_SLUICE="$<TARGET_FILE:sluice>"
    SL_SYSTEM_TESTS="${CMAKE_CURRENT_SOURCE_DIR}"
    SL_MOSQUITTO="${SL_MOSQUITTO}"
    SL_CHIP="$<IF:$<TARGET_EXISTS:sluice-chip>,$<TARGET_FILE:sluice-chip>,no-libsimavr>"
    SL_CHIP_ELF="${SL_CHIP_ELF}"
    SL_HOSTILE_BROKER="$<TARGET_FILE:hostile-broker>"
    SL_SNTP_SERVER="$<TARGET_FILE:sntp-server>"
    SL_SLOW_NAMES="$<TARGET_FILE:slow_names>")
target_link_libraries(system_harness PUBLIC ${CMOCKA} ${SL_LIBMOSQUITTO} util PRIVATE sl_warnings)
add_dependencies(system_harness sluice-node sluice hostile-broker sntp-server slow_names)
if(TARGET sluice-chip)
    add_dependencies(system_harness sluice-chip)
endif()

# Seconds after which ctest ends it: several times what it takes on two busy cores.
function(system_test name timeout)
    add_executable(${name} ${name}.c)
    target_link_libraries(${name} PRIVATE system_harness sl_warnings)
    add_test(NAME system/${name} COMMAND ${name})
    set_tests_properties(system/${name} PROPERTIES LABELS system TIMEOUT ${timeout})
endfunction()

system_test(test_broker_loss 240)
system_test(test_chip_faults 200)
system_test(test_commands 120)
system_test(test_hostile 180)
system_test(test_hostile_messages 120)
system_test(test_local_files 120)
system_test(test_mosquitto 120)
target_link_libraries(test_mosquitto PRIVATE sl_mqtt)
system_test(test_network 150)
system_test(test_node_loss 120)
system_test(test_service 120)
target_link_libraries(test_service PRIVATE sl_store)
system_test(test_resume 120)
system_test(test_time 120)
target_link_libraries(test_time PRIVATE test_support sl_node) # reads what was kept
system_test(test_watch 180)
system_test(test_passphrase 60)
# slow_names is loaded before the sanitizer's run-time, which does not mind when told.
set_tests_properties(system/test_network PROPERTIES
                     ENVIRONMENT ASAN_OPTIONS=verify_asan_link_order=0)
