/* Householder QR on vectors that lie along rows, then one-sided Jacobi rotations on the small product of the two
 * triangles. Both factors are brought near 1 by powers of two first, so that no square overflows or vanishes. */
#include "math/thin_svd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/compare.h"

#define LANES 8u
#define MOST_SWEEPS 60u /* six to ten are usual */
#define SETTLED 1e-15   /* cosine below which two rows count as orthogonal */

double bez_lane_dot(const double *x, const double *y, size_t n) {
  double sum[LANES] = {0};
  const size_t whole = n - n % LANES;
  for (size_t i = 0; i < whole; i += LANES)
    for (unsigned k = 0; k < LANES; k++) sum[k] += x[i + k] * y[i + k];
  for (size_t i = whole; i < n; i++) sum[i - whole] += x[i] * y[i];
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

size_t bez_product_scratch(uint32_t r) {
  return 3 * (size_t)r * r;
}

/* Brings the largest entry into [1, 2); the exponent taken out. False where a number is not finite. */
static bool bring_near_one(double *x, size_t count, int *exponent) {
  double most = 0.0;
  *exponent = 0;
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(x[i])) return false;
    most = fmax(most, fabs(x[i]));
  }
  if (most == 0.0) return true;
  *exponent = ilogb(most);
  const int half = *exponent / 2; /* in two steps: 2^-e alone may be no number */
  const double by = ldexp(1.0, -half), rest = ldexp(1.0, half - *exponent);
  for (size_t i = 0; i < count && *exponent != 0; i++) x[i] = x[i] * by * rest;
  return true;
}

/* The vector of the reflection that leaves only the first of x[0, n), written over x; what is left there is returned.
 * *beta: 2 / |v|², 0 where there is nothing to reflect. */
static double reflect(double *x, size_t n, double *beta) {
  const double first = x[0], length = sqrt(bez_lane_dot(x, x, n));
  *beta = 0.0;
  if (length == 0.0) return 0.0;
  const double left = first > 0.0 ? -length : length;
  x[0] = first - left;
  *beta = 1.0 / (length * (length + fabs(first)));
  return left;
}

/* The triangle of the QR of the matrix whose columns are the r rows of x (n numbers each). triangle: r × r, row k is
 * column k of R. */
static void triangle_of(double *x, size_t n, uint32_t r, double *triangle) {
  memset(triangle, 0, (size_t)r * r * sizeof *triangle);
  for (uint32_t k = 0; k < r; k++) {
    double *v = x + k * n, beta = 0.0;
    for (uint32_t i = 0; i < k && i < n; i++) triangle[(size_t)k * r + i] = v[i];
    if (k >= n) continue;
    triangle[(size_t)k * r + k] = reflect(v + k, n - k, &beta);
    for (uint32_t j = k + 1; j < r && beta != 0.0; j++) {
      double *y = x + j * n;
      const double by = beta * bez_lane_dot(v + k, y + k, n - k);
      for (size_t i = k; i < n; i++) y[i] -= by * v[i];
    }
  }
}

/* c = L · Rᵀ of two such triangles: c[i][j] = Σ_k left[k][i] · right[k][j]. */
static void multiply(const double *left, const double *right, uint32_t r, double *c) {
  memset(c, 0, (size_t)r * r * sizeof *c);
  for (uint32_t k = 0; k < r; k++)
    for (uint32_t i = 0; i <= k; i++) {
      const double by = left[(size_t)k * r + i];
      for (uint32_t j = 0; j <= k; j++) c[(size_t)i * r + j] += by * right[(size_t)k * r + j];
    }
}

/* Makes rows p and q orthogonal; whether they were not. Rows that are noise of the largest stay as they are. */
static bool rotate(double *p, double *q, uint32_t r, double noise) {
  const double pp = bez_lane_dot(p, p, r), qq = bez_lane_dot(q, q, r), pq = bez_lane_dot(p, q, r);
  if (pp <= noise || qq <= noise || fabs(pq) <= SETTLED * sqrt(pp) * sqrt(qq)) return false;
  const double zeta = (qq - pp) / (2.0 * pq);
  const double t = (zeta >= 0.0 ? 1.0 : -1.0) / (fabs(zeta) + sqrt(zeta * zeta + 1.0));
  const double c = 1.0 / sqrt(t * t + 1.0), s = t * c;
  for (uint32_t k = 0; k < r; k++) {
    const double x = p[k], y = q[k];
    p[k] = c * x - s * y;
    q[k] = s * x + c * y;
  }
  return true;
}

static bool make_orthogonal(double *c, uint32_t r) {
  double all = 0.0;
  for (uint32_t i = 0; i < r; i++) all += bez_lane_dot(c + (size_t)i * r, c + (size_t)i * r, r);
  const double noise = 0x1p-110 * all;
  for (unsigned sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    bool moved = false;
    for (uint32_t p = 0; p + 1 < r; p++)
      for (uint32_t q = p + 1; q < r; q++)
        if (rotate(c + (size_t)p * r, c + (size_t)q * r, r, noise)) moved = true;
    if (!moved) return true;
  }
  return false;
}

bool bez_product_spectrum(double *left, size_t m, double *right, size_t n, uint32_t r, double *value, double *scratch) {
  double *first = scratch, *second = first + (size_t)r * r, *c = second + (size_t)r * r;
  int exponent_left, exponent_right;
  if (!bring_near_one(left, m * r, &exponent_left) || !bring_near_one(right, n * r, &exponent_right)) return false;
  triangle_of(left, m, r, first);
  triangle_of(right, n, r, second);
  multiply(first, second, r, c);
  if (!make_orthogonal(c, r)) return false;
  for (uint32_t k = 0; k < r; k++) value[k] = -sqrt(bez_lane_dot(c + (size_t)k * r, c + (size_t)k * r, r));
  qsort(value, r, sizeof *value, bez_compare_double);
  for (uint32_t k = 0; k < r; k++) value[k] = k < m && k < n ? ldexp(-value[k], exponent_left + exponent_right) : 0.0;
  return true;
}
