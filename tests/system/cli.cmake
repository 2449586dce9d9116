# The operator's CLI against real Mosquitto and real files.
foreach(test init files broker)
    add_test(NAME system/cli_${test}
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_${test}.sh $<TARGET_FILE:sluice>)
    set_tests_properties(system/cli_${test} PROPERTIES LABELS system TIMEOUT 180)
endforeach()

# The demo needs the simulated chip and its firmware.
if(TARGET sluice-chip AND TARGET sluice-node)
    add_test(NAME system/cli_demo
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_demo.sh $<TARGET_FILE:sluice>
                     $<TARGET_FILE:sluice-node> $<TARGET_FILE:sluice-chip> ${SL_CHIP_ELF})
    set_tests_properties(system/cli_demo PROPERTIES LABELS system TIMEOUT 180)
endif()

add_test(NAME system/setup
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/setup.sh ${PROJECT_SOURCE_DIR}/tools/dev/setup.sh)
set_tests_properties(system/setup PROPERTIES LABELS system TIMEOUT 60)
