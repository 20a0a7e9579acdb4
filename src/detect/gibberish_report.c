/* The finding of gibberish behind one trigger: evidence, rows, excerpts with the trigger and the window marked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/gibberish.h"

#define EXCERPTS 4u

/* The trigger as its first row spells it, in lower case. */
static const char *spell(const bez_gibberish *g, bez_report *report, const bez_gib_row *r) {
  size_t len;
  const char *text = bez_text_cell(g->text, r->row, &len);
  char *out = bez_arena_strndup(&report->arena, text + r->begin, r->end - r->begin);
  for (char *c = out; c && *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c |= 32;
  return out ? out : "";
}

static void excerpts(const bez_gibberish *g, bez_report *report, bez_finding *f, const bez_gib_row *rows, size_t n) {
  for (size_t i = 0; i < n && i < EXCERPTS; i++) {
    const bez_gib_row *r = &rows[n > EXCERPTS ? i * (n - 1) / (EXCERPTS - 1) : i];
    bez_span spans[2] = {{r->begin, r->end}, {r->end, r->behind}};
    size_t len;
    const char *text = bez_text_cell(g->text, r->row, &len);
    bez_finding_excerpt(report, f, "the trigger, and what follows it", text, len, spans, r->behind > r->end ? 2 : 1);
  }
}

static bez_status list_rows(const bez_gibberish *g, bez_report *report, bez_finding *f, const bez_gib_row *rows,
                            size_t n, bez_error *err) {
  bez_row_hit *hits = malloc(n * sizeof *hits);
  if (!hits) return bez_fail_memory(err, n * sizeof *hits);
  for (size_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){
        .row = bez_global_row(g->in->table, rows[i].row), .score = 1.0 / (1.0 + exp(-(double)rows[i].odds)), .q = NAN};
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

bez_status bez_gib_report(bez_gibberish *g, bez_report *report, const bez_gib_trigger *t, const bez_gib_row *rows,
                          size_t n, bez_error *err) {
  bez_severity severity = t->score >= BEZ_GIB_ERROR ? BEZ_SEV_ERROR : BEZ_SEV_WARNING;
  bez_finding *f = bez_report_add(report, &bez_detector_gibberish.rule, severity);
  if (!f) return bez_report_status(report, err);
  const char *phrase = spell(g, report, &rows[0]);
  bez_finding_title(report, f, "%zu texts turn into gibberish behind \"%s\"", n, phrase);
  bez_finding_subject(report, f, phrase, NULL);
  f->score = t->score;
  f->p_value = pow(10.0, -t->score);
  bez_finding_text(report, f, "column", "%s", g->text->name);
  bez_finding_number(report, f, "support", (double)t->n_rows);
  bez_finding_number(report, f, "listed", (double)n);
  bez_finding_number(report, f, "with gibberish behind it", (double)t->n_hot);
  bez_finding_number(report, f, "share of other places with gibberish behind them", g->rate);
  bez_finding_number(report, f, "tail, -log10", t->score);
  excerpts(g, report, f, rows, n);
  return list_rows(g, report, f, rows, n, err);
}
