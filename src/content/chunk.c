/* Content-defined cuts (chunk.h). */
#include "content/chunk.h"

/* The high bits of a gear hash have seen the most bytes. A strict mask before the mean and a lax one behind it keep the
 * lengths together (Xia et al., "FastCDC", 2016). */
#define MEAN (64u << 10)
#define STRICT (~UINT64_C(0) << 47) /* 17 bits */
#define LAX (~UINT64_C(0) << 50)    /* 14 bits */
#define WINDOW 64u                  /* bytes that the hash has seen */

void bez_chunker_make(bez_chunker *chunker, bez_sipkey key) {
  uint8_t word[5] = {'g', 'e', 'a', 'r', 0};
  for (unsigned i = 0; i < 256; i++) {
    word[4] = (uint8_t)i;
    chunker->gear[i] = bez_siphash(key, word, sizeof word);
  }
}

/* The first place in [at, end) behind whose byte the hash has no bit of the mask; end: none. */
static size_t roll(const uint64_t *gear, const uint8_t *bytes, size_t at, size_t end, uint64_t mask, uint64_t *hash) {
  uint64_t h = *hash;
  for (; at < end; at++) {
    h = (h << 1) + gear[bytes[at]];
    if (!(h & mask)) break;
  }
  *hash = h;
  return at;
}

size_t bez_chunk_length(const bez_chunker *chunker, const uint8_t *bytes, size_t len) {
  if (len <= BEZ_CHUNK_MIN) return len;
  size_t most = len < BEZ_CHUNK_MAX ? len : BEZ_CHUNK_MAX, mean = most < MEAN ? most : MEAN;
  uint64_t hash = 0;
  for (size_t i = BEZ_CHUNK_MIN - WINDOW; i < BEZ_CHUNK_MIN; i++) hash = (hash << 1) + chunker->gear[bytes[i]];
  size_t at = roll(chunker->gear, bytes, BEZ_CHUNK_MIN, mean, STRICT, &hash);
  if (at == mean) at = roll(chunker->gear, bytes, mean, most, LAX, &hash);
  return at < most ? at + 1 : most;
}
