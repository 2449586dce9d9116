find_library(CJSON cjson REQUIRED)
foreach(name test_text test_report)
    target_link_libraries(${name} PRIVATE ${CJSON})
endforeach()

target_link_libraries(test_grant PRIVATE test_support)

# The whole node between a broker in memory and the relay chip's own engine.
foreach(name test_node_commands test_node_connection test_node_ends test_node_kept test_node_laws test_node_opening
        test_node_storm test_renewal)
    target_sources(${name} PRIVATE unit/node/rig.c support/mqtt_peer.c)
    target_link_libraries(${name} PRIVATE test_support ${CJSON})
endforeach()

# Thousands of enrolments: what BearSSL has computed once is looked up (support/quick_curves.h).
foreach(name test_enrolment test_enrolment_line)
    target_link_libraries(${name} PRIVATE test_support)
endforeach()
