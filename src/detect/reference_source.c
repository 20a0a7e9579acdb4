/* BZ-D027, source shift: each value of --source beside all other sources, label and features alike. Sources differ by
 * nature, so a test alone says little: what is said must be beyond chance over all sources and columns, large, and (for
 * a warning) far larger than what the other sources show in that column. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/reference_two_sample.h"
#include "fit/median.h"
#include "math/tails.h"

#define ROWS_LEAST 20u
#define SOURCES_MOST 200u
#define SOURCES_FOR_WARNING 8u
#define COUNTS_MOST ((uint64_t)1 << 26)
#define Q_LEAST 0.01
#define Q_WARNING 0.001
#define EFFECT_NOTE 0.2
#define EFFECT_WARNING 0.4
#define TIMES_TYPICAL 3.0
#define FINDINGS_MOST 20u

typedef struct survey {
  const bez_detect_input *in;
  const bez_column *source;
  uint32_t n_sources, n_cols;
  uint32_t code[SOURCES_MOST];
  uint32_t *of_code;      /* UINT32_MAX: not looked at */
  uint32_t *column;       /* features, then the label */
  double *p, *q, *effect; /* source × column */
  double *typical;        /* per column: the median effect */
} survey;

/* The largest sources of ROWS_LEAST rows and more that leave as many to the others. */
static void choose_sources(survey *s) {
  uint64_t n = s->in->table->n_rows;
  for (uint32_t least = UINT32_MAX, code = 0; code < s->source->n_values; code++) {
    uint32_t rows = s->source->count[code];
    s->of_code[code] = UINT32_MAX;
    if (code < BEZ_CODE_FIRST || rows < ROWS_LEAST || n - rows < ROWS_LEAST) continue;
    uint32_t at = s->n_sources;
    if (at == SOURCES_MOST) { /* the smallest so far makes room */
      at = 0;
      for (uint32_t g = 1; g < SOURCES_MOST; g++)
        if (s->source->count[s->code[g]] < s->source->count[s->code[at]]) at = g;
      least = s->source->count[s->code[at]];
      if (rows <= least) continue;
      s->of_code[s->code[at]] = UINT32_MAX;
    } else {
      s->n_sources++;
    }
    s->code[at] = code;
    s->of_code[code] = at;
  }
}

static bez_status survey_alloc(survey *s, bez_error *err) {
  size_t codes = (size_t)s->source->n_values + 1, cols = (size_t)s->in->n_features + 2, cells = cols * SOURCES_MOST;
  s->of_code = malloc(codes * sizeof *s->of_code);
  s->column = malloc(cols * sizeof *s->column);
  s->p = calloc(cells, sizeof *s->p);
  s->q = calloc(cells, sizeof *s->q);
  s->effect = calloc(cells, sizeof *s->effect);
  s->typical = calloc(cols, sizeof *s->typical);
  if (!s->of_code || !s->column || !s->p || !s->q || !s->effect || !s->typical)
    return bez_fail_memory(err, codes * 4 + cells * 24);
  for (uint32_t i = 0; i < s->in->n_features; i++) s->column[s->n_cols++] = s->in->features[i];
  if (s->in->label >= 0 && s->in->table->cols[s->in->label].width) s->column[s->n_cols++] = (uint32_t)s->in->label;
  return BEZ_OK;
}

static void survey_free(survey *s) {
  free(s->of_code);
  free(s->column);
  free(s->p);
  free(s->q);
  free(s->effect);
  free(s->typical);
}

static bool is_ordered(const bez_column *col) {
  return col->type == BEZ_COL_NUMERIC || col->type == BEZ_COL_TIME;
}

/* One column against all sources, by counts of its codes; codes ascend with their values. */
static bez_status test_column(survey *s, uint32_t c, bez_error *err) {
  const bez_column *col = &s->in->table->cols[s->column[c]];
  size_t values = col->n_values;
  uint32_t *count = calloc(values * s->n_sources + 1, sizeof *count);
  bez_pair_count *pair = calloc(values + 1, sizeof *pair);
  double effects[SOURCES_MOST];
  if (!count || !pair) {
    free(count);
    free(pair);
    return bez_fail_memory(err, values * s->n_sources * sizeof *count);
  }
  for (uint64_t row = 0; row < s->in->table->n_rows; row++) {
    uint32_t g = s->of_code[bez_code(s->source, row)];
    if (g != UINT32_MAX) count[g * values + bez_code(col, row)]++;
  }
  for (uint32_t g = 0; g < s->n_sources; g++) {
    for (size_t v = 0; v < values; v++) {
      uint32_t here = count[g * values + v];
      pair[v] = (bez_pair_count){here, col->count[v] - here};
    }
    bez_two_sample t = bez_two_sample_test(pair + BEZ_CODE_FIRST, values > BEZ_CODE_FIRST ? values - BEZ_CODE_FIRST : 0,
                                           pair[BEZ_CODE_MISSING], is_ordered(col));
    double missing = fabs(t.missing[0] - t.missing[1]);
    bool by_missing = t.p_missing < t.p;
    s->p[(size_t)g * s->n_cols + c] = fmin(1.0, 2.0 * fmin(t.p, t.p_missing));
    effects[g] = s->effect[(size_t)g * s->n_cols + c] = by_missing ? missing : t.effect;
  }
  s->typical[c] = bez_median(effects, s->n_sources);
  free(count);
  free(pair);
  return BEZ_OK;
}

