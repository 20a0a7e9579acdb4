/* Claims written: down a tree to the item, then the lines from there up. */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "content/ingest_parts.h"
#include "content/sorted_leaf.h"
#include "vault/row.h"
#include "vault/row_claim.h"

const char *bez_claim_name(bez_claim_kind kind) {
  static const char *const names[] = {"included", "present", "absent"};
  return names[kind];
}

static void put_hash(bez_buf *out, const char *word, const uint8_t hash[32]) {
  bez_buf_puts(out, word);
  bez_base64_put(out, hash, 32);
  bez_buf_putc(out, '\n');
}

/* One level up: pairs become their nodes, the last one without a neighbour stays. */
static size_t fold_once(uint8_t (*hashes)[32], size_t n) {
  for (size_t i = 0; i + 1 < n; i += 2) bez_merkle_fold(hashes + i, 2, hashes[i / 2]);
  if (n % 2) memmove(hashes[n / 2], hashes[n - 1], 32);
  return (n + 1) / 2;
}

void bez_path_put(bez_buf *out, uint8_t (*hashes)[32], size_t n, size_t at) {
  for (; n > 1; at /= 2) {
    if (at % 2)
      put_hash(out, "l ", hashes[at - 1]);
    else if (at + 1 < n)
      put_hash(out, "r ", hashes[at + 1]);
    n = fold_once(hashes, n);
  }
}

void bez_path_put_pair(bez_buf *out, uint8_t (*hashes)[32], size_t n, size_t at) {
  for (; at % 2 == 0; at /= 2) { /* the left one is an odd one: its neighbour is to its left */
    put_hash(out, "l ", hashes[at - 2]);
    if (at + 1 < n) put_hash(out, "r ", hashes[at + 1]);
    n = fold_once(hashes, n);
  }
  bez_buf_puts(out, "=\n");
  n = fold_once(hashes, n);
  bez_path_put(out, hashes, n, at / 2);
}

static void put_entry(bez_buf *out, bez_tree_kind kind, const bez_tree_entry *entry) {
  bez_buf_printf(out, "entry %llu %llu ", (unsigned long long)entry->items, (unsigned long long)entry->rows);
  if (kind == BEZ_TREE_SORTED)
    put_hash(out, "", entry->last);
  else
    bez_buf_printf(out, "%llu\n", (unsigned long long)entry->bytes);
}

static void put_top(bez_buf *out, const bez_tree *tree) {
  bez_buf_printf(out, "top %u", tree->height);
  if (tree->height)
    put_hash(out, " ", tree->top.id.bytes);
  else
    bez_buf_putc(out, '\n');
}

/* From the top to a leaf: the nodes on the way and where in them it goes on. */
typedef struct way {
  bez_tree_node *nodes; /* nodes[0] is the top one; tree->height - 1 of them */
  size_t at[BEZ_TREE_HEIGHT];
  bez_tree_entry leaf;
} way;

typedef size_t (*choose_fn)(const bez_tree_node *node, void *ctx);

static bez_status go_down(const bez_objects *objects, const bez_tree *tree, choose_fn choose, void *ctx, way *out,
                          bez_error *err) {
  bez_buf scratch = {0};
  bez_status st = BEZ_OK;
  out->nodes = calloc(tree->height, sizeof *out->nodes);
  if (!out->nodes) return bez_fail_memory(err, tree->height * sizeof *out->nodes);
  out->leaf = tree->top;
  for (unsigned i = 0; i + 1 < tree->height && st == BEZ_OK; i++) {
    bez_tree_entry above = out->leaf;
    st = bez_tree_node_read(objects, tree->kind, &above, &scratch, &out->nodes[i], err);
    if (st != BEZ_OK) break;
    out->at[i] = choose(&out->nodes[i], ctx);
    out->leaf = out->nodes[i].entries[out->at[i]];
  }
  bez_buf_free(&scratch);
  return st;
}

static void entry_hashes(bez_tree_kind kind, const bez_tree_node *node, uint8_t (*out)[32]) {
  for (size_t i = 0; i < node->n; i++) bez_tree_entry_hash(kind, &node->entries[i], out[i]);
}

/* The lines from the leaf's entry to the top. pair: the neighbour to the left is still to be shown, at the first level
 * that has one. */
