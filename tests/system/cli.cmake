# The operator's CLI against real Mosquitto and real files.
foreach(test init files broker revoke operator install maintain completion custody backup offline busy)
    add_test(NAME system/cli_${test}
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_${test}.sh $<TARGET_FILE:sluice>)
    set_tests_properties(system/cli_${test} PROPERTIES LABELS system TIMEOUT 180)
endforeach()
set_tests_properties(system/cli_maintain PROPERTIES ENVIRONMENT ASAN_OPTIONS=verify_asan_link_order=0)

add_test(NAME system/doctor_config
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/doctor_config.sh $<TARGET_FILE:sluice>)
set_tests_properties(system/doctor_config PROPERTIES LABELS system TIMEOUT 180)
add_library(small_disk MODULE small_disk.c)
target_link_libraries(small_disk PRIVATE sl_warnings)
add_test(NAME system/doctor
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/doctor.sh $<TARGET_FILE:sluice>
                 $<TARGET_FILE:small_disk>)
set_tests_properties(system/doctor PROPERTIES LABELS system TIMEOUT 180
                     ENVIRONMENT ASAN_OPTIONS=verify_asan_link_order=0)

if(TARGET sluice-manual)
    add_test(NAME system/cli_manual
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_manual.sh $<TARGET_FILE:sluice>
                     ${PROJECT_BINARY_DIR}/tools/manual/man)
    set_tests_properties(system/cli_manual PROPERTIES LABELS system TIMEOUT 180)
endif()

# Ended and failed at each of its calls to the disk. The library is loaded before the sanitizer's
# run-time, which does not mind when told.
add_library(cut_short MODULE cut_short.c)
target_compile_definitions(cut_short PRIVATE _GNU_SOURCE)
target_link_libraries(cut_short PRIVATE sl_warnings)
if(NOT SL_SANITIZE) # a thousand starts, which take minutes there
    foreach(test writes writes_ca writes_broker)
        add_test(NAME system/cli_${test}
                 COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_${test}.sh $<TARGET_FILE:sluice>
                         $<TARGET_FILE:cut_short>)
        set_tests_properties(system/cli_${test} PROPERTIES LABELS system TIMEOUT 600)
    endforeach()
endif()

if(TARGET sluice-node)
    add_test(NAME system/cli_roll
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_roll.sh $<TARGET_FILE:sluice>
                     $<TARGET_FILE:sluice-node>)
    set_tests_properties(system/cli_roll PROPERTIES LABELS system TIMEOUT 180)
endif()

# The demo needs the simulated chip and its firmware.
if(TARGET sluice-chip AND TARGET sluice-node)
    add_test(NAME system/cli_demo
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_demo.sh $<TARGET_FILE:sluice>
                     $<TARGET_FILE:sluice-node> $<TARGET_FILE:sluice-chip> ${SL_CHIP_ELF})
    set_tests_properties(system/cli_demo PROPERTIES LABELS system TIMEOUT 180)

    if(NOT SL_SANITIZE) # libfaketime and the sanitizers both want to be first
        add_test(NAME system/renew_late
                 COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/renew_late.sh $<TARGET_FILE:sluice>
                         $<TARGET_FILE:sluice-node> $<TARGET_FILE:sluice-chip> ${SL_CHIP_ELF})
        set_tests_properties(system/renew_late PROPERTIES LABELS system TIMEOUT 120)
    endif()
    add_test(NAME system/cli_renew
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_renew.sh $<TARGET_FILE:sluice>
                     $<TARGET_FILE:sluice-node> $<TARGET_FILE:sluice-chip> ${SL_CHIP_ELF}
                     $<TARGET_FILE:cut_short>)
    set_tests_properties(system/cli_renew PROPERTIES LABELS system TIMEOUT 180
                         ENVIRONMENT ASAN_OPTIONS=verify_asan_link_order=0)

    if(NOT SL_SANITIZE) # libfaketime and the sanitizers both want to be first
        add_test(NAME system/expiry
                 COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/expiry.sh $<TARGET_FILE:sluice>
                         $<TARGET_FILE:sluice-node> $<TARGET_FILE:sluice-chip> ${SL_CHIP_ELF})
        set_tests_properties(system/expiry PROPERTIES LABELS system TIMEOUT 180)
    endif()

    # A serial cable with faults, and a button, loaded as libcut_short is.
    add_executable(null-modem null_modem.c)
    target_compile_definitions(null-modem PRIVATE _GNU_SOURCE)
    target_link_libraries(null-modem PRIVATE sl_warnings)
    add_library(reset_button MODULE reset_button.c ${PROJECT_SOURCE_DIR}/tests/unit/ports/gpio_seam.c)
    target_include_directories(reset_button PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    target_compile_definitions(reset_button PRIVATE _GNU_SOURCE)
    target_link_libraries(reset_button PRIVATE sl_warnings)
    add_test(NAME system/cli_enrol
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_enrol.sh $<TARGET_FILE:sluice>
                     $<TARGET_FILE:sluice-node> $<TARGET_FILE:null-modem>
                     $<TARGET_FILE:reset_button> $<TARGET_FILE:sluice-chip> ${SL_CHIP_ELF})
    add_test(NAME system/cli_enrol_cuts
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_enrol_cuts.sh $<TARGET_FILE:sluice>
                     $<TARGET_FILE:sluice-node> $<TARGET_FILE:null-modem>
                     $<TARGET_FILE:cut_short>)
    foreach(test enrol enrol_cuts)
        set_tests_properties(system/cli_${test} PROPERTIES LABELS system TIMEOUT 300
                             ENVIRONMENT ASAN_OPTIONS=verify_asan_link_order=0)
    endforeach()

    add_executable(demo_live demo_live.c)
    target_link_libraries(demo_live PRIVATE system_harness sl_warnings)
    add_test(NAME system/demo_live
             COMMAND demo_live $<TARGET_FILE:sluice> $<TARGET_FILE:sluice-node>
                     $<TARGET_FILE:sluice-chip> ${SL_CHIP_ELF})
    set_tests_properties(system/demo_live PROPERTIES LABELS system TIMEOUT 120)
endif()

add_test(NAME system/setup
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/setup.sh ${PROJECT_SOURCE_DIR}/tools/dev/setup.sh)
set_tests_properties(system/setup PROPERTIES LABELS system TIMEOUT 60)

add_test(NAME system/make_program
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/make_program.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(system/make_program PROPERTIES LABELS system TIMEOUT 120)

# The traps of Mosquitto 2.0, on a naive set-up and on ours.
add_test(NAME system/broker_traps
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/broker_traps.sh $<TARGET_FILE:sluice>)
set_tests_properties(system/broker_traps PROPERTIES LABELS system TIMEOUT 180)
add_executable(bearssl_trust bearssl_trust.c)
target_link_libraries(bearssl_trust PRIVATE bearssl sl_warnings)
add_library(tell_nodelay MODULE tell_nodelay.c)
target_compile_definitions(tell_nodelay PRIVATE _GNU_SOURCE)
target_link_libraries(tell_nodelay PRIVATE sl_warnings)
add_test(NAME system/broker_limits
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/broker_limits.sh $<TARGET_FILE:sluice>
                 $<TARGET_FILE:bearssl_trust> $<TARGET_FILE:tell_nodelay>)
set_tests_properties(system/broker_limits PROPERTIES LABELS system TIMEOUT 180
                     ENVIRONMENT ASAN_OPTIONS=verify_asan_link_order=0)
