#include "math/jacobi.h"

#include <math.h>
#include <stddef.h>

#define SWEEPS 12u

/* Rotates rows (step 1 apart in columns) or columns p and q. */
static void rotate(double *m, uint32_t n, size_t at_p, size_t at_q, size_t step, double c, double s) {
  for (uint32_t k = 0; k < n; k++) {
    double x = m[at_p + k * step], y = m[at_q + k * step];
    m[at_p + k * step] = c * x - s * y;
    m[at_q + k * step] = s * x + c * y;
  }
}

void bez_jacobi(double *a, uint32_t n, double *vectors) {
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t j = 0; j < n; j++) vectors[(size_t)i * n + j] = i == j;
  for (unsigned sweep = 0; sweep < SWEEPS; sweep++)
    for (uint32_t p = 0; p + 1 < n; p++)
      for (uint32_t q = p + 1; q < n; q++) {
        double off = a[(size_t)p * n + q];
        if (off == 0) continue;
        double theta = (a[(size_t)q * n + q] - a[(size_t)p * n + p]) / (2 * off);
        double t = (theta >= 0 ? 1 : -1) / (fabs(theta) + sqrt(theta * theta + 1));
        double c = 1 / sqrt(t * t + 1), s = t * c;
        rotate(a, n, p, q, n, c, s);
        rotate(a, n, (size_t)p * n, (size_t)q * n, 1, c, s);
        rotate(vectors, n, p, q, n, c, s);
      }
}
