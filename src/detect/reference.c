/* BZ-D026, reference shift: the data beside known-good data of the same kind. Each column that both have is compared by
 * a two-sample test of its values, of its share of missing cells, and of single values that have become frequent; all
 * columns together by a classifier that tries to tell the two apart. What is said must be both beyond chance (false
 * discovery rate over all tests) and large: with many rows everything differs a little. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/reference_joint.h"
#include "math/tails.h"

#define Q_LEAST 0.05
#define EFFECT_NOTE 0.05 /* of the distribution; of the share of missing cells */
#define EFFECT_WARNING 0.15
#define AUC_NOTE 0.55
#define AUC_WARNING 0.65
#define LIFT_WARNING 10.0
#define Q_WARNING 0.001
#define TESTS 3u

typedef struct compared {
  const bez_column *a, *b;
  bez_aligned aligned;
  bez_two_sample test;
} compared;

typedef struct comparison {
  const bez_detect_input *in;
  compared *col;
  uint32_t n;
  double *p, *q; /* TESTS per column, then the joint one */
  bez_joint joint;
} comparison;

static bool is_ordered(const bez_column *a, const bez_column *b) {
  return a->type == b->type && (a->type == BEZ_COL_NUMERIC || a->type == BEZ_COL_TIME);
}

static bool worth_comparing(const bez_column *c) {
  return c->width > 0 && (c->role == BEZ_ROLE_FEATURE || c->role == BEZ_ROLE_LABEL);
}

/* Pairs the columns by name and says what has no partner. */
static bez_status pair_columns(comparison *k, bez_report *report, bez_error *err) {
  const bez_table *table = k->in->table, *reference = k->in->reference;
  for (uint32_t c = 0; c < table->n_cols; c++) {
    const bez_column *a = &table->cols[c];
    if (!worth_comparing(a)) continue;
    int at = bez_table_find(reference, a->name);
    if (at < 0 || reference->cols[at].width == 0) {
      bez_report_not_checked(report, false, "BZ-D026", "column \"%s\" is not in the reference", a->name);
      continue;
    }
    const bez_column *b = &reference->cols[at];
    if (a->truncated || b->truncated)
      bez_report_not_checked(report, false, "BZ-D026", "column \"%s\": its rare values are not compared", a->name);
    compared *x = &k->col[k->n++];
    x->a = a;
    x->b = b;
    bool ordered = is_ordered(a, b);
    bez_status st = bez_align(a, b, ordered, &x->aligned, err);
    if (st != BEZ_OK) return st;
    x->test = bez_two_sample_test(x->aligned.count, x->aligned.n_values, x->aligned.missing, ordered);
  }
  for (uint32_t c = 0; c < reference->n_cols; c++)
    if (worth_comparing(&reference->cols[c]) && bez_table_find(table, reference->cols[c].name) < 0)
      bez_report_not_checked(report, false, "BZ-D026", "column \"%s\" of the reference is not in the data",
                             reference->cols[c].name);
  return BEZ_OK;
}

static bez_status test_joint(comparison *k, bez_error *err) {
  bez_joint_column *columns = malloc(((size_t)k->n + 1) * sizeof *columns);
  if (!columns) return bez_fail_memory(err, k->n * sizeof *columns);
  for (uint32_t c = 0; c < k->n; c++) columns[c] = (bez_joint_column){{k->col[c].a, k->col[c].b}, &k->col[c].aligned};
  bez_status st = bez_joint_test(k->in, columns, k->n, &k->joint, err);
  free(columns);
  return st;
}

static bez_finding *add(bez_report *report, bez_severity severity, double p, double q, double score) {
  bez_finding *f = bez_report_add(report, &bez_detector_reference_shift.rule, severity);
  if (!f) return NULL;
  f->ranked_list = true;
  f->p_value = p;
  f->q_value = q;
  f->score = score;
  return f;
}

