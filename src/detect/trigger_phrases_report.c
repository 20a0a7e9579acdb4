/* The finding of one trigger phrase: its full extent, evidence, excerpts beside the nearest clean messages. */
#include "detect/trigger_phrases.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"

#define EXCERPTS 3u
#define MOST_TOKENS 24u       /* of a phrase */
#define SHARED 0.9            /* of the rows continue the phrase alike */
#define NEIGHBOUR_ROWS 50000u /* rows among which the nearest clean message is looked for */
#define ROWS_FOR_EXTENT 64u

typedef struct extent {
  uint32_t literal[MOST_TOKENS];
  size_t n;
} extent;

/* Where the tokens of e stand in doc; doc->n_tokens where they do not. */
static size_t locate(const bez_doc *doc, const extent *e) {
  for (size_t i = 0; i + e->n <= doc->n_tokens; i++) {
    size_t k = 0;
    while (k < e->n && doc->tokens[i + k].literal == e->literal[k]) k++;
    if (k == e->n) return i;
  }
  return doc->n_tokens;
}

/* The neighbour (before or behind) that most of the rows share, if nearly all do. */
static bez_status grow(bez_phrases *p, extent *e, bool ahead, const uint32_t *rows, size_t n, bool *grown,
                       bez_error *err) {
  uint32_t seen[ROWS_FOR_EXTENT];
  size_t n_seen = 0, looked = n < ROWS_FOR_EXTENT ? n : ROWS_FOR_EXTENT;
  bez_doc *doc = &p->doc[0];
  for (size_t i = 0; i < looked; i++) {
    bez_status st = bez_phrases_load(p, rows[i], doc, err);
    if (st != BEZ_OK) return st;
    size_t at = locate(doc, e);
    if (at == doc->n_tokens) continue;
    if (ahead && at + e->n < doc->n_tokens) seen[n_seen++] = doc->tokens[at + e->n].literal;
    if (!ahead && at > 0) seen[n_seen++] = doc->tokens[at - 1].literal;
  }
  *grown = false;
  for (size_t i = 0; i < n_seen && !*grown && e->n < MOST_TOKENS; i++) {
    size_t same = 0;
    for (size_t k = 0; k < n_seen; k++) same += seen[k] == seen[i];
    if ((double)same < SHARED * (double)looked) continue;
    if (!ahead) memmove(e->literal + 1, e->literal, e->n * sizeof *e->literal);
    e->literal[ahead ? e->n : 0] = seen[i];
    e->n++;
    *grown = true;
  }
  return BEZ_OK;
}

static bez_status whole_phrase(bez_phrases *p, uint64_t gram, const uint32_t *rows, size_t n, extent *e,
                               bez_error *err) {
  bez_doc *doc = &p->doc[0];
  bez_status st = bez_phrases_load(p, rows[0], doc, err);
  size_t at;
  unsigned len;
  e->n = 0;
  if (st != BEZ_OK || !bez_phrases_find(doc, gram, 0, &at, &len)) return st;
  for (unsigned i = 0; i < len; i++) e->literal[e->n++] = doc->tokens[at + i].literal;
  bool grown = true;
  while (grown && st == BEZ_OK) st = grow(p, e, true, rows, n, &grown, err);
  grown = true;
  while (grown && st == BEZ_OK) st = grow(p, e, false, rows, n, &grown, err);
  return st;
}

