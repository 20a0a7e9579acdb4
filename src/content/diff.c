/* Two trees compared from the top: nodes that both have are passed over, what lies between them is opened, level by
 * level, down to leaves, which a change gathers (diff_change.c). */
#include "content/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/align.h"
#include "content/diff_change.h"
#include "content/tree_node.h"

enum { PIECE = 2048 }; /* entries a side that are opened at once */

/* Entries of one height next to each other in a tree. */
typedef struct stretch {
  unsigned height;
  const bez_tree_entry *entries;
  size_t n;
} stretch;

typedef struct diff {
  const bez_objects *objects;
  bez_change *change;
  bez_error *err;
} diff;

/* The entries below a stretch, one behind the other. */
static bez_status open_stretch(diff *d, stretch above, bez_tree_entry **out, size_t *n) {
  bez_buf all = {0}, scratch = {0};
  bez_tree_node *node = malloc(sizeof *node);
  if (!node) return bez_fail_memory(d->err, sizeof *node);
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < above.n && st == BEZ_OK; i++) {
    st = bez_tree_node_read(d->objects, BEZ_TREE_ROWS, &above.entries[i], &scratch, node, d->err);
    if (st == BEZ_OK) bez_buf_write(&all, node->entries, node->n * sizeof *node->entries);
  }
  if (st == BEZ_OK) st = bez_buf_status(&all, d->err);
  free(node);
  bez_buf_free(&scratch);
  if (st != BEZ_OK) bez_buf_free(&all);
  *out = (bez_tree_entry *)(void *)all.data; /* from malloc: aligned */
  *n = all.len / sizeof **out;
  return st;
}

static bez_status compare(diff *d, stretch a, stretch b);

/* Of n things, those of piece `piece` of `pieces`. */
static stretch piece_of(stretch all, size_t piece, size_t pieces) {
  size_t from = all.n * piece / pieces, to = all.n * (piece + 1) / pieces;
  return (stretch){all.height, all.entries ? all.entries + from : NULL, to - from};
}

static bez_status open_and_compare(diff *d, stretch a, stretch b) {
  bez_tree_entry *in_a = NULL, *in_b = NULL;
  unsigned height = a.height > b.height ? a.height : b.height;
  bez_status st = BEZ_OK;
  if (a.n && a.height == height) {
    st = open_stretch(d, a, &in_a, &a.n);
    a = (stretch){height - 1, in_a, a.n};
  }
  if (st == BEZ_OK && b.n && b.height == height) {
    st = open_stretch(d, b, &in_b, &b.n);
    b = (stretch){height - 1, in_b, b.n};
  }
  if (st == BEZ_OK) st = compare(d, a, b);
  free(in_a);
  free(in_b);
  return st;
}

/* Leaves of both sides by turns, so that a change that has to be told in pieces has like pieces. */
static bez_status gather_leaves(diff *d, stretch a, stretch b) {
  bez_status st = BEZ_OK;
  size_t i = 0, j = 0;
  while (st == BEZ_OK && (i < a.n || j < b.n)) {
    bool old = j == b.n || (i < a.n && i * b.n <= j * a.n);
    st = bez_change_leaf(d->change, !old, old ? &a.entries[i] : &b.entries[j], d->err);
    if (old)
      i++;
    else
      j++;
  }
  return st;
}

/* Nothing in common at this height. */
static bez_status compare_gap(diff *d, stretch a, stretch b) {
  if (!a.n) a.height = b.height;
  if (!b.n) b.height = a.height;
  if (!a.n && !b.n) return BEZ_OK;
  if (a.height == 1 && b.height == 1) return gather_leaves(d, a, b);
  size_t most = a.n > b.n ? a.n : b.n, pieces = (most + PIECE - 1) / PIECE;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < pieces && st == BEZ_OK; i++)
    st = open_and_compare(d, piece_of(a, i, pieces), piece_of(b, i, pieces));
  return st;
}

static bez_status ids_of(stretch s, uint8_t (**out)[32], bez_error *err) {
  *out = malloc((s.n ? s.n : 1) * sizeof **out);
  if (!*out) return bez_fail_memory(err, s.n * sizeof **out);
  for (size_t i = 0; i < s.n; i++) memcpy((*out)[i], s.entries[i].id.bytes, 32);
  return BEZ_OK;
}

/* Equal nodes that occur several times are not paired here: which with which, only their rows can tell. */
static bez_status find_matches(diff *d, stretch a, stretch b, bez_match **out, size_t *n) {
  uint8_t(*ids_a)[32] = NULL, (*ids_b)[32] = NULL;
  bez_status st = ids_of(a, &ids_a, d->err);
  if (st == BEZ_OK) st = ids_of(b, &ids_b, d->err);
  if (st == BEZ_OK)
    st = bez_digests_align((const uint8_t(*)[32])ids_a, a.n, (const uint8_t(*)[32])ids_b, b.n, 0, out, n, d->err);
  free(ids_a);
  free(ids_b);
  return st;
}

static stretch part_of(stretch s, size_t from, size_t to) {
  return (stretch){s.height, s.entries ? s.entries + from : NULL, to - from};
}

static bez_status compare(diff *d, stretch a, stretch b) {
  bez_match *matches = NULL;
  size_t n = 0, i = 0, j = 0;
  bez_status st = BEZ_OK;
  if (a.height == b.height && a.n && b.n) st = find_matches(d, a, b, &matches, &n);
  for (size_t m = 0; m < n && st == BEZ_OK; m++) {
    st = compare_gap(d, part_of(a, i, matches[m].a), part_of(b, j, matches[m].b));
    i = matches[m].a + matches[m].n;
    j = matches[m].b + matches[m].n;
    for (size_t k = matches[m].a; k < i && st == BEZ_OK; k++)
      st = bez_change_same(d->change, a.entries[k].rows, d->err);
  }
  if (st == BEZ_OK) st = compare_gap(d, part_of(a, i, a.n), part_of(b, j, b.n));
  free(matches);
  return st;
}

bez_status bez_tree_diff(const bez_objects *objects, const bez_tree *a, const bez_tree *b, bez_hunk_fn fn,
                         void (*other)(void *ctx, bool of_new, const bez_item *item), void *ctx, bez_error *err) {
  diff d = {.objects = objects, .err = err};
  bez_status st = bez_change_create(objects, fn, other, ctx, &d.change, err);
  if (st != BEZ_OK) return st;
  st = compare(&d, (stretch){a->height, &a->top, a->height ? 1 : 0}, (stretch){b->height, &b->top, b->height ? 1 : 0});
  if (st == BEZ_OK) st = bez_change_end(d.change, err);
  bez_change_free(d.change);
  return st;
}
