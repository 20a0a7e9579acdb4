/* Counter-based random numbers: the value at (seed, stream, counter) depends on nothing else, so any thread
 * can draw any number. Philox4x32-10; Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011. */
#ifndef BEZ_BASE_RNG_H
#define BEZ_BASE_RNG_H

#include <stdint.h>

/* Four 32-bit words for (seed, stream, counter). */
void bez_philox(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

/* A sequential view on one stream. Copy it to fork; not thread safe. */
typedef struct bez_rng {
  uint64_t seed, stream, counter;
  uint32_t word[4];
  unsigned left;
} bez_rng;

bez_rng bez_rng_make(uint64_t seed, uint64_t stream);
uint32_t bez_rng_u32(bez_rng *rng);
uint64_t bez_rng_u64(bez_rng *rng);
uint64_t bez_rng_below(bez_rng *rng, uint64_t n);                /* uniform on [0, n), n > 0, unbiased (rejection) */
double bez_rng_unit(bez_rng *rng);                               /* uniform on [0, 1), 53 bits */
double bez_rng_normal(bez_rng *rng);                             /* standard normal, Box-Muller */
void bez_rng_shuffle(bez_rng *rng, uint64_t *items, uint64_t n); /* Fisher-Yates */

#endif
