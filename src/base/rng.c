/* Philox4x32-10 and the draws on top of it. The constants are those of the paper's table 2. */
#include "base/rng.h"

#include <math.h>

void bez_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]) {
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32);
  uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

bez_rng bez_rng_make(uint64_t seed, uint64_t stream) {
  return (bez_rng){.seed = seed, .stream = stream};
}

uint32_t bez_rng_u32(bez_rng *rng) {
  if (rng->left == 0) {
    bez_philox(rng->seed, rng->stream, rng->counter++, rng->word);
    rng->left = 4;
  }
  return rng->word[--rng->left];
}

uint64_t bez_rng_u64(bez_rng *rng) {
  uint64_t high = bez_rng_u32(rng);
  return high << 32 | bez_rng_u32(rng);
}

uint64_t bez_rng_below(bez_rng *rng, uint64_t n) {
  uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n: what lies above would favour small results */
  uint64_t draw;
  do draw = bez_rng_u64(rng);
  while (draw >= limit);
  return draw % n;
}

double bez_rng_unit(bez_rng *rng) {
  return (double)(bez_rng_u64(rng) >> 11) * 0x1p-53;
}

double bez_rng_normal(bez_rng *rng) {
  double u = 1.0 - bez_rng_unit(rng), v = bez_rng_unit(rng);
  return sqrt(-2.0 * log(u)) * cos(6.283185307179586476925287 * v);
}

void bez_rng_shuffle(bez_rng *rng, uint64_t *items, uint64_t n) {
  for (uint64_t i = n; i > 1; i--) {
    uint64_t j = bez_rng_below(rng, i), item = items[i - 1];
    items[i - 1] = items[j];
    items[j] = item;
  }
}
