/* Trees walked from left to right, every node checked against the entry above it. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "content/tree_node.h"
#include "crypto/digest.h"

bez_status bez_tree_open(const bez_objects *objects, bez_tree_kind kind, const bez_id *id, bez_tree *out,
                         bez_error *err) {
  bez_buf bytes = {0};
  char hex[65];
  bez_tree_empty(kind, out);
  if (bez_id_compare(id, &out->id) == 0) return BEZ_OK; /* is known without a store */
  bez_status st = bez_objects_get(objects, BEZ_OBJECT_BLOB, id, &bytes, err);
  if (st == BEZ_OK && !bez_tree_root_parse(kind, bytes.data, bytes.len, out)) {
    bez_hex(id->bytes, BEZ_ID, hex);
    st = bez_fail(err, BEZ_FORMAT, hex, "is not the root of a tree of kind %c", (char)kind);
  }
  if (st == BEZ_OK && out->top.rows > BEZ_MAX_ROWS) {
    bez_hex(id->bytes, BEZ_ID, hex);
    st = bez_fail(err, BEZ_LIMIT, hex, "says %llu rows, more than a data set may have",
                  (unsigned long long)out->top.rows);
  }
  out->id = *id;
  bez_buf_free(&bytes);
  return st;
}

typedef struct frame {
  bez_tree_node node;
  size_t next; /* entry */
} frame;

struct bez_tree_walk {
  const bez_objects *objects;
  bez_tree tree;
  frame *frames[BEZ_TREE_HEIGHT]; /* kept once made; frames[0] holds the top alone */
  unsigned depth;                 /* frames in use; the entries of frame height - 1 are leaves */
  bez_tree_place place;           /* of what comes next */
  bez_buf scratch;
};

static bez_status room_for_frame(bez_tree_walk *walk, bez_error *err) {
  frame **at = &walk->frames[walk->depth];
  if (!*at) *at = malloc(sizeof **at);
  if (!*at) return bez_fail_memory(err, sizeof **at);
  (*at)->next = 0;
  (*at)->node.n = 0;
  return BEZ_OK;
}

static void to_start(bez_tree_walk *walk) {
  walk->place = (bez_tree_place){0};
  walk->depth = walk->frames[0] ? 1 : 0; /* an empty tree has no top */
  if (walk->frames[0]) walk->frames[0]->next = 0;
}

bez_status bez_tree_walk_begin(const bez_objects *objects, const bez_tree *tree, bez_tree_walk **out, bez_error *err) {
  bez_tree_walk *walk = calloc(1, sizeof *walk);
  if (!walk) return bez_fail_memory(err, sizeof *walk);
  walk->objects = objects;
  walk->tree = *tree;
  bez_status st = BEZ_OK;
  if (tree->height) {
    st = room_for_frame(walk, err);
    if (st == BEZ_OK) {
      walk->frames[0]->node.n = 1;
      walk->frames[0]->node.entries[0] = tree->top;
    }
  }
  if (st != BEZ_OK) {
    bez_tree_walk_end(walk);
    return st;
  }
  to_start(walk);
  *out = walk;
  return BEZ_OK;
}

void bez_tree_walk_end(bez_tree_walk *walk) {
  if (!walk) return;
  for (unsigned i = 0; i < BEZ_TREE_HEIGHT; i++) free(walk->frames[i]);
  bez_buf_free(&walk->scratch);
  free(walk);
}

static frame *deepest(bez_tree_walk *walk) {
  return walk->frames[walk->depth - 1];
}

static void pass(bez_tree_walk *walk, const bez_tree_entry *entry) {
  walk->place.item += entry->items;
  walk->place.row += entry->rows;
  walk->place.byte += entry->bytes;
  deepest(walk)->next++;
}

/* Into the node that the next entry of the deepest frame names. */
static bez_status descend(bez_tree_walk *walk, bez_error *err) {
  frame *from = deepest(walk);
  bez_status st = room_for_frame(walk, err);
  if (st != BEZ_OK) return st;
  frame *to = walk->frames[walk->depth];
  st = bez_tree_node_read(walk->objects, walk->tree.kind, &from->node.entries[from->next], &walk->scratch, &to->node,
                          err);
  if (st != BEZ_OK) return st;
  from->next++;
  walk->depth++;
  return BEZ_OK;
}

bez_status bez_tree_walk_next(bez_tree_walk *walk, bez_tree_entry *leaf, bez_tree_place *place, bool *end,
                              bez_error *err) {
  *end = false;
  while (walk->depth) {
    frame *at = deepest(walk);
    if (at->next == at->node.n) {
      walk->depth--;
    } else if (walk->depth == walk->tree.height) {
      *leaf = at->node.entries[at->next];
      if (leaf->items > BEZ_LEAF_ITEMS) return bez_fail(err, BEZ_FORMAT, NULL, "a leaf of more than 64 items");
      *place = walk->place;
      pass(walk, leaf);
      return BEZ_OK;
    } else {
      bez_status st = descend(walk, err);
      if (st != BEZ_OK) return st;
    }
  }
  *end = true;
  return BEZ_OK;
}

/* To the leaf in which the count, of rows or items, passes `want`; the caller has checked that there is one. */
static bez_status walk_to(bez_tree_walk *walk, uint64_t want, bool rows, bez_error *err) {
  to_start(walk);
  while (walk->depth) {
    frame *at = deepest(walk);
    if (at->next == at->node.n) return bez_fail(err, BEZ_INTERNAL, NULL, "a tree's counts changed underneath");
    const bez_tree_entry *entry = &at->node.entries[at->next];
    uint64_t before = rows ? walk->place.row : walk->place.item;
    if (want - before >= (rows ? entry->rows : entry->items)) {
      pass(walk, entry);
      continue;
    }
    if (walk->depth == walk->tree.height) return BEZ_OK;
    bez_status st = descend(walk, err);
    if (st != BEZ_OK) return st;
  }
  return bez_fail(err, BEZ_INTERNAL, NULL, "a tree of no height with rows");
}

bez_status bez_tree_walk_to_row(bez_tree_walk *walk, uint64_t row, bez_error *err) {
  uint64_t all = walk->tree.height ? walk->tree.top.rows : 0;
  if (row >= all)
    return bez_fail(err, BEZ_USAGE, NULL, "there is no row %llu: there are %llu, the first is 0",
                    (unsigned long long)row, (unsigned long long)all);
  return walk_to(walk, row, true, err);
}

bez_status bez_tree_walk_to_item(bez_tree_walk *walk, uint64_t item, bez_error *err) {
  uint64_t all = walk->tree.height ? walk->tree.top.items : 0;
  if (item >= all)
    return bez_fail(err, BEZ_USAGE, NULL, "there is no item %llu: there are %llu", (unsigned long long)item,
                    (unsigned long long)all);
  return walk_to(walk, item, false, err);
}
