/* The two loops of math/mahalanobis.h, compiled once per instruction set: eight lanes as one vector type, which the
 * compiler makes of the registers there are. Define DISTANCES and PRODUCTS before including it. */
#include <string.h>

#include "math/mahalanobis.h"

#define LANES BEZ_MAHALANOBIS_LANES
typedef double lanes __attribute__((vector_size(64)));

#define LOAD(v, from) memcpy(&(v), from, sizeof(lanes))
#define STORE(to, v) memcpy(to, &(v), sizeof(lanes))

void DISTANCES(const bez_whitening *w, const double *block, double *y, double *out) {
  lanes total = {0};
  for (uint32_t i = 0; i < w->rank; i++) {
    const double *row = w->factor + (uint64_t)i * w->rank;
    lanes sum, other;
    LOAD(sum, block + (uint64_t)w->order[i] * LANES);
    sum -= w->mean[w->order[i]];
    for (uint32_t j = 0; j < i; j++) {
      LOAD(other, y + (uint64_t)j * LANES);
      sum -= other * row[j];
    }
    sum *= row[i];
    STORE(y + (uint64_t)i * LANES, sum);
    total += sum * sum;
  }
  STORE(out, total);
}

void PRODUCTS(const double *blocks, uint32_t n_cols, double *sum, double *product) {
  const uint64_t stride = (uint64_t)n_cols * LANES;
  for (uint32_t i = 0; i < n_cols; i++) {
    lanes x[BEZ_MAHALANOBIS_BLOCKS], s, acc, other;
    LOAD(s, sum + (uint64_t)i * LANES);
    for (uint32_t b = 0; b < BEZ_MAHALANOBIS_BLOCKS; b++) {
      LOAD(x[b], blocks + b * stride + (uint64_t)i * LANES);
      s += x[b];
    }
    STORE(sum + (uint64_t)i * LANES, s);
    for (uint32_t j = 0; j <= i; j++, product += LANES) {
      LOAD(acc, product);
      for (uint32_t b = 0; b < BEZ_MAHALANOBIS_BLOCKS; b++) {
        LOAD(other, blocks + b * stride + (uint64_t)j * LANES);
        acc += x[b] * other;
      }
      STORE(product, acc);
    }
  }
}
