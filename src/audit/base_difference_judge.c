/* What stands out among the differences of a model from its base: few rows, one layer of many, much more in one
 * direction than its like. Full fine-tuning, frozen layers, merged adapters and rounding are none of that. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audit/base_difference.h"
#include "base/error.h"
#include "fit/median.h"

/* Chosen on networks of seeds below 1000 (docs/benchmarks/audit_weights.md). */
#define LEAST_KIND 3u     /* tensors of a kind, in different layers */
#define LEAST_ROWS 16u    /* of a matrix whose rows are counted */
#define FEW_ROWS 4u       /* rows that are few in any matrix; else one in a thousand */
#define ROWS_SHARE 0.75   /* of the change in four rows */
#define ROW_RELATIVE 0.4  /* change of a row over the length of rows */
#define SPIKE_RATIO 3.0   /* relative change over that of its kind */
#define SPIKE_SHARE 0.85  /* of the change in three directions */
#define LEAST_RANK 12u    /* smaller side of a matrix in which three directions are few */
#define ADAPTER_SHARE 0.8 /* of the changed matrices that are of low rank in a merged adapter */

typedef enum reason { NOTHING, FEW_ROWS_CHANGED, ONE_OF_MANY, SPIKE, ROW_SPIKE } reason;

static const char *const reason_key[] = {"", "few-rows", "one-of-many", "spike", "row-spike"};

typedef struct verdict {
  reason why;
  uint32_t kind, same; /* tensors of its kind, and those that are the same to the bit */
  double ratio;        /* relative change over the lower quartile of its kind */
} verdict;

static bool changed(const bez_base_pair *p) {
  return p->matrix && p->stats.norm > 0;
}

static double three_shares(const bez_base_stats *s) {
  return s->share[0] + s->share[1] + s->share[2];
}

static uint32_t smaller_side(const bez_base_stats *s) {
  return s->rows < s->cols ? s->rows : s->cols;
}

/* ---- one tensor by itself --------------------------------------------------------------------------------------- */

static bool few_rows(const bez_base_stats *s) {
  const uint32_t few = s->rows / 1000 > FEW_ROWS ? s->rows / 1000 : FEW_ROWS;
  return s->rows >= LEAST_ROWS && s->changed_rows <= few && s->changed_rows * 4 <= s->rows;
}

static bool row_spike(const bez_base_stats *s) {
  return s->rows >= 2 * LEAST_ROWS && s->top_rows >= ROWS_SHARE && s->row_relative >= ROW_RELATIVE;
}

/* ---- among its kind --------------------------------------------------------------------------------------------- */

static int by_role(const void *a, const void *b) {
  const bez_base_pair *x = *(bez_base_pair *const *)a, *y = *(bez_base_pair *const *)b;
  const int order = strcmp(x->role, y->role);
  return order ? order : strverscmp(x->model->key, y->model->key); /* layer 10 behind layer 9 */
}

/* Relative change that a quarter of the changed ones lie below: edits of up to three in four do not move it. */
static double lower_quartile(bez_base_pair *const *kind, uint32_t n, double *scratch) {
  uint32_t m = 0;
  for (uint32_t i = 0; i < n; i++)
    if (changed(kind[i])) scratch[m++] = kind[i]->stats.relative;
  return m >= LEAST_KIND ? bez_select(scratch, m, (m - 1) / 4) : NAN;
}

/* Some are changed and a later one is the same: neither full fine-tuning nor that of the last layers. */
static bool within(bez_base_pair *const *kind, uint32_t n, uint32_t same) {
  return n >= LEAST_KIND && same < n && 2 * same >= n && !changed(kind[n - 1]);
}

static void judge_kind(bez_base_pair *const *kind, uint32_t n, const bez_base_pair *first, double *scratch,
                       verdict *out) {
  uint32_t same = 0;
  for (uint32_t i = 0; i < n; i++) same += !changed(kind[i]);
  const double usual = lower_quartile(kind, n, scratch);
  const bool some_within = within(kind, n, same);
  for (uint32_t i = 0; i < n; i++) {
    const bez_base_stats *s = &kind[i]->stats;
    if (!changed(kind[i])) continue;
    verdict v = {.kind = n, .same = same, .ratio = s->relative / usual};
    const bool low = s->spectrum && smaller_side(s) >= LEAST_RANK && three_shares(s) >= SPIKE_SHARE;
    if (few_rows(s))
      v.why = FEW_ROWS_CHANGED;
    else if (some_within)
      v.why = ONE_OF_MANY;
    else if (low && v.ratio >= SPIKE_RATIO)
      v.why = SPIKE;
    else if (row_spike(s))
      v.why = ROW_SPIKE;
    out[kind[i] - first] = v;
  }
}

