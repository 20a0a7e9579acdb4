/* The leaves of the version before. A leaf is the same leaf when its bytes are and the form that its rows are read with
 * is: then its digests are known, and nothing of it is hashed row by row again. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "content/ingest_parts.h"

typedef struct known_leaf {
  bez_id id;
  uint8_t root[32];
  uint32_t items, rows;
  uint64_t bytes;
  uint32_t context; /* BEZ_NOT_KNOWN: none, before the first file */
  uint32_t left;    /* occurrences that were not taken */
} known_leaf;

typedef struct known_context {
  uint8_t identity[32];
  char *json; /* owned */
  size_t len;
} known_context;

struct bez_parent {
  const bez_objects *objects;
  bez_store leaves, table; /* known_leaf[n]; uint32_t[mask + 1], number + 1 */
  uint32_t n, mask;
  known_context *contexts;
  uint32_t n_contexts, cap_contexts;
};

static known_leaf *leaves_of(const bez_parent *known) {
  return known->leaves.data;
}

void bez_parent_free(bez_parent *known) {
  if (!known) return;
  for (uint32_t i = 0; i < known->n_contexts; i++) free(known->contexts[i].json);
  free(known->contexts);
  bez_store_free(&known->leaves);
  bez_store_free(&known->table);
  free(known);
}

uint32_t bez_parent_context(const bez_parent *known, const uint8_t identity[32]) {
  for (uint32_t i = known->n_contexts; i-- > 0;)
    if (!memcmp(known->contexts[i].identity, identity, 32)) return i;
  return BEZ_NOT_KNOWN;
}

/* Ids are SHA-256: eight bytes of one are as good as any hash, and who makes collisions of them gains a slow add. */
static uint32_t place_of(const bez_parent *known, const bez_id *id, uint32_t context) {
  uint64_t word;
  memcpy(&word, id->bytes, sizeof word);
  return (uint32_t)(word ^ (uint64_t)context * 0x9e3779b1u) & known->mask;
}

static uint32_t find(const bez_parent *known, const bez_id *id, uint32_t context, uint32_t *place) {
  const uint32_t *table = known->table.data;
  const known_leaf *leaves = leaves_of(known);
  uint32_t at = place_of(known, id, context);
  for (; table[at]; at = (at + 1) & known->mask) {
    const known_leaf *leaf = &leaves[table[at] - 1];
    if (leaf->context == context && !bez_id_compare(&leaf->id, id)) break;
  }
  *place = at;
  return table[at] ? table[at] - 1 : BEZ_NOT_KNOWN;
}

uint32_t bez_parent_find(const bez_parent *known, const bez_id *id, uint32_t context) {
  uint32_t place;
  return find(known, id, context, &place);
}

bool bez_parent_take(bez_parent *known, uint32_t leaf, bez_tree_entry *out) {
  known_leaf *k = &leaves_of(known)[leaf];
  if (!k->left) return false;
  k->left--;
  *out = (bez_tree_entry){.id = k->id, .items = k->items, .rows = k->rows, .bytes = k->bytes};
  memcpy(out->root, k->root, sizeof out->root);
  return true;
}

static bez_status grow_table(bez_parent *known, bez_error *err) {
  uint32_t slots = known->mask ? (known->mask + 1) * 2 : 4096;
  bez_store_free(&known->table);
  bez_store_init(&known->table, known->leaves.budget);
  known->mask = slots - 1;
  bez_status st = bez_store_grow(&known->table, (size_t)slots * sizeof(uint32_t), err);
  uint32_t *table = known->table.data;
  for (uint32_t i = 0; i < known->n && st == BEZ_OK; i++) {
    const known_leaf *leaf = &leaves_of(known)[i];
    uint32_t at = place_of(known, &leaf->id, leaf->context);
    while (table[at]) at = (at + 1) & known->mask;
    table[at] = i + 1;
  }
  return st;
}

