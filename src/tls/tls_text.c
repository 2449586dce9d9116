/* The words for every TLS error, in one table. */
#include "tls/tls_text.h"
#include "tls/tls.h"
#include <stddef.h>

#define RECEIVED(alert) (BR_ERR_RECV_FATAL_ALERT + (alert))
#define SENT(alert)     (BR_ERR_SEND_FATAL_ALERT + (alert))

/* Cures that fit several errors. */
#define CHECK_PEER "check that host and port lead to the site's broker, with TLS, and not elsewhere"
#define RETRY      "nothing to do if it stays alone; else look for a bad line or somebody in between"
#define SET_BROKER "run the broker as 'sluice broker run' sets it up: TLS 1.2, ECDHE-ECDSA, P-256"
#define NEW_SERVER "use the site's own broker, 'sluice broker run', which renews its certificate"
#define NEW_NODE   "give this device a new identity: 'sluice node add NAME --replace'"
/* OpenSSL has one alert for a certificate, a revocation list and an authority. */
#define FIND_ENDED                                                                                 \
    "'sluice doctor' at the site says which, and what mends it; check the broker's clock too"
#define REPORT          "this is a fault in Sluice: please report it with the log"
#define BAD_MESSAGE     "the broker sent a TLS message that breaks the rules"
#define BAD_CERTIFICATE "the broker's certificate is damaged or badly made"

