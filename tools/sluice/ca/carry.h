/* What is carried between a site and the machine that has its CA's key: a request file there, an
 * answer file back. Layouts: docs/custody.md. Both are JSON with PEM inside; neither is secret, and
 * nothing in them is believed: the CA's machine derives every name from its own copy of site.json,
 * and the site takes only what its authority has signed for keys that the site has.
 */
#ifndef SL_CLI_CARRY_H
#define SL_CLI_CARRY_H

#include "ca/crl.h"
#include "ca/issue.h"

struct cJSON;

#define SL_CARRY_MAX              4194304 /* bytes of a file */
#define SL_CARRY_CERTIFICATES_MAX 64

/* An empty one of a kind ("sluice_request", "sluice_answer") for this authority. */
struct cJSON *sl_carry_begin(const char *kind, const X509 *authority);
SL_MUST_CHECK enum sl_exit sl_carry_write(const char *path, struct cJSON *json);
/* Checked for its kind and its authority. The caller deletes *json. */
SL_MUST_CHECK enum sl_exit sl_carry_read(const char *path, const char *kind, const X509 *authority,
                                         struct cJSON **json);

/* One of "certificates": what it is for, whose, and PEM in the member `what`. */
SL_MUST_CHECK bool sl_carry_add(struct cJSON *json, const char *purpose, const char *name,
                                const char *what, BIO *pem);
/* A request for key under this name. */
SL_MUST_CHECK enum sl_exit sl_carry_ask(struct cJSON *json, const char *purpose, const char *name,
                                        EVP_PKEY *key);

#endif
