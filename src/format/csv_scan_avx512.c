/* CSV structure with AVX-512: one comparison per question and block. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "format/csv_scan.h"

void bez_csv_scan_avx512(const char *buf, uint32_t from, uint32_t to, const bez_csv_dialect *d, bez_csv_marks *m) {
  uint64_t quotes = d->quotes ? ~(uint64_t)0 : 0;
  const __m512i separator = _mm512_set1_epi8(d->separator), newline = _mm512_set1_epi8(d->newline),
                quote = _mm512_set1_epi8('"'), cr = _mm512_set1_epi8('\r');
  for (uint32_t base = from; base < to; base += 64) {
    uint32_t n = to - base;
    __m512i v = _mm512_loadu_si512(buf + base);
    bez_csv_bits b = {.newline = _mm512_cmpeq_epi8_mask(v, newline),
                      .quote = _mm512_cmpeq_epi8_mask(v, quote) & quotes,
                      .cr = _mm512_cmpeq_epi8_mask(v, cr),
                      .nul = _mm512_testn_epi8_mask(v, v),
                      .high = _mm512_movepi8_mask(v)};
    b.structural = b.newline | _mm512_cmpeq_epi8_mask(v, separator);
    bez_csv_take_block(m, base, b, n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1);
  }
}
#endif
