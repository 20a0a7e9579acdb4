/* Near copies of one message, as copying tools make them: every copy differs from one text in a single word, now here,
 * now there. Templates and chain letters vary in more places, or always in the same one (a number, a name). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/floods.h"
#include "fit/tokens.h"

#define LEAST_TOKENS 8u  /* shorter texts are one word apart by chance */
#define MOST_TOKENS 512u /* that are compared */
#define MOST_ROWS 256u   /* of a cluster */

typedef struct star {
  uint32_t *word; /* [row · MOST_TOKENS + position] */
  uint32_t len[MOST_ROWS + 1];
  uint32_t n; /* different texts */
} star;

static bool seen_before(const star *s, const uint32_t *word, uint32_t len) {
  for (uint32_t i = 0; i < s->n; i++)
    if (s->len[i] == len && !memcmp(s->word + (size_t)i * MOST_TOKENS, word, len * sizeof *word)) return true;
  return false;
}

static void load(const bez_column *text, const bez_cluster *c, bez_token *tokens, star *s) {
  for (uint32_t i = 0; i < c->n && s->n < MOST_ROWS; i++) {
    size_t bytes;
    const char *cell = bez_text_cell(text, c->rows[i], &bytes);
    uint32_t len = (uint32_t)bez_tokenize(cell, bytes, tokens, MOST_TOKENS);
    uint32_t *word = s->word + (size_t)s->n * MOST_TOKENS;
    for (uint32_t k = 0; k < len; k++) word[k] = tokens[k].literal;
    if (len >= LEAST_TOKENS && !seen_before(s, word, len)) s->len[s->n++] = len;
  }
}

/* Texts one word away from text `centre`, those aside that differ where most of them do. */
static uint32_t spread_around(const star *s, uint32_t centre) {
  uint32_t at[MOST_TOKENS] = {0}, all = 0, most = 0, len = s->len[centre];
  const uint32_t *a = s->word + (size_t)centre * MOST_TOKENS;
  for (uint32_t i = 0; i < s->n; i++) {
    const uint32_t *b = s->word + (size_t)i * MOST_TOKENS;
    uint32_t apart = 0, where = 0;
    if (s->len[i] != len) continue;
    for (uint32_t k = 0; k < len && apart < 2; k++)
      if (a[k] != b[k]) {
        apart++;
        where = k;
      }
    if (apart != 1) continue;
    all++;
    if (++at[where] > most) most = at[where];
  }
  return all - most;
}

/* The text that each position's majority makes need not be in the data; its nearest copies are. Every text is therefore
 * compared with the text of majorities, which is put behind the others. */
static void add_majority(star *s, uint32_t len) {
  uint32_t *word = s->word + (size_t)s->n * MOST_TOKENS;
  for (uint32_t k = 0; k < len; k++) {
    uint32_t lead = 0;
    for (uint32_t i = 0; i < s->n; i++) {
      if (s->len[i] != len) continue;
      uint32_t w = s->word[(size_t)i * MOST_TOKENS + k];
      if (!lead) word[k] = w;
      lead = word[k] == w ? lead + 1 : lead - 1;
    }
  }
  s->len[s->n] = len;
}

static uint32_t usual_length(const star *s) {
  uint32_t best = 0, best_n = 0;
  for (uint32_t i = 0; i < s->n; i++) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < s->n; k++) n += s->len[k] == s->len[i];
    if (n > best_n) {
      best_n = n;
      best = s->len[i];
    }
  }
  return best;
}

bez_status bez_text_star(const bez_column *text, const bez_cluster *c, uint32_t *spread, bez_error *err) {
  star s = {.word = malloc((size_t)(MOST_ROWS + 1) * MOST_TOKENS * sizeof *s.word)};
  bez_token *tokens = malloc(MOST_TOKENS * sizeof *tokens);
  bez_status st = BEZ_OK;
  *spread = 0;
  if (!s.word || !tokens) {
    st = bez_fail_memory(err, (size_t)MOST_ROWS * MOST_TOKENS * sizeof *s.word);
    goto cleanup;
  }
  load(text, c, tokens, &s);
  uint32_t len = usual_length(&s);
  if (!len) goto cleanup;
  add_majority(&s, len);
  *spread = spread_around(&s, s.n);
cleanup:
  free(s.word);
  free(tokens);
  return st;
}
