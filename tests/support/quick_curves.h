/* For programs that make the same handshake thousands of times: the arithmetic of BearSSL's curves
 * and signatures, remembered. Every value is still BearSSL's own; only a second time it is looked
 * up.
 *
 * Linking this takes the place of br_ec_get_default and of the defaults of ECDSA.
 */
#ifndef TEST_SUPPORT_QUICK_CURVES_H
#define TEST_SUPPORT_QUICK_CURVES_H

/* Nothing to do; it pulls the file in. */
void test_curves_remember(void);

#endif
