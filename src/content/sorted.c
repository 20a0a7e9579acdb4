/* Sorted trees changed by what came and what went, and asked for single digests. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/digests.h"
#include "content/sorted_leaf.h"
#include "crypto/digest.h"

/* Digests in ascending order. */
typedef struct stream {
  bez_digests *digests; /* NULL: none */
  unsigned threads;
  bez_digest_window window;
  size_t tile, at;
  const uint8_t *digest; /* NULL: the end */
  uint64_t count;
} stream;

static bez_status stream_next(stream *s, bez_error *err) {
  s->digest = NULL;
  if (!s->digests) return BEZ_OK;
  while (s->tile < s->window.n_tiles && s->at == s->window.tiles[s->tile].n) {
    s->tile++;
    s->at = 0;
  }
  while (s->tile == s->window.n_tiles) {
    bez_status st = bez_digests_next(s->digests, s->threads, &s->window, err);
    if (st != BEZ_OK || !s->window.n_tiles) return st;
    for (s->tile = 0, s->at = 0; s->tile < s->window.n_tiles && !s->window.tiles[s->tile].n;) s->tile++;
  }
  s->digest = s->window.tiles[s->tile].digests[s->at];
  s->count = s->window.tiles[s->tile].counts[s->at++];
  return BEZ_OK;
}

typedef struct edit {
  const bez_objects *objects;
  bez_pack *pack;
  bez_sipkey key;
  bez_tree_writer *writer;
  bez_leaf leaf;
  stream removed, added;
  bool any; /* a change is left: of digest, as below */
  uint8_t digest[32];
  uint64_t plus, minus;
} edit;

/* The next digest whose count changes. */
static bez_status next_change(edit *e, bez_error *err) {
  bez_status st = BEZ_OK;
  do {
    const uint8_t *a = e->added.digest, *r = e->removed.digest;
    e->any = a || r;
    if (!e->any) return BEZ_OK;
    int order = !a ? 1 : !r ? -1 : memcmp(a, r, 32);
    memcpy(e->digest, order <= 0 ? a : r, 32);
    e->plus = order <= 0 ? e->added.count : 0;
    e->minus = order >= 0 ? e->removed.count : 0;
    if (order <= 0) st = stream_next(&e->added, err);
    if (st == BEZ_OK && order >= 0) st = stream_next(&e->removed, err);
  } while (st == BEZ_OK && e->plus == e->minus);
  return st;
}

static bool change_up_to(const edit *e, const uint8_t last[32]) {
  return e->any && memcmp(e->digest, last, 32) <= 0;
}

static bez_status emit(edit *e, const uint8_t digest[32], uint64_t count, bez_error *err) {
  if (!bez_sorted_add(&e->leaf, e->key, digest, count)) return BEZ_OK;
  return bez_leaf_flush(&e->leaf, e->pack, e->writer, err);
}

/* The change that is next, for a digest that occurs `count` times. */
static bez_status apply(edit *e, uint64_t count, bez_error *err) {
  uint8_t digest[32];
  if (__builtin_add_overflow(count, e->plus, &count)) return bez_fail(err, BEZ_LIMIT, NULL, "a count overflows");
  if (count < e->minus) {
    char hex[65];
    bez_hex(e->digest, 32, hex);
    return bez_fail(err, BEZ_FORMAT, hex, "is to be removed %llu times and occurs %llu times",
                    (unsigned long long)e->minus, (unsigned long long)count);
  }
  count -= e->minus;
  memcpy(digest, e->digest, sizeof digest);
  bez_status st = next_change(e, err);
  if (st == BEZ_OK && count) st = emit(e, digest, count, err);
  return st;
}

static bez_status apply_below(edit *e, const uint8_t digest[32], bez_error *err) {
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && e->any && memcmp(e->digest, digest, 32) < 0) st = apply(e, 0, err);
  return st;
}

static bez_status edit_leaf(edit *e, const bez_tree_entry *entry, bez_error *err) {
  bez_buf scratch = {0};
  bez_sorted_leaf *leaf = malloc(sizeof *leaf);
  if (!leaf) return bez_fail_memory(err, sizeof *leaf);
  bez_status st = bez_sorted_leaf_read(e->objects, entry, &scratch, leaf, err);
  for (size_t i = 0; st == BEZ_OK && i < leaf->n; i++) {
    st = apply_below(e, leaf->digests[i], err);
    if (st != BEZ_OK) break;
    bool same = e->any && memcmp(e->digest, leaf->digests[i], 32) == 0;
    st = same ? apply(e, leaf->counts[i], err) : emit(e, leaf->digests[i], leaf->counts[i], err);
  }
  bez_buf_free(&scratch);
  free(leaf);
  return st;
}

static bez_status edit_below(edit *e, unsigned height, const bez_tree_entry *entry, bool edge, bez_error *err);