static void put_way_up(bez_buf *out, const bez_tree *tree, const way *w, bool pair) {
  put_entry(out, tree->kind, &w->leaf);
  for (unsigned i = tree->height - 1u; i-- > 0;) {
    uint8_t hashes[BEZ_NODE_ENTRIES][32];
    const bez_tree_node *node = &w->nodes[i];
    size_t at = w->at[i];
    entry_hashes(tree->kind, node, hashes);
    if (pair && at) {
      const bez_tree_entry *left = &node->entries[at - 1];
      put_hash(out, "left ", left->root);
      put_entry(out, tree->kind, left);
      bez_path_put_pair(out, hashes, node->n, at);
      pair = false;
    } else {
      bez_path_put(out, hashes, node->n, at);
    }
    put_entry(out, tree->kind, i ? &w->nodes[i - 1].entries[w->at[i - 1]] : &tree->top);
  }
  put_top(out, tree);
}

/* ---- rows ---- */

static size_t by_row(const bez_tree_node *node, void *ctx) {
  uint64_t *row = ctx; /* counted from the node's first */
  size_t i = 0;
  for (; i + 1 < node->n && *row >= node->entries[i].rows; i++) *row -= node->entries[i].rows;
  return i;
}

typedef struct found_row {
  bez_item item;
  size_t at; /* among the leaf's items */
  uint8_t hashes[BEZ_LEAF_ITEMS][32];
} found_row;

/* Hashes of all items of a leaf; canonical: of its rows. */
static bool hash_items(const bez_buf *leaf, uint64_t row, const uint8_t (*canonical)[32], found_row *out,
                       bez_row_claim *claim) {
  static const uint8_t none[32];
  bez_cursor c = {(const uint8_t *)leaf->data, leaf->len, 0};
  size_t n = 0, rows = 0;
  for (bez_item item; bez_cursor_left(&c) && n < BEZ_LEAF_ITEMS; n++) {
    uint8_t raw[32];
    if (!bez_item_next(&c, &item)) return false;
    bool is_row = bez_item_is_row(item.type);
    bez_sha256(item.body, item.body_len, raw);
    if (item.type == BEZ_ITEM_DIGEST) memcpy(raw, item.body, 32);
    bez_item_hash(&item, raw, is_row ? canonical[rows] : none, out->hashes[n]);
    if (is_row && rows == row) {
      out->item = item;
      out->at = n;
      claim->type = item.type;
      memcpy(claim->raw, raw, 32);
      memcpy(claim->canonical, canonical[rows], 32);
    }
    rows += is_row;
  }
  return rows > row;
}

static bez_status digest_leaf(const bez_objects *objects, const bez_tree *rows, uint64_t n_files, uint64_t first_row,
                              const bez_tree_entry *entry, bez_buf *leaf, uint8_t (*canonical)[32], bez_error *err) {
  bez_row first = {0};
  bez_canonical *c = NULL;
  bez_tree_entry is;
  bez_status st = bez_row_read(objects, rows, n_files, first_row, &first, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_canonical_create(&c, err));
  BEZ_TRY(bez_objects_get(objects, BEZ_OBJECT_LEAF, &entry->id, leaf, err));
  BEZ_TRY(bez_leaf_digest(leaf->data, leaf->len, &first.form, c, &is, canonical, err));
  if (is.items != entry->items || is.rows != entry->rows || memcmp(is.root, entry->root, 32) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, NULL, "a leaf is not what the tree says"));
cleanup:
  bez_canonical_free(c);
  bez_row_free(&first);
  return st;
}

static void put_item(bez_buf *out, const bez_row_claim *claim, const bez_item *item) {
  bez_buf_printf(out, "item %u ", claim->type);
  bez_base64_put(out, claim->raw, 32);
  bez_buf_putc(out, ' ');
  bez_base64_put(out, claim->canonical, 32);
  if (item->head_len) bez_buf_putc(out, ' ');
  bez_base64_put(out, (const uint8_t *)item->head, item->head_len);
  bez_buf_putc(out, '\n');
}

bez_status bez_claim_row(const bez_objects *objects, const bez_tree *rows, uint64_t n_files, uint64_t row, bez_buf *out,
                         bez_row_claim *claim, bez_error *err) {
  way w = {0};
  bez_buf leaf = {0};
  uint8_t canonical[BEZ_LEAF_ITEMS][32];
  found_row found;
  uint64_t in_leaf = row;
  bez_status st = BEZ_OK;
  *claim = (bez_row_claim){.kind = BEZ_CLAIM_INCLUDED, .tree = rows->id};
  if (!rows->height || row >= rows->top.rows)
    return bez_fail(err, BEZ_USAGE, NULL, "there is no row %llu: there are %llu, counted from 0",
                    (unsigned long long)row, (unsigned long long)(rows->height ? rows->top.rows : 0));
  BEZ_TRY(go_down(objects, rows, by_row, &in_leaf, &w, err));
  BEZ_TRY(digest_leaf(objects, rows, n_files, row - in_leaf, &w.leaf, &leaf, canonical, err));
  if (!hash_items(&leaf, in_leaf, (const uint8_t(*)[32])canonical, &found, claim))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, NULL, "a leaf is not what the tree says"));
  bez_buf_puts(out, "claim included\n");
  put_item(out, claim, &found.item);
  bez_path_put(out, found.hashes, (size_t)w.leaf.items, found.at);
  put_way_up(out, rows, &w, false);
  BEZ_TRY(bez_buf_status(out, err));
