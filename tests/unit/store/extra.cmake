foreach(name test_records test_records_cuts)
    target_link_libraries(${name} PRIVATE test_support)
endforeach()
