#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/knn_shapley.h"
#include "fit/hog.h"
#include "format/images.h"

#define CLIP 4.0

void bez_pair_features_free(bez_pair_features *f) {
  for (int t = 0; t < 2; t++) {
    free(f->num[t]);
    free(f->cat[t]);
  }
}

static bez_status make_room(const bez_table *const table[2], bez_pair_features *f, bez_error *err) {
  for (int t = 0; t < 2; t++) {
    f->num[t] = calloc((size_t)table[t]->n_rows * f->n_num + 1, sizeof *f->num[t]);
    f->cat[t] = calloc((size_t)table[t]->n_rows * f->n_cat + 1, sizeof *f->cat[t]);
    if (!f->num[t] || !f->cat[t]) return bez_fail_memory(err, (size_t)table[t]->n_rows * (f->n_num + f->n_cat) * 4);
  }
  return BEZ_OK;
}

static bool is_number(const bez_column *col) {
  return (col->type == BEZ_COL_NUMERIC || col->type == BEZ_COL_TIME) && col->number;
}

/* The golden set's column of that name and kind; −1. */
static int partner(const bez_detect_input *in, uint32_t feature) {
  const bez_column *col = &in->table->cols[feature];
  int at = bez_table_find(in->golden, col->name);
  if (at < 0 || !in->golden->cols[at].width || is_number(col) != is_number(&in->golden->cols[at])) return -1;
  return at;
}

static void numbers(const bez_table *const table[2], const int column[2], uint32_t at, bez_pair_features *f) {
  double n = 0, sum = 0, square = 0;
  for (uint64_t row = 0; row < table[0]->n_rows; row++) {
    double x = bez_number(&table[0]->cols[column[0]], row);
    if (!isfinite(x)) continue;
    n += 1;
    sum += x;
  }
  double mean = n > 0 ? sum / n : 0;
  for (uint64_t row = 0; row < table[0]->n_rows; row++) {
    double x = bez_number(&table[0]->cols[column[0]], row);
    if (isfinite(x)) square += (x - mean) * (x - mean);
  }
  double scale = n > 0 && square > 0 && isfinite(square) ? 1 / sqrt(square / n) : 0;
  for (int t = 0; t < 2; t++)
    for (uint64_t row = 0; row < table[t]->n_rows; row++) {
      double x = (bez_number(&table[t]->cols[column[t]], row) - mean) * scale;
      f->num[t][row * f->n_num + at] = isnan(x) ? 0.0f : (float)fmax(-CLIP, fmin(CLIP, x));
    }
}

/* The data's code for each code of the golden set, by the value's bytes; UINT32_MAX: not there. */
static bez_status categories(const bez_table *const table[2], const int column[2], uint32_t at, bez_pair_features *f,
                             bez_error *err) {
  const bez_column *own = &table[0]->cols[column[0]], *other = &table[1]->cols[column[1]];
  uint32_t *code = malloc(((size_t)other->n_values + 1) * sizeof *code);
  if (!code) return bez_fail_memory(err, (size_t)other->n_values * sizeof *code);
  for (uint32_t v = 0; v < other->n_values; v++) {
    size_t len, have;
    const char *value = bez_value(other, v, &len);
    code[v] = v < BEZ_CODE_FIRST ? v : UINT32_MAX;
    for (uint32_t w = BEZ_CODE_FIRST; w < own->n_values && v >= BEZ_CODE_FIRST && code[v] == UINT32_MAX; w++) {
      const char *mine = bez_value(own, w, &have);
      if (have == len && !memcmp(mine, value, len)) code[v] = w;
    }
  }
  for (uint64_t row = 0; row < table[0]->n_rows; row++) f->cat[0][row * f->n_cat + at] = bez_code(own, row);
  for (uint64_t row = 0; row < table[1]->n_rows; row++) f->cat[1][row * f->n_cat + at] = code[bez_code(other, row)];
  free(code);
  return BEZ_OK;
}

static bez_status from_columns(const bez_detect_input *in, const bez_table *const table[2], bez_pair_features *f,
                               bez_error *err) {
  f->what = "columns of the same name";
  for (uint32_t i = 0; i < in->n_features; i++) {
    if (partner(in, in->features[i]) < 0) continue;
    if (is_number(&in->table->cols[in->features[i]]))
      f->n_num++;
    else
      f->n_cat++;
  }
  bez_status st = make_room(table, f, err);
  uint32_t num = 0, cat = 0;
  for (uint32_t i = 0; st == BEZ_OK && i < in->n_features; i++) {
    int column[2] = {(int)in->features[i], partner(in, in->features[i])};
    if (column[1] < 0) continue;
    if (is_number(&in->table->cols[column[0]]))
      numbers(table, column, num++, f);
    else
      st = categories(table, column, cat++, f, err);
  }
  return st;
}

static bez_status from_pictures(const bez_table *const table[2], bez_pair_features *f, bez_error *err) {
  f->what = "histograms of gradients of the pictures";
  f->n_num = BEZ_HOG_DIM;
  bez_status st = make_room(table, f, err);
  for (int t = 0; st == BEZ_OK && t < 2; t++) {
    bez_hog *hog = NULL;
    st = bez_hog_create(table[t]->images, &hog, err);
    for (uint64_t row = 0; st == BEZ_OK && row < table[t]->n_rows; row++)
      bez_hog_row(hog, row, f->num[t] + row * BEZ_HOG_DIM);
    bez_hog_destroy(hog);
  }
  return st;
}

static bez_status from_vectors(const bez_table *const table[2], bez_pair_features *f, bez_error *err) {
  f->what = "embeddings";
  f->n_num = table[0]->vectors->dim;
  bez_status st = make_room(table, f, err);
  for (int t = 0; st == BEZ_OK && t < 2; t++)
    memcpy(f->num[t], table[t]->vectors->values, (size_t)table[t]->n_rows * f->n_num * sizeof *f->num[t]);
  return st;
}

bez_status bez_pair_features_make(const bez_detect_input *in, bez_pair_features *f, bez_error *err) {
  const bez_table *const table[2] = {in->table, in->golden};
  const bez_vectors *v = in->table->vectors, *w = in->golden->vectors;
  *f = (bez_pair_features){0};
  if (v && w && v->dim == w->dim) return from_vectors(table, f, err);
  if (in->table->images && in->golden->images) return from_pictures(table, f, err);
  return from_columns(in, table, f, err);
}
