/* How the nearest rows are labelled: numbers standardised and clipped, categories compared for equality. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "detect/label_model.h"
#include "fit/knn.h"

#define CLIP 4.0
#define SAMPLE_STREAM 0x6e656172u /* random numbers of this file */

typedef struct layout {
  uint32_t n_num, n_cat;
  uint32_t *num, *cat; /* table columns */
  double *mean, *scale;
  float *weight;
} layout;

static void layout_free(layout *l) {
  free(l->num);
  free(l->cat);
  free(l->mean);
  free(l->scale);
  free(l->weight);
}

static bool is_number(const bez_column *col) {
  return (col->type == BEZ_COL_NUMERIC || col->type == BEZ_COL_TIME) && col->number;
}

static void moments(const bez_table *table, const bez_column *col, double *mean, double *scale) {
  double n = 0, sum = 0, square = 0;
  for (uint64_t row = 0; row < table->n_rows; row++) {
    double x = bez_number(col, row);
    if (!isfinite(x)) continue;
    n += 1;
    sum += x;
  }
  *mean = n > 0 ? sum / n : 0;
  for (uint64_t row = 0; row < table->n_rows; row++) {
    double x = bez_number(col, row);
    if (isfinite(x)) square += (x - *mean) * (x - *mean);
  }
  *scale = n > 0 && square > 0 && isfinite(square) ? 1 / sqrt(square / n) : 0;
}

static bez_status make_layout(const bez_detect_input *in, layout *l, bez_error *err) {
  size_t n = (size_t)in->n_features + 1;
  l->num = malloc(n * sizeof *l->num);
  l->cat = malloc(n * sizeof *l->cat);
  l->mean = malloc(n * sizeof *l->mean);
  l->scale = malloc(n * sizeof *l->scale);
  l->weight = malloc(n * sizeof *l->weight);
  if (!l->num || !l->cat || !l->mean || !l->scale || !l->weight) return bez_fail_memory(err, n * 28);
  for (uint32_t f = 0; f < in->n_features; f++) {
    const bez_column *col = &in->table->cols[in->features[f]];
    if (is_number(col)) {
      moments(in->table, col, &l->mean[l->n_num], &l->scale[l->n_num]);
      l->num[l->n_num++] = in->features[f];
    } else {
      l->weight[l->n_cat] = 1.0f;
      l->cat[l->n_cat++] = in->features[f];
    }
  }
  return BEZ_OK;
}

/* Points of the given rows; a missing number stands at the mean. */
static bez_status make_points(const bez_detect_input *in, const layout *l, const uint32_t *rows, uint32_t n,
                              float **num, uint32_t **cat, bez_points *out, bez_error *err) {
  *num = malloc(((size_t)n * l->n_num + 1) * sizeof **num);
  *cat = malloc(((size_t)n * l->n_cat + 1) * sizeof **cat);
  if (!*num || !*cat) return bez_fail_memory(err, (size_t)n * (l->n_num + l->n_cat) * 4);
  for (uint32_t i = 0; i < n; i++) {
    for (uint32_t d = 0; d < l->n_num; d++) {
      double x = (bez_number(&in->table->cols[l->num[d]], rows[i]) - l->mean[d]) * l->scale[d];
      (*num)[(size_t)i * l->n_num + d] = isnan(x) ? 0.0f : (float)fmax(-CLIP, fmin(CLIP, x));
    }
    for (uint32_t c = 0; c < l->n_cat; c++)
      (*cat)[(size_t)i * l->n_cat + c] = bez_code(&in->table->cols[l->cat[c]], rows[i]);
  }
  *out = (bez_points){.n = n, .n_num = l->n_num, .n_cat = l->n_cat, .num = *num, .cat = *cat, .cat_weight = l->weight};
  return BEZ_OK;
}