static void emit_values(const compared *x, bez_report *report, double q) {
  double effect = x->test.effect;
  if (q > Q_LEAST || effect < EFFECT_NOTE) return;
  bez_finding *f =
      add(report, effect >= EFFECT_WARNING && q <= Q_WARNING ? BEZ_SEV_WARNING : BEZ_SEV_NOTE, x->test.p, q, effect);
  if (!f) return;
  bez_finding_title(report, f, "Column \"%s\" is distributed otherwise than in the reference (distance %.2f)",
                    x->a->name, effect);
  const char *pattern = bez_arena_printf(&report->arena, "%s: distribution", x->a->name);
  bez_finding_subject(report, f, pattern ? pattern : "", NULL);
  bez_finding_text(report, f, "test", is_ordered(x->a, x->b) ? "Kolmogorov-Smirnov" : "G-test");
  bez_finding_number(report, f, "distance", effect);
}

static void emit_missing(const compared *x, bez_report *report, double q) {
  double effect = fabs(x->test.missing[0] - x->test.missing[1]);
  if (q > Q_LEAST || effect < EFFECT_NOTE) return;
  bez_finding *f = add(report, effect >= EFFECT_WARNING && q <= Q_WARNING ? BEZ_SEV_WARNING : BEZ_SEV_NOTE,
                       x->test.p_missing, q, effect);
  if (!f) return;
  bez_finding_title(report, f, "Column \"%s\" misses %.1f %% of its cells, in the reference %.1f %%", x->a->name,
                    100.0 * x->test.missing[0], 100.0 * x->test.missing[1]);
  const char *pattern = bez_arena_printf(&report->arena, "%s: missing", x->a->name);
  bez_finding_subject(report, f, pattern ? pattern : "", NULL);
  bez_finding_number(report, f, "share missing", x->test.missing[0]);
  bez_finding_number(report, f, "share missing in the reference", x->test.missing[1]);
}

