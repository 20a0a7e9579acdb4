/* Rows in tiles (digest_team.h). */
#include "content/digest_team.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"

#define TILE 512u
#define STEP 65536u /* rows whose digests are in memory at once */

struct bez_digest_team {
  unsigned threads;
  bez_canonical **canonical; /* one per thread */
  uint8_t (*out)[32];        /* STEP */
  uint64_t first, n;         /* of the step */
  bez_status (*row)(void *ctx, uint64_t i, bez_canonical *c, uint8_t out[32], bez_error *err);
  void *ctx;
};

bez_status bez_digest_team_create(bez_digest_team **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_digest_team *t = calloc(1, sizeof *t);
  if (!t) return bez_fail_memory(err, sizeof *t);
  t->threads = bez_cpu_count();
  t->canonical = calloc(t->threads, sizeof(bez_canonical *));
  t->out = calloc(STEP, sizeof *t->out);
  if (!t->canonical || !t->out) BEZ_TRY(bez_fail_memory(err, STEP * sizeof *t->out));
  for (unsigned i = 0; i < t->threads; i++) BEZ_TRY(bez_canonical_create(&t->canonical[i], err));
cleanup:
  if (st != BEZ_OK)
    bez_digest_team_free(t);
  else
    *out = t;
  return st;
}

void bez_digest_team_free(bez_digest_team *t) {
  if (!t) return;
  for (unsigned i = 0; t->canonical && i < t->threads; i++) bez_canonical_free(t->canonical[i]);
  free(t->canonical);
  free(t->out);
  free(t);
}

static bez_status digest_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  bez_digest_team *t = ctx;
  uint64_t end = (tile + 1) * TILE < t->n ? (tile + 1) * TILE : t->n;
  for (uint64_t i = tile * TILE; i < end; i++) {
    bez_status st = t->row(t->ctx, t->first + i, t->canonical[worker], t->out[i], err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_digest_team_run(bez_digest_team *t, uint64_t n,
                               bez_status (*row)(void *ctx, uint64_t i, bez_canonical *c, uint8_t out[32],
                                                 bez_error *err),
                               void *ctx, bez_digest_fn fn, void *fn_ctx, bez_error *err) {
  t->row = row;
  t->ctx = ctx;
  for (t->first = 0; t->first < n; t->first += t->n) {
    t->n = n - t->first < STEP ? n - t->first : STEP;
    bez_status st = bez_parallel((t->n + TILE - 1) / TILE, t->threads, digest_tile, t, err);
    if (st == BEZ_OK) st = fn(fn_ctx, t->out, (size_t)t->n, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_canonical_take(void *c, const char *name, size_t name_len, const char *value, size_t len, int kind,
                              bez_error *err) {
  (void)err;
  bez_canonical_field(c, name, name_len, value, len, (bez_field_kind)kind);
  return BEZ_OK;
}
