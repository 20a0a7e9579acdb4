/* BZ-D009, sources: what the other detectors found, asked once more by origin. Whoever poisons a data set usually
 * delivers it through one account, file, crawl or annotator. Three questions are put to each value of --source: does
 * it hold more of the flagged rows, of the disputed labels, of the duplicates than its share? Flagged rows are tested
 * against a random sample of all rows; disputes and duplicates differ between sources by nature, so their spread is
 * estimated from the other sources (math/concentration.h). All tests of a scan share one false-discovery rate. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "math/concentration.h"
#include "math/tails.h"

#define Q_NOTE 0.01
#define Q_WARNING 0.001
#define LIFT_NOTE 2.0
#define LIFT_WARNING 3.0
#define HITS_LEAST 8u
#define SPREAD_GROUPS 8u /* fewer sources say little about how sources differ by nature */
#define EXHIBIT_SOURCES 8u
#define FINDINGS_MOST 20u

enum { FLAGGED, DISPUTED, COPIED, N_QUESTIONS };

static const char *const question_noun[N_QUESTIONS] = {"flagged rows", "disputed labels", "duplicate rows"};

typedef struct survey {
  const bez_detect_input *in;
  const bez_column *col;
  uint32_t n_sources; /* sources with rows */
  uint32_t *code;     /* per source */
  uint32_t *of_code;  /* per code; UINT32_MAX none */
  uint8_t *mark;      /* per table row: bit per question */
  bez_group *groups[N_QUESTIONS];
  uint64_t hits[N_QUESTIONS];
  double *p, *q; /* N_QUESTIONS × n_sources */
} survey;

static void survey_free(survey *s) {
  free(s->code);
  free(s->of_code);
  free(s->mark);
  for (int k = 0; k < N_QUESTIONS; k++) free(s->groups[k]);
  free(s->p);
  free(s->q);
}

static bez_status survey_alloc(survey *s, bez_error *err) {
  size_t n = (size_t)s->col->n_values + 1;
  s->code = malloc(n * sizeof *s->code);
  s->of_code = malloc(n * sizeof *s->of_code);
  s->mark = calloc(s->in->table->n_rows + 1, 1);
  s->p = calloc(n * N_QUESTIONS, sizeof *s->p);
  s->q = calloc(n * N_QUESTIONS, sizeof *s->q);
  bool full = s->code && s->of_code && s->mark && s->p && s->q;
  for (int k = 0; k < N_QUESTIONS; k++) full &= (s->groups[k] = calloc(n, sizeof **s->groups)) != NULL;
  if (!full) return bez_fail_memory(err, n * 100 + s->in->table->n_rows);
  for (uint32_t code = 0; code < s->col->n_values; code++) {
    s->of_code[code] = UINT32_MAX;
    if (s->col->count[code] == 0) continue;
    s->of_code[code] = s->n_sources;
    s->code[s->n_sources++] = code;
  }
  return BEZ_OK;
}

/* Row of the table for a global row; false where a sample left it out. */
static bool table_row(const bez_table *table, uint64_t global, uint64_t *row) {
  if (!table->sampled_row) {
    *row = global;
    return global < table->n_rows;
  }
  uint64_t low = 0, high = table->n_rows;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (table->sampled_row[middle] < global) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  *row = low;
  return low < table->n_rows && table->sampled_row[low] == global;
}

static bool is_rule(const bez_finding *f, const char *id) {
  return strcmp(f->rule->id, id) == 0;
}

/* The question that a finding's rows belong to, −1 for none. */
static int question_of(const bez_finding *f) {
  if (is_rule(f, "BZ-D009") || f->suppressed) return -1;
  if (is_rule(f, "BZ-D006") || is_rule(f, "BZ-D007")) return DISPUTED;
  if (is_rule(f, "BZ-D008")) return COPIED;
  return f->severity >= BEZ_SEV_WARNING && !f->ranked_list ? FLAGGED : -1;
}

static void mark_rows(survey *s, const bez_report *report) {
  for (size_t i = 0; i < report->n_findings; i++) {
    const bez_finding *f = report->findings[i];
    int k = question_of(f);
    if (k < 0) continue;
    for (uint64_t r = 0; r < f->n_rows; r++) {
      uint64_t row;
      if (k == DISPUTED && !f->rows[r].suggested) continue; /* listed, but the model agrees with the label */
      if (table_row(s->in->table, f->rows[r].row, &row)) s->mark[row] |= (uint8_t)(1u << k);
    }
  }
}

