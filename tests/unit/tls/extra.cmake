foreach(name test_tls_handshake)
    target_link_libraries(${name} PRIVATE test_support)
endforeach()
