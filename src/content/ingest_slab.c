/* Slabs: items as they are stored, and the leaves that they make. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/ingest_parts.h"

enum { FRAME = 1 + 2 * 10 }; /* type and two varints */

void bez_slab_free(bez_slab *slab) {
  free(slab->bytes);
  free(slab->end);
  free(slab->hash);
  free(slab->canonical);
  free(slab->starts);
  free(slab->leaves);
  free(slab->fresh);
  for (size_t i = 0; i < slab->cap_groups; i++) bez_block_free(slab->groups[i].block);
  free(slab->groups);
  *slab = (bez_slab){0};
}

void bez_slab_clear(bez_slab *slab) {
  slab->len = slab->n = slab->n_hashed = slab->n_starts = slab->n_leaves = slab->n_fresh = slab->n_groups = 0;
  slab->last = false;
}

static bool grow(void *array, size_t count, size_t size) {
  void *grown = realloc(*(void **)array, count * size);
  if (grown) *(void **)array = grown;
  return grown != NULL;
}

bez_status bez_slab_reserve(bez_slab *slab, size_t n, size_t bytes, bez_error *err) {
  size_t need = slab->len + bytes + n * FRAME, items = slab->n + n;
  if (need > slab->cap) {
    size_t cap = need + need / 4;
    if (!grow(&slab->bytes, cap, 1)) return bez_fail_memory(err, cap);
    slab->cap = cap;
  }
  if (items > slab->cap_items) {
    size_t cap = items + items / 2;
    if (!grow(&slab->end, cap, sizeof *slab->end) || !grow(&slab->hash, cap, sizeof *slab->hash) ||
        !grow(&slab->canonical, cap, sizeof *slab->canonical))
      return bez_fail_memory(err, cap * sizeof *slab->canonical);
    slab->cap_items = cap;
  }
  return BEZ_OK;
}

static size_t put_varint(uint8_t *out, size_t value) {
  size_t n = 0;
  for (; value >= 0x80; value >>= 7) out[n++] = (uint8_t)(value | 0x80);
  out[n++] = (uint8_t)value;
  return n;
}

void bez_slab_put(bez_slab *slab, bez_item_type type, const void *head, size_t head_len, const void *body,
                  size_t body_len) {
  uint8_t *at = slab->bytes + slab->len;
  *at++ = (uint8_t)type;
  at += put_varint(at, head_len);
  if (head_len) memcpy(at, head, head_len);
  at += head_len;
  at += put_varint(at, body_len);
  if (body_len) memcpy(at, body, body_len);
  at += body_len;
  slab->len = (size_t)(at - slab->bytes);
  slab->end[slab->n++] = slab->len;
}

bez_status bez_slab_start(bez_slab *slab, size_t file, bez_error *err) {
  if (slab->n_starts == slab->cap_starts) {
    size_t cap = slab->cap_starts ? slab->cap_starts * 2 : 16;
    if (!grow(&slab->starts, cap, sizeof *slab->starts)) return bez_fail_memory(err, cap * sizeof *slab->starts);
    slab->cap_starts = cap;
  }
  slab->starts[slab->n_starts++] = file;
  return BEZ_OK;
}

void bez_contexts_free(bez_context *first) {
  for (bez_context *next; first; first = next) {
    next = first->next;
    bez_form_close(&first->use);
    free(first);
  }
}

/* The context of a FILE item that begins at `at`: the one in force where it says the same. */
static bez_status enter_context(const bez_item *item, bez_cut_state *cut, bez_error *err) {
  uint8_t identity[32];
  bez_sha256(item->body, item->body_len, identity);
  if (cut->current && !memcmp(cut->current->identity, identity, sizeof identity)) return BEZ_OK;
  bez_context *context = calloc(1, sizeof *context);
  if (!context) return bez_fail_memory(err, sizeof *context);
  bez_status st = bez_form_open_json(item->body, item->body_len, &context->use, err);
  if (st != BEZ_OK) {
    free(context);
    return st;
  }
  memcpy(context->identity, identity, sizeof identity);
  context->known = cut->known ? bez_parent_context(cut->known, identity) : BEZ_NOT_KNOWN;
  if (cut->current)
    cut->current->next = context;
  else
    cut->contexts = context;
  cut->current = context;
  return BEZ_OK;
}

/* A leaf in the making. */
typedef struct making {
  bez_new_leaf leaf;
  size_t n;        /* items in it */
  size_t start;    /* of the slab's starts, the next to come */
  bool bytes_seen; /* some of a file's */
} making;

