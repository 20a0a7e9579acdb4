/* Canonical digests on their way into a sorted tree: gathered by their leading bits, sorted tile by tile. */
#ifndef BEZ_CONTENT_DIGESTS_H
#define BEZ_CONTENT_DIGESTS_H

#include "content/sorted.h"

/* Digests, ascending, each once with how often it occurs. */
typedef struct bez_digest_run {
  uint8_t (*digests)[32];
  uint64_t *counts;
  size_t n;
} bez_digest_run; /* zero-initialise; release with bez_digest_run_free */
void bez_digest_run_free(bez_digest_run *run);
/* n ≤ 2^32 digests in any order → a run. The digests are left as they are. */
BEZ_MUST_USE bez_status bez_digest_run_sort(const uint8_t (*digests)[32], size_t n, bez_digest_run *out,
                                            bez_error *err);
/* Both together in *a; b is released. */
BEZ_MUST_USE bez_status bez_digest_run_merge(bez_digest_run *a, bez_digest_run *b, bez_error *err);

uint64_t bez_digests_count(const bez_digests *digests); /* NULL: 0 */

/* A stretch of the sorted sequence, in tiles. */
#define BEZ_WINDOW_TILES 64u
typedef struct bez_digest_window {
  bez_digest_run tiles[BEZ_WINDOW_TILES];
  size_t n_tiles;    /* 0: there is no more */
} bez_digest_window; /* zero-initialise; release with bez_digest_window_free */
/* The next stretch, replacing the last one. Tiles do not depend on the number of threads. */
BEZ_MUST_USE bez_status bez_digests_next(bez_digests *digests, unsigned threads, bez_digest_window *window,
                                         bez_error *err);
void bez_digest_window_free(bez_digest_window *window);

#endif
