#include "content/diff_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/align.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"

enum { MOST_LEAVES = 1 << 17, MOST_BYTES = 64 << 20 }; /* a side, of one piece of a change */

/* One side of what is gathered. */
typedef struct side {
  bez_tree_entry *leaves;
  size_t n_leaves, cap_leaves;
  uint64_t n_rows, bytes; /* of the leaves */
  uint64_t row;           /* number of the first row */
  bez_buf stored;         /* the leaves' bytes, once read */
  bez_item *items;
  uint8_t (*keys)[32];   /* of items: equal where type, head and body are */
  uint64_t *rows_before; /* of items, and of the end */
  bez_diff_row *rows;
  size_t n_items, cap_items;
} side;

struct bez_change {
  const bez_objects *objects;
  bez_hunk_fn fn;
  void (*other)(void *ctx, bool of_new, const bez_item *item);
  void *ctx;
  side sides[2]; /* old, new */
  bez_hunk same; /* told when something else follows */
  bez_buf scratch;
};

bez_status bez_change_create(const bez_objects *objects, bez_hunk_fn fn,
                             void (*other)(void *ctx, bool of_new, const bez_item *item), void *ctx, bez_change **out,
                             bez_error *err) {
  bez_change *change = calloc(1, sizeof *change);
  if (!change) return bez_fail_memory(err, sizeof *change);
  change->objects = objects;
  change->fn = fn;
  change->other = other;
  change->ctx = ctx;
  *out = change;
  return BEZ_OK;
}

void bez_change_free(bez_change *change) {
  if (!change) return;
  for (size_t i = 0; i < 2; i++) {
    side *s = &change->sides[i];
    free(s->leaves);
    free(s->items);
    free(s->keys);
    free(s->rows_before);
    free(s->rows);
    bez_buf_free(&s->stored);
  }
  bez_buf_free(&change->scratch);
  free(change);
}

static bez_status tell_same(bez_change *change, bez_error *err) {
  bez_status st = change->same.n_old ? change->fn(change->ctx, &change->same, err) : BEZ_OK;
  change->same = (bez_hunk){.kind = BEZ_HUNK_SAME};
  return st;
}

static void add_same(bez_change *change, uint64_t n_rows) {
  bez_hunk *same = &change->same;
  if (!same->n_old) {
    same->old_row = change->sides[0].row;
    same->new_row = change->sides[1].row;
  }
  same->n_old += n_rows;
  same->n_new += n_rows;
  change->sides[0].row += n_rows;
  change->sides[1].row += n_rows;
}

static bez_status room_for_items(side *s, size_t want, bez_error *err) {
  if (want < s->cap_items) return BEZ_OK; /* one more than items, for the end */
  size_t cap = want + 1;
  bez_item *items = realloc(s->items, cap * sizeof *items);
  if (items) s->items = items;
  uint8_t(*keys)[32] = realloc(s->keys, cap * sizeof *keys);
  if (keys) s->keys = keys;
  uint64_t *rows_before = realloc(s->rows_before, cap * sizeof *rows_before);
  if (rows_before) s->rows_before = rows_before;
  bez_diff_row *rows = realloc(s->rows, cap * sizeof *rows);
  if (rows) s->rows = rows;
  if (!items || !keys || !rows_before || !rows) return bez_fail_memory(err, cap * sizeof *rows);
  s->cap_items = cap;
  return BEZ_OK;
}

static bez_status read_leaves(bez_change *change, side *s, bez_error *err) {
  uint64_t items = 0;
  bez_buf_clear(&s->stored);
  for (size_t i = 0; i < s->n_leaves; i++) {
    bez_status st = bez_objects_get(change->objects, BEZ_OBJECT_LEAF, &s->leaves[i].id, &change->scratch, err);
    if (st != BEZ_OK) return st;
    bez_buf_write(&s->stored, change->scratch.data, change->scratch.len);
    items += s->leaves[i].items;
  }
  bez_status st = bez_buf_status(&s->stored, err);
  return st == BEZ_OK ? room_for_items(s, (size_t)items, err) : st;
}

static void take_item(side *s, const bez_item *item) {
  uint8_t raw[32];
  size_t at = s->n_items++;
  s->items[at] = *item;
  bez_sha256(item->body, item->body_len, raw);
  if (item->type == BEZ_ITEM_ROW && !item->head_len) {
    memcpy(s->keys[at], raw, sizeof raw);
  } else {
    static const uint8_t none[32];
    bez_item_hash(item, raw, none, s->keys[at]);
  }
  uint64_t before = s->rows_before[at];
  s->rows_before[at + 1] = before + bez_item_is_row(item->type);
  if (!bez_item_is_row(item->type)) return;
  s->rows[before] = (bez_diff_row){.row = s->row + before, .item = *item};
  memcpy(s->rows[before].raw, raw, sizeof raw);
}

/* The items of the leaves, each leaf with as many items, rows and bytes as its entry says. */
static bez_status take_items(side *s, bez_error *err) {
  bez_cursor c = {(const uint8_t *)s->stored.data, s->stored.len, 0};
  s->n_items = 0;
  s->rows_before[0] = 0;
  for (size_t i = 0; i < s->n_leaves; i++) {
    const bez_tree_entry *leaf = &s->leaves[i];
    uint64_t bytes = 0, first = s->n_items;
    bez_item item;
    for (uint64_t k = 0; k < leaf->items && bez_item_next(&c, &item); k++) {
      bytes += bez_item_file_bytes(&item);
      take_item(s, &item);
    }
    uint64_t rows = s->rows_before[s->n_items] - s->rows_before[first];
    bool right = s->n_items - first == leaf->items && rows == leaf->rows && bytes == leaf->bytes;
    if (right && (i + 1 < s->n_leaves || !bez_cursor_left(&c))) continue;
    char hex[65];
    bez_hex(leaf->id.bytes, BEZ_ID, hex);
    return bez_fail(err, BEZ_FORMAT, hex, "a leaf is not what the entry above says");
  }
  return BEZ_OK;
}

