#include "math/minhash.h"

#include <string.h>

#include "base/cpu.h"
#include "base/rng.h"

bez_minhash bez_minhash_make(uint32_t n, uint32_t skip, uint64_t seed) {
  bez_minhash m = {.n = n};
  for (uint32_t i = 0; i < n; i++) {
    uint32_t word[4];
    bez_philox(seed, 0x6d696e68ull, skip + i, word);
    m.add[i] = word[0];
    m.mul[i] = word[1] | 1;
    m.mul2[i] = word[2] | 1;
  }
  return m;
}

void bez_minhash_lane_plain(const bez_minhash *m, uint32_t first, const uint32_t *set, size_t n_set, uint32_t *out) {
  for (uint32_t i = 0; i < BEZ_MINHASH_LANE; i++) {
    uint32_t add = m->add[first + i], mul = m->mul[first + i], mul2 = m->mul2[first + i], least = UINT32_MAX;
    for (size_t k = 0; k < n_set; k++) {
      uint32_t h = (set[k] + add) * mul;
      h = (h ^ h >> 15) * mul2;
      if (h < least) least = h;
    }
    out[i] = least;
  }
}

void bez_minhash_signature(const bez_minhash *m, const uint32_t *set, size_t n_set, uint32_t *signature, uint32_t cpu) {
  for (uint32_t first = 0; first < m->n; first += BEZ_MINHASH_LANE) {
#if defined(__x86_64__)
    if (cpu & BEZ_CPU_AVX512) {
      bez_minhash_lane_avx512(m, first, set, n_set, signature + first);
      continue;
    }
    if (cpu & BEZ_CPU_AVX2) {
      bez_minhash_lane_avx2(m, first, set, n_set, signature + first);
      continue;
    }
#endif
    bez_minhash_lane_plain(m, first, set, n_set, signature + first);
  }
}

double bez_minhash_similarity(const uint32_t *a, const uint32_t *b, uint32_t n) {
  uint32_t same = 0;
  for (uint32_t i = 0; i < n; i++) same += a[i] == b[i];
  return n ? (double)same / n : 0.0;
}