static bez_status edit_node(edit *e, unsigned height, const bez_tree_entry *entry, bool edge, bez_error *err) {
  bez_buf scratch = {0};
  bez_tree_node *node = malloc(sizeof *node);
  if (!node) return bez_fail_memory(err, sizeof *node);
  bez_status st = bez_tree_node_read(e->objects, BEZ_TREE_SORTED, entry, &scratch, node, err);
  bez_buf_free(&scratch);
  for (size_t i = 0; st == BEZ_OK && i < node->n; i++)
    st = edit_below(e, height - 1, &node->entries[i], edge && i + 1 == node->n, err);
  free(node);
  return st;
}

/* edge: the entry lies on the right edge of its tree, where nodes and the last leaf end only because nothing follows.
 */
static bez_status edit_below(edit *e, unsigned height, const bez_tree_entry *entry, bool edge, bez_error *err) {
  bool as_it_is = !e->leaf.sum.items && (edge ? !e->any && height == 1 : !change_up_to(e, entry->last));
  if (as_it_is && bez_tree_takes(e->writer, height)) return bez_tree_subtree(e->writer, height, entry, err);
  return height == 1 ? edit_leaf(e, entry, err) : edit_node(e, height, entry, edge, err);
}

static bez_status edit_all(edit *e, const bez_tree *old, bez_error *err) {
  bez_status st = stream_next(&e->added, err);
  if (st == BEZ_OK) st = stream_next(&e->removed, err);
  if (st == BEZ_OK) st = next_change(e, err);
  if (st == BEZ_OK && old->height) st = edit_below(e, old->height, &old->top, true, err);
  while (st == BEZ_OK && e->any) st = apply(e, 0, err);
  if (st == BEZ_OK) st = bez_leaf_flush(&e->leaf, e->pack, e->writer, err);
  return st;
}

bez_status bez_sorted_edit(const bez_objects *objects, bez_pack *pack, bez_sipkey key, const bez_tree *old,
                           bez_digests *removed, bez_digests *added, unsigned threads, bez_tree *out, bez_error *err) {
  if (!old->height && added && !bez_digests_count(removed))
    return bez_sorted_build(pack, key, added, threads, out, err);
  edit *e = calloc(1, sizeof *e);
  if (!e) return bez_fail_memory(err, sizeof *e);
  e->objects = objects;
  e->pack = pack;
  e->key = key;
  e->removed = (stream){.digests = removed, .threads = threads};
  e->added = (stream){.digests = added, .threads = threads};
  bez_status st = bez_tree_begin(pack, BEZ_TREE_SORTED, key, &e->writer, err);
  if (st == BEZ_OK) st = edit_all(e, old, err);
  if (st == BEZ_OK) {
    st = bez_tree_finish(e->writer, out, err);
    e->writer = NULL;
  }
  bez_tree_abandon(e->writer);
  bez_leaf_free(&e->leaf);
  bez_digest_window_free(&e->removed.window);
  bez_digest_window_free(&e->added.window);
  free(e);
  return st;
}

static size_t first_not_below(const bez_tree_node *node, const uint8_t digest[32]) {
  size_t i = 0;
  while (i < node->n && memcmp(node->entries[i].last, digest, 32) < 0) i++;
  return i;
}

static bez_status find_leaf(const bez_objects *objects, const bez_tree *tree, const uint8_t digest[32],
                            bez_buf *scratch, bez_tree_entry *leaf, bool *found, bez_error *err) {
  *leaf = tree->top;
  *found = tree->height && memcmp(digest, tree->top.last, 32) <= 0;
  if (!*found) return BEZ_OK;
  bez_tree_node *node = malloc(sizeof *node);
  if (!node) return bez_fail_memory(err, sizeof *node);
  bez_status st = BEZ_OK;
  for (unsigned height = tree->height; height > 1 && st == BEZ_OK; height--) {
    bez_tree_entry above = *leaf;
    st = bez_tree_node_read(objects, BEZ_TREE_SORTED, &above, scratch, node, err);
    if (st == BEZ_OK) *leaf = node->entries[first_not_below(node, digest)]; /* the node's last is not below it */
  }
  free(node);
  return st;
}

bez_status bez_sorted_find(const bez_objects *objects, const bez_tree *tree, const uint8_t canonical[32],
                           uint64_t *count, bez_error *err) {
  bez_buf scratch = {0};
  bez_tree_entry entry;
  bool found;
  *count = 0;
  bez_status st = find_leaf(objects, tree, canonical, &scratch, &entry, &found, err);
  bez_sorted_leaf *leaf = NULL;
  if (st == BEZ_OK && found) {
    leaf = malloc(sizeof *leaf);
    st = leaf ? bez_sorted_leaf_read(objects, &entry, &scratch, leaf, err) : bez_fail_memory(err, sizeof *leaf);
  }
  for (size_t i = 0; st == BEZ_OK && leaf && i < leaf->n; i++)
    if (memcmp(leaf->digests[i], canonical, 32) == 0) *count = leaf->counts[i];
  bez_buf_free(&scratch);
  free(leaf);
  return st;
}
