/* The body of the kernels, included once per instruction set and number type. The includer defines, and this
 * file undefines at its end,
 *   REAL       the number type
 *   WIDTH      numbers per register
 *   LANES      sums kept side by side, a multiple of WIDTH: the same for every instruction set
 *   KERNEL     the name of the function
 *   PAIR       the careful function for one pair
 *   NAME(x)    a name of its own for each helper
 *   SIDE       rows of a block: as many as leave all sums in registers
 *   LOW, HIGH  the range in which a sum of one tile is as precise as it should be */
#include <stddef.h>
#include <string.h>

#include "math/distance.h"

typedef REAL NAME(lanes) __attribute__((vector_size(WIDTH * sizeof(REAL))));
#define V NAME(lanes)
#define PARTS (LANES / WIDTH)
#define INLINE static inline __attribute__((always_inline))

/* Lanes added pairwise, in double. */
INLINE double NAME(total)(const V *sum) {
  REAL lane[LANES];
  double wide[LANES];
  memcpy(lane, sum, sizeof lane);
  for (unsigned i = 0; i < LANES; i++) wide[i] = (double)lane[i];
  for (unsigned half = LANES / 2; half; half /= 2)
    for (unsigned i = 0; i < half; i++) wide[i] += wide[i + half];
  return wide[0];
}

INLINE V NAME(load)(const REAL *at) {
  V v;
  memcpy(&v, at, sizeof v);
  return v;
}

/* Rows i … i + ni − 1 against rows j … j + nj − 1, at most SIDE × SIDE. */
INLINE void NAME(block)(const REAL *const *x, const REAL *const *y, unsigned ni, unsigned nj, size_t len,
                        double out[SIDE][SIDE]) {
  V sum[SIDE][SIDE][PARTS] = {{{{0}}}};
  REAL end_x[SIDE][LANES] = {{0}}, end_y[SIDE][LANES] = {{0}};
  const size_t whole = len / LANES * LANES;
  for (unsigned i = 0; i < ni; i++) memcpy(end_x[i], x[i] + whole, (len - whole) * sizeof(REAL));
  for (unsigned j = 0; j < nj; j++) memcpy(end_y[j], y[j] + whole, (len - whole) * sizeof(REAL));
  for (size_t c = 0; c <= whole; c += LANES) {
    V b[SIDE][PARTS];
#pragma GCC unroll 4
    for (unsigned j = 0; j < nj; j++) {
      const REAL *at = c < whole ? y[j] + c : end_y[j];
#pragma GCC unroll 4
      for (unsigned p = 0; p < PARTS; p++) b[j][p] = NAME(load)(at + p * WIDTH);
    }
#pragma GCC unroll 4
    for (unsigned i = 0; i < ni; i++) {
      const REAL *at = c < whole ? x[i] + c : end_x[i];
#pragma GCC unroll 4
      for (unsigned j = 0; j < nj; j++)
#pragma GCC unroll 4
        for (unsigned p = 0; p < PARTS; p++) {
          V d = NAME(load)(at + p * WIDTH) - b[j][p];
          sum[i][j][p] += d * d;
        }
    }
  }
  for (unsigned i = 0; i < ni; i++)
    for (unsigned j = 0; j < nj; j++) out[i][j] = NAME(total)(sum[i][j]);
}

static void NAME(rest)(const REAL *const *x, const REAL *const *y, unsigned ni, unsigned nj, size_t len,
                       double out[SIDE][SIDE]) {
  for (unsigned i = 0; i < ni; i++)
    for (unsigned j = 0; j < nj; j++) {
      double one[SIDE][SIDE];
      NAME(block)(x + i, y + j, 1, 1, len, one);
      out[i][j] = one[0][0];
    }
}

void KERNEL(const REAL *const *rows, uint32_t n, size_t len, double *out) {
  for (uint32_t i = 0; i < n; i += SIDE)
    for (uint32_t j = i; j < n; j += SIDE) {
      unsigned ni = n - i < SIDE ? n - i : SIDE, nj = n - j < SIDE ? n - j : SIDE;
      double part[SIDE][SIDE];
      if (ni == SIDE && nj == SIDE)
        NAME(block)(rows + i, rows + j, SIDE, SIDE, len, part);
      else
        NAME(rest)(rows + i, rows + j, ni, nj, len, part);
      for (unsigned a = 0; a < ni; a++)
        for (unsigned b = 0; b < nj; b++) {
          if (i + a >= j + b) continue;
          if (!(part[a][b] > LOW && part[a][b] < HIGH)) part[a][b] = PAIR(rows[i + a], rows[j + b], len);
          out[(size_t)(i + a) * n + j + b] += part[a][b];
        }
    }
}

#undef V
#undef PARTS
#undef INLINE
#undef REAL
#undef WIDTH
#undef SIDE
#undef LANES
#undef KERNEL
#undef PAIR
#undef NAME
#undef LOW
#undef HIGH
