# The operator's CLI against real Mosquitto and real files.
foreach(test init files broker)
    add_test(NAME system/cli_${test}
             COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/cli_${test}.sh $<TARGET_FILE:sluice>)
    set_tests_properties(system/cli_${test} PROPERTIES TIMEOUT 180)
endforeach()
