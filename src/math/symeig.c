/* Householder reduction to a tridiagonal matrix, then implicit QL steps with Wilkinson shifts. Transformations are kept
 * as rows, so that every inner loop runs along a row. */
#include "math/symeig.h"

#include <math.h>
#include <stddef.h>

#define MOST_STEPS 60u /* QL steps per eigenvalue; two or three are usual */

static double *row_of(double *a, uint32_t n, uint32_t i) {
  return a + (size_t)i * n;
}

/* Both halves from the lower one: the reduction then reads along rows. */
static void mirror(double *a, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < i; j++) row_of(a, n, j)[i] = row_of(a, n, i)[j];
}

/* The Householder vector that clears row m left of its last entry but one: stored in row m, entries [0, m). Returns
 * the new off-diagonal entry; *beta is 2 / |v|², 0 where there is nothing to clear. */
static double householder(double *v, uint32_t m, double *beta) {
  double scale = 0.0, sum = 0.0, last = v[m - 1];
  *beta = 0.0;
  for (uint32_t k = 0; k + 1 < m; k++) scale = fmax(scale, fabs(v[k]));
  if (scale == 0.0) return last;
  scale = fmax(scale, fabs(last));
  for (uint32_t k = 0; k < m; k++) {
    v[k] /= scale;
    sum += v[k] * v[k];
  }
  double length = sqrt(sum), off = v[m - 1] > 0.0 ? -length : length;
  sum -= v[m - 1] * off;
  v[m - 1] -= off;
  *beta = 1.0 / sum; /* |v|² = 2 · sum */
  return off * scale;
}

/* a[0..m)² ← P·a·P with P = I − β·v·vᵀ; p: m doubles. */
static void both_sides(double *a, uint32_t n, uint32_t m, const double *v, double beta, double *p) {
  double k = 0.0;
  for (uint32_t i = 0; i < m; i++) {
    const double *row = row_of(a, n, i);
    double s = 0.0;
    for (uint32_t j = 0; j < m; j++) s += row[j] * v[j];
    p[i] = beta * s;
    k += v[i] * p[i];
  }
  k *= 0.5 * beta;
  for (uint32_t i = 0; i < m; i++) p[i] -= k * v[i];
  for (uint32_t i = 0; i < m; i++) {
    double *row = row_of(a, n, i);
    for (uint32_t j = 0; j < m; j++) row[j] -= v[i] * p[j] + p[i] * v[j];
  }
}

/* The product of the reflections, as rows that are the basis vectors. d: diagonal out; e[i]: between i − 1 and i.
 * d holds β of each reflection on the way. */
static void tridiagonal(double *a, uint32_t n, double *d, double *e) {
  for (uint32_t m = n - 1; m >= 1; m--) {
    double *v = row_of(a, n, m), diagonal = v[m], beta;
    e[m] = householder(v, m, &beta);
    if (beta != 0.0) both_sides(a, n, m, v, beta, d);
    v[m] = diagonal; /* kept until the basis is made */
    for (uint32_t i = 0; i < m; i++) row_of(a, n, i)[m] = beta;
  }
  e[0] = 0.0;
}

static void make_basis(double *a, uint32_t n, double *d) {
  d[0] = a[0];
  a[0] = 1.0;
  for (uint32_t m = 1; m < n; m++) { /* the basis of the leading m × m block stands; widen it by one */
    double *v = row_of(a, n, m), beta = row_of(a, n, 0)[m];
    d[m] = v[m];
    for (uint32_t i = 0; i < m && beta != 0.0; i++) {
      double *row = row_of(a, n, i), s = 0.0;
      for (uint32_t k = 0; k < m; k++) s += row[k] * v[k];
      s *= beta;
      for (uint32_t k = 0; k < m; k++) row[k] -= s * v[k];
    }
    for (uint32_t i = 0; i < m; i++) {
      row_of(a, n, i)[m] = 0.0;
      v[i] = 0.0;
    }
    v[m] = 1.0;
  }
}

