/* Trees of made-up rows, for tests. */
#ifndef BEZ_TEST_VAULT_ROWS_H
#define BEZ_TEST_VAULT_ROWS_H

#include "base/rng.h"
#include "content/tree_node.h"
#include "crypto/sha256.h"
#include "test.h"

static const bez_sipkey test_key = {0x0123456789abcdefull, 0xfedcba9876543210ull};

/* A data set of one file: rows of text, told apart by number. */
typedef struct rows {
  uint64_t *ids;
  size_t n, cap;
} rows;

static inline void rows_insert(rows *r, size_t at, uint64_t id) {
  if (r->n == r->cap) {
    r->cap = r->cap ? r->cap * 2 : 64;
    r->ids = realloc(r->ids, r->cap * sizeof *r->ids);
    assert_non_null(r->ids);
  }
  memmove(r->ids + at + 1, r->ids + at, (r->n - at) * sizeof *r->ids);
  r->ids[at] = id;
  r->n++;
}

static inline void rows_remove(rows *r, size_t at) {
  memmove(r->ids + at, r->ids + at + 1, (r->n - at - 1) * sizeof *r->ids);
  r->n--;
}

static inline rows rows_copy(const rows *r) {
  rows copy = {malloc(r->cap * sizeof *r->ids + 1), r->n, r->cap};
  assert_non_null(copy.ids);
  if (r->n) memcpy(copy.ids, r->ids, r->n * sizeof *r->ids);
  return copy;
}

static inline rows rows_count(size_t n, uint64_t first) {
  rows r = {0};
  for (size_t i = 0; i < n; i++) rows_insert(&r, i, first + i);
  return r;
}

static inline size_t row_text(uint64_t id, char out[64]) {
  return (size_t)snprintf(out, 64, "%llu,row number %llu\n", (unsigned long long)id, (unsigned long long)(id * 7919));
}

static inline void row_raw(uint64_t id, uint8_t out[32]) {
  char text[64];
  size_t len = row_text(id, text);
  bez_sha256(text, len, out);
}

/* The canonical digest of these rows is that of their text with "c" before it. */
static inline void row_canonical(uint64_t id, uint8_t out[32]) {
  char text[65] = {'c'};
  size_t len = row_text(id, text + 1);
  bez_sha256(text, len + 1, out);
}

static inline void put_item(bez_leaf *leaf, bez_pack *pack, bez_tree_writer *writer, const bez_item *item,
                            const uint8_t canonical[32]) {
  bez_error err = {0};
  bez_buf stored = {0};
  uint8_t raw[32];
  bez_item_write(&stored, item);
  bez_sha256(item->body, item->body_len, raw);
  bez_leaf_item told = {stored.data, stored.len, {0}, bez_item_is_row(item->type), bez_item_file_bytes(item), NULL};
  bez_item_hash(item, raw, canonical, told.hash);
  if (bez_leaf_ends_before(leaf, stored.len)) assert_ok(bez_leaf_flush(leaf, pack, writer, &err));
  if (bez_leaf_add(leaf, test_key, &told)) assert_ok(bez_leaf_flush(leaf, pack, writer, &err));
  bez_buf_free(&stored);
}

/* A file item, a header, then the rows. header NULL: "id,text\n". */
static inline bez_tree rows_tree(bez_pack *pack, const rows *r, const char *header) {
  bez_error err = {0};
  bez_tree tree;
  bez_tree_writer *writer;
  bez_leaf leaf = {0};
  static const uint8_t none[32];
  uint8_t canonical[32];
  if (!header) header = "id,text\n";
  assert_ok(bez_tree_begin(pack, BEZ_TREE_ROWS, test_key, &writer, &err));
  put_item(&leaf, pack, writer, &(bez_item){BEZ_ITEM_FILE, "", "{\"form\":\"csv\"}", 0, 14}, none);
  put_item(&leaf, pack, writer, &(bez_item){BEZ_ITEM_BYTES, "", header, 0, strlen(header)}, none);
  for (size_t i = 0; i < r->n; i++) {
    char text[64];
    size_t len = row_text(r->ids[i], text);
    row_canonical(r->ids[i], canonical);
    put_item(&leaf, pack, writer, &(bez_item){BEZ_ITEM_ROW, "", text, 0, len}, canonical);
  }
  assert_ok(bez_leaf_flush(&leaf, pack, writer, &err));
  assert_ok(bez_tree_finish(writer, &tree, &err));
  bez_leaf_free(&leaf);
  return tree;
}

#endif
