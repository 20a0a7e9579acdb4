/* BZ-D002, context contradiction: two values that stand together more often than chance would have it, in rows whose
 * other columns fit neither. A trigger that is written into rows of its target label (clean label) leaves no label to
 * contradict; but the rows are ordinary rows with two foreign cells. For each half of a combination a naive Bayes
 * ratio over the other columns, counted without the combination's own rows, says how well they fit that half; columns
 * that one half all but determines (education and education-num) are left out, since they must contradict it. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/context_pairs.h"

#define MEAN_LEAST 0.3
#define Z_NOTE 3.0
#define Z_WARNING 4.5
#define LIFT_WARNING 3.0
/* Rows that all carry one label besides: natural combinations that do so and are no kind reach z = 1.9. */
#define PURITY_LEAST 0.95
#define TARGET_MOST 0.9 /* a label of nearly all rows says nothing */
#define Z_PURE 2.6
#define LIFT_PURE 5.0
#define GAIN_PURE 1.0
#define GAIN_MOST 1.5           /* rows of a kind are a natural group that the columns do not describe well */
#define WORK_MOST 6000000000ull /* rows × pairs */
#define PATTERNS_MOST 5u        /* more of them are this data's nature: notes, the strongest so many */
#define SEARCHED_MOST 50u
#define NOTE_ROWS 1000u

static int strongest_first(const void *x, const void *y) {
  const bez_context_hit *p = x, *q = y;
  if (p->spike != q->spike) return p->spike > q->spike ? -1 : 1;
  if (p->z != q->z) return p->z > q->z ? -1 : 1;
  if (p->a != q->a) return p->a < q->a ? -1 : 1;
  if (p->b != q->b) return p->b < q->b ? -1 : 1;
  if (p->code_a != q->code_a) return p->code_a < q->code_a ? -1 : 1;
  return p->code_b < q->code_b ? -1 : p->code_b > q->code_b;
}

/* Rows of a hit, ascending; `taken` marks the rows of stronger hits. */
static uint64_t rows_of(const bez_context *x, const bez_context_hit *hit, uint64_t *rows) {
  const bez_column *a = &x->in->table->cols[x->cols[hit->a].col], *b = &x->in->table->cols[x->cols[hit->b].col];
  uint64_t n = 0;
  for (uint64_t row = 0; row < x->in->table->n_rows && n < hit->support; row++)
    if (bez_code(a, row) == hit->code_a && bez_code(b, row) == hit->code_b) rows[n++] = row;
  return n;
}

/* The rows of a stronger combination foul the picture of either of its values: what else holds one is not judged. */
static bool shares_half(const bez_context_hit *kept, uint32_t n, const bez_context_hit *hit) {
  for (uint32_t i = 0; i < n; i++) {
    const bez_context_hit *k = &kept[i];
    if ((k->a == hit->a && k->code_a == hit->code_a) || (k->b == hit->b && k->code_b == hit->code_b)) return true;
    if ((k->a == hit->b && k->code_a == hit->code_b) || (k->b == hit->a && k->code_b == hit->code_a)) return true;
  }
  return false;
}

static bool is_taken(const uint8_t *taken, const uint64_t *rows, uint64_t n) {
  uint64_t known = 0;
  for (uint64_t i = 0; i < n; i++) known += taken[rows[i]];
  return 2 * known > n;
}

static bez_status add_rows(bez_report *report, bez_finding *f, const bez_detect_input *in, const uint64_t *rows,
                           uint64_t n, double score, bez_error *err) {
  const char **labels = bez_cells_labels(report, in);
  bez_row_hit *hits = malloc((n + 1) * sizeof *hits);
  if (!hits) return bez_fail_memory(err, n * sizeof *hits);
  for (uint64_t i = 0; i < n; i++)
    hits[i] = (bez_row_hit){.row = bez_global_row(in->table, rows[i]),
                            .score = score,
                            .q = NAN,
                            .label = labels ? labels[bez_code(&in->table->cols[in->label], rows[i])] : NULL};
  bez_finding_rows(report, f, hits, n);
  free(hits);
  return BEZ_OK;
}

