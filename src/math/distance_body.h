/* The body of the kernels, included once per instruction set and number type. The includer includes type_f32.h or
 * type_f64.h and defines, and this file undefines at its end,
 *   WIDTH      numbers per register
 *   KERNEL     the name of the function
 *   FMA(a, b, c)   a · b + c per lane, rounded once
 *   SIDE       rows of a block: as many as leave all sums in registers */
#include <stddef.h>
#include <string.h>

#include "math/distance.h"
#include "math/lanes.h"

typedef REAL NAME(lanes) __attribute__((vector_size(WIDTH * sizeof(REAL))));
#define V NAME(lanes)
#define PARTS (LANES / WIDTH)
#define INLINE static inline __attribute__((always_inline))

INLINE V NAME(load)(const REAL *at) {
  V v;
  memcpy(&v, at, sizeof v);
  return v;
}

typedef V NAME(sums)[SIDE][SIDE][PARTS];

/* LANES coordinates at c of ni rows against nj. */
INLINE void NAME(add)(const REAL *const *x, const REAL *const *y, unsigned ni, unsigned nj, size_t c, NAME(sums) sum) {
  V b[SIDE][PARTS];
#pragma GCC unroll 4
  for (unsigned j = 0; j < nj; j++)
#pragma GCC unroll 4
    for (unsigned p = 0; p < PARTS; p++) b[j][p] = NAME(load)(y[j] + c + p * WIDTH);
#pragma GCC unroll 4
  for (unsigned i = 0; i < ni; i++)
#pragma GCC unroll 4
    for (unsigned p = 0; p < PARTS; p++) {
      V a = NAME(load)(x[i] + c + p * WIDTH);
#pragma GCC unroll 4
      for (unsigned j = 0; j < nj; j++) {
        V d = a - b[j][p];
        sum[i][j][p] = FMA(d, d, sum[i][j][p]);
      }
    }
}

/* Rows i … i + ni − 1 against rows j … j + nj − 1, at most SIDE × SIDE. Meanwhile the memory is asked for what follows
 * the two rows of `ask`: the next tile. */
INLINE void NAME(block)(const REAL *const *rows_x, const REAL *const *rows_y, unsigned ni, unsigned nj, size_t len,
                        const REAL *const ask[2], double out[SIDE][SIDE]) {
  NAME(sums) sum = {{{{0}}}};
  REAL end[2][SIDE][LANES] = {{{0}}};
  const REAL *x[SIDE], *y[SIDE], *end_x[SIDE], *end_y[SIDE];
  const size_t whole = len / LANES * LANES;
  for (unsigned i = 0; i < ni; i++) x[i] = rows_x[i];
  for (unsigned j = 0; j < nj; j++) y[j] = rows_y[j];
  for (size_t c = 0; c < whole; c += LANES) {
    __builtin_prefetch((const void *)((uintptr_t)ask[0] + c * sizeof(REAL)), 0, 2);
    __builtin_prefetch((const void *)((uintptr_t)ask[1] + c * sizeof(REAL)), 0, 2);
    NAME(add)(x, y, ni, nj, c, sum);
  }
  if (whole < len) {
    for (unsigned i = 0; i < ni; i++) end_x[i] = memcpy(end[0][i], x[i] + whole, (len - whole) * sizeof(REAL));
    for (unsigned j = 0; j < nj; j++) end_y[j] = memcpy(end[1][j], y[j] + whole, (len - whole) * sizeof(REAL));
    NAME(add)(end_x, end_y, ni, nj, 0, sum);
  }
  for (unsigned i = 0; i < ni; i++)
    for (unsigned j = 0; j < nj; j++) out[i][j] = TOTAL(sum[i][j]);
}

/* The rows at the end that do not fill a block. */
static void NAME(rest)(const REAL *const *x, const REAL *const *y, unsigned ni, unsigned nj, size_t len,
                       const REAL *const ask[2], double out[SIDE][SIDE]) {
  for (unsigned j = 0; j < nj; j++) {
    double column[SIDE][SIDE], one[SIDE][SIDE];
    if (ni == SIDE) NAME(block)(x, y + j, SIDE, 1, len, ask, column);
    for (unsigned i = 0; i < ni; i++) {
      if (ni < SIDE) NAME(block)(x + i, y + j, 1, 1, len, ask, one);
      out[i][j] = ni == SIDE ? column[i][0] : one[0][0];
    }
  }
}

/* What the k-th block asks for: two rows of the next tile at first, then nothing new. */
INLINE void NAME(questions)(const REAL *const *rows, uint32_t n, uint32_t k, size_t len, const REAL *ask[2]) {
  for (unsigned q = 0; q < 2; q++) ask[q] = k < n && 2 * k + q < n ? rows[2 * k + q] + len : rows[0];
}

void KERNEL(const REAL *const *rows, uint32_t n, size_t len, double *out) {
  uint32_t k = 0;
  for (uint32_t i = 0; i < n; i += SIDE)
    for (uint32_t j = i; j < n; j += SIDE) {
      unsigned ni = n - i < SIDE ? n - i : SIDE, nj = n - j < SIDE ? n - j : SIDE;
      double part[SIDE][SIDE];
      const REAL *ask[2];
      NAME(questions)(rows, n, k++, len, ask);
      if (ni == SIDE && nj == SIDE)
        NAME(block)(rows + i, rows + j, SIDE, SIDE, len, ask, part);
      else
        NAME(rest)(rows + i, rows + j, ni, nj, len, ask, part);
      for (unsigned a = 0; a < ni; a++)
        for (unsigned b = 0; b < nj; b++) {
          if (i + a >= j + b) continue;
          if (!(part[a][b] > SQUARE_LOW && part[a][b] < SQUARE_HIGH)) part[a][b] = PAIR(rows[i + a], rows[j + b], len);
          out[(size_t)(i + a) * n + j + b] += part[a][b];
        }
    }
}

#undef V
#undef PARTS
#undef INLINE
#undef WIDTH
#undef SIDE
#undef KERNEL
#undef FMA
#include "math/type_end.h"
