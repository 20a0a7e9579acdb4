/* The part of the kernels that knows the rows' type, included once per type. The includer defines, and this file
 * undefines at its end, REAL, NAME(x): a name of its own for each function, and LIMIT(z): a vector of doubles within
 * the type's range. */
typedef REAL NAME(narrow) __attribute__((vector_size(WIDTH * sizeof(REAL))));

INLINE const REAL *NAME(row)(const void *const *row, uint32_t i) {
  return row[i];
}

/* z[c], c < count vectors; what comes next of each row is asked for. */
INLINE void NAME(sum)(const bez_weighted_sum *s, size_t at, unsigned count, double *z) {
  V sum[CHUNK / WIDTH] = {{0}};
  for (uint32_t k = 0; k < s->n_used; k++) {
    const REAL *x = NAME(row)(s->used, k) + at;
    const double weight = s->weight[k];
#pragma GCC unroll 16
    for (unsigned v = 0; v < count; v++) sum[v] += LOAD(x + v * WIDTH) * weight;
    __builtin_prefetch((const void *)((uintptr_t)x + AHEAD));
    __builtin_prefetch((const void *)((uintptr_t)x + AHEAD + 64));
  }
  for (unsigned v = 0; v < count; v++) {
    sum[v] *= s->scale;
    memcpy(z + v * WIDTH, &sum[v], sizeof sum[v]);
  }
}

INLINE void NAME(spread)(const bez_weighted_sum *s, size_t at, unsigned count, const double *z) {
  for (uint32_t i = 0; i < s->n; i++) {
    const REAL *x = NAME(row)(s->row, i) + at;
    V lanes[8 / WIDTH];
    memcpy(lanes, s->lanes + (size_t)i * 8, sizeof lanes);
#pragma GCC unroll 16
    for (unsigned v = 0; v < count; v++) {
      V centre;
      memcpy(&centre, z + v * WIDTH, sizeof centre);
      V d = LOAD(x + v * WIDTH) - centre;
      lanes[v % (8 / WIDTH)] += d * d;
    }
    memcpy(s->lanes + (size_t)i * 8, lanes, sizeof lanes);
  }
}

/* The last coordinates, fewer than eight. */
static void NAME(end)(const bez_weighted_sum *s, size_t at, size_t len, double *z) {
  for (size_t c = at; c < len; c++) {
    double sum = 0;
    for (uint32_t k = 0; k < s->n_used; k++) sum += (double)NAME(row)(s->used, k)[c] * s->weight[k];
    z[c] = sum * s->scale;
    for (uint32_t i = 0; i < s->n; i++) {
      double d = (double)NAME(row)(s->row, i)[c] - z[c];
      s->lanes[(size_t)i * 8 + (c - at)] += d * d;
    }
  }
}

static void NAME(combine)(const bez_weighted_sum *s, size_t len, double *z, double *square) {
  size_t at = 0;
  if (s->n) memset(s->lanes, 0, (size_t)s->n * 8 * sizeof *s->lanes);
  for (; at + CHUNK <= len; at += CHUNK) {
    NAME(sum)(s, at, CHUNK / WIDTH, z + at);
    NAME(spread)(s, at, CHUNK / WIDTH, z + at);
  }
  for (; at + 8 <= len; at += 8) {
    NAME(sum)(s, at, 8 / WIDTH, z + at);
    NAME(spread)(s, at, 8 / WIDTH, z + at);
  }
  NAME(end)(s, at, len, z);
  for (uint32_t i = 0; i < s->n; i++) {
    const double *l = s->lanes + (size_t)i * 8;
    square[i] += ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
  }
}

/* count ≤ 4 sums over the two vectors at c. */
INLINE void NAME(mix_block)(const void *const *row, uint32_t n, const double *weight, const double *scale,
                            unsigned count, size_t c, REAL *const *out) {
  V sum[4][2] = {{{0}}};
  for (uint32_t i = 0; i < n; i++) {
    const REAL *x = NAME(row)(row, i) + c;
    V low = LOAD(x), high = LOAD(x + WIDTH);
#pragma GCC unroll 4
    for (unsigned k = 0; k < count; k++) {
      const V w = SPLAT(weight[(size_t)k * n + i]);
      sum[k][0] = FMA(low, w, sum[k][0]);
      sum[k][1] = FMA(high, w, sum[k][1]);
    }
  }
#pragma GCC unroll 4
  for (unsigned k = 0; k < count; k++)
#pragma GCC unroll 2
    for (unsigned p = 0; p < 2; p++) {
      V z = sum[k][p] * scale[k];
      NAME(narrow) narrow = __builtin_convertvector(LIMIT(z), NAME(narrow));
      memcpy(out[k] + c + p * WIDTH, &narrow, sizeof narrow);
    }
}

static void NAME(mix)(const void *const *row, uint32_t n, const double *weight, const double *scale, uint32_t n_out,
                      size_t len, REAL *const *out) {
  size_t c = 0;
  for (; c + 2 * WIDTH <= len; c += 2 * WIDTH) {
    uint32_t k = 0;
    for (; k + 4 <= n_out; k += 4) NAME(mix_block)(row, n, weight + (size_t)k * n, scale + k, 4, c, out + k);
    for (; k < n_out; k++) NAME(mix_block)(row, n, weight + (size_t)k * n, scale + k, 1, c, out + k);
  }
  for (; c < len; c++)
    for (uint32_t k = 0; k < n_out; k++) {
      V z = {0};
      for (uint32_t i = 0; i < n; i++) z[0] = fma((double)NAME(row)(row, i)[c], weight[(size_t)k * n + i], z[0]);
      z[0] *= scale[k];
      out[k][c] = (REAL)LIMIT(z)[0];
    }
}

#undef REAL
#undef NAME
#undef LOAD
#undef LIMIT