/* The rows of the value that has become frequent. */
static bez_status add_rows(const comparison *k, const compared *x, bez_report *report, bez_finding *f, bez_error *err) {
  uint64_t n = 0, most = x->aligned.count[x->test.jump].a;
  bez_row_hit *hits = malloc((most + 1) * sizeof *hits);
  if (!hits) return bez_fail_memory(err, most * sizeof *hits);
  for (uint64_t row = 0; row < k->in->table->n_rows && n < most; row++)
    if (x->aligned.value_of[0][bez_code(x->a, row)] == x->test.jump)
      hits[n++] = (bez_row_hit){.row = bez_global_row(k->in->table, row), .score = x->test.lift, .q = NAN};
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

static bez_status emit_jump(const comparison *k, const compared *x, bez_report *report, double q, bez_error *err) {
  if (q > Q_LEAST || x->test.lift < BEZ_JUMP_LIFT) return BEZ_OK;
  bez_pair_count v = x->aligned.count[x->test.jump];
  bez_finding *f = add(report, x->test.lift >= LIFT_WARNING && q <= Q_WARNING ? BEZ_SEV_WARNING : BEZ_SEV_NOTE,
                       x->test.p_jump, q, x->test.lift);
  if (!f) return BEZ_OK;
  const char *value = bez_cells_value(report, x->a, x->aligned.code[0][x->test.jump]);
  bez_finding_title(report, f, "%s=\"%s\" stands in %llu rows, in the reference in %llu", x->a->name, value,
                    (unsigned long long)v.a, (unsigned long long)v.b);
  const char *pattern = bez_arena_printf(&report->arena, "%s=%s", x->a->name, value);
  bez_finding_subject(report, f, pattern ? pattern : "", NULL);
  bez_finding_number(report, f, "rows", (double)v.a);
  bez_finding_number(report, f, "rows in the reference", (double)v.b);
  bez_finding_number(report, f, "times its share there", x->test.lift);
  return add_rows(k, x, report, f, err);
}

static void emit_joint(const comparison *k, bez_report *report, double q) {
  if (q > Q_LEAST || k->joint.auc < AUC_NOTE) return;
  bez_finding *f = add(report, k->joint.auc >= AUC_WARNING && q <= Q_WARNING ? BEZ_SEV_WARNING : BEZ_SEV_NOTE,
                       k->joint.p, q, k->joint.auc);
  if (!f) return;
  bez_finding_title(report, f, "A model tells the data from the reference (AUC %.2f)", k->joint.auc);
  bez_finding_subject(report, f, "all columns", NULL);
  bez_finding_number(report, f, "AUC out of fold", k->joint.auc);
  bez_finding_number(report, f, "its deviation where nothing can be told", k->joint.deviation);
  bez_finding_number(report, f, "rows used", (double)k->joint.n[0]);
  bez_finding_number(report, f, "rows used of the reference", (double)k->joint.n[1]);
}

static bez_status judge(comparison *k, bez_report *report, bez_error *err) {
  size_t n = (size_t)k->n * TESTS;
  for (uint32_t c = 0; c < k->n; c++) {
    k->p[c * TESTS] = k->col[c].test.p;
    k->p[c * TESTS + 1] = k->col[c].test.p_missing;
    k->p[c * TESTS + 2] = k->col[c].test.p_jump;
  }
  k->p[n] = k->joint.p;
  bez_status st = bez_benjamini_hochberg(k->p, n + 1, k->q, err);
  for (uint32_t c = 0; c < k->n && st == BEZ_OK; c++) {
    emit_values(&k->col[c], report, k->q[c * TESTS]);
    emit_missing(&k->col[c], report, k->q[c * TESTS + 1]);
    st = emit_jump(k, &k->col[c], report, k->q[c * TESTS + 2], err);
  }
  if (st == BEZ_OK) emit_joint(k, report, k->q[n]);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  comparison k = {.in = in};
  bez_status st = BEZ_OK;
  if (!in->reference || in->reference->n_rows == 0 || in->table->n_rows == 0) {
    bez_report_not_checked(report, true, "BZ-D026", "one of the two has no rows");
    return bez_report_status(report, err);
  }
  size_t n = in->table->n_cols;
  k.col = calloc(n + 1, sizeof *k.col);
  k.p = calloc(n * TESTS + 1, sizeof *k.p);
  k.q = calloc(n * TESTS + 1, sizeof *k.q);
  if (!k.col || !k.p || !k.q) {
    st = bez_fail_memory(err, n * sizeof *k.col);
    goto cleanup;
  }
  BEZ_TRY(pair_columns(&k, report, err));
  if (k.n == 0) bez_report_not_checked(report, true, "BZ-D026", "the two have no column in common");
  BEZ_TRY(test_joint(&k, err));
  BEZ_TRY(judge(&k, report, err));
  st = bez_report_status(report, err);
cleanup:
  for (uint32_t c = 0; k.col && c < k.n; c++) bez_aligned_free(&k.col[c].aligned);
  free(k.col);
  free(k.p);
  free(k.q);
  return st;
}

const bez_detector bez_detector_reference_shift = {
    .rule = {.id = "BZ-D026",
             .name = "reference-shift",
             .title = "Shift against known-good data",
             .summary =
                 "Columns, single values and combinations of columns that stand otherwise in the data than in the "
                 "known-good data of --reference-data.",
             .remedy = "Find out why. A new season or market is a reason; a value that nobody delivered before is not.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_REFERENCE,
    .null_hypothesis = "Rows of the data and of the reference are draws from one distribution.",
    .calibration = "Benjamini-Hochberg over all tests of the scan at q <= .05, and a size below which nothing is said; "
                   "split halves of clean tables: docs/detect/reference-shift.md.",
    .cost = "O(rows · columns + values · log values) time; trees on at most 20,000 rows of each",
    .source =
        "Kolmogorov-Smirnov; likelihood-ratio test; D. Lopez-Paz, M. Oquab, Revisiting classifier two-sample tests, "
        "ICLR 2017; Benjamini and Hochberg, 1995",
    .run = run,
};