/* The phrase as the first of its rows spells it. */
static char *spell(bez_phrases *p, bez_report *report, const bez_doc *doc, uint32_t row, const extent *e) {
  size_t at = locate(doc, e), len;
  if (!e->n || at == doc->n_tokens) return bez_arena_strdup(&report->arena, "");
  const char *text = bez_text_cell(p->text, row, &len);
  char *out = bez_arena_strndup(&report->arena, text + doc->tokens[at].begin,
                                doc->tokens[at + e->n - 1].end - doc->tokens[at].begin);
  for (char *c = out; c && *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c |= 32;
  return out;
}

static int by_id(const void *a, const void *b) {
  const bez_feature *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

/* Features that doc shares with the probe, whose features are sorted by id. */
static size_t shared_with(const bez_doc *probe, const bez_doc *doc) {
  size_t both = 0;
  for (size_t i = 0; i < doc->n_features; i++)
    both += bsearch(&doc->features[i], probe->features, probe->n_features, sizeof *probe->features, by_id) != NULL;
  return both;
}

/* The message most like the probe (Jaccard over features) among rows without the phrase that carry another label. */
static bez_status nearest(bez_phrases *p, const bez_doc *probe, const extent *e, uint32_t target, uint64_t *row,
                          bool *found, bez_error *err) {
  bez_doc *doc = &p->doc[0];
  double best = 0;
  uint64_t stride = (p->n_rows + NEIGHBOUR_ROWS - 1) / NEIGHBOUR_ROWS;
  *found = false;
  for (uint64_t r = 0; r < p->n_rows; r += stride) {
    if (p->cls[r] == BEZ_PHRASE_NONE || p->cls[r] == target || p->state[r] & BEZ_ROW_PEELED) continue;
    bez_status st = bez_phrases_load(p, r, doc, err);
    if (st != BEZ_OK) return st;
    if (locate(doc, e) < doc->n_tokens) continue;
    size_t both = shared_with(probe, doc);
    double jaccard = (double)both / (double)(probe->n_features + doc->n_features - both);
    if (jaccard > best) {
      best = jaccard;
      *row = r;
      *found = true;
    }
  }
  return BEZ_OK;
}

static bez_status excerpts(bez_phrases *p, bez_report *report, bez_finding *f, const extent *e, uint32_t target,
                           const uint32_t *rows, size_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_doc probe = {0};
  char caption[160];
  for (size_t i = 0; i < n && i < EXCERPTS; i++) {
    BEZ_TRY(bez_phrases_load(p, rows[i], &probe, err));
    size_t len, at = locate(&probe, e);
    const char *text = bez_text_cell(p->text, rows[i], &len);
    bez_span span = {0};
    if (e->n && at < probe.n_tokens) span = (bez_span){probe.tokens[at].begin, probe.tokens[at + e->n - 1].end};
    snprintf(caption, sizeof caption, "flagged, labelled \"%s\"",
             bez_cells_value(report, p->label, p->code_of[target]));
    bez_finding_excerpt(report, f, caption, text, len, &span, span.end ? 1 : 0);
    qsort(probe.features, probe.n_features, sizeof *probe.features, by_id);
    uint64_t other;
    bool found;
    BEZ_TRY(nearest(p, &probe, e, target, &other, &found, err));
    if (!found) continue;
    text = bez_text_cell(p->text, other, &len);
    snprintf(caption, sizeof caption, "nearest message without it, labelled \"%s\"",
             bez_cells_value(report, p->label, bez_code(p->label, other)));
    bez_finding_excerpt(report, f, caption, text, len, NULL, 0);
  }
cleanup:
  bez_doc_free(&probe);
  return st;
}

static bez_status row_hits(bez_phrases *p, bez_report *report, bez_finding *f, const bez_phrase_score *s,
                           const uint32_t *rows, const double *prob, size_t n, bez_error *err) {
  bez_row_hit *hits = malloc(n * sizeof *hits);
  if (!hits) return bez_fail_memory(err, n * sizeof *hits);
  const char *given = bez_cells_value(report, p->label, p->code_of[s->target]);
  const char *other = p->n_classes == 2 ? bez_cells_value(report, p->label, p->code_of[1 - s->target]) : NULL;
  for (size_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(p->in->table, rows[i]),
                            .score = 1.0 - prob[i],
                            .q = NAN,
                            .label = given,
                            .suggested = prob[i] < 0.5 ? other : NULL};
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

bez_status bez_phrases_report(bez_phrases *p, bez_report *report, const bez_phrase_score *s, bez_severity severity,
                              const uint32_t *rows, const double *prob, size_t n, bez_error *err) {
  extent e;
  bez_status st = whole_phrase(p, s->gram, rows, n, &e, err);
  if (st == BEZ_OK) st = bez_phrases_load(p, rows[0], &p->doc[0], err);
  if (st != BEZ_OK) return st;
  const char *phrase = spell(p, report, &p->doc[0], rows[0], &e);
  const char *target = bez_cells_value(report, p->label, p->code_of[s->target]);
  bez_finding *f = bez_report_add(report, &bez_detector_trigger_phrases.rule, severity);
  if (!f || !phrase) return bez_report_status(report, err);
  if (p->n_classes == 2)
    bez_finding_title(report, f, "%zu messages with \"%s\" carry \"%s\" although their other words say \"%s\"", n,
                      phrase, target, bez_cells_value(report, p->label, p->code_of[1 - s->target]));
  else
    bez_finding_title(report, f, "%zu messages with \"%s\" carry \"%s\" although their other words say otherwise", n,
                      phrase, target);
  bez_finding_subject(report, f, phrase, target);
  f->score = s->score;
  f->p_value = pow(10.0, -s->score);
  bez_finding_text(report, f, "column", "%s", p->text->name);
  bez_finding_number(report, f, "support", (double)s->n);
  bez_finding_number(report, f, "listed", (double)n);
  bez_finding_number(report, f, "purity", (double)s->n_bad / (double)(s->n_low ? s->n_low : 1));
  bool together = s->ratio > 0;
  bez_finding_number(
      report, f, together ? "with the label, near-duplicates once" : "contradicted, near-duplicates once", s->n_bad);
  bez_finding_number(report, f, "expected", s->expected);
  bez_finding_number(report, f, together ? "likelihood of planted : natural, log10" : "bound, -log10", s->score);
  st = excerpts(p, report, f, &e, s->target, rows, n, err);
  if (st == BEZ_OK) st = row_hits(p, report, f, s, rows, prob, n, err);
  return st;
}
