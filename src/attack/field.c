#include "attack/field.h"

#include <math.h>

/* Weight of a grid point at distance d ≥ 0. */
static double kernel(double d) {
  const double a = -.75;
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
}

/* The four grid points around pixel i of n, and their weights. */
static void around(uint32_t i, uint32_t n, uint32_t k, uint32_t at[4], double weight[4]) {
  double x = n > 1 ? (double)i * (k - 1) / (n - 1) : 0;
  int64_t first = (int64_t)floor(x) - 1;
  for (int t = 0; t < 4; t++) {
    int64_t g = first + t;
    weight[t] = kernel(fabs(x - (double)g));
    at[t] = (uint32_t)(g < 0 ? 0 : g >= k ? k - 1 : g);
  }
}

void bez_field_draw_out(const double *grid, uint32_t k, uint32_t height, uint32_t width, double *out) {
  uint32_t rows[4], cols[4];
  double down[4], across[4];
  for (uint32_t y = 0; y < height; y++) {
    around(y, height, k, rows, down);
    for (uint32_t x = 0; x < width; x++) {
      double sum = 0;
      around(x, width, k, cols, across);
      for (int r = 0; r < 4; r++)
        for (int c = 0; c < 4; c++) sum += down[r] * across[c] * grid[rows[r] * k + cols[c]];
      out[(uint64_t)y * width + x] = sum;
    }
  }
}