static bool add_leaf(bez_slab *slab, making *m, size_t next_item) {
  if (slab->n_leaves == slab->cap_leaves) {
    size_t cap = slab->cap_leaves ? slab->cap_leaves * 2 : 1024;
    if (!grow(&slab->leaves, cap, sizeof *slab->leaves)) return false;
    slab->cap_leaves = cap;
  }
  m->leaf.n = m->n;
  slab->leaves[slab->n_leaves++] = m->leaf;
  m->leaf = (bez_new_leaf){.begin = slab->end[next_item - 1], .first = next_item, .start = m->start};
  m->n = 0;
  return true;
}

static void open_leaf(making *m, const bez_cut_state *cut, const bez_slab *slab) {
  m->leaf.context = cut->current;
  if (cut->current) cut->current->last_slab = slab->number;
  m->leaf.referable = cut->by_reference;
  m->bytes_seen = false;
}

/* Where the bytes of an item lie, and what it changes for those behind it. */
static bez_status take_item(making *m, bez_slab *slab, size_t i, bez_cut_state *cut, bez_error *err) {
  size_t begin = i ? slab->end[i - 1] : 0;
  bez_item_type type = (bez_item_type)slab->bytes[begin];
  bool starts = type == BEZ_ITEM_FILE || type == BEZ_ITEM_FILE_ROW;
  if (!starts && !cut->by_reference) return BEZ_OK;
  bez_item item;
  bez_cursor at = {.data = slab->bytes, .len = slab->end[i], .pos = begin};
  if (!bez_item_next(&at, &item)) return bez_fail(err, BEZ_INTERNAL, "slab", "an item cannot be read back");
  if (starts) {
    if (m->bytes_seen) m->leaf.referable = false;
    cut->file = slab->starts[m->start++];
    cut->offset = 0;
    if (type == BEZ_ITEM_FILE) {
      bez_status st = enter_context(&item, cut, err);
      if (st != BEZ_OK) return st;
      cut->current->last_slab = slab->number;
    }
  }
  size_t bytes = bez_item_file_bytes(&item);
  if (bytes && !m->bytes_seen) {
    m->bytes_seen = true;
    m->leaf.file = cut->file;
    m->leaf.offset = cut->offset;
  }
  m->leaf.file_bytes += bytes;
  cut->offset += bytes;
  return BEZ_OK;
}

/* Items from `first` on, with what is known of them, to the front of next. */
static bez_status carry(const bez_slab *slab, const making *m, bez_slab *next, bez_error *err) {
  size_t first = m->leaf.first, begin = m->leaf.begin, n = slab->n - first;
  bez_status st = bez_slab_reserve(next, n, slab->len - begin, err);
  if (st != BEZ_OK || !n) return st;
  memcpy(next->bytes, slab->bytes + begin, slab->len - begin);
  next->len = slab->len - begin;
  for (size_t i = 0; i < n; i++) {
    next->end[i] = slab->end[first + i] - begin;
    next->hash[i] = slab->hash[first + i];
  }
  next->n = next->n_hashed = n;
  for (size_t i = m->leaf.start; i < slab->n_starts && st == BEZ_OK; i++)
    st = bez_slab_start(next, slab->starts[i], err);
  return st;
}

bez_status bez_slab_cut(bez_slab *slab, bez_cut_state *cut, bez_slab *next, bez_error *err) {
  making m = {0};
  bez_cut_state before = *cut; /* where the leaf in the making began */
  for (size_t i = 0; i < slab->n; i++) {
    size_t begin = i ? slab->end[i - 1] : 0, size = slab->end[i] - begin;
    if (m.n && size >= BEZ_LEAF_BYTES && !add_leaf(slab, &m, i)) return bez_fail_memory(err, sizeof m.leaf);
    if (!m.n) {
      before = *cut;
      open_leaf(&m, cut, slab);
    }
    bez_status st = take_item(&m, slab, i, cut, err);
    if (st != BEZ_OK) return st;
    m.n++;
    m.leaf.len = slab->end[i] - m.leaf.begin;
    if ((bez_leaf_ends(slab->hash[i], m.n, m.leaf.len) || (slab->last && i + 1 == slab->n)) &&
        !add_leaf(slab, &m, i + 1))
      return bez_fail_memory(err, sizeof m.leaf);
  }
  if (!m.n) return BEZ_OK;
  bez_context **newer = before.current ? &before.current->next : &cut->contexts;
  bez_contexts_free(*newer); /* the items left over are taken anew, in the next slab */
  *newer = NULL;
  *cut = before;
  return carry(slab, &m, next, err);
}
