/* The byte scan, 32 bytes at a time. */
#include "math/bytescan.h"

#if defined(__x86_64__)
#include <immintrin.h>

size_t bez_scan_plain_ascii_avx2(const char *bytes, size_t len) {
  const __m256i top = _mm256_set1_epi8(0x7E), back = _mm256_set1_epi8(0x08);
  size_t i = 0;
  for (; i + 32 <= len; i += 32) {
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(bytes + i));
    __m256i low = _mm256_cmpeq_epi8(_mm256_max_epu8(v, top), top); /* v <= 0x7E, unsigned */
    __m256i odd = _mm256_or_si256(_mm256_andnot_si256(low, _mm256_set1_epi8(-1)), _mm256_cmpeq_epi8(v, back));
    unsigned mask = (unsigned)_mm256_movemask_epi8(odd);
    if (mask) return i + (size_t)__builtin_ctz(mask);
  }
  return i + bez_scan_plain_ascii_plain(bytes + i, len - i);
}
#endif
