# sluice-node as an installed service. Exit 77: the machine lacks something, and the test says what.
set(folder ${CMAKE_CURRENT_SOURCE_DIR})
add_test(NAME system/node_log
         COMMAND sh ${folder}/node_log.sh $<TARGET_FILE:sluice> $<TARGET_FILE:sluice-node>)
add_test(NAME system/node_procd
         COMMAND sh ${folder}/node_procd.sh $<TARGET_FILE:sluice> $<TARGET_FILE:sluice-node>
                 ${PROJECT_SOURCE_DIR}/deploy/openwrt/sluice-node.init)
add_test(NAME system/install
         COMMAND sh ${folder}/install.sh $<TARGET_FILE:sluice> ${PROJECT_BINARY_DIR} ${CMAKE_COMMAND})
if(NOT SL_SANITIZE) # the packages have their own compiler options
    add_test(NAME system/deb COMMAND sh ${folder}/deb.sh ${PROJECT_SOURCE_DIR})
    set_tests_properties(system/deb PROPERTIES LABELS system TIMEOUT 600)
endif()
add_test(NAME system/ipk
         COMMAND sh ${folder}/ipk.sh $<TARGET_FILE:sluice> ${PROJECT_SOURCE_DIR}/deploy/openwrt/ipk.sh)
foreach(test node_log node_procd install ipk)
    set_tests_properties(system/${test} PROPERTIES LABELS system TIMEOUT 120 SKIP_RETURN_CODE 77)
endforeach()

# What is made from the table of settings is the same as what lies in the tree.
add_test(NAME unit/pages
         COMMAND ${PROJECT_SOURCE_DIR}/tools/dev/test_pages.sh ${PROJECT_SOURCE_DIR}
                 $<TARGET_FILE:sluice-manual>)
set_tests_properties(unit/pages PROPERTIES LABELS unit)
