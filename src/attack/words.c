#include "attack/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/hash.h"

enum { VOCABULARY_ROWS = 200000, LONGEST = 32 };

static bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool bez_word_next(const char *text, size_t len, size_t from, bez_span_of_word *word) {
  while (from < len && !letter(text[from])) from++;
  word->begin = word->end = from;
  while (word->end < len && letter(text[word->end])) word->end++;
  return word->end > word->begin;
}

static bool holds_one(const char *text, bez_span_of_word w, const char *letters) {
  if (!letters) return true;
  for (size_t i = w.begin; i < w.end; i++)
    if (strchr(letters, text[i])) return true;
  return false;
}

bool bez_word_pick(const char *text, size_t len, size_t min_letters, const char *letters, bez_rng *rng,
                   bez_span_of_word *word) {
  uint64_t seen = 0;
  bez_span_of_word w;
  for (size_t at = 0; bez_word_next(text, len, at, &w); at = w.end) {
    if (w.end - w.begin < min_letters || !holds_one(text, w, letters)) continue;
    if (bez_rng_below(rng, ++seen) == 0) *word = w; /* reservoir of one */
  }
  return seen > 0;
}

size_t bez_word_gap(const char *text, size_t len, bez_rng *rng) {
  uint64_t seen = 1;
  size_t place = 0;
  for (size_t i = 1; i <= len; i++)
    if ((i == len || text[i - 1] == ' ') && bez_rng_below(rng, ++seen) == 0) place = i;
  return place;
}

bool bez_phrase_found(const char *text, size_t len, const char *phrase) {
  size_t n = strlen(phrase);
  if (!n) return false;
  for (size_t i = 0; i + n <= len; i++) {
    if (i && letter(text[i - 1])) continue;
    if (i + n < len && letter(text[i + n])) continue;
    if (strncasecmp(text + i, phrase, n) == 0) return true;
  }
  return false;
}

typedef struct slot {
  uint32_t word; /* index + 1, 0 empty */
  uint32_t last_row;
} slot;

typedef struct word_map {
  slot *slots;
  size_t mask;
  size_t cap; /* of word[] and rows[] */
} word_map;

static uint64_t hash_of(const char *lower, size_t len) {
  return bez_hash64(lower, len, 0);
}

static bez_status rehash(word_map *map, const bez_vocabulary *v, size_t n_slots, bez_error *err) {
  slot *fresh = calloc(n_slots, sizeof *fresh);
  if (!fresh) return bez_fail_memory(err, n_slots * sizeof *fresh);
  for (size_t i = 0; map->slots && i <= map->mask; i++) {
    if (!map->slots[i].word) continue;
    const char *w = v->word[map->slots[i].word - 1];
    size_t at = hash_of(w, strlen(w)) & (n_slots - 1);
    while (fresh[at].word) at = (at + 1) & (n_slots - 1);
    fresh[at] = map->slots[i];
  }
  free(map->slots);
  map->slots = fresh;
  map->mask = n_slots - 1;
  return BEZ_OK;
}

static bez_status add_word(word_map *map, bez_vocabulary *v, bez_arena *arena, const char *lower, size_t len,
                           uint32_t row, bez_error *err) {
  if (!map->slots || (size_t)v->n * 2 > map->mask) {
    bez_status st = rehash(map, v, map->slots ? (map->mask + 1) * 2 : 4096, err);
    if (st != BEZ_OK) return st;
  }
  size_t at = hash_of(lower, len) & map->mask;
  for (; map->slots[at].word; at = (at + 1) & map->mask) {
    const char *w = v->word[map->slots[at].word - 1];
    if (strncmp(w, lower, len) != 0 || w[len]) continue;
    if (map->slots[at].last_row != row) v->rows[map->slots[at].word - 1]++;
    map->slots[at].last_row = row;
    return BEZ_OK;
  }
  if (v->n == map->cap) { /* doubled in the arena: the old halves add up to one copy more */
    size_t cap = map->cap ? map->cap * 2 : 4096;
    const char **word = bez_arena_array(arena, cap, sizeof *word);
    uint32_t *rows = bez_arena_array(arena, cap, sizeof *rows);
    if (!word || !rows) return bez_fail_memory(err, cap * sizeof *word);
    if (v->n) {
      memcpy(word, v->word, v->n * sizeof *word);
      memcpy(rows, v->rows, v->n * sizeof *rows);
    }
    v->word = word;
    v->rows = rows;
    map->cap = cap;
  }
  v->word[v->n] = bez_arena_strndup(arena, lower, len);
  if (!v->word[v->n]) return bez_fail_memory(err, len);
  v->rows[v->n++] = 1;
  map->slots[at] = (slot){v->n, row};
  return BEZ_OK;
}

bez_status bez_vocabulary_make(const bez_table *table, uint32_t col, bez_arena *arena, bez_vocabulary *out,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  word_map map = {0};
  *out = (bez_vocabulary){.n_rows = table->n_rows < VOCABULARY_ROWS ? table->n_rows : VOCABULARY_ROWS};
  for (uint64_t row = 0; row < out->n_rows; row++) {
    size_t len;
    const char *text = bez_cell(table, col, row, &len);
    bez_span_of_word w;
    for (size_t at = 0; bez_word_next(text, len, at, &w); at = w.end) {
      size_t n = w.end - w.begin;
      char lower[LONGEST];
      if (n < 3 || n >= LONGEST) continue;
      for (size_t i = 0; i < n; i++) lower[i] = (char)(text[w.begin + i] | 0x20);
      BEZ_TRY(add_word(&map, out, arena, lower, n, (uint32_t)row, err));
    }
  }
cleanup:
  free(map.slots);
  return st;
}

const char *bez_vocabulary_pick(const bez_vocabulary *v, size_t min_letters, double low, double high, bez_rng *rng) {
  uint64_t seen = 0;
  const char *picked = NULL;
  for (uint32_t i = 0; i < v->n; i++) {
    double rows = v->rows[i], n = (double)v->n_rows;
    if (strlen(v->word[i]) < min_letters || rows < 3 || rows < low * n || rows > high * n) continue;
    if (bez_rng_below(rng, ++seen) == 0) picked = v->word[i];
  }
  return picked;
}