/* Pairs that are matrices, by kind. */
static bez_status judge_all(const bez_base_match *m, verdict *out, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t n = 0;
  bez_base_pair **order = calloc((size_t)m->n_pairs + 1, sizeof *order);
  double *scratch = calloc((size_t)m->n_pairs + 1, sizeof *scratch);
  if (!order || !scratch) BEZ_TRY(bez_fail_memory(err, m->n_pairs * sizeof *order));
  for (uint32_t i = 0; i < m->n_pairs; i++)
    if (m->pairs[i].matrix) order[n++] = &m->pairs[i];
  qsort(order, n, sizeof *order, by_role);
  for (uint32_t i = 0, end; i < n; i = end) {
    for (end = i + 1; end < n && !strcmp(order[end]->role, order[i]->role);) end++;
    judge_kind(order + i, end - i, m->pairs, scratch, out);
  }
cleanup:
  free(order);
  free(scratch);
  return st;
}

/* ---- findings --------------------------------------------------------------------------------------------------- */

static void say(bez_report *report, bez_finding *f, const char *place, const bez_base_pair *p, const verdict *v) {
  const bez_base_stats *s = &p->stats;
  switch (v->why) {
    case FEW_ROWS_CHANGED:
      bez_finding_title(report, f,
                        "%s: tensor %s: %u of %u rows differ from the base's, the others are the same to the bit",
                        place, p->name, s->changed_rows, s->rows);
      break;
    case ONE_OF_MANY:
      bez_finding_title(
          report, f, "%s: tensor %s differs from the base's%s, while %u of the %u of its kind are the same to the bit",
          place, p->name, s->rank99 == 1 ? " in one direction alone (rank one)" : "", v->same, v->kind);
      break;
    case SPIKE:
      bez_finding_title(report, f, "%s: tensor %s changed %.1f times as much as its like, %.0f %% of it in %s", place,
                        p->name, v->ratio, 100 * (s->rank99 == 1 ? s->share[0] : three_shares(s)),
                        s->rank99 == 1 ? "one direction" : "three directions");
      break;
    default:
      bez_finding_title(report, f, "%s: tensor %s: four of %u rows hold %.0f %% of its change", place, p->name, s->rows,
                        100 * s->top_rows);
  }
}

static void numbers(bez_report *report, bez_finding *f, const bez_base_stats *s) {
  bez_finding_number(report, f, "relative change", s->relative);
  bez_finding_number(report, f, "changed items", (double)s->changed);
  bez_finding_number(report, f, "items", (double)s->items);
  bez_finding_number(report, f, "changed rows", s->changed_rows);
  bez_finding_number(report, f, "rows", s->rows);
  bez_finding_number(report, f, "kurtosis", s->kurtosis);
  bez_finding_number(report, f, "largest row", s->row);
  bez_finding_number(report, f, "share of the largest row", s->top_row);
  bez_finding_number(report, f, "largest column", s->col);
  bez_finding_number(report, f, "share of the largest column", s->top_col);
  if (!s->spectrum) return;
  bez_finding_number(report, f, "largest singular value", s->norm * sqrt(s->share[0]));
  bez_finding_text(report, f, "shares of the first four directions", "%.3g %.3g %.3g %.3g", s->share[0], s->share[1],
                   s->share[2], s->share[3]);
  if (s->rank99 <= BEZ_DIFF_RANK)
    bez_finding_number(report, f, "directions for 99 %", s->rank99);
  else
    bez_finding_text(report, f, "directions for 99 %", "more than %u", BEZ_DIFF_RANK);
}

