/* Entries of Rekor, Sigstore's transparency log: that a signature was put on record, and when. */
#ifndef BEZ_CRYPTO_REKOR_H
#define BEZ_CRYPTO_REKOR_H

#include "crypto/bundle.h"
#include "crypto/trusted_root.h"

typedef struct bez_rekor_record {
  uint64_t index;      /* in the log, over all its trees */
  int64_t at;          /* signed time of entry, seconds since 1970; INT64_MIN: the log promised none (Rekor v2) */
  const char *log_url; /* the trusted root's */
} bez_rekor_record;

/* One item of tlogEntries: its body is about this very signature, certificate and payload; the inclusion proof leads
 * from the body to the root hash of a checkpoint that the log signed; the signed entry time, where there is one, is the
 * log's. BEZ_FORMAT with the reason. */
BEZ_MUST_USE bez_status bez_rekor_verify(const json_t *entry, const bez_bundle *bundle, const bez_trusted_root *root,
                                         const char *subject, bez_rekor_record *out, bez_error *err);

/* Whether a body (JSON, hostile) of the kinds dsse 0.0.1 and 0.0.2, intoto 0.0.2, hashedrekord 0.0.1 and 0.0.2 speaks
 * of the bundle's certificate, signature and payload. */
BEZ_MUST_USE bez_status bez_rekor_body(const bez_bytes *body, const char *kind, const char *version,
                                       const bez_bundle *bundle, const char *subject, bez_error *err);

#endif
