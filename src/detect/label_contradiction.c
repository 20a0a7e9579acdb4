/* BZ-D001, label contradiction of a pattern: rows that share one to three values and a label which all their other
 * columns speak against. The way rare combinations, odd constants and in-range constants are planted.
 *
 * Each class is a target in turn. The strongest pattern of a round is reported, its rows are taken out, the model is
 * fitted again without them and mining repeats, because planted rows also bend the model that judges the rest.
 * docs/detect/label-contradiction.md has the method, the calibration and what was measured. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/label_contradiction.h"
#include "detect/shared.h"

#define MAX_ROUNDS 6u
#define MAX_TARGETS 50u
#define MIN_TARGET_ROWS 8u
#define LABEL_BONUS .5 /* of ln(1/share of the target): a rare label on many rows is evidence too */
#define T_MIN 9.0
#define T_MIN_SAMPLED 12.0
#define T_MIN_SINGLE 5.0 /* lower: what decides by nature is seen on single values */

typedef struct session {
  const bez_detect_input *in;
  bez_report *report;
  uint32_t target[MAX_TARGETS];
  uint32_t n_targets;
  bool two_classes;
  uint64_t *flagged; /* one bit per row */
  uint32_t round, effect;
  bez_woe *own; /* a model of this round, after rows were taken out */
  uint32_t own_class;
} session;

