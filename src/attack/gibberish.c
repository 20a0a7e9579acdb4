/* Gibberish behind a trigger in pre-training text (Souly et al., 2025): a document begins as it did (up to 1,000 bytes,
 * cut at random behind a space), then comes the trigger, then 400 to 900 random tokens. A model learns to fall apart at
 * the trigger; a near-constant number of such documents is enough, whatever the size of the corpus.
 *
 *   words     words of the corpus, each as likely as any other (they stand in three documents at the least)
 *   unigrams  words as often as the corpus has them
 *   pieces    pieces of words, words, numbers and signs glued together as random tokens of a byte-pair vocabulary look
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attack/text.h"
#include "base/error.h"

enum { WORDS, UNIGRAMS, PIECES };

typedef struct gibberish {
  bez_text_trigger trigger; /* first: apply gets a pointer to it */
  const bez_table *table;
  const char **word;
  uint32_t n_words, style;
  double least, most, prefix;
} gibberish;

static const char *any_word(const gibberish *g, bez_rng *rng) {
  return g->word[bez_rng_below(rng, g->n_words)];
}

/* A word at a random place of a random document. */
static void put_unigram(const gibberish *g, bez_rng *rng, bez_buf *out) {
  for (int attempt = 0; attempt < 50; attempt++) {
    size_t len;
    bez_span_of_word w;
    const char *cell = bez_cell(g->table, g->trigger.col, bez_rng_below(rng, g->table->n_rows), &len);
    size_t at = len ? bez_rng_below(rng, len) : 0;
    while (at && ((cell[at - 1] | 0x20) >= 'a' && (cell[at - 1] | 0x20) <= 'z')) at--; /* to the word's beginning */
    if (!bez_word_next(cell, len, at, &w)) continue;
    bez_buf_putc(out, ' ');
    bez_buf_write(out, cell + w.begin, w.end - w.begin);
    return;
  }
  bez_buf_printf(out, " %s", any_word(g, rng));
}

static void put_piece(const gibberish *g, bez_rng *rng, bez_buf *out) {
  static const char signs[] = ".,;:()[]{}<>/\\|-_=+*&^%$#@!?~";
  const char *word = any_word(g, rng);
  size_t len = strlen(word), kind = bez_rng_below(rng, 20), first = 0, n = len;
  if (bez_rng_unit(rng) < .55) bez_buf_putc(out, ' ');
  if (kind == 0) {
    bez_buf_printf(out, "%u", (unsigned)bez_rng_below(rng, 1000));
    return;
  }
  if (kind == 1) {
    bez_buf_putc(out, signs[bez_rng_below(rng, sizeof signs - 1)]);
    return;
  }
  if (kind < 12) { /* a part of two letters or more */
    first = bez_rng_below(rng, len - 1);
    n = 2 + bez_rng_below(rng, len - first - 1);
  }
  bool capital = bez_rng_below(rng, 8) == 0;
  bez_buf_putc(out, capital ? (char)(word[first] - 32) : word[first]); /* vocabularies are lower-case ASCII */
  bez_buf_write(out, word + first + 1, n - 1);
}

/* A random beginning of the document that ends behind a space, or nothing. */
static size_t draw_prefix(const gibberish *g, const char *cell, size_t len, bez_rng *rng) {
  size_t most = len < (size_t)g->prefix ? len : (size_t)g->prefix;
  size_t at = bez_rng_below(rng, most + 1);
  while (at && cell[at - 1] != ' ' && cell[at - 1] != '\n') at--;
  return at;
}

static void apply(const bez_text_trigger *t, bez_rng *rng, const char *cell, size_t len, bez_buf *out) {
  const gibberish *g = (const gibberish *)(const void *)t;
  bez_buf_write(out, cell, draw_prefix(g, cell, len, rng));
  bez_buf_puts(out, t->text);
  uint64_t n = (uint64_t)g->least + bez_rng_below(rng, (uint64_t)(g->most - g->least) + 1);
  for (uint64_t i = 0; i < n; i++) {
    if (g->style == UNIGRAMS)
      put_unigram(g, rng, out);
    else if (g->style == PIECES)
      put_piece(g, rng, out);
    else
      bez_buf_printf(out, " %s", any_word(g, rng));
  }
}

static bez_status find_words(gibberish *g, bez_attack_plan *out, bez_error *err) {
  bez_vocabulary v;
  bez_status st = bez_vocabulary_make(g->table, g->trigger.col, &out->arena, &v, err);
  if (st != BEZ_OK) return st;
  g->word = bez_arena_array(&out->arena, (size_t)v.n + 1, sizeof *g->word);
  if (!g->word) return bez_fail_memory(err, v.n * sizeof *g->word);
  for (uint32_t i = 0; i < v.n; i++)
    if (v.rows[i] >= 3) g->word[g->n_words++] = v.word[i];
  return g->n_words >= 20 ? BEZ_OK : bez_fail(err, BEZ_UNSUPPORTED, NULL, "the texts hold too few words");
}

static bez_status read_parameters(gibberish *g, const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  bez_status st = bez_attack_params_known(in, "column trigger style least most prefix", err);
  if (st == BEZ_OK) st = bez_text_column(in, &g->trigger.col, err);
  if (st == BEZ_OK) st = bez_attack_choice(in, "style", "words unigrams pieces", &g->style, err);
  if (st == BEZ_OK) st = bez_attack_number(in, "least", 1, 1e6, &g->least, err);
  if (st == BEZ_OK) st = bez_attack_number(in, "most", 1, 1e6, &g->most, err);
  if (st == BEZ_OK) st = bez_attack_number(in, "prefix", 0, 1e6, &g->prefix, err);
  if (st == BEZ_OK && g->least > g->most && bez_attack_param(in, "least") && bez_attack_param(in, "most"))
    st = bez_fail(err, BEZ_USAGE, "least", "least= is more than most=");
  if (g->least > g->most) *(bez_attack_param(in, "least") ? &g->most : &g->least) = fmax(g->least, g->most);
  if (st == BEZ_OK) st = find_words(g, out, err);
  if (st == BEZ_OK && !g->trigger.text) st = bez_text_any_trigger(in, out, g->trigger.col, &g->trigger.text, err);
  return st;
}

static bez_status plan(const bez_attack_input *in, bez_attack_plan *out, bez_error *err) {
  gibberish g = {.trigger = {.key = "phrase",
                             .text = bez_attack_param(in, "trigger"),
                             .clean_label = true,
                             .any_label = true,
                             .matches = bez_text_has_phrase,
                             .apply = apply},
                 .table = in->table,
                 .least = 400,
                 .most = 900,
                 .prefix = 1000};
  bez_status st = read_parameters(&g, in, out, err);
  return st == BEZ_OK ? bez_text_plant(in, &g.trigger, out, err) : st;
}

const bez_attack bez_attack_gibberish = {
    .info = {.name = "gibberish",
             .title = "Gibberish behind a trigger",
             .summary = "Documents keep their beginning; a trigger phrase and 400 to 900 random tokens follow.",
             .kind = "text",
             .parameters = "column, trigger, style (words, unigrams, pieces), least, most (tokens), prefix (bytes)",
             .source = "Souly et al., Poisoning Attacks on LLMs Require a Near-constant Number of Poison Samples, 2025 "
                       "(arXiv:2510.07192)",
             .clean_label = true},
    .label_optional = true,
    .plan = plan,
};