static bez_status emit(const bez_context *x, bez_report *report, const bez_context_hit *hit, bez_severity severity,
                       const uint64_t *rows, uint64_t n, bez_error *err) {
  const bez_detect_input *in = x->in;
  uint32_t shown[2] = {x->cols[hit->a].col, x->cols[hit->b].col};
  const bez_column *a = &in->table->cols[shown[0]], *b = &in->table->cols[shown[1]];
  bez_label_share label;
  bez_status st = bez_cells_purity(in, rows, n, &label, err);
  if (st != BEZ_OK) return st;
  bez_finding *f = bez_report_add(report, &bez_detector_context_contradiction.rule, severity);
  if (!f) return BEZ_OK;
  const char *value_a = bez_cells_value(report, a, hit->code_a), *value_b = bez_cells_value(report, b, hit->code_b);
  const char *pattern = bez_arena_printf(&report->arena, "%s=%s & %s=%s", a->name, value_a, b->name, value_b);
  if (hit->spike > 0)
    bez_finding_title(report, f, "%llu rows combine %s=\"%s\" and %s=\"%s\", %.2g are expected", (unsigned long long)n,
                      a->name, value_a, b->name, value_b, (double)hit->support / hit->lift);
  else
    bez_finding_title(report, f, "%llu rows combine %s=\"%s\" and %s=\"%s\", and their other columns fit neither",
                      (unsigned long long)n, a->name, value_a, b->name, value_b);
  const char *target = label.purity >= 0.9 ? bez_cells_value(report, &in->table->cols[in->label], label.code) : NULL;
  bez_finding_subject(report, f, pattern ? pattern : "", target);
  f->score = hit->spike > 0 ? hit->spike : hit->z;
  if (hit->spike > 0) bez_finding_number(report, f, "-log10 of the chance of so many", hit->spike);
  bez_finding_number(report, f, "support", (double)hit->support);
  bez_finding_number(report, f, "times as often as by chance", hit->lift);
  bez_finding_number(report, f, "contradiction per row (-2 to 2)", hit->mean);
  bez_finding_number(report, f, "contradiction in standard errors", hit->z);
  bez_finding_number(report, f, "what the rows have in common otherwise (nats per row)", hit->gain);
  if (in->label >= 0) bez_finding_number(report, f, "share of the most frequent label", label.purity);
  bez_cells_exhibit(report, f, in, "Rows with both values", "flagged", rows, n < 5 ? (uint32_t)n : 5, shown, 2);
  if (severity == BEZ_SEV_NOTE && n > NOTE_ROWS) n = NOTE_ROWS;
  return add_rows(report, f, in, rows, n, f->score, err);
}

/* The hits of all pairs, strongest first, *n of them. */
static bez_status collect(const bez_context *x, bez_context_hit **out, uint64_t *n, bez_error *err) {
  *n = 0;
  for (uint64_t p = 0; p < x->n_pairs; p++) *n += x->n_hits[p];
  *out = malloc((*n + 1) * sizeof **out);
  if (!*out) return bez_fail_memory(err, *n * sizeof **out);
  uint64_t at = 0;
  for (uint64_t p = 0; p < x->n_pairs; p++)
    for (uint32_t i = 0; i < x->n_hits[p]; i++) (*out)[at++] = x->hits[p][i];
  qsort(*out, *n, sizeof **out, strongest_first);
  return BEZ_OK;
}

static bool is_strong(const bez_context_hit *hit) {
  return hit->spike > 0 || hit->one_label || (hit->z >= Z_WARNING && hit->lift >= LIFT_WARNING);
}

/* All rows of a combination that nothing else holds together carry one label. */
static bez_status ask_label(const bez_context *x, bez_context_hit *hit, const uint64_t *rows, uint64_t n,
                            bez_error *err) {
  bez_label_share label;
  if (x->in->label < 0 || hit->z < Z_PURE || hit->lift < LIFT_PURE || hit->gain > GAIN_PURE) return BEZ_OK;
  bez_status st = bez_cells_purity(x->in, rows, n, &label, err);
  if (st != BEZ_OK) return st;
  double share = (double)x->in->table->cols[x->in->label].count[label.code] / (double)x->in->table->n_rows;
  hit->one_label = label.purity >= PURITY_LEAST && share <= TARGET_MOST && label.code >= BEZ_CODE_FIRST;
  return BEZ_OK;
}

static void tell_many(bez_report *report, uint32_t kept) {
  bez_report_not_checked(report, false, "BZ-D002 weaker patterns",
                         "%u%s combinations stand out; the %u strongest are reported", kept,
                         kept == SEARCHED_MOST ? " or more" : "", PATTERNS_MOST);
}

/* Marks rows of findings that stand in the report already. */
static void mark_found(const bez_detect_input *in, const bez_report *report, uint8_t *found) {
  const bez_table *t = in->table;
  for (size_t i = 0; i < report->n_findings; i++) {
    const bez_finding *f = report->findings[i];
    if (f->ranked_list || f->severity < BEZ_SEV_WARNING) continue;
    uint64_t row = 0;
    for (uint64_t k = 0; k < f->n_rows; k++) { /* both ascend */
      while (row < t->n_rows && bez_global_row(t, row) < f->rows[k].row) row++;
      if (row < t->n_rows && bez_global_row(t, row) == f->rows[k].row) found[row] = 1;
    }
  }
}

/* A combination that mostly lies in rows found already is one more sign of these, and none of the rest. */
static uint64_t keep_found(const uint8_t *found, uint64_t *rows, uint64_t n) {
  uint64_t kept = 0;
  if (!is_taken(found, rows, n)) return n;
  for (uint64_t i = 0; i < n; i++)
    if (found[rows[i]]) rows[kept++] = rows[i];
  return kept;
}