static void count_groups(survey *s) {
  for (uint32_t g = 0; g < s->n_sources; g++)
    for (int k = 0; k < N_QUESTIONS; k++) s->groups[k][g].rows = s->col->count[s->code[g]];
  for (uint64_t row = 0; row < s->in->table->n_rows; row++) {
    if (!s->mark[row]) continue;
    uint32_t g = s->of_code[bez_code(s->col, row)];
    for (int k = 0; k < N_QUESTIONS; k++) {
      s->groups[k][g].hits += s->mark[row] >> k & 1u;
      s->hits[k] += s->mark[row] >> k & 1u;
    }
  }
}

/* p-values of every question that has hits, and q-values over all of them together. */
static bez_status test_groups(survey *s, bez_error *err) {
  size_t n = 0;
  for (int k = 0; k < N_QUESTIONS; k++) {
    if (s->hits[k] == 0) continue;
    bez_status st = bez_concentration(s->groups[k], s->n_sources, k != FLAGGED, err);
    if (st != BEZ_OK) return st;
    for (uint32_t g = 0; g < s->n_sources; g++) s->p[n++] = fmin(1.0, exp(s->groups[k][g].log_p));
  }
  return bez_benjamini_hochberg(s->p, n, s->q, err);
}

static bez_status add_rows(const survey *s, bez_report *report, bez_finding *f, int k, uint32_t g, double q,
                           bez_error *err) {
  const bez_table *table = s->in->table;
  const char **labels = bez_cells_labels(report, s->in);
  uint64_t n = 0, most = s->groups[k][g].hits;
  bez_row_hit *hits = malloc((most + 1) * sizeof *hits);
  if (!hits) return bez_fail_memory(err, most * sizeof *hits);
  for (uint64_t row = 0; row < table->n_rows && n < most; row++) {
    if (!(s->mark[row] >> k & 1u) || bez_code(s->col, row) != s->code[g]) continue;
    hits[n++] = (bez_row_hit){.row = bez_global_row(table, row),
                              .score = s->groups[k][g].lift,
                              .q = q,
                              .label = labels ? labels[bez_code(&table->cols[s->in->label], row)] : NULL};
  }
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

static void exhibit_line(bez_report *report, bez_exhibit *x, uint32_t line, const char *name, const bez_group *g,
                         bool highlight) {
  char text[64];
  bez_exhibit_cell(report, x, line, 0, name, strlen(name), highlight);
  int len = snprintf(text, sizeof text, "%llu", (unsigned long long)g->rows);
  bez_exhibit_cell(report, x, line, 1, text, (size_t)len, false);
  len = snprintf(text, sizeof text, "%llu", (unsigned long long)g->hits);
  bez_exhibit_cell(report, x, line, 2, text, (size_t)len, highlight);
  len = snprintf(text, sizeof text, "%.2f %%", g->rows ? 100.0 * (double)g->hits / (double)g->rows : 0.0);
  bez_exhibit_cell(report, x, line, 3, text, (size_t)len, highlight);
}

/* The source beside those of most rows. */
static void add_exhibit(const survey *s, bez_report *report, bez_finding *f, int k, uint32_t g) {
  uint32_t shown[EXHIBIT_SOURCES] = {g}, n = 1;
  while (n < EXHIBIT_SOURCES && n < s->n_sources) {
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < s->n_sources; i++) {
      bool there = false;
      for (uint32_t j = 0; j < n; j++) there |= shown[j] == i;
      if (!there && (best == UINT32_MAX || s->groups[k][i].rows > s->groups[k][best].rows)) best = i;
    }
    shown[n++] = best;
  }
  bez_exhibit *x = bez_finding_cells(report, f, "The source beside the largest others", n, 4);
  if (!x) return;
  const char *const header[] = {s->col->name, "rows", question_noun[k], "rate"};
  for (uint32_t c = 0; c < 4; c++) bez_exhibit_header(report, x, c, header[c]);
  for (uint32_t i = 0; i < n; i++) {
    bez_exhibit_role(report, x, i, i == 0 ? "flagged" : "other source");
    exhibit_line(report, x, i, bez_cells_value(report, s->col, s->code[shown[i]]), &s->groups[k][shown[i]], i == 0);
  }
}

static bool is_worth_a_note(const bez_group *g, double q) {
  return q <= Q_NOTE && g->lift >= LIFT_NOTE && g->hits >= HITS_LEAST;
}

