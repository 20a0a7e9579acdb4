/* Time stamps by an authority (RFC 3161): that a signature was there at a time. */
#ifndef BEZ_CRYPTO_TIMESTAMP_H
#define BEZ_CRYPTO_TIMESTAMP_H

#include "crypto/trusted_root.h"

/* A TimeStampResp (DER, hostile) over these bytes, by an authority of the root that was valid then. *at: seconds since
 * 1970. BEZ_FORMAT with the reason. */
BEZ_MUST_USE bez_status bez_timestamp_verify(const bez_bytes *response, const bez_bytes *over,
                                             const bez_trusted_root *root, const char *subject, int64_t *at,
                                             bez_error *err);

#endif
