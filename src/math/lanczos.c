/* Lanczos steps with full orthogonalisation, restarted. */
#include "math/lanczos.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "math/symeig.h"

#define MOST_STEPS 128u
#define MOST_RESTARTS 30u
#define FIRST_LOOK 8u /* steps before the first look at the small matrix; then twice as many each time */
#define RESIDUAL 1e-13

typedef struct lanczos {
  const double *a;
  uint32_t n, most; /* most: vectors of the basis */
  double scale;     /* of the matrix: its entry of largest magnitude becomes 1 */
  double *basis;    /* most × n */
  double *image;    /* n */
  double *diagonal, *off, *small, *values, *spare;
} lanczos;

static uint32_t most_of(uint32_t n) {
  return n < MOST_STEPS ? n : MOST_STEPS;
}

size_t bez_lanczos_scratch(uint32_t n) {
  const size_t most = most_of(n);
  return most * n + n + most * most + 4 * most;
}

static double dot(const double *x, const double *y, uint32_t n) {
  double lane[8] = {0};
  uint32_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (uint32_t k = 0; k < 8; k++) lane[k] += x[i + k] * y[i + k];
  for (; i < n; i++) lane[0] += x[i] * y[i];
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static void add(double *x, double factor, const double *y, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) x[i] += factor * y[i];
}

static bool normalise(double *x, uint32_t n) {
  double length = sqrt(dot(x, x, n));
  if (!(length > 0.0)) return false;
  for (uint32_t i = 0; i < n; i++) x[i] /= length;
  return true;
}

/* Nothing that a hostile matrix could be orthogonal to by design of its own symmetry. */
static void start(lanczos *l) {
  bez_rng rng = bez_rng_make(0x6c616e63u, l->n);
  for (uint32_t i = 0; i < l->n; i++) l->basis[i] = bez_rng_normal(&rng);
  (void)normalise(l->basis, l->n);
}

/* Step k: the next vector in image (not of length 1 yet), its length in off[k]. */
static void step(lanczos *l, uint32_t k) {
  const double *q = l->basis + (size_t)k * l->n;
  for (uint32_t i = 0; i < l->n; i++) l->image[i] = dot(l->a + (size_t)i * l->n, q, l->n) * l->scale;
  l->diagonal[k] = dot(l->image, q, l->n);
  for (int twice = 0; twice < 2; twice++)
    for (uint32_t j = 0; j <= k; j++) {
      const double *before = l->basis + (size_t)j * l->n;
      add(l->image, -dot(l->image, before, l->n), before, l->n);
    }
  l->off[k] = sqrt(dot(l->image, l->image, l->n));
}

/* The best vector of the first m, in image; *left bounds how far it is from an eigenvector. */
static bool best(lanczos *l, uint32_t m, double *value, double *left) {
  memset(l->small, 0, (size_t)m * m * sizeof *l->small);
  for (uint32_t k = 0; k < m; k++) {
    l->small[(size_t)k * m + k] = l->diagonal[k];
    if (k) l->small[(size_t)k * m + k - 1] = l->off[k - 1];
  }
  if (!bez_symeig(l->small, m, l->values, l->spare)) return false;
  *value = l->values[0];
  *left = fabs(l->off[m - 1] * l->small[m - 1]);
  return true;
}

static void compose(lanczos *l, uint32_t m, double *out) {
  memset(out, 0, l->n * sizeof *out);
  for (uint32_t k = 0; k < m; k++) add(out, l->small[k], l->basis + (size_t)k * l->n, l->n);
  (void)normalise(out, l->n);
}

/* One run of steps; *done when the vector is good enough. False: not finite. */
static bool run(lanczos *l, double *value, double *vector, bool *done) {
  uint32_t look = FIRST_LOOK < l->most ? FIRST_LOOK : l->most;
  for (uint32_t k = 0; k < l->most; k++) {
    double left = 0.0;
    step(l, k);
    const bool closed = !(l->off[k] > 0x1p-50); /* the vectors so far span all that the start can reach */
    if (k + 1 == look || closed) {
      if (!isfinite(l->diagonal[k]) || !best(l, k + 1, value, &left)) return false;
      *done = closed || left <= RESIDUAL * fabs(*value);
      if (*done || k + 1 == l->most) {
        compose(l, k + 1, vector);
        return true;
      }
      look = 2 * look < l->most ? 2 * look : l->most;
    }
    double *next = l->basis + (size_t)(k + 1) * l->n;
    for (uint32_t i = 0; i < l->n; i++) next[i] = l->image[i] / l->off[k];
  }
  return true;
}

static bool scale_of(const double *a, size_t count, double *scale) {
  double most = 0.0;
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(a[i])) return false;
    most = fmax(most, fabs(a[i]));
  }
  *scale = most > 0.0 ? 1.0 / most : 1.0;
  return isfinite(*scale);
}

bool bez_lanczos_top(const double *a, uint32_t n, double *value, double *vector, double *scratch) {
  lanczos l = {.a = a, .n = n, .most = most_of(n), .basis = scratch};
  const size_t most = l.most;
  uint32_t largest = 0;
  bool done = false;
  l.image = l.basis + most * n;
  l.small = l.image + n;
  l.diagonal = l.small + most * most;
  l.off = l.diagonal + most;
  l.values = l.off + most;
  l.spare = l.values + most;
  if (!scale_of(a, (size_t)n * n, &l.scale)) return false;
  start(&l);
  for (uint32_t turn = 0; turn < MOST_RESTARTS && !done; turn++) {
    if (!run(&l, value, vector, &done)) return false;
    memcpy(l.basis, vector, n * sizeof *vector);
  }
  if (!done) return false;
  *value /= l.scale;
  for (uint32_t i = 1; i < n; i++)
    if (fabs(vector[i]) > fabs(vector[largest])) largest = i;
  const double sign = vector[largest] < 0.0 ? -1.0 : 1.0;
  for (uint32_t i = 0; i < n; i++) vector[i] *= sign;
  return isfinite(*value);
}