static const struct sl_tls_text texts[] = {
    {BR_ERR_OK, "no error", "nothing to do"},
    {BR_ERR_BAD_PARAM, "the TLS engine was given a bad parameter", REPORT},
    {BR_ERR_BAD_STATE, "the TLS engine was used in the wrong state", REPORT},
    {BR_ERR_UNSUPPORTED_VERSION, "the broker does not speak TLS 1.2", SET_BROKER},
    {BR_ERR_BAD_VERSION, "the answer is not TLS 1.2, or not TLS at all", CHECK_PEER},
    {BR_ERR_BAD_LENGTH, "the answer is not TLS: a record has an impossible length", CHECK_PEER},
    {BR_ERR_TOO_LARGE, "the broker sent a record larger than the agreed 512 bytes",
     "use a broker that keeps to the maximum fragment length (RFC 6066), as Mosquitto does"},
    {BR_ERR_BAD_MAC, "a record was damaged or forged on its way", RETRY},
    {BR_ERR_NO_RANDOM, "the TLS engine has no random seed", REPORT},
    {BR_ERR_UNKNOWN_TYPE, "the answer is not TLS: unknown record type", CHECK_PEER},
    {BR_ERR_UNEXPECTED, "the broker sent a TLS message at the wrong moment", CHECK_PEER},
    {BR_ERR_BAD_CCS, BAD_MESSAGE " (ChangeCipherSpec)", CHECK_PEER},
    {BR_ERR_BAD_ALERT, BAD_MESSAGE " (alert)", CHECK_PEER},
    {BR_ERR_BAD_HANDSHAKE, BAD_MESSAGE " (handshake)", CHECK_PEER},
    {BR_ERR_OVERSIZED_ID, BAD_MESSAGE " (session id)", CHECK_PEER},
    {BR_ERR_BAD_CIPHER_SUITE, "the broker chose a cipher suite that was not offered", SET_BROKER},
    {BR_ERR_BAD_COMPRESSION, "the broker chose compression, which was not offered", SET_BROKER},
    {BR_ERR_BAD_FRAGLEN, "the broker chose another fragment length than the 512 bytes offered",
     "use a broker that supports maximum fragment length (RFC 6066), as Mosquitto does"},
    {BR_ERR_BAD_SECRENEG, BAD_MESSAGE " (secure renegotiation)", CHECK_PEER},
    {BR_ERR_EXTRA_EXTENSION, "the broker sent a TLS extension that was not offered", CHECK_PEER},
    {BR_ERR_BAD_SNI, BAD_MESSAGE " (server name)", CHECK_PEER},
    {BR_ERR_BAD_HELLO_DONE, BAD_MESSAGE " (ServerHelloDone)", CHECK_PEER},
    {BR_ERR_LIMIT_EXCEEDED, "the broker's public key is too large", NEW_SERVER},
    {BR_ERR_BAD_FINISHED, "the handshake was changed on its way", RETRY},
    {BR_ERR_RESUME_MISMATCH, "the broker resumed a session with other parameters", RETRY},
    {BR_ERR_INVALID_ALGORITHM, "the broker chose an unknown algorithm", SET_BROKER},
    {BR_ERR_BAD_SIGNATURE,
     "the broker's signature is wrong: it does not have the private key of "
     "its certificate, or somebody is in between",
     "check the broker's certificate and key files, and who answers at its address"},
    {BR_ERR_WRONG_KEY_USAGE, "the broker's certificate has a key of a kind that is not supported",
     NEW_SERVER " (P-256)"},
    {BR_ERR_NO_CLIENT_AUTH, "no client certificate came", NEW_NODE},
    {BR_ERR_IO, "the transport failed", "check the network between this device and the broker"},

    {BR_ERR_X509_OK, "the broker's certificate is good", "nothing to do"},
    {BR_ERR_X509_INVALID_VALUE, BAD_CERTIFICATE " (invalid value)", NEW_SERVER},
    {BR_ERR_X509_TRUNCATED, BAD_CERTIFICATE " (cut short)", NEW_SERVER},
    {BR_ERR_X509_EMPTY_CHAIN, "the broker sent no certificate", SET_BROKER},
    {BR_ERR_X509_INNER_TRUNC, BAD_CERTIFICATE " (a part is too long)", NEW_SERVER},
    {BR_ERR_X509_BAD_TAG_CLASS, BAD_CERTIFICATE " (tag class)", NEW_SERVER},
    {BR_ERR_X509_BAD_TAG_VALUE, BAD_CERTIFICATE " (tag)", NEW_SERVER},
    {BR_ERR_X509_INDEFINITE_LENGTH, BAD_CERTIFICATE " (indefinite length)", NEW_SERVER},
    {BR_ERR_X509_EXTRA_ELEMENT, BAD_CERTIFICATE " (extra element)", NEW_SERVER},
    {BR_ERR_X509_UNEXPECTED, BAD_CERTIFICATE " (unexpected element)", NEW_SERVER},
    {BR_ERR_X509_NOT_CONSTRUCTED, BAD_CERTIFICATE " (not constructed)", NEW_SERVER},
    {BR_ERR_X509_NOT_PRIMITIVE, BAD_CERTIFICATE " (not primitive)", NEW_SERVER},
    {BR_ERR_X509_PARTIAL_BYTE, BAD_CERTIFICATE " (bit string)", NEW_SERVER},
    {BR_ERR_X509_BAD_BOOLEAN, BAD_CERTIFICATE " (boolean)", NEW_SERVER},
    {BR_ERR_X509_OVERFLOW, BAD_CERTIFICATE " (number too large)", NEW_SERVER},
    {BR_ERR_X509_BAD_DN, BAD_CERTIFICATE " (name)", NEW_SERVER},
    {BR_ERR_X509_BAD_TIME, BAD_CERTIFICATE " (date)", NEW_SERVER},
    {BR_ERR_X509_UNSUPPORTED,
     "the broker's certificate uses a kind of key or signature that is not supported",
     NEW_SERVER " (P-256, ECDSA with SHA-256)"},
    {BR_ERR_X509_LIMIT_EXCEEDED, "the broker's certificate has too large a key", NEW_SERVER},
    {BR_ERR_X509_WRONG_KEY_TYPE, "a certificate of the broker's chain has the wrong kind of key",
     NEW_SERVER},
    {BR_ERR_X509_BAD_SIGNATURE, "the signature under the broker's certificate is wrong",
     "check that the broker's certificate was signed by this site's CA; " NEW_SERVER},
    {BR_ERR_X509_TIME_UNKNOWN, "the time is not known, so no certificate can be checked",
     "check this device's clock or its SNTP server"},
    {BR_ERR_X509_EXPIRED, "the broker's certificate is not valid on this date",
     "check the broker's clock and this device's clock, or " NEW_SERVER},
    {BR_ERR_X509_DN_MISMATCH, "the broker's certificates do not form a chain",
     "give the broker its own certificate, signed by this site's CA, and nothing else"},
    {BR_ERR_X509_BAD_SERVER_NAME, "the broker's certificate is for another name",
     "check whether another broker answers at this address; if the site's has a new "
     "name, " NEW_NODE},
    {BR_ERR_X509_CRITICAL_EXTENSION,
     "the broker's certificate has a critical extension that is not supported",
     NEW_SERVER "; its extended key usage must not be critical"},
    {BR_ERR_X509_NOT_CA, "the broker's certificate was signed by a certificate that is no CA",
     NEW_SERVER},
    {BR_ERR_X509_FORBIDDEN_KEY_USAGE, "the broker's certificate forbids this use of its key",
     NEW_SERVER " (digitalSignature)"},
    {BR_ERR_X509_WEAK_PUBLIC_KEY, "the broker's certificate has too small a key",
     NEW_SERVER " (P-256)"},
    {BR_ERR_X509_NOT_TRUSTED, "the broker's certificate was not signed by this site's CA",
     "check that this is the site's broker; if the site has a new CA, " NEW_NODE},

    {RECEIVED(BR_ALERT_UNEXPECTED_MESSAGE), "the broker got a TLS message at the wrong moment",
     REPORT},
    {RECEIVED(BR_ALERT_BAD_RECORD_MAC), "the broker got a damaged or forged record", RETRY},
    {RECEIVED(BR_ALERT_RECORD_OVERFLOW), "the broker got too large a record", REPORT},
    {RECEIVED(BR_ALERT_DECOMPRESSION_FAILURE), "the broker could not decompress a record",
     SET_BROKER},
    {RECEIVED(BR_ALERT_HANDSHAKE_FAILURE),
     "the broker and this device have no TLS setting in common, or the broker misses a certificate "
     "from us",
     SET_BROKER},
    {RECEIVED(BR_ALERT_BAD_CERTIFICATE),
     "the broker refused our certificate: it is damaged, or it or the revocation list begins only "
     "later by the broker's clock",
     "check the broker's clock; if it is right, " NEW_NODE},
    {RECEIVED(BR_ALERT_UNSUPPORTED_CERTIFICATE),
     "the broker refused our certificate: its kind or its purpose is wrong", NEW_NODE},
    {RECEIVED(BR_ALERT_CERTIFICATE_REVOKED), "the broker refused our certificate: it is revoked",
     "if this device is to come back, " NEW_NODE},
    {RECEIVED(BR_ALERT_CERTIFICATE_EXPIRED),
     "the broker refused our certificate: by its clock this certificate, the revocation list or "
     "the authority has ended",
     FIND_ENDED},
    {RECEIVED(BR_ALERT_CERTIFICATE_UNKNOWN), "the broker refused our certificate", NEW_NODE},
    {RECEIVED(BR_ALERT_ILLEGAL_PARAMETER), "the broker refused a value in our TLS message",
     SET_BROKER},
    {RECEIVED(BR_ALERT_UNKNOWN_CA), "the broker does not know the CA of our certificate",
     "check that this identity and the broker are of the same site; " NEW_NODE},
    {RECEIVED(BR_ALERT_ACCESS_DENIED), "the broker denied access to this device",
     "check with 'sluice node list' that the node belongs to this site"},
    {RECEIVED(BR_ALERT_DECODE_ERROR), "the broker could not read our TLS message", REPORT},
    {RECEIVED(BR_ALERT_DECRYPT_ERROR), "the broker found our signature or Finished message wrong",
     "check that certificate and private key of this device belong together; " NEW_NODE},
    {RECEIVED(BR_ALERT_PROTOCOL_VERSION), "the broker does not speak TLS 1.2", SET_BROKER},
    {RECEIVED(BR_ALERT_INSUFFICIENT_SECURITY), "the broker demands stronger TLS settings than ours",
     SET_BROKER},
    {RECEIVED(BR_ALERT_INTERNAL_ERROR), "the broker had an internal TLS error",
     "look into the broker's log"},
    {RECEIVED(BR_ALERT_USER_CANCELED), "the broker cancelled the handshake",
     "look into the broker's log"},
    {RECEIVED(BR_ALERT_NO_RENEGOTIATION), "the broker refused renegotiation", REPORT},
    {RECEIVED(BR_ALERT_UNSUPPORTED_EXTENSION), "the broker refused a TLS extension of ours",
     SET_BROKER},
    {RECEIVED(BR_ALERT_NO_APPLICATION_PROTOCOL), "the broker demands an application protocol name",
     SET_BROKER},

    {SENT(BR_ALERT_UNEXPECTED_MESSAGE), "the broker sent a TLS message at the wrong moment",
     CHECK_PEER},
    {SENT(BR_ALERT_HANDSHAKE_FAILURE), "this device and the broker have no TLS setting in common",
     SET_BROKER},
    {SENT(BR_ALERT_NO_RENEGOTIATION), "the broker asked for renegotiation, which is refused",
     SET_BROKER},

    {SL_TLS_ERR_NO_FRAGMENT, "the broker did not agree to records of 512 bytes",
     "use a broker that supports maximum fragment length (RFC 6066), as Mosquitto does"},
    {SL_TLS_ERR_NOT_ASKED, "the broker did not ask for our certificate: it lets anybody in",
     "set 'require_certificate true' in the broker's configuration, or use 'sluice broker run'"},
    {SL_TLS_ERR_NO_TIME, "the time is not known, so no certificate can be checked",
     "check this device's clock or its SNTP server"},
    {SL_TLS_ERR_CREDENTIALS, "this device's certificate, key or trust anchor is unusable",
     NEW_NODE},
    {SL_TLS_ERR_NO_NAME, "there is no server name to check the broker's certificate against",
     NEW_NODE},
};

const struct sl_tls_text *sl_tls_text(uint16_t error)
{
    static const struct sl_tls_text received = {
        0, "the broker refused with a TLS alert of no known meaning", "look into the broker's log"};
    static const struct sl_tls_text sent = {0, "this device refused a TLS message of the broker",
                                            CHECK_PEER};
    static const struct sl_tls_text unknown = {0, "unknown TLS error", REPORT};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].error == error)
            return &texts[i];
    }
    if (error >= RECEIVED(0) && error <= RECEIVED(255))
        return &received;
    if (error >= SENT(0) && error <= SENT(255))
        return &sent;
    return &unknown;
}
