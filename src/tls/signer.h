/* Our side of client authentication: tells BearSSL which certificate to show, signs with its key,
 * and notes that the server asked. */
#ifndef SL_TLS_SIGNER_H
#define SL_TLS_SIGNER_H

#include "base/bytes.h"
#include <bearssl.h>

struct sl_signer {
    const br_ssl_client_certificate_class *vtable; /* first: BearSSL hands its address back */
    br_x509_certificate chain[1];
    br_ec_private_key private_key;
    const br_ec_impl *curves;
    bool was_asked; /* for a certificate that we can give: ECDSA with SHA-256 */
};

/* Keeps: the views and curves, which must outlive the signer. */
void sl_signer_init(struct sl_signer *signer, struct sl_view certificate,
                    struct sl_view private_key, const br_ec_impl *curves);

#endif
