/* Growing and filling the dictionary of cell values; lookups are inline in the header. */
#include "format/dict.h"

#include <stdlib.h>

#include "base/hash.h"

#define FIRST_SLOTS 64u
#define LARGE_SLOTS (1u << 16)

const uint64_t bez_dict_masks[17][2] = {
    {0x0000000000000000ull, 0x0000000000000000ull}, {0x00000000000000ffull, 0x0000000000000000ull},
    {0x000000000000ffffull, 0x0000000000000000ull}, {0x0000000000ffffffull, 0x0000000000000000ull},
    {0x00000000ffffffffull, 0x0000000000000000ull}, {0x000000ffffffffffull, 0x0000000000000000ull},
    {0x0000ffffffffffffull, 0x0000000000000000ull}, {0x00ffffffffffffffull, 0x0000000000000000ull},
    {0xffffffffffffffffull, 0x0000000000000000ull}, {0xffffffffffffffffull, 0x00000000000000ffull},
    {0xffffffffffffffffull, 0x000000000000ffffull}, {0xffffffffffffffffull, 0x0000000000ffffffull},
    {0xffffffffffffffffull, 0x00000000ffffffffull}, {0xffffffffffffffffull, 0x000000ffffffffffull},
    {0xffffffffffffffffull, 0x0000ffffffffffffull}, {0xffffffffffffffffull, 0x00ffffffffffffffull},
    {0xffffffffffffffffull, 0xffffffffffffffffull}};

void bez_dict_free(bez_dict *dict) {
  free(dict->slots);
  free(dict->tails);
  *dict = (bez_dict){.seed = {dict->seed[0], dict->seed[1]}};
}

uint64_t bez_dict_hash_long(const bez_dict *dict, const char *bytes, uint32_t len) {
  return bez_hash64(bytes, len, dict->seed[0]);
}

static uint64_t slot_hash(const bez_dict *dict, const bez_dict_slot *slot) {
  if (slot->len <= 16) return bez_dict_hash(dict, slot->word[0], slot->word[1], slot->len);
  return bez_dict_hash_long(dict, dict->tails + slot->tail, slot->len);
}

static void place(bez_dict_slot *slots, uint64_t mask, uint64_t hash, const bez_dict_slot *slot) {
  uint64_t i = hash & mask;
  while (slots[i].code1) i = (i + 1) & mask;
  slots[i] = *slot;
}

/* Half full at most while small: misses stay short with linear probing. Large ones fill to 3/4 to save memory. */
static int grow(bez_dict *dict) {
  uint64_t limit = dict->mask < LARGE_SLOTS ? dict->mask / 2 : dict->mask / 4 * 3;
  if (dict->slots && dict->n < limit) return 1;
  uint64_t cap = dict->slots ? (dict->mask + 1) * (dict->mask < LARGE_SLOTS ? 4 : 2) : FIRST_SLOTS;
  bez_dict_slot *slots = calloc(cap, sizeof *slots);
  if (!slots) return 0;
  for (uint64_t i = 0; dict->slots && i <= dict->mask; i++)
    if (dict->slots[i].code1) place(slots, cap - 1, slot_hash(dict, &dict->slots[i]), &dict->slots[i]);
  free(dict->slots);
  dict->slots = slots;
  dict->mask = cap - 1;
  return 1;
}

static int keep_tail(bez_dict *dict, const char *bytes, uint32_t len) {
  if (dict->tails_cap - dict->tails_len < len) {
    size_t cap = dict->tails_cap ? dict->tails_cap * 2 : 4096;
    while (cap - dict->tails_len < len) cap *= 2;
    char *tails = realloc(dict->tails, cap);
    if (!tails) return 0;
    dict->tails = tails;
    dict->tails_cap = cap;
  }
  memcpy(dict->tails + dict->tails_len, bytes, len);
  dict->tails_len += len;
  return 1;
}

uint32_t bez_dict_insert(bez_dict *dict, const char *bytes, uint32_t len, uint64_t w0, uint64_t w1) {
  if (dict->n >= UINT32_MAX - 1 || !grow(dict)) return BEZ_DICT_NONE;
  bez_dict_slot slot = {.word = {w0, w1}, .tail = dict->tails_len, .len = len, .code1 = dict->n + 1};
  if (len > 16 && !keep_tail(dict, bytes, len)) return BEZ_DICT_NONE;
  place(dict->slots, dict->mask, slot_hash(dict, &slot), &slot);
  return dict->n++;
}
