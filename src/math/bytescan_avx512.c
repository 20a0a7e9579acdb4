/* The byte scan, 64 bytes at a time. */
#include "math/bytescan.h"

#if defined(__x86_64__)
#include <immintrin.h>

size_t bez_scan_plain_ascii_avx512(const char *bytes, size_t len) {
  const __m512i top = _mm512_set1_epi8(0x7E), back = _mm512_set1_epi8(0x08);
  size_t i = 0;
  for (; i + 64 <= len; i += 64) {
    __m512i v = _mm512_loadu_si512(bytes + i);
    __mmask64 odd = _mm512_cmpgt_epu8_mask(v, top) | _mm512_cmpeq_epi8_mask(v, back);
    if (odd) return i + (size_t)__builtin_ctzll(odd);
  }
  return i + bez_scan_plain_ascii_plain(bytes + i, len - i);
}
#endif