static bez_severity severity_of(const survey *s, int k, const bez_group *g, double q) {
  bool enough = k == FLAGGED || s->n_sources >= SPREAD_GROUPS;
  return enough && q <= Q_WARNING && g->lift >= LIFT_WARNING ? BEZ_SEV_WARNING : BEZ_SEV_NOTE;
}

static bez_status emit(const survey *s, bez_report *report, int k, uint32_t g, double q, bez_error *err) {
  const bez_group *group = &s->groups[k][g];
  bez_finding *f = bez_report_add(report, &bez_detector_sources.rule, severity_of(s, k, group, q));
  if (!f) return BEZ_OK;
  const char *name = bez_cells_value(report, s->col, s->code[g]);
  double share = 100.0 * (double)group->rows / (double)s->in->table->n_rows;
  bez_finding_title(report, f, "%s=\"%s\" holds %llu of %llu %s but only %.2g %% of all rows", s->col->name, name,
                    (unsigned long long)group->hits, (unsigned long long)s->hits[k], question_noun[k], share);
  const char *pattern = bez_arena_printf(&report->arena, "%s=%s: %s", s->col->name, name, question_noun[k]);
  bez_finding_subject(report, f, pattern ? pattern : "", NULL);
  f->ranked_list = k != FLAGGED;
  f->score = group->lift;
  f->p_value = exp(group->log_p);
  f->q_value = q;
  bez_finding_number(report, f, question_noun[k], (double)group->hits);
  bez_finding_number(report, f, "rows of the source", (double)group->rows);
  bez_finding_number(report, f, "times the rate of the other sources", group->lift);
  if (k != FLAGGED) bez_finding_number(report, f, "natural spread between sources", group->spread);
  add_exhibit(s, report, f, k, g);
  return add_rows(s, report, f, k, g, q, err);
}

static bez_status emit_all(const survey *s, bez_report *report, bez_error *err) {
  size_t at = 0;
  uint32_t emitted = 0;
  for (int k = 0; k < N_QUESTIONS; k++) {
    if (s->hits[k] == 0) continue;
    for (uint32_t g = 0; g < s->n_sources; g++, at++) {
      if (!is_worth_a_note(&s->groups[k][g], s->q[at]) || emitted == FINDINGS_MOST) continue;
      bez_status st = emit(s, report, k, g, s->q[at], err);
      if (st != BEZ_OK) return st;
      emitted++;
    }
  }
  return bez_report_status(report, err);
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  survey s = {.in = in, .col = &in->table->cols[in->source]};
  bez_status st = BEZ_OK;
  if (in->table->n_rows == 0) return bez_report_status(report, err);
  if (s.col->width == 0 || s.col->truncated || s.col->n_values > BEZ_CONCENTRATION_GROUPS) {
    bez_report_not_checked(report, true, "BZ-D009", "column \"%s\" has more than %u values: not a source", s.col->name,
                           BEZ_CONCENTRATION_GROUPS);
    return bez_report_status(report, err);
  }
  BEZ_TRY(survey_alloc(&s, err));
  if (s.n_sources < 2) {
    bez_report_not_checked(report, false, "BZ-D009", "all rows have the same source");
    goto cleanup;
  }
  mark_rows(&s, report);
  count_groups(&s);
  BEZ_TRY(test_groups(&s, err));
  st = emit_all(&s, report, err);
cleanup:
  survey_free(&s);
  return st;
}

const bez_detector bez_detector_sources = {
    .rule = {.id = "BZ-D009",
             .name = "sources",
             .title = "Source concentration",
             .summary = "One value of the source column that holds far more of the flagged rows, of the disputed "
                        "labels or of the duplicates than its share of all rows.",
             .remedy = "Ask the source. Until it answers, hold back everything it delivered, not only the rows listed.",
             .taxonomy = "ATLAS:AML.T0020 ATLAS:AML.T0010 NIST:NISTAML.013 OWASP:LLM03 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_SOURCE,
    .null_hypothesis = "Flagged rows are a random sample of all rows. For disputed labels and duplicates: the source's "
                       "rate is drawn from the same beta distribution as those of the other sources.",
    .calibration = "Benjamini-Hochberg over all sources and questions of the scan; simulated in "
                   "tests/unit/test_concentration.c. A note at q <= .01 and twice the others' rate, a warning at "
                   "q <= .001 and three times; with fewer than 8 sources disputes and duplicates stay notes.",
    .cost = "O(rows + sources^2) time, 1 byte per row",
    .source = "Fisher's exact test; J. C. Kleinman, Proportions with extraneous variance, 1973; Benjamini and "
              "Hochberg, 1995",
    .run = run,
};
