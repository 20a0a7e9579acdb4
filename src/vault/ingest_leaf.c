/* Digests of one leaf: what has to be computed for every row once in its life. */
#include <string.h>

#include "base/error.h"
#include "vault/ingest_parts.h"

typedef struct leaf_walk {
  const bez_form_use *use;
  bez_form_use opened; /* from a FILE item in the leaf */
  bez_canonical *canonical;
} leaf_walk;

static bez_status enter_file(leaf_walk *w, const bez_item *item, bez_error *err) {
  bez_form_close(&w->opened);
  w->use = &w->opened;
  return bez_form_open_json(item->body, item->body_len, &w->opened, err);
}

static bez_status row_digest(const leaf_walk *w, const bez_item *item, uint8_t out[32], bez_error *err) {
  if (item->type == BEZ_ITEM_DIGEST) {
    memcpy(out, item->body, 32);
    return BEZ_OK;
  }
  const bez_form *form = item->type == BEZ_ITEM_FILE_ROW ? bez_form_named("picture") : w->use ? w->use->form : NULL;
  void *state = item->type == BEZ_ITEM_FILE_ROW ? NULL : w->use ? w->use->state : NULL;
  if (!form || !form->canonical) return bez_fail(err, BEZ_FORMAT, "leaf", "a row stands where no form reads rows");
  return form->canonical(state, item, w->canonical, out, err);
}

static bez_status item_digest(leaf_walk *w, const bez_item *item, bez_tree_entry *entry, uint8_t canonical[32],
                              uint8_t out[32], bez_error *err) {
  uint8_t raw[32];
  bez_status st = BEZ_OK;
  memset(canonical, 0, 32);
  if (item->type == BEZ_ITEM_FILE)
    st = enter_file(w, item, err);
  else if (bez_item_is_row(item->type))
    st = row_digest(w, item, canonical, err);
  if (st != BEZ_OK) return st;
  if (item->type == BEZ_ITEM_DIGEST)
    memcpy(raw, item->body, 32);
  else
    bez_sha256(item->body, item->body_len, raw);
  bez_item_hash(item, raw, canonical, out);
  entry->items++;
  entry->rows += bez_item_is_row(item->type);
  entry->bytes += bez_item_file_bytes(item);
  return BEZ_OK;
}

bez_status bez_leaf_digest(const void *bytes, size_t len, const bez_form_use *use, bez_canonical *c,
                           bez_tree_entry *entry, uint8_t (*canonical)[32], bez_error *err) {
  leaf_walk w = {.use = use, .canonical = c};
  bez_cursor at = {.data = bytes, .len = len};
  uint8_t hashes[BEZ_LEAF_ITEMS][32], digest[32];
  bez_status st = BEZ_OK;
  entry->items = entry->rows = entry->bytes = 0;
  while (st == BEZ_OK && bez_cursor_left(&at)) {
    bez_item item;
    if (entry->items == BEZ_LEAF_ITEMS || !bez_item_next(&at, &item)) {
      st = bez_fail_at(err, BEZ_FORMAT, "leaf", -1, (int64_t)at.pos, "an item of a leaf is malformed");
      break;
    }
    st = item_digest(&w, &item, entry, digest, hashes[entry->items], err);
    if (st == BEZ_OK && bez_item_is_row(item.type)) memcpy(canonical[entry->rows - 1], digest, 32);
  }
  if (st == BEZ_OK && !entry->items) st = bez_fail(err, BEZ_FORMAT, "leaf", "a leaf holds no items");
  if (st == BEZ_OK) bez_merkle_fold(hashes, entry->items, entry->root);
  bez_form_close(&w.opened);
  return st;
}
