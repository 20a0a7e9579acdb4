/* Do neighbouring numbers behave alike? A trigger is one exact value; where a value next to it, with the rest of the
 * pattern, carries the target as purely, the pattern is a piece of a natural rule ("few calls abroad in spite of the
 * plan for them: they leave"). */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/label_contradiction.h"

#define PROMISING 16.0 /* weaker patterns are not reported anyway */
#define LEAST_ROWS 5.0 /* of the neighbouring value */
#define PURE .85       /* share of the target among them … */
#define UNLIKE .5      /* … of which the other columns predict this share at the most */
#define SIDES 2

typedef struct smooth {
  const bez_lco_view *view;
  const bez_lco_rows *rows;
  bez_lco_patterns *patterns;
} smooth;

static const bez_column *column_of(const smooth *s, uint32_t feature) {
  return &s->view->in->table->cols[s->view->woe->cols[feature]];
}

/* Has the row all other values of the pattern? */
static bool has_rest(const smooth *s, const bez_lco_pattern *p, uint32_t but, uint64_t row) {
  for (uint32_t j = 0; j < p->k; j++)
    if (j != but && bez_code(column_of(s, p->col[j]), row) != p->code[j]) return false;
  return true;
}

/* The next codes below and above that stand beside the rest of the pattern; 0: none. */
static void neighbours(const smooth *s, const bez_lco_pattern *p, uint32_t j, uint32_t side[SIDES]) {
  const bez_column *col = column_of(s, p->col[j]);
  side[0] = side[1] = 0;
  for (uint64_t i = 0; i < s->rows->n; i++) {
    uint32_t code = bez_code(col, s->rows->row[i]);
    if (code < BEZ_CODE_FIRST || code == p->code[j] || !has_rest(s, p, j, s->rows->row[i])) continue;
    if (code < p->code[j] && code > side[0]) side[0] = code;
    if (code > p->code[j] && (!side[1] || code < side[1])) side[1] = code;
  }
}

/* One neighbouring value with the rest of the pattern: as pure, and as little foreseen by the other columns? Candidates
 * are there whole, of the other rows one in `weight`. coef: the model without the pattern's columns. */
static bool alike(const smooth *s, const bez_lco_pattern *p, uint32_t j, uint32_t side, const double *coef) {
  const bez_column *col = column_of(s, p->col[j]);
  double n = 0, target = 0, expected = 0;
  for (uint64_t i = 0; side && i < s->rows->n; i++) {
    uint64_t row = s->rows->row[i];
    if (bez_code(col, row) != side || !has_rest(s, p, j, row)) continue;
    double weight = i < s->rows->n_cand ? 1 : s->rows->weight, log_odds;
    bez_woe_scores(s->view->woe, s->view->in->table, coef, row, 1, &log_odds);
    n += weight;
    target += s->rows->is_target[i] ? weight : 0;
    expected += weight / (1 + exp(-s->view->sign * log_odds));
  }
  return n >= LEAST_ROWS && target >= PURE * n && expected <= UNLIKE * target;
}

/* On one side is enough: rules of nature have an edge. */
static bool any_alike(const smooth *s, const bez_lco_pattern *p, uint32_t j, const double *coef) {
  uint32_t side[SIDES];
  neighbours(s, p, j, side);
  return alike(s, p, j, side[0], coef) || alike(s, p, j, side[1], coef);
}

static bez_status pattern_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  smooth *s = ctx;
  bez_lco_pattern *p = &s->patterns->item[tile];
  p->smooth = false;
  if (p->k < 2 || p->rows_llr + p->labels_llr[0] < PROMISING) return BEZ_OK; /* single values: decisive columns */
  double *coef = malloc((s->view->woe->n_cols + 1) * sizeof *coef);
  if (!coef) return bez_fail_memory(err, s->view->woe->n_cols * sizeof *coef);
  bez_woe_leave_out(s->view->woe, p->col, p->k, coef);
  for (uint32_t j = 0; j < p->k && !p->smooth; j++)
    if (column_of(s, p->col[j])->type == BEZ_COL_NUMERIC) p->smooth = any_alike(s, p, j, coef);
  free(coef);
  return BEZ_OK;
}

bez_status bez_lco_smooth(const bez_lco_view *view, const bez_lco_rows *rows, bez_lco_patterns *patterns,
                          bez_error *err) {
  smooth s = {view, rows, patterns};
  return bez_detect_parallel(view->in, "label contradictions", patterns->n, pattern_tile, &s, err);
}
