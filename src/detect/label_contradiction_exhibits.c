/* What a reader of the report sees: flagged rows beside their nearest clean neighbours, and where the flagged rows
 * stand among all rows that carry the target. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/label_contradiction.h"

#define SHOWN_ROWS 5u
#define SHOWN_COLS 8u /* the label included */
#define SEARCHED 200000u
#define POINTS 150u /* of each kind */

static bool is_flagged(const uint64_t *flagged, uint64_t row) {
  return flagged[row >> 6] >> (row & 63) & 1;
}

static bool in_pattern(const bez_lco_pattern *p, uint32_t feature) {
  for (uint32_t j = 0; j < p->k; j++)
    if (p->col[j] == feature) return true;
  return false;
}

/* The columns to show: the pattern's, then those that weigh most at its rows. */
static uint32_t choose_columns(const bez_lco_view *v, const bez_lco_pattern *p, uint32_t *shown) {
  uint32_t n = p->k;
  memcpy(shown, p->col, p->k * sizeof *shown);
  double weight[SHOWN_COLS] = {0};
  for (uint32_t f = 0; f < v->woe->n_cols; f++) {
    if (in_pattern(p, f)) continue;
    double w = 0;
    for (uint64_t i = 0; i < p->n_rows && i < 100; i++)
      w += fabs(v->woe->coef[f] * (double)bez_woe_term(v->woe, v->in->table, f, p->row[i]));
    uint32_t at = n < SHOWN_COLS - 1 ? n++ : n;
    if (at == SHOWN_COLS - 1 && w <= weight[at - 1]) continue;
    if (at == SHOWN_COLS - 1) at--;
    for (; at > p->k && weight[at - 1] < w; at--) weight[at] = weight[at - 1], shown[at] = shown[at - 1];
    weight[at] = w;
    shown[at] = f;
  }
  return n;
}

/* The unflagged row that agrees with `row` in most columns outside the pattern (numbers: same bin), and does not
 * match the pattern; the first of equals. */
static uint64_t nearest_clean(const bez_lco_view *v, const bez_lco_pattern *p, const uint64_t *flagged, uint64_t row) {
  const bez_table *table = v->in->table;
  uint64_t step = table->n_rows / SEARCHED + 1, best = row;
  int most = -1;
  for (uint64_t r = 0; r < table->n_rows; r += step) {
    if (r == row || is_flagged(flagged, r)) continue;
    int same = 0;
    bool matches = true;
    for (uint32_t j = 0; j < p->k; j++) matches &= bez_code(&table->cols[v->in->features[p->col[j]]], r) == p->code[j];
    for (uint32_t f = 0; f < v->woe->n_cols && !matches; f++) {
      const bez_column *col = &table->cols[v->in->features[f]];
      const uint16_t *bin = v->woe->bin_of_code[f];
      same += !in_pattern(p, f) && bin[bez_code(col, r)] == bin[bez_code(col, row)];
    }
    if (!matches && same > most) most = same, best = r;
  }
  return best;
}

static void show_row(const bez_lco_view *v, const bez_lco_pattern *p, const uint32_t *shown, uint32_t n_shown,
                     bez_report *report, bez_exhibit *x, uint32_t at, uint64_t row, bool is_hit) {
  size_t len;
  for (uint32_t c = 0; c <= n_shown; c++) {
    uint32_t col = c < n_shown ? v->in->features[shown[c]] : (uint32_t)v->in->label;
    const char *cell = bez_cell(v->in->table, col, row, &len);
    bool mark = is_hit && (c == n_shown || in_pattern(p, shown[c]));
    bez_exhibit_cell(report, x, at, c, cell, len, mark);
  }
  bez_exhibit_role(report, x, at, is_hit ? "flagged" : "nearest clean");
}

static void add_cells(const bez_lco_view *v, const bez_lco_pattern *p, const uint64_t *flagged, bez_report *report,
                      bez_finding *f) {
  uint32_t shown[SHOWN_COLS], n_shown = choose_columns(v, p, shown);
  uint64_t n = p->n_rows < SHOWN_ROWS ? p->n_rows : SHOWN_ROWS;
  bez_exhibit *x = bez_finding_cells(report, f, "Flagged rows, each beside the row most like it outside the pattern",
                                     (uint32_t)(2 * n), n_shown + 1);
  if (!x) return;
  for (uint32_t c = 0; c < n_shown; c++)
    bez_exhibit_header(report, x, c, v->in->table->cols[v->in->features[shown[c]]].name);
  bez_exhibit_header(report, x, n_shown, v->in->table->cols[v->in->label].name);
  for (uint32_t i = 0; i < n; i++) {
    uint64_t row = p->row[i * p->n_rows / n];
    show_row(v, p, shown, n_shown, report, x, 2 * i, row, true);
    show_row(v, p, shown, n_shown, report, x, 2 * i + 1, nearest_clean(v, p, flagged, row), false);
  }
}

typedef struct point {
  double y;
  uint8_t marked;
} point;

static int by_y(const void *a, const void *b) {
  const point *x = a, *y = b;
  return x->y < y->y ? -1 : x->y > y->y ? 1 : (int)x->marked - (int)y->marked;
}

/* Contradiction of an even sample of the other rows with the target. Returns how many. */
static uint32_t sample_others(const bez_lco_view *v, const bez_lco_pattern *p, const uint64_t *flagged,
                              const double *coef, point *out) {
  const bez_table *table = v->in->table;
  const bez_column *label = &table->cols[v->in->label];
  uint64_t step = label->count[p->target] / POINTS + 1, seen = 0;
  uint32_t n = 0;
  for (uint64_t row = 0; row < table->n_rows && n < POINTS; row++) {
    if (bez_code(label, row) != p->target || is_flagged(flagged, row) || seen++ % step) continue;
    double score;
    bez_woe_scores(v->woe, table, coef, row, 1, &score);
    out[n++] = (point){v->origin - v->sign * score, 0};
  }
  return n;
}

static bez_status add_series(const bez_lco_view *v, const bez_lco_pattern *p, const uint64_t *flagged,
                             bez_report *report, bez_finding *f, bez_error *err) {
  double *coef = malloc(((size_t)v->woe->n_cols + 1) * sizeof *coef), x[2 * POINTS], y[2 * POINTS];
  uint8_t marked[2 * POINTS];
  point all[2 * POINTS];
  if (!coef) return bez_fail_memory(err, v->woe->n_cols * sizeof *coef);
  bez_woe_leave_out(v->woe, p->col, p->k, coef);
  uint32_t n = sample_others(v, p, flagged, coef, all);
  uint64_t mine = p->n_rows < POINTS ? p->n_rows : POINTS;
  for (uint64_t i = 0; i < mine; i++) all[n++] = (point){(double)p->c[i * p->n_rows / mine], 1};
  qsort(all, n, sizeof *all, by_y);
  for (uint32_t i = 0; i < n; i++) x[i] = (double)i, y[i] = all[i].y, marked[i] = all[i].marked;
  bez_finding_series(report, f, "How far the other columns contradict the label: flagged rows among rows of that label",
                     "rows with this label, sorted", "contradiction (log-odds)", x, y, marked, n);
  free(coef);
  return BEZ_OK;
}

bez_status bez_lco_exhibits(const bez_lco_view *view, const bez_lco_pattern *p, const uint64_t *flagged,
                            bez_report *report, bez_finding *f, bez_error *err) {
  add_cells(view, p, flagged, report, f);
  return add_series(view, p, flagged, report, f, err);
}