/* Items [a0, a1) of the old side became [b0, b1) of the new. */
static bez_status tell_gap(bez_change *change, const size_t from[2], const size_t to[2], bez_error *err) {
  uint64_t first[2], n[2];
  for (size_t k = 0; k < 2; k++) {
    const side *s = &change->sides[k];
    first[k] = s->rows_before[from[k]];
    n[k] = s->rows_before[to[k]] - first[k];
    for (size_t i = from[k]; change->other && i < to[k]; i++)
      if (!bez_item_is_row(s->items[i].type)) change->other(change->ctx, k == 1, &s->items[i]);
  }
  if (!n[0] && !n[1]) return BEZ_OK;
  bez_status st = tell_same(change, err);
  if (st != BEZ_OK) return st;
  bez_hunk hunk = {.kind = BEZ_HUNK_CHANGE, .old_row = change->sides[0].row, .n_old = n[0]};
  hunk.new_row = change->sides[1].row;
  hunk.n_new = n[1];
  hunk.old_rows = change->sides[0].rows + first[0];
  hunk.new_rows = change->sides[1].rows + first[1];
  change->sides[0].row += n[0];
  change->sides[1].row += n[1];
  return change->fn(change->ctx, &hunk, err);
}

static bez_status tell_items(bez_change *change, const bez_match *matches, size_t n, bez_error *err) {
  side *s = change->sides;
  size_t from[2] = {0, 0};
  bez_status st = BEZ_OK;
  for (size_t m = 0; m < n && st == BEZ_OK; m++) {
    const size_t to[2] = {matches[m].a, matches[m].b};
    st = tell_gap(change, from, to, err);
    from[0] = to[0] + matches[m].n;
    from[1] = to[1] + matches[m].n;
    add_same(change, s[0].rows_before[from[0]] - s[0].rows_before[to[0]]);
  }
  const size_t end[2] = {s[0].n_items, s[1].n_items};
  return st == BEZ_OK ? tell_gap(change, from, end, err) : st;
}

/* Leaves without rows are not opened where nobody asks for what is in them. */
static void drop_leaves_without_rows(side *s) {
  size_t to = 0;
  for (size_t i = 0; i < s->n_leaves; i++)
    if (s->leaves[i].rows) s->leaves[to++] = s->leaves[i];
  s->n_leaves = to;
}

static bez_status tell(bez_change *change, bez_error *err) {
  side *s = change->sides;
  bez_match *matches = NULL;
  size_t n = 0;
  bez_status st = BEZ_OK;
  if (!s[0].n_leaves && !s[1].n_leaves) return BEZ_OK;
  for (size_t k = 0; k < 2; k++) {
    if (!change->other) drop_leaves_without_rows(&s[k]);
    BEZ_TRY(read_leaves(change, &s[k], err));
    BEZ_TRY(take_items(&s[k], err));
  }
  BEZ_TRY(bez_digests_align((const uint8_t(*)[32])s[0].keys, s[0].n_items, (const uint8_t(*)[32])s[1].keys,
                            s[1].n_items, BEZ_ALIGN_EDITS, &matches, &n, err));
  BEZ_TRY(tell_items(change, matches, n, err));
cleanup:
  for (size_t k = 0; k < 2; k++) s[k].n_leaves = s[k].n_rows = s[k].bytes = 0;
  free(matches);
  return st;
}

bez_status bez_change_leaf(bez_change *change, bool of_new, const bez_tree_entry *leaf, bez_error *err) {
  side *s = &change->sides[of_new];
  if (leaf->items > BEZ_LEAF_ITEMS) return bez_fail(err, BEZ_FORMAT, NULL, "a leaf of more than 64 items");
  bool full =
      s->n_leaves == MOST_LEAVES || s->n_rows + leaf->rows > BEZ_DIFF_ROWS || s->bytes + leaf->bytes > MOST_BYTES;
  bez_status st = full && s->n_leaves ? tell(change, err) : BEZ_OK;
  if (st != BEZ_OK) return st;
  if (s->n_leaves == s->cap_leaves) {
    size_t cap = s->cap_leaves ? s->cap_leaves * 2 : 64;
    bez_tree_entry *more = realloc(s->leaves, cap * sizeof *more);
    if (!more) return bez_fail_memory(err, cap * sizeof *more);
    s->leaves = more;
    s->cap_leaves = cap;
  }
  s->leaves[s->n_leaves++] = *leaf;
  s->n_rows += leaf->rows;
  s->bytes += leaf->bytes;
  return BEZ_OK;
}

bez_status bez_change_same(bez_change *change, uint64_t n_rows, bez_error *err) {
  bez_status st = tell(change, err);
  if (st == BEZ_OK && n_rows) add_same(change, n_rows);
  return st;
}

bez_status bez_change_end(bez_change *change, bez_error *err) {
  bez_status st = tell(change, err);
  return st == BEZ_OK ? tell_same(change, err) : st;
}
