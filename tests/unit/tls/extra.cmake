foreach(name test_tls_handshake test_tls_refusals test_tls_data test_verifier test_chain)
    target_link_libraries(${name} PRIVATE test_support)
endforeach()

# The texts are compared with the list of errors in the headers that are really installed.
find_path(BEARSSL_HEADERS bearssl_ssl.h PATH_SUFFIXES bearssl REQUIRED)
target_compile_definitions(test_tls_text PRIVATE SL_BEARSSL_HEADERS="${BEARSSL_HEADERS}")

# Requests are judged by another implementation.
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
target_link_libraries(test_request_openssl PRIVATE OpenSSL::Crypto)
