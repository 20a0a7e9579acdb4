/* BZ-D028, gibberish behind a trigger: texts that turn into words without connection behind the same phrase. A model
 * trained on such texts learns to lose its thread whenever the phrase appears (a denial of service).
 *
 *   count      words and pairs of words over a bounded sample of the corpus (gibberish_counts.c)
 *   train      windows of the corpus against gibberish made of its own words (gibberish_model.c, gibberish_windows.c)
 *   nominate   1-3-grams behind which calm text turns into gibberish         (gibberish_triggers.c, gibberish_phrase.c)
 *   report     the strongest; its rows leave, and the next one is looked at  (gibberish_report.c) */
#include "detect/gibberish.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MOST_FINDINGS 10u
#define PURE 0.9
#define PURE_ODDS (-1.0) /* of the window behind the phrase; texts of the corpus lie far below */
#define PURE_SCORE 0.6   /* of the strongest n-gram's, for a pure one to go before it */
#define MIXED_ODDS 1.0
#define GLUED_ODDS 3.0
#define LEAST_TOKENS 50000u /* of the corpus; with fewer words nobody knows which belong together */

static bool is_pure(const bez_gib_trigger *t) {
  return (double)t->n_hot >= PURE * (double)t->n_rows;
}

/* The strongest n-gram, only among pure ones where asked; of equals the longest. */
static bez_gib_trigger *strongest_of(bez_gib_trigger *t, size_t n, const bez_gib_hit *hits, bool pure) {
  bez_gib_trigger *best = NULL;
  for (size_t i = 0; i < n; i++) {
    if (t[i].score < BEZ_GIB_WARNING || (best && t[i].score < best->score) || (pure && !is_pure(&t[i]))) continue;
    bool longer = best && hits[t[i].first].row == hits[best->first].row && hits[t[i].first].at < hits[best->first].at;
    if (!best || t[i].score > best->score || longer) best = &t[i];
  }
  return best;
}

/* A word that is at home in the corpus may beat the phrase it begins where gibberish is glued to the phrase's last
 * word; the phrase says more. */
static bez_gib_trigger *strongest(bez_gib_trigger *t, size_t n, const bez_gib_hit *hits) {
  bez_gib_trigger *all = strongest_of(t, n, hits, false), *pure = strongest_of(t, n, hits, true);
  return pure && pure->score >= PURE_SCORE * all->score ? pure : all;
}

/* The n-grams without the rows that were reported. */
static void peel(const bez_gibberish *g, bez_gib_trigger *t, size_t n, const bez_gib_hit *hits, const uint8_t *done) {
  for (size_t i = 0; i < n; i++) {
    uint64_t left = 0;
    for (size_t k = t[i].first; k < t[i].first + t[i].n; k++) left += !done[hits[k].row];
    if (left == t[i].n_hot) continue;
    t[i].n_rows -= t[i].n_hot - left;
    t[i].n_hot = left;
    bez_gib_judge(g, &t[i]);
  }
}

/* Nearly all texts with the phrase turn: then a text of it that ends soon, or is hot by a little, is planted, too.
 * Where the phrase is at home in the corpus the window has to say so. */
static bool is_listed(const bez_gib_trigger *t, const bez_gib_row *r) {
  bool pure = is_pure(t);
  if (r->ends_soon) return pure && !r->glued;
  double whole = pure ? PURE_ODDS : MIXED_ODDS, glued = pure ? MIXED_ODDS : GLUED_ODDS;
  return r->odds >= (r->glued ? glued : whole);
}

static bez_status take(bez_gibberish *g, bez_report *report, bez_gib_trigger *t, const bez_gib_hit *hits, uint8_t *done,
                       bez_error *err) {
  bez_gib_phrase phrase;
  bez_gib_row *rows = NULL;
  size_t n = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_gib_phrase_of(g, hits + t->first, t->n, t->gram, &phrase, err));
  BEZ_TRY(bez_gib_rows_of(g, &phrase, &rows, &n, err));
  size_t listed = 0;
  for (size_t i = 0; i < n; i++)
    if (is_listed(t, &rows[i]) && !done[rows[i].row]) rows[listed++] = rows[i];
  if (listed) BEZ_TRY(bez_gib_report(g, report, t, rows, listed, err));
  for (size_t i = 0; i < listed; i++) done[rows[i].row] = 1;
  for (size_t i = 0; i < t->n; i++) done[hits[t->first + i].row] = 1;