static bool is_far(const survey *s, uint32_t g, uint32_t c) {
  size_t at = (size_t)g * s->n_cols + c;
  return s->n_sources >= SOURCES_FOR_WARNING && s->q[at] <= Q_WARNING && s->effect[at] >= EFFECT_WARNING &&
         s->effect[at] >= TIMES_TYPICAL * s->typical[c];
}

/* One finding per source: the column in which it differs most, and how many others. */
static void emit_source(const survey *s, bez_report *report, uint32_t g) {
  uint32_t best = UINT32_MAX, n = 0;
  bool far = false;
  for (uint32_t c = 0; c < s->n_cols; c++) {
    size_t at = (size_t)g * s->n_cols + c;
    if (s->q[at] > Q_LEAST || s->effect[at] < EFFECT_NOTE) continue;
    n++;
    far |= is_far(s, g, c);
    if (best == UINT32_MAX || s->effect[at] > s->effect[(size_t)g * s->n_cols + best]) best = c;
  }
  if (best == UINT32_MAX) return;
  size_t at = (size_t)g * s->n_cols + best;
  bez_finding *f = bez_report_add(report, &bez_detector_source_shift.rule, far ? BEZ_SEV_WARNING : BEZ_SEV_NOTE);
  if (!f) return;
  const char *name = bez_cells_value(report, s->source, s->code[g]);
  const char *column = s->in->table->cols[s->column[best]].name;
  f->ranked_list = true;
  f->p_value = s->p[at];
  f->q_value = s->q[at];
  f->score = s->effect[at];
  bez_finding_title(report, f,
                    "%s=\"%s\" differs from the other sources in %u column%s, most in \"%s\" (distance %.2f)",
                    s->source->name, name, n, n == 1 ? "" : "s", column, s->effect[at]);
  const char *pattern = bez_arena_printf(&report->arena, "%s=%s", s->source->name, name);
  bez_finding_subject(report, f, pattern ? pattern : "", NULL);
  bez_finding_number(report, f, "rows of the source", s->source->count[s->code[g]]);
  bez_finding_number(report, f, "columns that differ", n);
  bez_finding_number(report, f, "distance", s->effect[at]);
  bez_finding_number(report, f, "median distance of a source in that column", s->typical[best]);
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  survey s = {.in = in, .source = &in->table->cols[in->source]};
  bez_status st = BEZ_OK;
  if (s.source->width == 0 || s.source->truncated) {
    bez_report_not_checked(report, true, "BZ-D027", "column \"%s\" has too many values: not a source", s.source->name);
    return bez_report_status(report, err);
  }
  BEZ_TRY(survey_alloc(&s, err));
  choose_sources(&s);
  if (s.n_sources == 0) bez_report_not_checked(report, false, "BZ-D027", "no source has %u rows", ROWS_LEAST);
  for (uint32_t c = 0; c < s.n_cols && s.n_sources > 0; c++) {
    const bez_column *col = &in->table->cols[s.column[c]];
    if ((uint64_t)col->n_values * s.n_sources > COUNTS_MOST || col->truncated) {
      for (uint32_t g = 0; g < s.n_sources; g++) s.p[(size_t)g * s.n_cols + c] = 1.0;
      bez_report_not_checked(report, false, "BZ-D027", "column \"%s\" has too many values", col->name);
      continue;
    }
    if (in->progress && !in->progress(in->progress_ctx, "source shift", "columns", c, s.n_cols))
      BEZ_TRY(bez_watch_fail(err));
    BEZ_TRY(test_column(&s, c, err));
  }
  BEZ_TRY(bez_benjamini_hochberg(s.p, (size_t)s.n_sources * s.n_cols, s.q, err));
  for (uint32_t g = 0, n = 0; g < s.n_sources && n < FINDINGS_MOST; g++) {
    size_t before = report->n_findings;
    emit_source(&s, report, g);
    n += report->n_findings > before;
  }
  st = bez_report_status(report, err);
cleanup:
  survey_free(&s);
  return st;
}

const bez_detector bez_detector_source_shift = {
    .rule = {.id = "BZ-D027",
             .name = "source-shift",
             .title = "Shift of a source",
             .summary =
                 "One value of the source column whose labels or features are distributed otherwise than those of all "
                 "other sources.",
             .remedy = "Sources differ by nature; ask why this one differs so much, and look at its rows.",
             .taxonomy = "ATLAS:AML.T0020 ATLAS:AML.T0010 NIST:NISTAML.013 OWASP:LLM03 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_SOURCE | BEZ_NEED_CELLS,
    .null_hypothesis = "The source's rows are a random sample of all rows.",
    .calibration =
        "Benjamini-Hochberg over all sources and columns at q <= .01 and a distance of .2 for a note; a warning at "
        "q <= .001, distance .4, three times the median of at least 8 sources.",
    .cost = "O(rows · columns + sources · values) time, 4 bytes per source and value of a column",
    .source = "Kolmogorov-Smirnov; likelihood-ratio test; Fisher's exact test; Benjamini and Hochberg, 1995",
    .run = run,
};
