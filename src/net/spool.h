/* What remote paths name, fetched once and kept for a data set: in memory within a share of --memory, else in an
 * unlinked temporary file. */
#ifndef BEZ_NET_SPOOL_H
#define BEZ_NET_SPOOL_H

#include "bezoar/base.h"

typedef struct bez_spool bez_spool;

typedef struct bez_spool_options {
  uint64_t memory; /* bytes kept in memory; 0: none, all goes to the temporary file */
  uint64_t most;   /* bytes to fetch in all; 0: 64 GiB */
  double stall;    /* seconds without a byte after which a connection counts as dropped; 0: 60 */
  bez_progress_fn progress;
  void *progress_ctx;
} bez_spool_options;

/* Does nothing on the network yet. */
BEZ_MUST_USE bez_status bez_spool_create(const bez_spool_options *options, bez_spool **out, bez_error *err);
void bez_spool_destroy(bez_spool *spool); /* NULL is fine */

/* Asks what the URL names; again for the same URL costs nothing. *ids is borrowed until the next call. */
BEZ_MUST_USE bez_status bez_spool_add(bez_spool *spool, const char *url, const size_t **ids, size_t *n, bez_error *err);
/* How errors and reports name the object: without what may be secret, and as no other object of this spool. */
const char *bez_spool_name(const bez_spool *spool, size_t id);
/* SIZE_MAX: no object of that name. */
size_t bez_spool_find(const bez_spool *spool, const char *name);

/* Fetches those of the objects that are not there yet. The error names the one that failed; what came whole stays. */
BEZ_MUST_USE bez_status bez_spool_fetch(bez_spool *spool, const size_t *ids, size_t n, bez_error *err);
/* The content; valid until the next fetch. NULL: not fetched. */
const void *bez_spool_bytes(const bez_spool *spool, size_t id, uint64_t *size);

#endif
