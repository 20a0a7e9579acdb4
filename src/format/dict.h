/* A dictionary of cell values: one per worker and column, from bytes to small codes in order of first sight.
 *
 * The first 16 bytes of a value lie in its slot as two words, so that nearly every lookup touches one cache line;
 * what is longer is compared with the copy in `tails`. The hash is seeded per dictionary: no result depends on it,
 * and an input made to collide has nothing to aim at. */
#ifndef BEZ_FORMAT_DICT_H
#define BEZ_FORMAT_DICT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BEZ_DICT_NONE UINT32_MAX /* no code: memory is out */
#define BEZ_DICT_PAD 16u         /* bytes behind a cell that bez_dict_put_padded may read */

typedef struct bez_dict_slot {
  uint64_t word[2]; /* the first 16 bytes, zeros behind the end */
  uint64_t tail;    /* where a value above 16 bytes lies whole in tails */
  uint32_t len;
  uint32_t code1; /* code + 1; 0: free */
} bez_dict_slot;

typedef struct bez_dict {
  bez_dict_slot *slots;
  uint64_t mask; /* slots - 1 */
  uint32_t n;    /* codes given: 0 … n - 1 */
  char *tails;
  size_t tails_len, tails_cap;
  uint64_t seed[2];
} bez_dict; /* zero-initialise (with seeds of your choice); free with bez_dict_free */

void bez_dict_free(bez_dict *dict);

/* Inserts a value that is not there yet (grows first where needed). Internal to the inline functions. */
uint32_t bez_dict_insert(bez_dict *dict, const char *bytes, uint32_t len, uint64_t w0, uint64_t w1);

static inline uint64_t bez_dict_hash(const bez_dict *dict, uint64_t w0, uint64_t w1, uint32_t len) {
  __uint128_t product = (__uint128_t)(w0 ^ dict->seed[0]) * (w1 ^ dict->seed[1] ^ ((uint64_t)len << 56));
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Values above 16 bytes: the words hashed are made of the whole value. */
uint64_t bez_dict_hash_long(const bez_dict *dict, const char *bytes, uint32_t len);

static inline const char *bez_dict_bytes(const bez_dict *dict, const bez_dict_slot *slot) {
  return slot->len <= 16 ? (const char *)slot->word : dict->tails + slot->tail;
}

static inline uint32_t bez_dict_find_or_insert(bez_dict *dict, const char *bytes, uint32_t len, uint64_t w0,
                                               uint64_t w1, uint64_t hash) {
  if (dict->slots) {
    for (uint64_t i = hash & dict->mask;; i = (i + 1) & dict->mask) {
      const bez_dict_slot *slot = &dict->slots[i];
      if (slot->word[0] == w0 && slot->word[1] == w1 && slot->len == len && slot->code1 &&
          (len <= 16 || !memcmp(dict->tails + slot->tail, bytes, len)))
        return slot->code1 - 1;
      if (!slot->code1) break;
    }
  }
  return bez_dict_insert(dict, bytes, len, w0, w1);
}

/* The code of a value, a new one if it was never seen; BEZ_DICT_NONE when memory is out. */
static inline uint32_t bez_dict_put(bez_dict *dict, const char *bytes, uint32_t len) {
  uint64_t w[2] = {0, 0};
  if (len) memcpy(w, bytes, len < 16 ? len : 16);
  uint64_t hash = len <= 16 ? bez_dict_hash(dict, w[0], w[1], len) : bez_dict_hash_long(dict, bytes, len);
  return bez_dict_find_or_insert(dict, bytes, len, w[0], w[1], hash);
}

extern const uint64_t bez_dict_masks[17][2]; /* by length: which bits of the two words belong to the value */

/* The first 16 bytes as two words; BEZ_DICT_PAD bytes behind bytes + len must be readable. */
static inline void bez_dict_words(const char *bytes, uint32_t len, uint64_t *w0, uint64_t *w1) {
  const uint64_t *mask = bez_dict_masks[len < 16 ? len : 16];
  memcpy(w0, bytes, 8);
  memcpy(w1, bytes + 8, 8);
  *w0 &= mask[0];
  *w1 &= mask[1];
}

/* bez_dict_put where BEZ_DICT_PAD bytes may be read behind the value. */
static inline uint32_t bez_dict_put_padded(bez_dict *dict, const char *bytes, uint32_t len) {
  uint64_t w0, w1;
  bez_dict_words(bytes, len, &w0, &w1);
  uint64_t hash = len <= 16 ? bez_dict_hash(dict, w0, w1, len) : bez_dict_hash_long(dict, bytes, len);
  return bez_dict_find_or_insert(dict, bytes, len, w0, w1, hash);
}

#endif