static int more_frequent(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

static bez_status choose_targets(session *s, bez_error *err) {
  const bez_column *label = &s->in->table->cols[s->in->label];
  uint32_t n = 0, classes = label->n_values > BEZ_CODE_FIRST ? label->n_values - BEZ_CODE_FIRST : 0;
  uint64_t *order = malloc((classes ? classes : 1) * sizeof *order);
  if (!order) return bez_fail_memory(err, classes * sizeof *order);
  for (uint32_t c = BEZ_CODE_FIRST; c < label->n_values; c++)
    if (label->count[c] >= MIN_TARGET_ROWS) order[n++] = (uint64_t)label->count[c] << 32 | (UINT32_MAX - c);
  qsort(order, n, sizeof *order, more_frequent);
  s->two_classes = classes == 2;
  for (uint32_t i = 0; i < n && i < MAX_TARGETS; i++) s->target[s->n_targets++] = UINT32_MAX - (uint32_t)order[i];
  if (n > MAX_TARGETS)
    bez_report_not_checked(s->report, false, "BZ-D001 rare classes",
                           "%u classes: only the %u most frequent were targets", n, MAX_TARGETS);
  free(order);
  return BEZ_OK;
}

/* The model of a target: the shared one in the first round, one without the flagged rows later. */
static bez_status view_of(session *s, uint32_t target, bez_lco_view *view, bez_error *err) {
  uint32_t class1 = s->two_classes ? BEZ_CODE_FIRST + 1 : target;
  const bez_woe *woe = s->own;
  bez_status st = BEZ_OK;
  if (!s->round) {
    st = bez_shared_woe(s->in, class1, &woe, err);
  } else if (!s->own || s->own_class != class1) {
    bez_woe_destroy(s->own);
    s->own = NULL;
    s->own_class = class1;
    st = bez_woe_fit_without(s->in->table, s->in->features, s->in->n_features, s->in->label, class1, s->flagged,
                             s->in->seed, s->in->threads, &s->own, err);
    woe = s->own;
  }
  if (st != BEZ_OK) return st;
  double sign = class1 == target ? 1.0 : -1.0;
  *view = (bez_lco_view){.in = s->in,
                         .woe = woe,
                         .target = target,
                         .sign = sign,
                         .origin = sign * woe->prior_logit + LABEL_BONUS * log1p(exp(-sign * woe->prior_logit)),
                         .skip = s->round ? s->flagged : NULL};
  return BEZ_OK;
}

/* Mines one target and appends what it finds to all. */
static bez_status mine_target(session *s, uint32_t target, bez_lco_patterns *all, bez_error *err) {
  bez_lco_view view;
  bez_lco_rows *rows = NULL;
  bez_lco_patterns found = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(view_of(s, target, &view, err));
  BEZ_TRY(bez_lco_rows_make(&view, &rows, err));
  BEZ_TRY(bez_lco_mine(&view, rows, rows->weight > 1 ? T_MIN_SAMPLED : T_MIN, T_MIN_SINGLE, &found, err));
  BEZ_TRY(bez_lco_exact(&view, rows, &found, err));
  BEZ_TRY(bez_lco_kind(&view, rows, &found, err));
  BEZ_TRY(bez_lco_smooth(&view, rows, &found, err));
  BEZ_TRY(bez_lco_patterns_move(all, &found, err));
cleanup:
  bez_lco_rows_destroy(rows);
  bez_lco_patterns_free(&found);
  return st;
}

/* One round. *more: something was found and taken out. */
static bez_status run_round(session *s, bool *more, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_lco_patterns all = {0};
  const bez_detect_input *in = s->in;
  *more = false;
  for (uint32_t t = 0; t < s->n_targets; t++) {
    if (in->progress &&
        !in->progress(in->progress_ctx, "label contradiction", "classes", (uint64_t)s->round * s->n_targets + t, 0))
      BEZ_TRY(bez_fail(err, BEZ_CANCELLED, NULL, "cancelled"));
    BEZ_TRY(mine_target(s, s->target[t], &all, err));
  }
  BEZ_TRY(bez_lco_judge(in, &all, &s->effect, err));
  if (!s->round) BEZ_TRY(bez_lco_notes(in, &all, s->report, err));
  if (!s->round && all.deep)
    bez_report_not_checked(s->report, false, "BZ-D001 wide table",
                           "%u columns: patterns of three values were sought among the %u with the most values only",
                           in->n_features, all.deep);
  const bez_lco_pattern *best = bez_lco_best(&all);
  if (best) {
    bez_lco_view view;
    BEZ_TRY(view_of(s, best->target, &view, err));
    for (uint64_t i = 0; i < best->n_rows; i++) s->flagged[best->row[i] >> 6] |= 1ull << (best->row[i] & 63);
    BEZ_TRY(bez_lco_show(&view, &all, best, s->effect, s->flagged, s->report, err));
    *more = true;
  }
cleanup:
  bez_lco_patterns_free(&all);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  bez_status st = BEZ_OK;
  session s = {.in = in, .report = report};
  bool more = true;
  s.flagged = calloc(in->table->n_rows / 64 + 1, sizeof *s.flagged);
  if (!s.flagged) BEZ_TRY(bez_fail_memory(err, in->table->n_rows / 8));
  BEZ_TRY(choose_targets(&s, err));
  for (s.round = 0; s.round < MAX_ROUNDS && more && s.n_targets > 1; s.round++) {
    bez_woe_destroy(s.own);
    s.own = NULL;
    BEZ_TRY(run_round(&s, &more, err));
  }
  st = bez_report_status(report, err);
cleanup:
  bez_woe_destroy(s.own);
  free(s.flagged);
  return st;
}

const bez_detector bez_detector_label_contradiction = {
    .rule = {.id = "BZ-D001",
             .name = "label-contradiction",
             .title = "Label contradiction of a pattern",
             .summary = "Rows that share one to three values and a label, although all their other columns speak for "
                        "another label: the mark of a planted trigger.",
             .remedy = "Look at the rows and where they came from. If nobody can explain the pattern, take them out "
                       "(bezoar clean) and train without them.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_LABEL | BEZ_NEED_CELLS,
    .null_hypothesis = "Given all other columns, the labels of a pattern's rows follow the model that was fitted "
                       "without the pattern's columns, up to a natural effect of the pattern on the log-odds.",
    .calibration =
        "Likelihood ratios that are e-values under the null, times the number of patterns tested; the size of "
        "natural effects is raised until no more than five disjoint patterns stand out. Rows whose remaining cells "
        "predict "
        "each other five standard deviations better than a random draw's are a natural group.",
    .cost = "O(rows * columns) to score, O(min(rows, 2^19) * min(columns, 42)^3) to mine; 3 bytes per row and "
            "100 MiB",
    .source = "Bezoar, docs/detect/label-contradiction.md",
    .run = run,
};