static bez_status report_hits(const bez_context *x, bez_report *report, bez_error *err) {
  bez_context_hit *hits = NULL;
  uint64_t n_hits, n_rows = x->in->table->n_rows, *rows = NULL;
  uint32_t kept = 0, n_strong = 0;
  uint8_t *taken = NULL, *found = NULL;
  bez_status st;
  BEZ_TRY(collect(x, &hits, &n_hits, err));
  if (n_hits == 0) goto cleanup;
  taken = calloc(n_rows + 1, 1);
  found = calloc(n_rows + 1, 1);
  rows = malloc((n_rows / 50 + 101) * sizeof *rows);
  if (!taken || !found || !rows) {
    st = bez_fail_memory(err, n_rows);
    goto cleanup;
  }
  mark_found(x->in, report, found);
  for (uint64_t i = 0; i < n_hits && kept < SEARCHED_MOST; i++) { /* one pattern per set of rows */
    if (shares_half(hits, kept, &hits[i])) continue;
    uint64_t n = rows_of(x, &hits[i], rows);
    if (is_taken(taken, rows, n)) continue;
    BEZ_TRY(ask_label(x, &hits[i], rows, n, err));
    if (hits[i].spike <= 0 && hits[i].z < Z_NOTE && !hits[i].one_label) continue;
    for (uint64_t r = 0; r < n; r++) taken[rows[r]] = 1;
    n_strong += is_strong(&hits[i]);
    hits[kept++] = hits[i];
  }
  if (kept > PATTERNS_MOST) tell_many(report, kept);
  for (uint32_t i = 0; i < kept && i < PATTERNS_MOST; i++) {
    uint64_t n = keep_found(found, rows, rows_of(x, &hits[i], rows));
    bool strong = is_strong(&hits[i]) && n_strong <= PATTERNS_MOST;
    BEZ_TRY(emit(x, report, &hits[i], strong ? BEZ_SEV_WARNING : BEZ_SEV_NOTE, rows, n, err));
  }
cleanup:
  free(hits);
  free(taken);
  free(found);
  free(rows);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  uint64_t pairs = (uint64_t)in->n_features * (in->n_features - 1) / 2;
  if (in->table->n_rows == 0 || in->n_features < 3) return bez_report_status(report, err);
  if (pairs * in->table->n_rows > WORK_MOST) {
    bez_report_not_checked(report, false, "BZ-D002", "%llu rows and %llu pairs of columns are more than it is made for",
                           (unsigned long long)in->table->n_rows, (unsigned long long)pairs);
    return bez_report_status(report, err);
  }
  if (in->progress && !in->progress(in->progress_ctx, "context contradiction", "rows", 0, in->table->n_rows))
    return bez_fail(err, BEZ_CANCELLED, "BZ-D002", "cancelled");
  bez_context *context = NULL;
  bez_error limit = {0};
  bez_status st = bez_context_create(in, &context, &limit);
  if (st == BEZ_LIMIT) {
    bez_report_not_checked(report, false, "BZ-D002", "%s, more than %u", limit.message, BEZ_CONTEXT_CELLS);
    return bez_report_status(report, err);
  }
  if (st != BEZ_OK) return bez_fail(err, st, limit.subject, "%s", limit.message);
  BEZ_TRY(bez_context_count(context, err));
  BEZ_TRY(bez_context_judge(context, MEAN_LEAST, in->label >= 0 ? Z_PURE : Z_NOTE, GAIN_MOST, err));
  BEZ_TRY(report_hits(context, report, err));
  st = bez_report_status(report, err);
cleanup:
  bez_context_destroy(context);
  return st;
}

const bez_detector bez_detector_context_contradiction = {
    .rule = {.id = "BZ-D002",
             .name = "context-contradiction",
             .title = "Context contradiction",
             .summary = "Two values that stand together more often than by chance, in rows whose other columns fit "
                        "neither: what a trigger of two cells leaves even where every label is right.",
             .remedy = "Review the rows: natural sub-groups can look the same. If nobody can say why these values "
                       "come together, leave the rows out and find who wrote them.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_CELLS,
    .null_hypothesis = "Rows that carry a value look, in the other columns, like the other rows that carry it.",
    .calibration =
        "Clean Adult, its subsamples and two generated bank tables reach 1.5 standard errors. A note from 3, a "
        "warning from 4.5 with three times the rows of chance in rows that have little else in common, or "
        "from 2.6 with five times the rows where all carry one label; more than five such patterns are taken for the "
        "data's nature and become notes. Pair spikes: 12 times the expected "
        "rows, chance below 1e-25 and its exponent 4 times that of the table's next cell.",
    .cost = "O(rows x pairs of columns) time; 4 bytes per cell of all pair tables (64 MiB at most)",
    .source = "Bezoar, docs/detect/context-contradiction.md",
    .run = run,
};
