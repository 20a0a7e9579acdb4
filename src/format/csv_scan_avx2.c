/* CSV structure with AVX2: two halves of 32 bytes. */
#if defined(__x86_64__)
#include <immintrin.h>

#include "format/csv_scan.h"

static inline uint64_t equal(__m256i lo, __m256i hi, char c) {
  __m256i v = _mm256_set1_epi8(c);
  uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(lo, v));
  uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hi, v));
  return a | (uint64_t)b << 32;
}

void bez_csv_scan_avx2(const char *buf, uint32_t from, uint32_t to, const bez_csv_dialect *d, bez_csv_marks *m) {
  uint64_t quotes = d->quotes ? ~(uint64_t)0 : 0;
  char separator = d->separator, newline = d->newline;
  for (uint32_t base = from; base < to; base += 64) {
    uint32_t n = to - base;
    __m256i lo = _mm256_loadu_si256((const __m256i *)(buf + base));
    __m256i hi = _mm256_loadu_si256((const __m256i *)(buf + base + 32));
    bez_csv_bits b = {.newline = equal(lo, hi, newline),
                      .quote = equal(lo, hi, '"') & quotes,
                      .cr = equal(lo, hi, '\r'),
                      .nul = equal(lo, hi, 0),
                      .high = (uint32_t)_mm256_movemask_epi8(lo) | (uint64_t)(uint32_t)_mm256_movemask_epi8(hi) << 32};
    b.structural = b.newline | equal(lo, hi, separator);
    bez_csv_take_block(m, base, b, n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1);
  }
}
#endif
