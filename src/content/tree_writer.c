/* Trees written from left to right: one open node a level. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/tree_node.h"

typedef struct level {
  bez_buf bytes; /* of the open node */
  uint8_t hashes[BEZ_NODE_ENTRIES][32];
  bez_tree_entry sum; /* of the open node; first holds its only entry while n is 1 */
  bez_tree_entry first;
  size_t n;
  bool closed; /* a node of this level is there already */
} level;

struct bez_tree_writer {
  bez_pack *pack;
  bez_tree_kind kind;
  bez_sipkey key;
  level levels[BEZ_TREE_HEIGHT]; /* levels[0] holds the entries of leaves */
};

bez_status bez_tree_begin(bez_pack *pack, bez_tree_kind kind, bez_sipkey key, bez_tree_writer **out, bez_error *err) {
  bez_tree_writer *writer = calloc(1, sizeof *writer);
  if (!writer) return bez_fail_memory(err, sizeof *writer);
  writer->pack = pack;
  writer->kind = kind;
  writer->key = key;
  *out = writer;
  return BEZ_OK;
}

void bez_tree_abandon(bez_tree_writer *writer) {
  if (!writer) return;
  for (size_t i = 0; i < BEZ_TREE_HEIGHT; i++) bez_buf_free(&writer->levels[i].bytes);
  free(writer);
}

static bool add_entry(bez_tree_writer *writer, level *at, const bez_tree_entry *entry) {
  bez_tree_entry_write(&at->bytes, writer->kind, entry);
  bez_tree_entry_hash(writer->kind, entry, at->hashes[at->n]);
  if (at->n++ == 0) at->first = *entry;
  at->sum.items += entry->items;
  at->sum.rows += entry->rows;
  at->sum.bytes += entry->bytes;
  memcpy(at->sum.last, entry->last, sizeof entry->last);
  return bez_node_ends(writer->key, entry, at->n);
}

/* The open node is put into the pack; *out is its entry. */
static bez_status close_node(bez_tree_writer *writer, level *at, bez_tree_entry *out, bez_error *err) {
  bez_status st = bez_buf_status(&at->bytes, err);
  if (st != BEZ_OK) return st;
  *out = at->sum;
  bez_merkle_fold(at->hashes, at->n, out->root);
  st = bez_pack_put(writer->pack, BEZ_OBJECT_NODE, at->bytes.data, at->bytes.len, &out->id, err);
  bez_buf_clear(&at->bytes);
  at->sum = (bez_tree_entry){0};
  at->n = 0;
  at->closed = true;
  return st;
}

static bez_status add_at(bez_tree_writer *writer, size_t height, const bez_tree_entry *entry, bez_error *err) {
  bez_tree_entry up = *entry;
  bez_status st = BEZ_OK;
  for (size_t i = height; st == BEZ_OK; i++) {
    if (i == BEZ_TREE_HEIGHT) return bez_fail(err, BEZ_LIMIT, NULL, "a tree of more than %u levels", BEZ_TREE_HEIGHT);
    bool ends = add_entry(writer, &writer->levels[i], &up);
    if (!ends) return BEZ_OK;
    st = close_node(writer, &writer->levels[i], &up, err);
  }
  return st;
}

bez_status bez_tree_leaf(bez_tree_writer *writer, const bez_tree_entry *leaf, bez_error *err) {
  return add_at(writer, 0, leaf, err);
}

bool bez_tree_takes(const bez_tree_writer *writer, unsigned height) {
  for (unsigned i = 0; i + 1 < height && i < BEZ_TREE_HEIGHT; i++)
    if (writer->levels[i].n) return false;
  return height <= BEZ_TREE_HEIGHT;
}

bez_status bez_tree_subtree(bez_tree_writer *writer, unsigned height, const bez_tree_entry *entry, bez_error *err) {
  if (height < 1 || !bez_tree_takes(writer, height))
    return bez_fail(err, BEZ_INTERNAL, NULL, "a subtree amid an open node");
  for (unsigned i = 0; i + 1 < height; i++) writer->levels[i].closed = true;
  return add_at(writer, height - 1, entry, err);
}

static bez_status close_all(bez_tree_writer *writer, bez_tree *out, bez_error *err) {
  bez_status st = BEZ_OK;
  for (unsigned i = 0; i < BEZ_TREE_HEIGHT && st == BEZ_OK; i++) {
    level *at = &writer->levels[i];
    if (!at->closed && at->n <= 1) { /* nothing came before: the only entry is the top */
      out->height = at->n ? (uint8_t)(i + 1) : 0;
      if (at->n) out->top = at->first;
      return BEZ_OK;
    }
    if (!at->n) continue;
    bez_tree_entry up = {0};
    st = close_node(writer, at, &up, err);
    if (st == BEZ_OK) st = add_at(writer, i + 1, &up, err);
  }
  return st == BEZ_OK ? bez_fail(err, BEZ_LIMIT, NULL, "a tree of more than %u levels", BEZ_TREE_HEIGHT) : st;
}

bez_status bez_tree_finish(bez_tree_writer *writer, bez_tree *out, bez_error *err) {
  bez_buf root = {0};
  *out = (bez_tree){.kind = writer->kind};
  bez_status st = close_all(writer, out, err);
  bez_tree_root_write(&root, out);
  if (st == BEZ_OK) st = bez_buf_status(&root, err);
  if (st == BEZ_OK) st = bez_pack_put(writer->pack, BEZ_OBJECT_BLOB, root.data, root.len, &out->id, err);
  bez_buf_free(&root);
  bez_tree_abandon(writer);
  return st;
}
