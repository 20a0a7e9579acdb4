/* Digests of one leaf: what has to be computed for every row once in its life. */
#include <string.h>

#include "base/error.h"
#include "content/canonical.h"
#include "content/ingest_parts.h"
#include "crypto/sha256_many.h"

typedef struct leaf_walk {
  const bez_form_use *use;
  bez_form_use opened; /* from a FILE item in the leaf */
  bez_canonical *c;
  uint32_t cpu;
  size_t n_jobs;
  bez_item items[BEZ_LEAF_ITEMS + 1]; /* one more, for what is one too many */
  uint8_t raw[BEZ_LEAF_ITEMS + 1][32], canonical[BEZ_LEAF_ITEMS + 1][32];
  uint8_t fronts[BEZ_LEAF_ITEMS][66]; /* what the hash of an item without a head is over (content/item.h) */
  bez_sha256_job jobs[BEZ_LEAF_ITEMS];
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
  return form->canonical(state, item, w->c, out, err);
}

/* Items of the leaf, with the jobs of their raw digests; canonical digests are gathered. */
static bez_status read_items(leaf_walk *w, const void *bytes, size_t len, bez_tree_entry *entry, bez_error *err) {
  bez_cursor at = {.data = bytes, .len = len};
  while (bez_cursor_left(&at)) {
    bez_item *item = &w->items[entry->items];
    uint8_t *raw = w->raw[entry->items], *canonical = w->canonical[entry->items];
    if (entry->items == BEZ_LEAF_ITEMS || !bez_item_next(&at, item))
      return bez_fail_at(err, BEZ_FORMAT, "leaf", -1, (int64_t)at.pos, "an item of a leaf is malformed");
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
      w->jobs[w->n_jobs++] = (bez_sha256_job){item->body, item->body_len, raw};
    entry->items++;
    entry->rows += bez_item_is_row(item->type);
    entry->bytes += bez_item_file_bytes(item);
  }
  return entry->items ? BEZ_OK : bez_fail(err, BEZ_FORMAT, "leaf", "a leaf holds no items");
}

/* Hashes of items: nearly all are of one size, and hashed together. */
static void hash_items(leaf_walk *w, size_t n, uint8_t (*hashes)[32]) {
  w->n_jobs = 0;
  for (size_t i = 0; i < n; i++) {
    const bez_item *item = &w->items[i];
    if (item->head_len) {
      bez_item_hash(item, w->raw[i], w->canonical[i], hashes[i]);
      continue;
    }
    uint8_t *front = w->fronts[i];
    front[0] = 0;
    front[1] = (uint8_t)item->type;
    memcpy(front + 2, w->raw[i], 32);
    memcpy(front + 34, w->canonical[i], 32);
    w->jobs[w->n_jobs++] = (bez_sha256_job){front, sizeof w->fronts[i], hashes[i]};
  }
  bez_sha256_many(w->cpu, w->jobs, w->n_jobs);
}

bez_status bez_leaf_digest(const void *bytes, size_t len, const bez_form_use *use, bez_canonical *c,
                           bez_tree_entry *entry, uint8_t (*canonical)[32], bez_error *err) {
  leaf_walk w;
  uint8_t hashes[BEZ_LEAF_ITEMS][32];
  w.use = use;
  w.opened = (bez_form_use){0};
  w.c = c;
  w.cpu = bez_canonical_cpu(c);
  w.n_jobs = 0;
  entry->items = entry->rows = entry->bytes = 0;
  bez_canonical_hold(c);
  bez_status st = read_items(&w, bytes, len, entry, err);
  bez_status released = bez_canonical_release(c, err);
  if (st == BEZ_OK) st = released;
  if (st == BEZ_OK) {
    bez_sha256_many(w.cpu, w.jobs, w.n_jobs);
    hash_items(&w, entry->items, hashes);
    bez_merkle_fold_by(w.cpu, hashes, entry->items, entry->root);
    for (size_t i = 0, row = 0; i < entry->items; i++)
      if (bez_item_is_row(w.items[i].type)) memcpy(canonical[row++], w.canonical[i], 32);
  }
  bez_form_close(&w.opened);
  return st;
}

void bez_leaf_digest_lone(const uint8_t raw[32], uint64_t bytes, bez_tree_entry *entry) {
  static const uint8_t none[32] = {0};
  const bez_item item = {.type = BEZ_ITEM_BYTES};
  uint8_t hash[1][32];
  bez_item_hash(&item, raw, none, hash[0]);
  bez_merkle_fold(hash, 1, entry->root);
  entry->items = 1;
  entry->rows = 0;
  entry->bytes = bytes;
}