/* Fills `rows` with the judged rows, and returns how many there are. */
static uint32_t judged_rows(const bez_label_model *m, const bez_detect_input *in, uint32_t *rows) {
  uint32_t n = 0;
  for (uint64_t row = 0; row < in->table->n_rows; row++)
    if (m->class_of_code[bez_code(&in->table->cols[in->label], row)] != BEZ_CLASS_NONE) rows[n++] = (uint32_t)row;
  return n;
}

/* The candidates among the judged rows (all, or a seeded sample kept in ascending order), and where a query is among
 * them. */
static uint32_t choose_candidates(const uint32_t *rows, uint32_t n, uint64_t seed, uint32_t *candidates,
                                  uint32_t *self) {
  bez_rng rng = bez_rng_make(seed, SAMPLE_STREAM);
  uint32_t kept = 0, want = n < BEZ_NEIGHBOUR_EXACT ? n : BEZ_NEIGHBOUR_EXACT;
  for (uint32_t i = 0; i < n; i++) { /* selection sampling: Knuth, volume 2, algorithm S */
    bool take = want == n || bez_rng_unit(&rng) * (n - i) < want - kept;
    self[i] = take ? kept : BEZ_KNN_NONE;
    if (take) candidates[kept++] = rows[i];
  }
  return kept;
}

static void count_votes(const bez_label_model *m, const bez_detect_input *in, const uint32_t *rows, uint32_t n,
                        const uint32_t *candidates, const uint32_t *index, uint8_t *votes) {
  const bez_column *label = &in->table->cols[in->label];
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < BEZ_NEIGHBOURS; j++) {
      uint32_t at = index[(size_t)i * BEZ_NEIGHBOURS + j];
      if (at == BEZ_KNN_NONE) continue;
      votes[(size_t)rows[i] * m->n_classes + m->class_of_code[bez_code(label, candidates[at])]]++;
    }
}

bez_status bez_label_votes(const bez_label_model *m, const bez_detect_input *in, uint8_t **votes, bool *exact,
                           bez_error *err) {
  *votes = NULL;
  *exact = false;
  uint64_t total = in->table->n_rows;
  if (total > BEZ_NEIGHBOUR_ROWS || total == 0) return BEZ_OK;
  layout l = {0};
  bez_points queries, points;
  float *num[2] = {NULL, NULL}, *distance = NULL;
  uint32_t *cat[2] = {NULL, NULL}, *index = NULL;
  uint32_t *rows = malloc(total * sizeof *rows), *self = malloc(total * sizeof *self);
  uint32_t *candidates = malloc(total * sizeof *candidates);
  bez_status st = BEZ_OK;
  index = malloc(total * BEZ_NEIGHBOURS * sizeof *index);
  distance = malloc(total * BEZ_NEIGHBOURS * sizeof *distance);
  *votes = calloc(total * m->n_classes, 1);
  if (!rows || !self || !candidates || !index || !distance || !*votes) {
    st = bez_fail_memory(err, total * (12 + BEZ_NEIGHBOURS * 8 + m->n_classes));
    goto cleanup;
  }
  BEZ_TRY(make_layout(in, &l, err));
  uint32_t n = judged_rows(m, in, rows), kept = choose_candidates(rows, n, in->seed, candidates, self);
  *exact = kept == n;
  BEZ_TRY(make_points(in, &l, rows, n, &num[0], &cat[0], &queries, err));
  BEZ_TRY(make_points(in, &l, candidates, kept, &num[1], &cat[1], &points, err));
  bez_watch watch = bez_detect_watch(in, "label disagreement, nearest rows", "tiles");
  queries.watch = &watch;
  BEZ_TRY(bez_knn_search(&points, &queries, self, BEZ_NEIGHBOURS, in->threads, in->cpu, index, distance, err));
  count_votes(m, in, rows, n, candidates, index, *votes);
cleanup:
  layout_free(&l);
  for (int i = 0; i < 2; i++) {
    free(num[i]);
    free(cat[i]);
  }
  free(rows);
  free(self);
  free(candidates);
  free(index);
  free(distance);
  if (st != BEZ_OK) {
    free(*votes);
    *votes = NULL;
  }
  return st;
}
