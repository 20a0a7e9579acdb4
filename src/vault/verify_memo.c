#include "vault/verify_memo.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static size_t chain_of(const bez_memo *memo, const bez_id *id) {
  uint64_t key;
  memcpy(&key, id->bytes, sizeof key);
  return (size_t)key & (((size_t)1 << memo->bits) - 1);
}

static void link_item(bez_memo *memo, uint32_t i) {
  uint32_t *chain = &memo->table[chain_of(memo, &memo->items[i].id)];
  memo->next[i] = *chain;
  *chain = i + 1;
}

static bez_status grow(bez_memo *memo, bez_error *err) {
  size_t cap = memo->cap ? memo->cap * 2 : 1024;
  unsigned bits = memo->cap ? memo->bits + 1 : 10;
  bez_memo_item *items = realloc(memo->items, cap * sizeof *items);
  if (items) memo->items = items;
  uint32_t *next = realloc(memo->next, cap * sizeof *next);
  if (next) memo->next = next;
  uint32_t *table = calloc((size_t)1 << bits, sizeof *table);
  if (!items || !next || !table) {
    free(table);
    return bez_fail_memory(err, cap * sizeof *items);
  }
  free(memo->table);
  memo->table = table;
  memo->bits = bits;
  memo->cap = cap;
  for (uint32_t i = 0; i < memo->n; i++) link_item(memo, i);
  return BEZ_OK;
}

bez_status bez_memo_add(bez_memo *memo, const bez_memo_item *item, bez_error *err) {
  if (memo->n == memo->cap) {
    bez_status st = grow(memo, err);
    if (st != BEZ_OK) return st;
  }
  memo->items[memo->n] = *item;
  link_item(memo, (uint32_t)memo->n++);
  return BEZ_OK;
}

static const bez_memo_item *find(const bez_memo *memo, const bez_id *id, bool any, uint32_t before) {
  if (!memo->n) return NULL;
  for (uint32_t at = memo->table[chain_of(memo, id)]; at; at = memo->next[at - 1]) {
    const bez_memo_item *item = &memo->items[at - 1];
    if (bez_id_compare(&item->id, id) == 0 && (any || item->before == before)) return item;
  }
  return NULL;
}

bool bez_memo_has(const bez_memo *memo, const bez_id *id) {
  return find(memo, id, true, 0) != NULL;
}

const bez_memo_item *bez_memo_find(const bez_memo *memo, const bez_id *id, uint32_t before) {
  return find(memo, id, false, before);
}

void bez_memo_free(bez_memo *memo) {
  free(memo->items);
  free(memo->next);
  free(memo->table);
  *memo = (bez_memo){0};
}
