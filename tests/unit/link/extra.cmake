foreach(name test_master test_master_commands test_master_restarts test_link_laws test_link_faults)
    target_sources(${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/unit/link/wire.c)
endforeach()
