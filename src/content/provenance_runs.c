/* Runs of provenance trees: written, read, found. */
#include "content/provenance_runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"

enum { BATCH = sizeof(bez_batch) };

void bez_run_hash(uint64_t n_rows, const bez_batch *batch, uint8_t out[32]) {
  uint8_t all[1 + 8 + BATCH] = {0};
  for (unsigned i = 0; i < 8; i++) all[1 + i] = (uint8_t)(n_rows >> (8 * i));
  memcpy(all + 9, batch->bytes, BATCH);
  bez_sha256(all, sizeof all, out);
}

bez_status bez_run_writer_begin(bez_run_writer *writer, bez_pack *pack, bez_sipkey key, bez_error *err) {
  *writer = (bez_run_writer){.pack = pack, .key = key};
  return bez_tree_begin(pack, BEZ_TREE_PROVENANCE, key, &writer->tree, err);
}

static bez_status write_open(bez_run_writer *writer, bez_error *err) {
  bez_buf stored = {0};
  if (!writer->open.n_rows) return BEZ_OK;
  bez_put_varint(&stored, writer->open.n_rows);
  bez_buf_write(&stored, writer->open.batch.bytes, BATCH);
  bez_status st = bez_buf_status(&stored, err);
  if (st == BEZ_OK) {
    bez_leaf_item item = {.stored = stored.data, .len = stored.len, .rows = writer->open.n_rows};
    bez_run_hash(writer->open.n_rows, &writer->open.batch, item.hash);
    bool ends = bez_leaf_add(&writer->leaf, writer->key, &item);
    if (ends) st = bez_leaf_flush(&writer->leaf, writer->pack, writer->tree, err);
  }
  bez_buf_free(&stored);
  writer->open.n_rows = 0;
  return st;
}

bez_status bez_run_writer_add(bez_run_writer *writer, uint64_t n_rows, bez_batch batch, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!n_rows) return BEZ_OK;
  bool more = writer->open.n_rows && memcmp(&writer->open.batch, &batch, BATCH) == 0;
  if (!more) st = write_open(writer, err);
  writer->open.batch = batch;
  writer->open.n_rows += n_rows;
  return st;
}

bez_status bez_run_writer_finish(bez_run_writer *writer, bez_tree *out, bez_error *err) {
  bez_status st = write_open(writer, err);
  if (st == BEZ_OK) st = bez_leaf_flush(&writer->leaf, writer->pack, writer->tree, err);
  if (st != BEZ_OK) return st;
  bez_tree_writer *tree = writer->tree;
  writer->tree = NULL;
  return bez_tree_finish(tree, out, err);
}

void bez_run_writer_free(bez_run_writer *writer) {
  bez_tree_abandon(writer->tree);
  bez_leaf_free(&writer->leaf);
  writer->tree = NULL;
}

static const char *leaf_differs(const bez_tree_entry *above, const bez_run_leaf *leaf) {
  uint8_t hashes[BEZ_LEAF_ITEMS][32], root[32];
  const bez_run *last = &leaf->runs[leaf->n - 1];
  for (size_t i = 0; i < leaf->n; i++) bez_run_hash(leaf->runs[i].n_rows, &leaf->runs[i].batch, hashes[i]);
  if (leaf->n != above->items || last->row + last->n_rows != above->rows)
    return "its counts are not those of the entry above";
  bez_merkle_fold(hashes, leaf->n, root);
  return memcmp(root, above->root, 32) != 0 ? "its Merkle root is not that of the entry above" : NULL;
}

bez_status bez_run_leaf_parse(const void *bytes, size_t len, const bez_tree_entry *above, bez_run_leaf *out,
                              bez_error *err) {
  bez_cursor c = {bytes, len, 0};
  uint64_t row = 0;
  out->n = 0;
  while (bez_cursor_left(&c)) {
    const uint8_t *batch;
    if (out->n == BEZ_LEAF_ITEMS) return bez_fail(err, BEZ_FORMAT, NULL, "a provenance leaf of more than 64 runs");
    bez_run *run = &out->runs[out->n++];
    run->row = row;
    if (!bez_cursor_varint(&c, &run->n_rows) || !run->n_rows || !bez_cursor_take(&c, BATCH, &batch) ||
        __builtin_add_overflow(row, run->n_rows, &row))
      return bez_fail_at(err, BEZ_FORMAT, NULL, -1, (int64_t)c.pos, "malformed run in a provenance leaf");
    memcpy(run->batch.bytes, batch, BATCH);
  }
  if (!out->n) return bez_fail(err, BEZ_FORMAT, NULL, "a provenance leaf of no runs");
  const char *differs = above ? leaf_differs(above, out) : NULL;
  return differs ? bez_fail(err, BEZ_FORMAT, NULL, "a provenance leaf is not what the tree says: %s", differs) : BEZ_OK;
}

static bez_status read_leaf(const bez_objects *objects, const bez_tree_entry *above, bez_buf *scratch,
                            bez_run_leaf *out, bez_error *err) {
  bez_error why = {0};
  bez_status st = bez_objects_get(objects, BEZ_OBJECT_LEAF, &above->id, scratch, err);
  if (st != BEZ_OK) return st;
  st = bez_run_leaf_parse(scratch->data, scratch->len, above, out, &why);
  if (st == BEZ_OK) return st;
  char hex[65];
  bez_hex(above->id.bytes, BEZ_ID, hex);
  return bez_fail_at(err, st, hex, -1, why.offset, "%s", why.message);
}

bez_status bez_provenance_of(const bez_objects *objects, const bez_tree *tree, uint64_t row, bez_run *out,
                             bez_error *err) {
  bez_tree_walk *walk = NULL;
  bez_tree_entry entry;
  bez_tree_place place = {0};
  bez_buf scratch = {0};
  bool end = false;
  bez_run_leaf leaf;
  bez_status st = bez_tree_walk_begin(objects, tree, &walk, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_tree_walk_to_row(walk, row, err));
  BEZ_TRY(bez_tree_walk_next(walk, &entry, &place, &end, err));
  if (end) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, NULL, "no leaf where there is a row"));
  BEZ_TRY(read_leaf(objects, &entry, &scratch, &leaf, err));
  size_t i = 0;
  while (i + 1 < leaf.n && place.row + leaf.runs[i + 1].row <= row) i++;
  *out = leaf.runs[i];
  out->row += place.row;
cleanup:
  bez_tree_walk_end(walk);
  bez_buf_free(&scratch);
  return st;
}

bez_status bez_provenance_each(const bez_objects *objects, const bez_tree *tree,
                               bez_status (*fn)(void *ctx, const bez_run *run, bez_error *err), void *ctx,
                               bez_error *err) {
  bez_tree_walk *walk = NULL;
  bez_tree_entry entry;
  bez_tree_place place;
  bez_buf scratch = {0};
  bool end = false;
  bez_run_leaf leaf;
  bez_status st = bez_tree_walk_begin(objects, tree, &walk, err);
  if (st != BEZ_OK) return st;
  for (;;) {
    BEZ_TRY(bez_tree_walk_next(walk, &entry, &place, &end, err));
    if (end) break;
    BEZ_TRY(read_leaf(objects, &entry, &scratch, &leaf, err));
    for (size_t i = 0; i < leaf.n; i++) {
      leaf.runs[i].row += place.row;
      BEZ_TRY(fn(ctx, &leaf.runs[i], err));
    }
  }
cleanup:
  bez_tree_walk_end(walk);
  bez_buf_free(&scratch);
  return st;
}