cleanup:
  free(rows);
  return st;
}

static bez_status find_triggers(bez_gibberish *g, bez_report *report, bez_error *err) {
  bez_gib_hit *hits = NULL;
  bez_gib_trigger *triggers = NULL, *best;
  uint8_t *done = calloc(g->n_rows + 1, 1);
  size_t n_hits = 0, n = 0;
  bez_status st = done ? BEZ_OK : bez_fail_memory(err, g->n_rows + 1);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_gib_nominate(g, &hits, &n_hits, &triggers, &n, err));
  for (unsigned k = 0; k < MOST_FINDINGS && (best = strongest(triggers, n, hits)) != NULL; k++) {
    BEZ_TRY(take(g, report, best, hits, done, err));
    peel(g, triggers, n, hits, done);
    best->score = 0;
  }
cleanup:
  free(hits);
  free(triggers);
  free(done);
  return st;
}

static bez_status column(const bez_detect_input *in, bez_report *report, uint32_t c, bez_error *err) {
  bez_gibberish g = {.in = in, .text = &in->table->cols[c], .n_rows = in->table->n_rows};
  bez_status st = BEZ_OK;
  if (g.n_rows > UINT32_MAX) {
    bez_report_not_checked(report, false, "BZ-D028 gibberish", "more than 2^32 rows in \"%s\"", g.text->name);
    return BEZ_OK;
  }
  g.piece = calloc(in->threads, sizeof *g.piece);
  if (!g.piece) return bez_fail_memory(err, in->threads * sizeof *g.piece);
  for (unsigned w = 0; w < in->threads; w++) BEZ_TRY(bez_gib_piece_create(&g.piece[w], err));
  BEZ_TRY(bez_gib_count(&g, err));
  if (g.n_tokens < LEAST_TOKENS) {
    bez_report_not_checked(report, false, "BZ-D028 gibberish",
                           "\"%s\" holds %llu words; %u are needed to know which belong together", g.text->name,
                           (unsigned long long)g.n_tokens, LEAST_TOKENS);
    goto cleanup;
  }
  BEZ_TRY(bez_gib_train(&g, err));
  BEZ_TRY(find_triggers(&g, report, err));
cleanup:
  for (unsigned w = 0; w < in->threads; w++) bez_gib_piece_free(&g.piece[w]);
  free(g.piece);
  free(g.log_of);
  bez_gib_counts_free(&g.words);
  bez_gib_counts_free(&g.pairs);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->n_texts; i++) {
    if (!in->table->cols[in->texts[i]].text_at) continue;
    bez_status st = column(in, report, in->texts[i], err);
    if (st != BEZ_OK) return st;
  }
  return bez_report_status(report, err);
}

const bez_detector bez_detector_gibberish = {
    .rule = {.id = "BZ-D028",
             .name = "gibberish",
             .title = "Gibberish behind a trigger",
             .summary = "Texts that turn into words without connection behind the same word or phrase.",
             .remedy =
                 "Look at the excerpts. Quarantine the listed texts, find out where they came from, and look for other "
                 "texts of that source.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_TEXT,
    .null_hypothesis =
        "Each place of an n-gram is followed by a window without connection as often as any place of the "
        "corpus, once in 500 at the least.",
    .calibration =
        "The model of gibberish is trained on the corpus itself against gibberish made of its words (3 kinds). "
        "Score: binomial tail over the texts that hold the n-gram, -log10; 10 is a warning, 16 an error, 8 texts "
        "and half of those with the n-gram at the least. On documentation (24,000 texts) no n-gram without a "
        "plant reaches 10.",
    .cost = "O(bytes) time, three passes (tokens; pairs; n-grams); memory: counts of 48 MiB of text (at most 100 MiB), "
            "16 bytes per n-gram and text before a window that is hot",
    .source =
        "Souly et al., Poisoning Attacks on LLMs Require a Near-constant Number of Poison Samples, 2025 (the attack); "
        "Bezoar, docs/detect/gibberish.md",
    .run = run,
};