static void report_tensor(const bez_check_input *in, const bez_base_side *model, const bez_base_pair *p,
                          const verdict *v, bez_report *report) {
  const bez_audit_file *file = model->files[p->model->file].file;
  const bez_check_input one = bez_audit_of(in, file);
  const bez_model_tensor *t = &file->model->tensors[p->model->tensor];
  bez_finding *f = bez_report_add(report, &bez_check_base_difference.rule, BEZ_SEV_WARNING);
  say(report, f, bez_audit_place(&one, report, t->part), p, v);
  bez_audit_subject(&one, report, f, t->part, t->at,
                    bez_arena_printf(&report->arena, "%s %s", reason_key[v->why], p->name));
  bez_finding_text(report, f, "why", "%s", reason_key[v->why]);
  if (isfinite(v->ratio)) bez_finding_number(report, f, "times its kind", v->ratio);
  numbers(report, f, &p->stats);
}

/* ---- notes ------------------------------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b) {
  const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* The rank that most changed matrices stay within; 0: they are not of low rank. */
static bez_status adapter_rank(const bez_base_match *m, uint32_t *rank, bez_error *err) {
  uint32_t n = 0, low = 0, *ranks = calloc((size_t)m->n_pairs + 1, sizeof *ranks);
  *rank = 0;
  if (!ranks) return bez_fail_memory(err, m->n_pairs * sizeof *ranks);
  for (uint32_t i = 0; i < m->n_pairs; i++) {
    const bez_base_stats *s = &m->pairs[i].stats;
    if (!changed(&m->pairs[i]) || !s->spectrum) continue;
    n++;
    if (3 * s->rank99 <= smaller_side(s)) ranks[low++] = s->rank99;
  }
  if (n >= 4 && (double)low >= ADAPTER_SHARE * n) {
    qsort(ranks, low, sizeof *ranks, ascending);
    *rank = ranks[(uint32_t)(0.9 * (low - 1))];
  }
  free(ranks);
  return BEZ_OK;
}

static void counts(bez_report *report, bez_finding *f, const char *what, uint32_t n, const char *first) {
  if (n) bez_finding_text(report, f, what, "%u (%s%s)", n, first, n > 1 ? ", …" : "");
}

static bez_status summarise(const bez_check_input *in, const bez_base_match *m, bez_report *report, bez_error *err) {
  uint32_t same = 0, rank;
  const bez_base_pair *largest = NULL;
  bez_status st = adapter_rank(m, &rank, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < m->n_pairs; i++) {
    const bez_base_pair *p = &m->pairs[i];
    same += p->stats.changed == 0;
    if (p->matrix && (!largest || p->stats.relative > largest->stats.relative)) largest = p;
  }
  bez_finding *f = bez_report_add(report, &bez_check_base_difference.rule, BEZ_SEV_NOTE);
  const bool differs = same < m->n_pairs, some = largest && largest->stats.norm > 0;
  bez_finding_title(report, f, "%s: of %u tensors that the base has as well, %u are the same to the bit%s%s", in->path,
                    m->n_pairs, same, differs ? " and the others differ" : "",
                    rank ? bez_arena_printf(&report->arena, "; it looks like a merged adapter of rank %u", rank) : "");
  bez_finding_subject(report, f, "compared with the base", NULL);
  bez_finding_place(report, f, in->path, "", 0);
  if (some) bez_finding_text(report, f, "largest relative change", "%.3g (%s)", largest->stats.relative, largest->name);
  counts(report, f, "not in the base", m->added, m->first_added);
  counts(report, f, "in the base alone", m->missing, m->first_missing);
  counts(report, f, "of another shape", m->reshaped, m->first_reshaped);
  return BEZ_OK;
}

bez_status bez_base_judge(const bez_check_input *in, const bez_base_side *model, const bez_base_match *m,
                          bez_report *report, bez_error *err) {
  verdict *verdicts = calloc((size_t)m->n_pairs + 1, sizeof *verdicts);
  if (!verdicts) return bez_fail_memory(err, m->n_pairs * sizeof *verdicts);
  bez_status st = judge_all(m, verdicts, err);
  for (uint32_t i = 0; st == BEZ_OK && i < m->n_pairs; i++)
    if (verdicts[i].why) report_tensor(in, model, &m->pairs[i], &verdicts[i], report);
  free(verdicts);
  return st == BEZ_OK ? summarise(in, m, report, err) : st;
}
