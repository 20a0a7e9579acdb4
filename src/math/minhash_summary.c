/* Signatures as a mergeable summary. Body: le64 number of rows, then n le32 entries per row. */
#include <stdlib.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/hash.h"
#include "math/minhash.h"

uint64_t bez_minhash_digest(const bez_minhash_params *params) {
  return bez_mix64(bez_mix64(params->seed ^ 0x6d696e68617368ull) ^ params->n);
}

static bez_status create(const void *params, void **state, bez_error *err) {
  const bez_minhash_params *p = params;
  *state = NULL;
  if (!p->n || p->n > BEZ_MINHASH_MAX || p->n % BEZ_MINHASH_LANE)
    return bez_fail(err, BEZ_USAGE, "minhash", "%u entries: a multiple of 32 up to 256 is possible", p->n);
  bez_minhash_rows *rows = calloc(1, sizeof *rows);
  if (!rows) return bez_fail_memory(err, sizeof *rows);
  rows->hash = bez_minhash_make(p->n, 0, p->seed);
  *state = rows;
  return BEZ_OK;
}

static bez_status reserve(bez_minhash_rows *rows, uint64_t more, bez_error *err) {
  if (rows->n_rows + more <= rows->cap) return BEZ_OK;
  uint64_t cap = (rows->n_rows + more) * 2;
  uint32_t *grown = reallocarray(rows->signature, (size_t)cap, rows->hash.n * sizeof *grown);
  if (!grown) return bez_fail_memory(err, (size_t)cap * rows->hash.n * sizeof *grown);
  rows->signature = grown;
  rows->cap = cap;
  return BEZ_OK;
}

static bez_status update(void *state, const void *batch, bez_error *err) {
  bez_minhash_rows *rows = state;
  const bez_minhash_batch *b = batch;
  bez_status st = reserve(rows, b->n, err);
  for (size_t i = 0; i < b->n && st == BEZ_OK; i++)
    bez_minhash_signature(&rows->hash, b->set[i], b->n_set[i], rows->signature + rows->n_rows++ * rows->hash.n,
                          bez_cpu_features());
  return st;
}

static bez_status merge(void *state, bez_cursor *saved, bez_error *err) {
  bez_minhash_rows *rows = state;
  bez_cursor c = *saved;
  uint64_t n;
  if (!bez_cursor_count(&c, rows->hash.n * sizeof(uint32_t), &n))
    return bez_fail_at(err, BEZ_FORMAT, "minhash", -1, (int64_t)c.pos, "more signatures than bytes");
  bez_status st = reserve(rows, n, err);
  if (st != BEZ_OK) return st;
  for (uint64_t i = 0; i < n * rows->hash.n; i++)
    if (!bez_cursor_le32(&c, &rows->signature[rows->n_rows * rows->hash.n + i]))
      return bez_fail_at(err, BEZ_FORMAT, "minhash", -1, (int64_t)c.pos, "cut short");
  rows->n_rows += n;
  *saved = c;
  return BEZ_OK;
}

static bez_status save(const void *state, bez_buf *out, bez_error *err) {
  const bez_minhash_rows *rows = state;
  bez_put_le64(out, rows->n_rows);
  for (uint64_t i = 0; i < rows->n_rows * rows->hash.n; i++) bez_put_le32(out, rows->signature[i]);
  return bez_buf_status(out, err);
}

static void destroy(void *state) {
  bez_minhash_rows *rows = state;
  if (!rows) return;
  free(rows->signature);
  free(rows);
}

const bez_summary bez_minhash_summary = {.name = "minhash",
                                         .version = 1,
                                         .create = create,
                                         .update = update,
                                         .merge = merge,
                                         .save = save,
                                         .destroy = destroy};
