/* Roots, nodes and leaves of trees. The first byte says which; what is taken writes itself as it was read. */
#include <stdlib.h>
#include <string.h>

#include "content/provenance_runs.h"
#include "content/sorted_leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need_same(bez_buf *again, const uint8_t *data, size_t size) {
  if (bez_buf_status(again, NULL) != BEZ_OK || !again->data || again->len != size ||
      memcmp(again->data, data, size) != 0)
    abort();
  bez_buf_free(again);
}

static void root(bez_tree_kind kind, const uint8_t *data, size_t size) {
  bez_tree tree = {0};
  bez_buf again = {0};
  if (!bez_tree_root_parse(kind, data, size, &tree)) return;
  bez_tree_root_write(&again, &tree);
  need_same(&again, data, size);
}

static void node(bez_tree_kind kind, const uint8_t *data, size_t size) {
  bez_tree_node parsed;
  bez_error err = {0};
  bez_buf again = {0};
  if (bez_tree_node_parse(kind, data, size, NULL, &parsed, &err) != BEZ_OK) return;
  for (size_t i = 0; i < parsed.n; i++) bez_tree_entry_write(&again, kind, &parsed.entries[i]);
  const bez_tree_entry first = parsed.entries[0];
  if (bez_tree_node_parse(kind, data, size, &first, &parsed, &err) == BEZ_OK) abort(); /* nothing holds itself */
  need_same(&again, data, size);
}

static void sorted(const uint8_t *data, size_t size) {
  bez_sorted_leaf leaf;
  bez_error err = {0};
  bez_buf again = {0};
  if (bez_sorted_leaf_parse(data, size, NULL, &leaf, &err) != BEZ_OK) return;
  for (size_t i = 0; i < leaf.n; i++) {
    bez_buf_write(&again, leaf.digests[i], 32);
    bez_put_varint(&again, leaf.counts[i]);
  }
  need_same(&again, data, size);
}

static void runs(const uint8_t *data, size_t size) {
  bez_run_leaf leaf;
  bez_error err = {0};
  bez_buf again = {0};
  if (bez_run_leaf_parse(data, size, NULL, &leaf, &err) != BEZ_OK) return;
  for (size_t i = 0; i < leaf.n; i++) {
    bez_put_varint(&again, leaf.runs[i].n_rows);
    bez_buf_write(&again, leaf.runs[i].batch.bytes, sizeof leaf.runs[i].batch.bytes);
  }
  need_same(&again, data, size);
}

static void items(const uint8_t *data, size_t size) {
  bez_cursor c = {data, size, 0};
  bez_buf again = {0};
  for (bez_item item; bez_item_next(&c, &item);) bez_item_write(&again, &item);
  if (c.pos) need_same(&again, data, c.pos);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const bez_tree_kind kinds[] = {BEZ_TREE_ROWS, BEZ_TREE_SORTED, BEZ_TREE_PROVENANCE};
  if (!size) return 0;
  uint8_t what = *data++;
  size--;
  if (what < 3) root(kinds[what], data, size);
  if (what >= 3 && what < 6) node(kinds[what - 3], data, size);
  if (what == 6) sorted(data, size);
  if (what == 7) runs(data, size);
  if (what == 8) items(data, size);
  return 0;
}
