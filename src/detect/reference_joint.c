#include "detect/reference_joint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "fit/draw.h"
#include "math/tails.h"

#define ROWS_MOST 20000u
#define ROWS_LEAST 50u
#define FOLDS 2u /* fewer, larger test folds: see score */
#define STREAM 0x2e5a3b1eu

typedef struct ranked {
  float p;
  uint32_t side;
} ranked;

static int by_p(const void *x, const void *y) {
  const ranked *a = x, *b = y;
  return a->p < b->p ? -1 : a->p > b->p;
}

/* AUC and its null variance for n scores; side 1 is to stand higher. False where one side is empty. */
static bool auc_of(ranked *list, uint64_t n, double *auc, double *variance) {
  double below = 0.0, wins = 0.0, ties = 0.0, count[2] = {0, 0};
  qsort(list, n, sizeof *list, by_p);
  for (uint64_t i = 0; i < n;) {
    double here[2] = {0, 0};
    uint64_t j = i;
    while (j < n && list[j].p == list[i].p) here[list[j++].side] += 1.0;
    double t = here[0] + here[1];
    wins += here[1] * (below + 0.5 * here[0]);
    ties += t * t * t - t;
    below += here[0];
    count[0] += here[0];
    count[1] += here[1];
    i = j;
  }
  double pairs = count[0] * count[1], all = count[0] + count[1];
  if (pairs < 1.0 || all < 3.0) return false;
  *auc = wins / pairs;
  *variance = (all + 1.0 - ties / (all * (all - 1.0))) / (12.0 * pairs);
  return true;
}

/* The mean of the folds' AUCs. Each fold's is exact under the null, but the folds learn from each other's rows: with
 * five of them the mean spreads 1.8 times as far as independent ones would. The deviation is that of folds that move
 * together, which no dependence can exceed. */
static bez_status score(const float *p, const uint32_t *label, const uint8_t *fold, uint64_t n, bez_joint *out,
                        bez_error *err) {
  ranked *list = malloc(n * sizeof *list);
  double sum = 0.0, deviation = 0.0, folds = 0.0;
  if (!list) return bez_fail_memory(err, n * sizeof *list);
  for (uint32_t k = 0; k < FOLDS; k++) {
    uint64_t here = 0;
    double auc, v;
    for (uint64_t i = 0; i < n; i++)
      if (fold[i] == k) list[here++] = (ranked){p[2 * i + 1], label[i]};
    if (!auc_of(list, here, &auc, &v)) continue;
    sum += auc;
    deviation += sqrt(v);
    folds += 1.0;
  }
  free(list);
  if (folds < 1.0) return BEZ_OK;
  out->auc = sum / folds;
  out->deviation = deviation / folds;
  out->p = out->deviation > 0.0 ? exp(bez_normal_log_sf((out->auc - 0.5) / out->deviation)) : 1.0;
  return BEZ_OK;
}

/* Bins of n rows of one side, drawn where there are more. */
static bez_status fill_side(const bez_detect_input *in, const bez_joint_column *columns, uint32_t n_columns, int side,
                            uint64_t n, uint8_t *bins, bez_error *err) {
  const bez_table *table = side == 0 ? in->table : in->reference;
  uint32_t *row = malloc(n * sizeof *row);
  if (!row) return bez_fail_memory(err, n * sizeof *row);
  bez_rng rng = bez_rng_make(in->seed, ((uint64_t)STREAM << 8) + (uint64_t)side);
  uint32_t all = table->n_rows < UINT32_MAX - 1 ? (uint32_t)table->n_rows : UINT32_MAX - 1;
  bez_status st = bez_draw_distinct(&rng, all, (uint32_t)n, row, err);
  for (uint32_t c = 0; c < n_columns && st == BEZ_OK; c++) {
    const bez_aligned *x = columns[c].aligned;
    for (uint64_t i = 0; i < n; i++) {
      uint32_t value = x->value_of[side][bez_code(columns[c].side[side], row[i])];
      bins[i * n_columns + c] = value == UINT32_MAX ? 0 : x->bin[value];
    }
  }
  free(row);
  return st;
}

bez_status bez_joint_test(const bez_detect_input *in, const bez_joint_column *columns, uint32_t n_columns,
                          bez_joint *out, bez_error *err) {
  *out = (bez_joint){.auc = 0.5, .p = 1.0};
  uint64_t a = in->table->n_rows, b = in->reference->n_rows;
  if (a > ROWS_MOST) a = ROWS_MOST;
  if (b > ROWS_MOST) b = ROWS_MOST;
  if (a < ROWS_LEAST || b < ROWS_LEAST || n_columns == 0) return BEZ_OK;
  uint64_t n = a + b;
  out->n[0] = a;
  out->n[1] = b;
  uint8_t *bins = malloc(n * n_columns), *fold = malloc(n);
  uint32_t *label = malloc(n * sizeof *label);
  float *p = malloc(2 * n * sizeof *p);
  bez_status st = BEZ_OK;
  if (!bins || !fold || !label || !p) {
    st = bez_fail_memory(err, n * (n_columns + 13));
    goto cleanup;
  }
  BEZ_TRY(fill_side(in, columns, n_columns, 0, a, bins, err));
  BEZ_TRY(fill_side(in, columns, n_columns, 1, b, bins + a * n_columns, err));
  bez_rng rng = bez_rng_make(in->seed, ((uint64_t)STREAM << 8) + 2);
  for (uint64_t i = 0; i < n; i++) {
    label[i] = i < a;
    fold[i] = (uint8_t)bez_rng_below(&rng, FOLDS);
  }
  bez_boost_data data = {
      .n_rows = n, .n_cols = n_columns, .n_classes = 2, .n_folds = FOLDS, .bins = bins, .label = label, .fold = fold};
  bez_watch watch = bez_detect_watch(in, "reference shift, trees", "folds");
  bez_boost_params params = bez_boost_defaults();
  params.watch = &watch;
  params.rounds = 30;
  BEZ_TRY(bez_boost_out_of_fold(&data, &params, in->threads, p, err));
  BEZ_TRY(score(p, label, fold, n, out, err));
cleanup:
  free(bins);
  free(fold);
  free(label);
  free(p);
  return st;
}
