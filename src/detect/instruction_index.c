/* What prompts and responses hold, as sorted row lists: n-grams seen in a few rows are left out before anything is
 * stored. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/instruction_switch.h"

#define SLOTS ((uint64_t)1 << 22) /* of the sketch that says which things come again */
#define WORD_SLOTS (1u << 20)
#define MOST_HOLDS ((size_t)1 << 26)

uint32_t bez_switch_word_slot(uint32_t literal) {
  return (uint32_t)bez_mix64(literal) & (WORD_SLOTS - 1);
}

uint64_t bez_switch_pattern_hash(const bez_token *t) {
  return bez_mix64(bez_ngram(t, 3) ^ ((uint64_t)t[3].literal + 0x400000000ull)) | (uint64_t)1 << 63;
}

const char *bez_switch_prompt(bez_switch *s, uint32_t row, size_t *len) {
  const char *text = bez_cell(s->in->table, s->prompt[0], row, len);
  if (s->n_prompt == 1) return text;
  size_t more;
  const char *input = bez_cell(s->in->table, s->prompt[1], row, &more);
  bez_buf_clear(&s->text);
  bez_buf_write(&s->text, text, *len);
  if (more) bez_buf_putc(&s->text, '\n');
  bez_buf_write(&s->text, input, more);
  *len = s->text.len;
  return s->text.data ? s->text.data : "";
}

const char *bez_switch_response(const bez_switch *s, uint32_t row, size_t *len) {
  return bez_cell(s->in->table, s->response, row, len);
}

static int by_key(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

/* The different keys of scratch[0, n), ascending. */
static size_t distinct(uint64_t *keys, size_t n) {
  size_t kept = 0;
  qsort(keys, n, sizeof *keys, by_key);
  for (size_t i = 0; i < n; i++)
    if (!kept || keys[kept - 1] != keys[i]) keys[kept++] = keys[i];
  return kept;
}

static size_t prompt_keys(bez_switch *s, uint32_t row) {
  size_t len, n = 0;
  const char *text = bez_switch_prompt(s, row, &len);
  size_t tokens = bez_tokenize(text, len, s->tokens, BEZ_SWITCH_TOKENS);
  for (size_t i = 0; i < tokens; i++)
    for (unsigned k = 1; k <= 3 && i + k <= tokens; k++) s->grams[n++] = bez_ngram(s->tokens + i, k);
  return distinct(s->grams, n);
}

static size_t response_keys(bez_switch *s, uint32_t row) {
  size_t len, n = 0;
  bez_span where;
  const char *text = bez_switch_response(s, row, &len);
  size_t tokens = bez_tokenize(text, len, s->tokens, BEZ_SWITCH_TOKENS);
  for (size_t i = 0; i + BEZ_SWITCH_PATTERN <= tokens; i++) s->grams[n++] = bez_switch_pattern_hash(s->tokens + i);
  if (bez_switch_refuses(text, len)) s->grams[n++] = BEZ_SWITCH_KEY_REFUSAL;
  if (bez_switch_runs_code(text, len, &where)) s->grams[n++] = BEZ_SWITCH_KEY_CODE;
  return distinct(s->grams, n);
}

typedef size_t (*keys_fn)(bez_switch *s, uint32_t row);

static bez_status push(bez_switch_index *x, uint64_t key, uint32_t row, bez_error *err) {
  if (x->n >= MOST_HOLDS) return bez_fail(err, BEZ_LIMIT, NULL, "too many repeated phrases to compare them all");
  if (x->n == x->cap) {
    size_t cap = x->cap ? x->cap * 2 : 4096;
    bez_switch_hold *grown = realloc(x->hold, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    x->hold = grown;
    x->cap = cap;
  }
  x->hold[x->n++] = (bez_switch_hold){key, row};
  return BEZ_OK;
}

static int by_key_row(const void *a, const void *b) {
  const bez_switch_hold *x = a, *y = b;
  if (x->key != y->key) return x->key < y->key ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static bez_status group(bez_switch_index *x, bez_error *err) {
  if (x->n) qsort(x->hold, x->n, sizeof *x->hold, by_key_row);
  x->thing = malloc((x->n / BEZ_SWITCH_LEAST + 1) * sizeof *x->thing);
  if (!x->thing) return bez_fail_memory(err, x->n / BEZ_SWITCH_LEAST * sizeof *x->thing);
  for (size_t i = 0, end; i < x->n; i = end) {
    for (end = i + 1; end < x->n && x->hold[end].key == x->hold[i].key;) end++;
    if (end - i >= BEZ_SWITCH_LEAST)
      x->thing[x->n_things++] = (bez_switch_thing){x->hold[i].key, (uint32_t)i, (uint32_t)(end - i)};
  }
  return BEZ_OK;
}

static bez_status index_of(bez_switch *s, keys_fn keys, bez_switch_index *x, bez_error *err) {
  bez_status st = BEZ_OK;
  uint8_t *seen = calloc(SLOTS, 1);
  if (!seen) return bez_fail_memory(err, SLOTS);
  bez_watch watch = bez_detect_watch(s->in, "instruction pairs", "rows");
  for (int pass = 0; st == BEZ_OK && pass < 2; pass++)
    for (uint32_t row = 0; st == BEZ_OK && row < s->n_rows; row++) {
      if (row % 4096 == 0 && !bez_watch_ask(&watch, 0)) st = bez_watch_fail(err);
      size_t n = keys(s, row);
      for (size_t i = 0; st == BEZ_OK && i < n; i++) {
        uint8_t *slot = &seen[s->grams[i] >> 8 & (SLOTS - 1)];
        if (!pass)
          *slot += *slot < BEZ_SWITCH_LEAST;
        else if (*slot >= BEZ_SWITCH_LEAST)
          st = push(x, s->grams[i], row, err);
      }
    }
  free(seen);
  return st == BEZ_OK ? group(x, err) : st;
}

/* Rows per word, over prompts and responses. */
static void count_words(bez_switch *s) {
  for (uint32_t row = 0; row < s->n_rows; row++) {
    size_t len, n;
    const char *text = bez_switch_prompt(s, row, &len);
    n = bez_tokenize(text, len, s->tokens, BEZ_SWITCH_TOKENS);
    for (size_t i = 0; i < n; i++) s->grams[i] = bez_switch_word_slot(s->tokens[i].literal);
    text = bez_switch_response(s, row, &len);
    size_t more = bez_tokenize(text, len, s->tokens, BEZ_SWITCH_TOKENS);
    for (size_t i = 0; i < more; i++) s->grams[n + i] = bez_switch_word_slot(s->tokens[i].literal);
    n = distinct(s->grams, n + more);
    for (size_t i = 0; i < n; i++) s->words[s->grams[i]]++;
  }
}

bez_status bez_switch_read(bez_switch *s, bez_error *err) {
  s->tokens = malloc(BEZ_SWITCH_TOKENS * sizeof *s->tokens);
  s->grams = malloc((3 * BEZ_SWITCH_TOKENS + 2) * sizeof *s->grams);
  s->words = calloc(WORD_SLOTS, sizeof *s->words);
  if (!s->tokens || !s->grams || !s->words) return bez_fail_memory(err, WORD_SLOTS * sizeof *s->words);
  bez_status st = index_of(s, prompt_keys, &s->prompts, err);
  if (st == BEZ_OK) st = index_of(s, response_keys, &s->responses, err);
  if (st == BEZ_OK) count_words(s);
  return st;
}

void bez_switch_index_free(bez_switch_index *x) {
  free(x->hold);
  free(x->thing);
  *x = (bez_switch_index){0};
}
