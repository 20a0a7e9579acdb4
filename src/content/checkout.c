/* Checkout: leaves are fetched and verified by threads, and written in order. */
#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"
#include "content/checkout_target.h"
#include "content/ingest.h"

#define ROUND 1024u             /* leaves at a time … */
#define ROUND_BYTES (32u << 20) /* … unless they are large */
#define TILE 16u

typedef struct checkout {
  const bez_objects *objects;
  bez_tree_walk *walk;
  bez_tree_entry leaves[ROUND];
  bez_tree_place places[ROUND];
  bez_buf bytes[ROUND];
  size_t n;
  bool end;
  bez_target *target;
} checkout;

static bez_status read_leaf(checkout *c, size_t i, bez_error *err) {
  bez_error why = {0};
  const bez_tree_place *place = &c->places[i];
  bez_status st = bez_objects_get(c->objects, BEZ_OBJECT_LEAF, &c->leaves[i].id, &c->bytes[i], &why);
  if (st == BEZ_OK) return BEZ_OK;
  return bez_fail(err, st, why.subject, "%s (rows %llu to %llu)", why.message, (unsigned long long)place->row,
                  (unsigned long long)(place->row + (c->leaves[i].rows ? c->leaves[i].rows - 1 : 0)));
}

static bez_status read_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  checkout *c = ctx;
  bez_status st = BEZ_OK;
  for (size_t i = tile * TILE; i < c->n && i < (tile + 1) * TILE && st == BEZ_OK; i++) st = read_leaf(c, i, err);
  return st;
}

/* The next leaves' entries. */
static bez_status gather(checkout *c, bez_error *err) {
  uint64_t bytes = 0;
  for (c->n = 0; c->n < ROUND && bytes < ROUND_BYTES; c->n++) {
    bez_status st = bez_tree_walk_next(c->walk, &c->leaves[c->n], &c->places[c->n], &c->end, err);
    if (st != BEZ_OK || c->end) return st;
    bytes += c->leaves[c->n].bytes;
  }
  return BEZ_OK;
}

/* Whether the version is one file: its first item says so. */
static bool is_folder(const checkout *c) {
  bez_cursor at = {.data = (const uint8_t *)c->bytes[0].data, .len = c->bytes[0].len};
  bez_item item;
  if (!c->n || !bez_item_next(&at, &item)) return true;
  return (item.type != BEZ_ITEM_FILE && item.type != BEZ_ITEM_FILE_ROW) || bez_item_name_len(&item);
}

static bez_status write_leaf(checkout *c, size_t i, bez_error *err) {
  bez_cursor at = {.data = (const uint8_t *)c->bytes[i].data, .len = c->bytes[i].len};
  bez_tree_entry sum = {0};
  while (bez_cursor_left(&at)) {
    bez_item item;
    if (!bez_item_next(&at, &item)) return bez_fail(err, BEZ_FORMAT, "leaf", "an item of a leaf is malformed");
    bez_status st = bez_target_put(c->target, &item, err);
    if (st != BEZ_OK) return st;
    sum.items++;
    sum.rows += bez_item_is_row(item.type);
    sum.bytes += bez_item_file_bytes(&item);
  }
  const bez_tree_entry *said = &c->leaves[i];
  if (sum.items != said->items || sum.rows != said->rows || sum.bytes != said->bytes)
    return bez_fail(err, BEZ_FORMAT, "leaf", "a leaf does not hold what its tree says");
  return BEZ_OK;
}

static bez_status write_round(checkout *c, const char *path, unsigned threads, bez_error *err) {
  bez_status st = bez_parallel((c->n + TILE - 1) / TILE, threads, read_tile, c, err);
  if (st == BEZ_OK && !c->target) st = bez_target_open(path, is_folder(c), &c->target, err);
  for (size_t i = 0; i < c->n && st == BEZ_OK; i++) {
    st = write_leaf(c, i, err);
    if (c->bytes[i].cap > (1u << 16)) bez_buf_free(&c->bytes[i]);
  }
  return st;
}

bez_status bez_checkout(const bez_objects *objects, const bez_tree *rows, const char *path,
                        const bez_checkout_options *o, bez_error *err) {
  bez_status st = BEZ_OK;
  checkout *c = calloc(1, sizeof *c);
  if (!c) return bez_fail_memory(err, sizeof *c);
  c->objects = objects;
  if (!rows->height) BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "the version is empty: there is nothing to write"));
  BEZ_TRY(bez_target_check(path, o->replace, rows->top.bytes, err));
  BEZ_TRY(bez_tree_walk_begin(objects, rows, &c->walk, err));
  while (!c->end) {
    BEZ_TRY(gather(c, err));
    BEZ_TRY(write_round(c, path, o->threads, err));
    uint64_t done = c->n ? c->places[c->n - 1].byte : rows->top.bytes;
    if (o->progress && !o->progress(o->progress_ctx, "writing", "bytes", done, rows->top.bytes))
      BEZ_TRY(bez_fail(err, BEZ_CANCELLED, NULL, "cancelled"));
  }
  if (o->ready) BEZ_TRY(o->ready(o->ready_ctx, err));
  if (c->target) {
    bez_target *target = c->target;
    c->target = NULL;
    BEZ_TRY(bez_target_commit(target, err));
  }
cleanup:
  bez_target_abandon(c->target);
  bez_tree_walk_end(c->walk);
  for (size_t i = 0; i < ROUND; i++) bez_buf_free(&c->bytes[i]);
  free(c);
  return st;
}
