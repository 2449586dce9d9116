/* BearSSL's two curves in one translation unit: both have the same multiplication and squaring of
 * 260 bits, static in either source, and the compiler makes one function of equal ones (-fipa-icf).
 * That is 5.6 KB; only names that both define are changed. */
#include "ec/ec_p256_m15.c"

#define norm13        norm13_25519
#define mul20         mul20_25519
#define square20      square20_25519
#define api_generator api_generator_25519
#define api_order     api_order_25519
#define api_xoff      api_xoff_25519
#define api_mul       api_mul_25519
#define api_mulgen    api_mulgen_25519
#define api_muladd    api_muladd_25519
#include "ec/ec_c25519_m15.c"
