/* Several states as one: their bodies stand side by side as they are, so that merging costs a copy. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "format/state_chunk.h"

#define STEP ((size_t)1 << 20)

typedef struct item {
  const bez_state *state;
  const bez_state_body *body;
} item;

static int by_shard(const void *a, const void *b) {
  const item *x = a, *y = b;
  return (x->body->shard > y->body->shard) - (x->body->shard < y->body->shard);
}

/* Each shard once, none missing, all cut from the same data with the same options. */
static bez_status check(const item *items, size_t n, bez_error *err) {
  for (size_t i = 1; i < n; i++) {
    bez_status st =
        bez_state_alike(items[i - 1].body, items[i - 1].state->path, items[i].body, items[i].state->path, err);
    if (st != BEZ_OK) return st;
  }
  uint32_t n_shards = items[0].body->n_shards;
  for (uint32_t i = 0; i < n_shards; i++)
    if (i >= n || items[i].body->shard != i)
      return bez_fail(err, BEZ_USAGE, NULL, "shard %u/%u is missing: none of the %zu files holds it", i + 1, n_shards,
                      n);
  return BEZ_OK;
}

static bez_status copy(const item *from, bez_outfile *out, uint8_t *block, bez_error *err) {
  for (uint64_t at = from->body->at; at < from->body->stop;) {
    size_t n = from->body->stop - at < STEP ? (size_t)(from->body->stop - at) : STEP;
    bez_status st = bez_file_pread(from->state->fd, from->state->path, block, n, at, err);
    if (st == BEZ_OK) st = bez_outfile_write(out, block, n, err);
    if (st != BEZ_OK) return st;
    at += n;
  }
  return BEZ_OK;
}

static bez_status write_all(const item *items, size_t n, const char *path, bez_error *err) {
  bez_outfile *out = NULL;
  bez_buf head = {0};
  bez_status st = BEZ_OK;
  uint8_t *block = malloc(STEP);
  if (!block) return bez_fail_memory(err, STEP);
  bez_buf_write(&head, BEZ_STATE_MAGIC, 8);
  bez_put_le32(&head, BEZ_STATE_VERSION);
  bez_put_le32(&head, (uint32_t)n);
  BEZ_TRY(bez_buf_status(&head, err));
  BEZ_TRY(bez_outfile_open(path, &out, err));
  BEZ_TRY(bez_outfile_write(out, head.data, head.len, err));
  for (size_t i = 0; i < n; i++) BEZ_TRY(copy(&items[i], out, block, err));
  st = bez_outfile_commit(out, err);
  out = NULL;
cleanup:
  bez_outfile_abandon(out);
  bez_buf_free(&head);
  free(block);
  return st;
}

bez_status bez_state_merge(const char *const *paths, size_t n, const char *out_path, uint64_t *n_rows, bez_error *err) {
  bez_status st = BEZ_OK;
  size_t n_items = 0, at = 0;
  item *items = NULL;
  bez_state **states = calloc(n + 1, sizeof(void *));
  if (!states) return bez_fail_memory(err, n * sizeof(void *));
  for (size_t i = 0; i < n; i++) {
    BEZ_TRY(bez_state_open(paths[i], &states[i], err));
    n_items += states[i]->n_bodies;
  }
  items = calloc(n_items + 1, sizeof *items);
  if (!items) BEZ_TRY(bez_fail_memory(err, n_items * sizeof *items));
  *n_rows = 0;
  for (size_t i = 0; i < n; i++)
    for (uint32_t b = 0; b < states[i]->n_bodies; b++) items[at++] = (item){states[i], &states[i]->bodies[b]};
  qsort(items, n_items, sizeof *items, by_shard);
  BEZ_TRY(check(items, n_items, err));
  for (size_t i = 0; i < n_items; i++)
    for (uint32_t p = 0; p < items[i].body->n_parts; p++) *n_rows += items[i].body->parts[p].n_rows;
  st = write_all(items, n_items, out_path, err);
cleanup:
  for (size_t i = 0; i < n; i++) bez_state_close(states[i]);
  free(states);
  free(items);
  return st;
}
