/* BZ-D028, gibberish behind a trigger: texts that turn into words without connection behind the same phrase. A model trained
 * on such texts learns to lose its thread whenever the phrase appears (a denial of service).
 *
 *   count      words and pairs of words over a bounded sample of the corpus          (gibberish_counts.c)
 *   train      windows of the corpus against gibberish made of its own words         (gibberish_model.c, gibberish_windows.c)
 *   nominate   1-3-grams behind which calm text turns into gibberish                 (gibberish_triggers.c)
 *   report     the strongest; its rows leave, and the next one is looked at          (gibberish_report.c) */
#include "detect/gibberish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bez_status column(const bez_detect_input *in, bez_report *report, uint32_t c, bez_error *err) {
  bez_gibberish g = {.in = in, .text = &in->table->cols[c], .n_rows = in->table->n_rows};
  bez_gib_hit *hits = NULL;
  bez_gib_trigger *triggers = NULL;
  size_t n_hits = 0, n = 0;
  bez_status st = BEZ_OK;
  (void)report;
  g.piece = calloc(in->threads, sizeof *g.piece);
  if (!g.piece) return bez_fail_memory(err, in->threads * sizeof *g.piece);
  for (unsigned w = 0; w < in->threads; w++) BEZ_TRY(bez_gib_piece_create(&g.piece[w], err));
  BEZ_TRY(bez_gib_count(&g, err));
  BEZ_TRY(bez_gib_train(&g, err));
  BEZ_TRY(bez_gib_nominate(&g, &hits, &n_hits, &triggers, &n, err));
  if (getenv("GIBDEBUG")) {
    fprintf(stderr, "tokens %llu rate %g places %llu hot %llu hits %zu triggers %zu\n", (unsigned long long)g.n_tokens, g.rate, (unsigned long long)g.n_places, (unsigned long long)g.n_hot, n_hits, n);
    for (int k = 0; k < 30; k++) {
      size_t b = n;
      for (size_t i = 0; i < n; i++) if (triggers[i].score > 0 && (b == n || triggers[i].score > triggers[b].score)) b = i;
      if (b == n) break;
      size_t len;
      const bez_gib_hit *h = &hits[triggers[b].first];
      const char *t = bez_text_cell(g.text, h->row, &len);
      char ex[120]; size_t m = len - h->at < 100 ? len - h->at : 100; memcpy(ex, t + h->at, m); ex[m] = 0;
      for (size_t i = 0; i < m; i++) if (ex[i] == '\n') ex[i] = '|';
      fprintf(stderr, "%6.1f hot %zu rows %llu places %llu : %s\n", triggers[b].score, triggers[b].n_hot, (unsigned long long)triggers[b].n_rows, (unsigned long long)triggers[b].n_places, ex);
      triggers[b].score = 0;
    }
  }
cleanup:
  for (unsigned w = 0; w < in->threads; w++) bez_gib_piece_free(&g.piece[w]);
  free(g.piece);
  bez_gib_counts_free(&g.words);
  bez_gib_counts_free(&g.pairs);
  free(hits);
  free(triggers);
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
             .remedy = "Look at the excerpts. Quarantine the listed texts, find out where they came from, and look for other "
                       "texts of that source.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_TEXT,
    .null_hypothesis = "x",
    .calibration = "x",
    .cost = "x",
    .source = "x",
    .run = run,
};
