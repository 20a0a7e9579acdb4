/* Summaries that merge: what can be computed over parts of the data and put together. Threads use them in one
 * process; shards will use them across processes. Saved bytes are hostile input when they come back. */
#ifndef BEZ_BASE_SUMMARY_H
#define BEZ_BASE_SUMMARY_H

#include "base/buf.h"
#include "base/cursor.h"

typedef struct bez_summary {
  const char *name; /* "ngram-counts" */
  uint32_t version; /* of the saved form */
  /* params is the kind's own struct; its digest is saved, and merging different parameters is BEZ_USAGE. */
  bez_status (*create)(const void *params, void **state, bez_error *err);
  bez_status (*update)(void *state, const void *batch, bez_error *err);
  bez_status (*merge)(void *state, bez_cursor *saved, bez_error *err);
  bez_status (*save)(const void *state, bez_buf *out, bez_error *err);
  void (*destroy)(void *state);
} bez_summary; /* finish is the kind's own function: what it yields differs per kind */

/* The envelope around every saved state: magic "BEZS", name, version, parameter digest, length. */
BEZ_MUST_USE bez_status bez_summary_seal(const bez_summary *kind, uint64_t params_digest, const bez_buf *body,
                                         bez_buf *out, bez_error *err);
BEZ_MUST_USE bez_status bez_summary_open(const bez_summary *kind, uint64_t params_digest, const uint8_t *bytes,
                                         size_t len, bez_cursor *body, bez_error *err);

#endif
