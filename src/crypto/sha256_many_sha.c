/* The compression function of SHA-256 (FIPS 180-4, 6.2.2) with the SHA extensions of x86, for two messages side by
 * side. The instructions want the state as (A, B, E, F) and (C, D, G, H), highest word first. */
#include "crypto/sha256_many.h"

#if defined(__x86_64__)
#include <immintrin.h>

/* Fractions of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
static const uint32_t round_constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

typedef struct state {
  __m128i abef, cdgh;
} state;

static inline state load_state(const uint32_t s[8]) {
  __m128i dcba = _mm_loadu_si128((const __m128i *)s), hgfe = _mm_loadu_si128((const __m128i *)(s + 4));
  __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
  return (state){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xf0)};
}

static inline void store_state(state v, uint32_t s[8]) {
  __m128i feba = _mm_shuffle_epi32(v.abef, 0x1b), dchg = _mm_shuffle_epi32(v.cdgh, 0xb1);
  _mm_storeu_si128((__m128i *)s, _mm_blend_epi16(feba, dchg, 0xf0));
  _mm_storeu_si128((__m128i *)(s + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Four words of the message, big-endian as they stand. */
static inline __m128i load_words(const uint8_t *p) {
  return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p),
                          _mm_set_epi64x(0x0c0d0e0f08090a0bll, 0x0405060700010203ll));
}

/* Rounds 4i … 4i + 3. */
static inline void four_rounds(state *v, __m128i words, unsigned i) {
  __m128i k = _mm_add_epi32(words, _mm_load_si128((const __m128i *)&round_constants[4 * i]));
  v->cdgh = _mm_sha256rnds2_epu32(v->cdgh, v->abef, k);
  v->abef = _mm_sha256rnds2_epu32(v->abef, v->cdgh, _mm_shuffle_epi32(k, 0x0e));
}

/* The four words of the schedule behind w[0 … 3]. */
static inline __m128i next_words(const __m128i w[4], unsigned i) {
  __m128i old = _mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]);
  __m128i seven = _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4);
  return _mm_sha256msg2_epu32(_mm_add_epi32(old, seven), w[(i + 3) & 3]);
}

void bez_sha256_two_sha(uint32_t a[8], const uint8_t *blocks_a, uint32_t b[8], const uint8_t *blocks_b, size_t n) {
  state x = load_state(a), y = load_state(b);
  for (; n; n--, blocks_a += 64, blocks_b += 64) {
    state before_x = x, before_y = y;
    __m128i wx[4], wy[4];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
      wx[i & 3] = i < 4 ? load_words(blocks_a + 16 * i) : next_words(wx, i);
      wy[i & 3] = i < 4 ? load_words(blocks_b + 16 * i) : next_words(wy, i);
      four_rounds(&x, wx[i & 3], i);
      four_rounds(&y, wy[i & 3], i);
    }
    x = (state){_mm_add_epi32(x.abef, before_x.abef), _mm_add_epi32(x.cdgh, before_x.cdgh)};
    y = (state){_mm_add_epi32(y.abef, before_y.abef), _mm_add_epi32(y.cdgh, before_y.cdgh)};
  }
  store_state(x, a);
  store_state(y, b);
}

void bez_sha256_one_sha(uint32_t a[8], const uint8_t *blocks, size_t n) {
  state x = load_state(a);
  for (; n; n--, blocks += 64) {
    state before = x;
    __m128i w[4];
#pragma GCC unroll 16
    for (unsigned i = 0; i < 16; i++) {
      w[i & 3] = i < 4 ? load_words(blocks + 16 * i) : next_words(w, i);
      four_rounds(&x, w[i & 3], i);
    }
    x = (state){_mm_add_epi32(x.abef, before.abef), _mm_add_epi32(x.cdgh, before.cdgh)};
  }
  store_state(x, a);
}
#endif
