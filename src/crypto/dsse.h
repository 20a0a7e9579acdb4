/* Dead Simple Signing Envelope, v1: what is signed is not the payload but this encoding of it and its type. */
#ifndef BEZ_CRYPTO_DSSE_H
#define BEZ_CRYPTO_DSSE_H

#include "base/json.h"
#include "crypto/key.h"
#include "crypto/signer.h"

#define BEZ_IN_TOTO_PAYLOAD "application/vnd.in-toto+json"

/* Appends "DSSEv1 <length> <type> <length> <payload>" (pre-authentication encoding). */
void bez_dsse_pae(bez_buf *out, const char *type, const void *payload, size_t len);

/* Signs that encoding and writes the envelope as a JSON value with one signature; keyid may be "". */
BEZ_MUST_USE bez_status bez_dsse_sign(bez_json *j, const char *type, const void *payload, size_t len,
                                      const bez_key *key, const char *keyid, bez_error *err);

/* The same by a key as OpenSSH has them: Ed25519 over the encoding itself; keyid is the key's fingerprint. */
BEZ_MUST_USE bez_status bez_dsse_sign_raw(bez_json *j, const char *type, const void *payload, size_t len,
                                          const bez_signer *signer, bez_error *err);
/* The payload of an envelope that one of the keys has signed so; hostile. BEZ_FORMAT: malformed, another type, or no
 * signature holds. */
BEZ_MUST_USE bez_status bez_dsse_open_raw(const json_t *envelope, const char *type, bez_ssh_key *const *keys,
                                          size_t n_keys, const char *subject, bez_buf *payload, bez_error *err);

#endif
