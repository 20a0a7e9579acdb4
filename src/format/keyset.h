/* An ordered set of names: each distinct name once, numbered in the order of first sight. JSONL uses it for the
 * paths of its fields. Not thread safe while names are added; a finished set may be read from any thread. */
#ifndef BEZ_FORMAT_KEYSET_H
#define BEZ_FORMAT_KEYSET_H

#include "base/arena.h"
#include "bezoar/base.h"

typedef struct bez_key {
  const char *text; /* NUL-terminated; belongs to the set */
  size_t len;
} bez_key;

typedef struct bez_keyset {
  bez_arena arena;
  bez_key *keys;
  uint32_t n, cap;
  uint32_t *slot; /* open addressing: key number + 1, 0 empty */
  uint32_t mask;  /* slots - 1, slots a power of two */
} bez_keyset;     /* zero-initialise; free with bez_keyset_free */

#define BEZ_KEY_NONE UINT32_MAX

/* The number of the name, BEZ_KEY_NONE where it is not in the set. */
uint32_t bez_keyset_find(const bez_keyset *set, const char *text, size_t len);
/* As find, added when new. BEZ_LIMIT above BEZ_MAX_COLUMNS names or BEZ_MAX_NAME bytes. */
BEZ_MUST_USE bez_status bez_keyset_add(bez_keyset *set, const char *text, size_t len, uint32_t *number, bez_error *err);
void bez_keyset_free(bez_keyset *set);

/* Whether key `number` is this name: the cheap test when fields come in the usual order. */
static inline bool bez_keyset_is(const bez_keyset *set, uint32_t number, const char *text, size_t len) {
  return number < set->n && set->keys[number].len == len && __builtin_memcmp(set->keys[number].text, text, len) == 0;
}

#endif