cleanup:
  free(w.nodes);
  bez_buf_free(&leaf);
  return st;
}

/* ---- sorted ---- */

static size_t by_digest(const bez_tree_node *node, void *ctx) {
  const uint8_t *digest = ctx;
  size_t i = 0;
  while (i + 1 < node->n && memcmp(node->entries[i].last, digest, 32) < 0) i++;
  return i;
}

static void put_sorted_item(bez_buf *out, const char *word, const bez_sorted_leaf *leaf, size_t at) {
  bez_buf_puts(out, word);
  bez_base64_put(out, leaf->digests[at], 32);
  bez_buf_printf(out, " %llu\n", (unsigned long long)leaf->counts[at]);
}

/* The item at or behind the digest, and where the digest itself is not there, the one before. */
static void put_place(bez_buf *out, const bez_tree *sorted, const way *w, const bez_sorted_leaf *leaf, size_t at,
                      bool present) {
  uint8_t hashes[BEZ_LEAF_ITEMS][32];
  for (size_t i = 0; i < leaf->n; i++) bez_sorted_hash(leaf->digests[i], leaf->counts[i], hashes[i]);
  put_sorted_item(out, "item ", leaf, at);
  if (!present && at) {
    put_sorted_item(out, "left ", leaf, at - 1);
    bez_path_put_pair(out, hashes, leaf->n, at);
  } else {
    bez_path_put(out, hashes, leaf->n, at);
  }
  put_way_up(out, sorted, w, !present && !at);
}

/* Nothing is as large as the digest: the top's own entry says so. */
static void put_end(bez_buf *out, const bez_tree *sorted) {
  if (sorted->height) {
    put_hash(out, "root ", sorted->top.root);
    put_entry(out, BEZ_TREE_SORTED, &sorted->top);
  }
  put_top(out, sorted);
}

static void put_claim_line(bez_buf *out, const bez_row_claim *claim) {
  bez_buf_printf(out, "claim %s\n", bez_claim_name(claim->kind));
  if (claim->kind == BEZ_CLAIM_ABSENT) put_hash(out, "digest ", claim->canonical);
}

bez_status bez_claim_digest(const bez_objects *objects, const bez_tree *sorted, const uint8_t canonical[32],
                            bez_buf *out, bez_row_claim *claim, bez_error *err) {
  way w = {0};
  bez_buf scratch = {0};
  bez_status st = BEZ_OK;
  uint8_t digest[32];
  size_t at = 0;
  memcpy(digest, canonical, sizeof digest);
  *claim = (bez_row_claim){.kind = BEZ_CLAIM_ABSENT, .tree = sorted->id};
  memcpy(claim->canonical, digest, sizeof digest);
  if (!sorted->height || memcmp(sorted->top.last, digest, 32) < 0) {
    put_claim_line(out, claim);
    put_end(out, sorted);
    return bez_buf_status(out, err);
  }
  bez_sorted_leaf *leaf = malloc(sizeof *leaf);
  if (!leaf) return bez_fail_memory(err, sizeof *leaf);
  BEZ_TRY(go_down(objects, sorted, by_digest, digest, &w, err));
  BEZ_TRY(bez_sorted_leaf_read(objects, &w.leaf, &scratch, leaf, err));
  while (at + 1 < leaf->n && memcmp(leaf->digests[at], digest, 32) < 0) at++;
  if (memcmp(leaf->digests[at], digest, 32) == 0) {
    claim->kind = BEZ_CLAIM_PRESENT;
    claim->count = leaf->counts[at];
  }
  put_claim_line(out, claim);
  put_place(out, sorted, &w, leaf, at, claim->kind == BEZ_CLAIM_PRESENT);
  BEZ_TRY(bez_buf_status(out, err));
cleanup:
  free(w.nodes);
  free(leaf);
  bez_buf_free(&scratch);
  return st;
}