static void rotate_rows(double *upper, double *lower, uint32_t n, double c, double s) {
  for (uint32_t k = 0; k < n; k++) {
    double f = lower[k];
    lower[k] = s * upper[k] + c * f;
    upper[k] = c * upper[k] - s * f;
  }
}

/* One implicit QL step on the block [from, to]. */
static void ql_step(double *a, uint32_t n, double *d, double *e, uint32_t from, uint32_t to) {
  double g = (d[from + 1] - d[from]) / (2.0 * e[from]), r = sqrt(g * g + 1.0), s = 1.0, c = 1.0, p = 0.0;
  g = d[to] - d[from] + e[from] / (g + copysign(r, g));
  for (uint32_t i = to; i-- > from;) {
    double f = s * e[i], b = c * e[i];
    r = sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r == 0.0) { /* the block has fallen apart by itself */
      d[i + 1] -= p;
      e[to] = 0.0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2.0 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    rotate_rows(row_of(a, n, i), row_of(a, n, i + 1), n, c, s);
  }
  d[from] -= p;
  e[from] = g;
  e[to] = 0.0;
}

/* An off-diagonal entry counts as zero beside its neighbours, or when it is noise of the whole matrix: blocks of tiny
 * numbers, as weights near 0 leave them, would never settle, their squares being 0. */
static bool diagonalise(double *a, uint32_t n, double *d, double *e) {
  double norm = 0.0;
  for (uint32_t i = 1; i < n; i++) e[i - 1] = e[i];
  e[n - 1] = 0.0;
  for (uint32_t i = 0; i < n; i++) {
    if (!isfinite(d[i]) || !isfinite(e[i])) return false;
    norm = fmax(norm, fabs(d[i]) + fabs(e[i]));
  }
  for (uint32_t from = 0; from < n; from++) {
    for (uint32_t step = 0;; step++) {
      uint32_t to = from;
      for (; to + 1 < n; to++)
        if (fabs(e[to]) <= fmax(0x1p-52 * (fabs(d[to]) + fabs(d[to + 1])), 0x1p-54 * norm)) break;
      if (to == from) break;
      if (step == MOST_STEPS || !isfinite(d[from]) || !isfinite(e[from])) return false;
      ql_step(a, n, d, e, from, to);
    }
  }
  return true;
}

/* Descending, by exchanging; signs by the largest entry. */
static void arrange(double *a, uint32_t n, double *d) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t best = i, largest = 0;
    for (uint32_t k = i + 1; k < n; k++)
      if (d[k] > d[best]) best = k;
    double *x = row_of(a, n, i), *y = row_of(a, n, best), t = d[i];
    d[i] = d[best];
    d[best] = t;
    for (uint32_t k = 0; k < n && best != i; k++) {
      t = x[k];
      x[k] = y[k];
      y[k] = t;
    }
    for (uint32_t k = 1; k < n; k++)
      if (fabs(x[k]) > fabs(x[largest])) largest = k;
    double sign = x[largest] < 0.0 ? -1.0 : 1.0;
    for (uint32_t k = 0; k < n; k++) x[k] *= sign;
  }
}

/* The power of two that brings the largest entry near 1, where squares of the entries would overflow or vanish; 1 for
 * ordinary numbers. */
static double scale_of(const double *a, size_t count) {
  double most = 0.0;
  for (size_t i = 0; i < count; i++) most = fmax(most, fabs(a[i]));
  if (!isfinite(most) || most == 0.0 || (most < 0x1p400 && most > 0x1p-400)) return 1.0;
  return most < 0x1p-1000 ? 0x1p1000 : ldexp(1.0, -ilogb(most));
}

bool bez_symeig(double *a, uint32_t n, double *value, double *scratch) {
  const size_t count = (size_t)n * n;
  const double scale = scale_of(a, count);
  for (size_t i = 0; i < count && scale != 1.0; i++) a[i] *= scale;
  mirror(a, n);
  tridiagonal(a, n, value, scratch);
  make_basis(a, n, value);
  if (!diagonalise(a, n, value, scratch)) return false;
  arrange(a, n, value);
  for (uint32_t i = 0; i < n && scale != 1.0; i++) value[i] /= scale;
  return true;
}
