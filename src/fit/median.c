#include "fit/median.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static inline void swap(double *x, uint64_t i, uint64_t j) {
  double held = x[i];
  x[i] = x[j];
  x[j] = held;
}

static double middle_of(double a, double b, double c) {
  if (a > b) {
    double held = a;
    a = b;
    b = held;
  }
  return c < a ? a : c > b ? b : c;
}

/* Quickselect (Hoare 1961, "Find"). The pivot is the median of three whose places are drawn from a fixed sequence:
 * sorted and organ-pipe inputs are as fast as others, and the steps are the same every time. */
double bez_select(double *x, uint64_t n, uint64_t k) {
  uint64_t low = 0, high = n - 1, state = 0x9e3779b97f4a7c15u;
  while (low < high) {
    uint64_t width = high - low + 1, place[3];
    for (int i = 0; i < 3; i++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      place[i] = low + (state >> 33) % width;
    }
    double pivot = middle_of(x[place[0]], x[place[1]], x[place[2]]);
    uint64_t below = low, above = low; /* [low, below) < pivot, [below, above) = pivot, [above, i) > pivot */
    for (uint64_t i = low; i <= high; i++) {
      double v = x[i];
      if (v > pivot) continue;
      x[i] = x[above];
      x[above] = v;
      if (v < pivot) swap(x, below++, above);
      above++;
    }
    if (k < below) {
      high = below - 1;
    } else if (k < above) {
      return pivot;
    } else {
      low = above;
    }
  }
  return x[low];
}

double bez_median(double *x, uint64_t n) {
  if (n == 0) return NAN;
  double upper = bez_select(x, n, n / 2);
  if (n % 2) return upper;
  double lower = x[0];
  for (uint64_t i = 1; i < n / 2; i++)
    if (x[i] > lower) lower = x[i];
  return 0.5 * lower + 0.5 * upper;
}

bez_status bez_missing_fill(const bez_matrix *m, float *fill, bez_error *err) {
  bool *missing = calloc(m->n_cols, sizeof *missing);
  double *x = NULL;
  bez_status st = BEZ_OK;
  if (!missing) return bez_fail_memory(err, m->n_cols);
  for (uint64_t row = 0; row < m->n_rows; row++)
    for (uint32_t c = 0; c < m->n_cols; c++) missing[c] |= isnan(m->x[row * m->n_cols + c]);
  for (uint32_t c = 0; c < m->n_cols; c++) {
    fill[c] = 0.0f;
    if (!missing[c]) continue;
    if (!x) x = malloc((size_t)m->n_rows * sizeof *x);
    if (!x) {
      st = bez_fail_memory(err, (size_t)m->n_rows * sizeof *x);
      break;
    }
    uint64_t n = 0;
    for (uint64_t row = 0; row < m->n_rows; row++) {
      double v = m->x[row * m->n_cols + c];
      if (!isnan(v)) x[n++] = v;
    }
    if (n) fill[c] = (float)bez_median(x, n);
  }
  free(x);
  free(missing);
  return st;
}