static bez_status add_leaf(bez_parent *known, const bez_tree_entry *entry, uint32_t context, bez_error *err) {
  if (entry->items > BEZ_LEAF_ITEMS || known->n >= UINT32_MAX / 4)
    return bez_fail(err, BEZ_LIMIT, "tree", "a version with more leaves than can be held, or one of too many items");
  if ((uint64_t)known->n * 2 >= known->mask) {
    bez_status st = grow_table(known, err);
    if (st != BEZ_OK) return st;
  }
  uint32_t place, number = find(known, &entry->id, context, &place);
  if (number != BEZ_NOT_KNOWN) {
    leaves_of(known)[number].left++;
    return BEZ_OK;
  }
  bez_status st = BEZ_OK;
  size_t bytes = ((size_t)known->n + 1) * sizeof(known_leaf);
  if (bytes > known->leaves.cap) st = bez_store_grow(&known->leaves, bytes + bytes / 2 + (1u << 20), err);
  if (st != BEZ_OK) return st;
  known_leaf *leaf = &leaves_of(known)[known->n];
  *leaf = (known_leaf){.id = entry->id,
                       .items = (uint32_t)entry->items,
                       .rows = (uint32_t)entry->rows,
                       .bytes = entry->bytes,
                       .context = context,
                       .left = 1};
  memcpy(leaf->root, entry->root, sizeof leaf->root);
  ((uint32_t *)known->table.data)[place] = ++known->n;
  return BEZ_OK;
}

static bez_status add_context(bez_parent *known, const bez_item *file, uint32_t *out, bez_error *err) {
  uint8_t identity[32];
  bez_sha256(file->body, file->body_len, identity);
  *out = bez_parent_context(known, identity);
  if (*out != BEZ_NOT_KNOWN) return BEZ_OK;
  if (known->n_contexts == known->cap_contexts) {
    uint32_t cap = known->cap_contexts ? known->cap_contexts * 2 : 16;
    known_context *contexts = realloc(known->contexts, cap * sizeof *contexts);
    if (!contexts) return bez_fail_memory(err, cap * sizeof *contexts);
    known->contexts = contexts;
    known->cap_contexts = cap;
  }
  char *json = malloc(file->body_len + 1);
  if (!json) return bez_fail_memory(err, file->body_len);
  memcpy(json, file->body, file->body_len);
  known_context *context = &known->contexts[known->n_contexts];
  *context = (known_context){.json = json, .len = file->body_len};
  memcpy(context->identity, identity, sizeof identity);
  *out = known->n_contexts++;
  return BEZ_OK;
}

/* The context behind a leaf that holds more than rows. *single: it is a data set of one file. */
static bez_status read_contexts(bez_parent *known, const bez_tree_entry *leaf, bez_buf *buf, uint32_t *context,
                                bool *single, bez_error *err) {
  bez_status st = bez_objects_get(known->objects, BEZ_OBJECT_LEAF, &leaf->id, buf, err);
  bez_cursor at = {.data = (const uint8_t *)buf->data, .len = buf->len};
  while (st == BEZ_OK && bez_cursor_left(&at)) {
    bez_item item;
    if (!bez_item_next(&at, &item)) return bez_fail(err, BEZ_FORMAT, "leaf", "an item of a leaf is malformed");
    if (item.type == BEZ_ITEM_FILE) {
      *single = !item.head_len;
      st = add_context(known, &item, context, err);
    }
  }
  return st;
}

static bez_status walk_tree(bez_parent *known, const bez_tree *tree, bez_error *err) {
  bez_tree_walk *walk = NULL;
  bez_buf buf = {0};
  bez_tree_entry leaf;
  bez_tree_place place;
  bool end = false, single = false;
  uint32_t context = BEZ_NOT_KNOWN;
  bez_status st;
  BEZ_TRY(bez_tree_walk_begin(known->objects, tree, &walk, err));
  for (;;) {
    BEZ_TRY(bez_tree_walk_next(walk, &leaf, &place, &end, err));
    if (end) break;
    uint32_t before = context;
    if (leaf.items > leaf.rows && !single) BEZ_TRY(read_contexts(known, &leaf, &buf, &context, &single, err));
    BEZ_TRY(add_leaf(known, &leaf, before, err));
  }
cleanup:
  bez_tree_walk_end(walk);
  bez_buf_free(&buf);
  return st;
}

bez_status bez_parent_make(const bez_objects *objects, const bez_tree *tree, bez_budget *budget, bez_parent **out,
                           bez_error *err) {
  bez_parent *known = calloc(1, sizeof *known);
  *out = NULL;
  if (!known) return bez_fail_memory(err, sizeof *known);
  known->objects = objects;
  bez_store_init(&known->leaves, budget);
  bez_store_init(&known->table, budget);
  bez_status st = grow_table(known, err);
  if (st == BEZ_OK && tree->height) st = walk_tree(known, tree, err);
  if (st == BEZ_OK)
    *out = known;
  else
    bez_parent_free(known);
  return st;
}

