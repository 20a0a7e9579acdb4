/* Ordered set of names (keyset.h): an array of keys beside a hash index of doubling size. */
#include "format/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"

static uint32_t find_slot(const bez_keyset *set, const char *text, size_t len) {
  uint32_t at = (uint32_t)bez_hash64(text, len, 0) & set->mask;
  while (set->slot[at] != 0 && !bez_keyset_is(set, set->slot[at] - 1, text, len)) at = (at + 1) & set->mask;
  return at;
}

uint32_t bez_keyset_find(const bez_keyset *set, const char *text, size_t len) {
  if (set->n == 0) return BEZ_KEY_NONE;
  uint32_t entry = set->slot[find_slot(set, text, len)];
  return entry == 0 ? BEZ_KEY_NONE : entry - 1;
}

/* Twice the keys, four times the slots: the load stays at or below one half. */
static bez_status grow(bez_keyset *set, bez_error *err) {
  uint32_t cap = set->cap ? set->cap * 2 : 32;
  bez_key *keys = realloc(set->keys, cap * sizeof *keys);
  if (!keys) return bez_fail_memory(err, cap * sizeof *keys);
  set->keys = keys;
  uint32_t *slot = calloc((size_t)cap * 2, sizeof *slot);
  if (!slot) return bez_fail_memory(err, (size_t)cap * 2 * sizeof *slot);
  free(set->slot);
  set->slot = slot;
  set->mask = cap * 2 - 1;
  set->cap = cap;
  for (uint32_t i = 0; i < set->n; i++) slot[find_slot(set, keys[i].text, keys[i].len)] = i + 1;
  return BEZ_OK;
}

bez_status bez_keyset_add(bez_keyset *set, const char *text, size_t len, uint32_t *number, bez_error *err) {
  *number = bez_keyset_find(set, text, len);
  if (*number != BEZ_KEY_NONE) return BEZ_OK;
  if (len > BEZ_MAX_NAME) return bez_fail(err, BEZ_LIMIT, NULL, "a column name is longer than %u bytes", BEZ_MAX_NAME);
  if (set->n >= BEZ_MAX_COLUMNS) return bez_fail(err, BEZ_LIMIT, NULL, "more than %u columns", BEZ_MAX_COLUMNS);
  if (set->n == set->cap) {
    bez_status st = grow(set, err);
    if (st != BEZ_OK) return st;
  }
  char *copy = bez_arena_alloc(&set->arena, len + 1); /* zeroed: the NUL is there */
  if (!copy) return bez_fail_memory(err, len + 1);
  memcpy(copy, text, len);
  *number = set->n++;
  set->keys[*number] = (bez_key){.text = copy, .len = len};
  set->slot[find_slot(set, copy, len)] = *number + 1;
  return BEZ_OK;
}

void bez_keyset_free(bez_keyset *set) {
  bez_arena_free(&set->arena);
  free(set->keys);
  free(set->slot);
  *set = (bez_keyset){0};
}
