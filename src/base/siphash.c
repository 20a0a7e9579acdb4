#include "base/siphash.h"

#include <string.h>

static inline uint64_t rotate(uint64_t x, unsigned by) {
  return x << by | x >> (64 - by);
}

static inline uint64_t word_at(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, sizeof word); /* little endian, as all machines Bezoar is built for */
  return word;
}

static inline void rounds(uint64_t v[4], unsigned n) {
  for (unsigned i = 0; i < n; i++) {
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
  }
}

uint64_t bez_siphash(bez_sipkey key, const void *bytes, size_t len) {
  uint64_t v[4] = {key.k0 ^ 0x736f6d6570736575ull, key.k1 ^ 0x646f72616e646f6dull, key.k0 ^ 0x6c7967656e657261ull,
                   key.k1 ^ 0x7465646279746573ull};
  const uint8_t *p = bytes, *end = p + (len & ~(size_t)7);
  for (; p < end; p += 8) {
    uint64_t m = word_at(p);
    v[3] ^= m;
    rounds(v, 2);
    v[0] ^= m;
  }
  uint64_t last = (uint64_t)len << 56;
  if (len & 7) {
    uint64_t tail = 0;
    memcpy(&tail, p, len & 7);
    last |= tail;
  }
  v[3] ^= last;
  rounds(v, 2);
  v[0] ^= last;
  v[2] ^= 0xff;
  rounds(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