/* ---- what was removed ---- */

#define ROUND 1024u /* leaves at a time */
#define TILE 32u

typedef struct removal {
  bez_parent *known;
  uint32_t which[ROUND];
  uint32_t n;
  uint64_t rows[ROUND];
  uint8_t (*canonical)[32]; /* BEZ_LEAF_ITEMS for each */
} removal;

static bez_status digest_leaf(removal *r, uint32_t i, bez_form_use *use, uint32_t *opened, bez_canonical *c,
                              bez_buf *buf, bez_error *err) {
  const known_leaf *leaf = &leaves_of(r->known)[r->which[i]];
  bez_tree_entry entry = {.id = leaf->id};
  bez_status st = bez_objects_get(r->known->objects, BEZ_OBJECT_LEAF, &leaf->id, buf, err);
  if (st == BEZ_OK && leaf->context != BEZ_NOT_KNOWN && *opened != leaf->context) {
    const known_context *context = &r->known->contexts[leaf->context];
    bez_form_close(use);
    *opened = BEZ_NOT_KNOWN;
    st = bez_form_open_json(context->json, context->len, use, err);
    if (st == BEZ_OK) *opened = leaf->context;
  }
  const bez_form_use *in_force = leaf->context == BEZ_NOT_KNOWN ? NULL : use;
  uint8_t(*out)[32] = r->canonical + (size_t)i * BEZ_LEAF_ITEMS;
  if (st == BEZ_OK) st = bez_leaf_digest(buf->data, buf->len, in_force, c, &entry, out, err);
  r->rows[i] = entry.rows;
  if (st == BEZ_OK && memcmp(entry.root, leaf->root, sizeof entry.root) != 0)
    st = bez_fail(err, BEZ_FORMAT, "leaf", "the digests of a leaf's rows are not those that the tree names");
  return st;
}

static bez_status removal_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  removal *r = ctx;
  bez_form_use use = {0};
  uint32_t opened = BEZ_NOT_KNOWN, first = (uint32_t)tile * TILE;
  bez_buf buf = {0};
  bez_canonical *c;
  bez_status st = bez_canonical_create(&c, err);
  for (uint32_t i = first; st == BEZ_OK && i < r->n && i < first + TILE; i++)
    st = digest_leaf(r, i, &use, &opened, c, &buf, err);
  bez_form_close(&use);
  bez_canonical_free(c);
  bez_buf_free(&buf);
  return st;
}

static bez_status remove_round(removal *r, unsigned threads, bez_digests *removed, bez_error *err) {
  bez_status st = bez_parallel((r->n + TILE - 1) / TILE, threads, removal_tile, r, err);
  for (uint32_t i = 0; i < r->n && st == BEZ_OK; i++)
    for (uint32_t k = 0; k < leaves_of(r->known)[r->which[i]].left && st == BEZ_OK; k++)
      st = bez_digests_add(removed, (const uint8_t(*)[32])r->canonical + (size_t)i * BEZ_LEAF_ITEMS, r->rows[i], err);
  r->n = 0;
  return st;
}

bez_status bez_parent_removed(bez_parent *known, unsigned threads, bez_digests *removed, bez_error *err) {
  bez_status st = BEZ_OK;
  removal *r = calloc(1, sizeof *r);
  uint8_t(*canonical)[32] = malloc((size_t)ROUND * BEZ_LEAF_ITEMS * 32);
  if (!r || !canonical) st = bez_fail_memory(err, (size_t)ROUND * BEZ_LEAF_ITEMS * 32);
  if (st == BEZ_OK) {
    r->known = known;
    r->canonical = canonical;
  }
  for (uint32_t i = 0; i < known->n && st == BEZ_OK; i++) {
    if (leaves_of(known)[i].left) r->which[r->n++] = i;
    if (r->n == ROUND) st = remove_round(r, threads, removed, err);
  }
  if (st == BEZ_OK && r->n) st = remove_round(r, threads, removed, err);
  free(canonical);
  free(r);
  return st;
}
