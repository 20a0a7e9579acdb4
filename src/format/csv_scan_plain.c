/* The reference kernel, and the choice among kernels. */
#include "base/cpu.h"
#include "format/csv_scan.h"

void bez_csv_scan_plain(const char *buf, uint32_t from, uint32_t to, const bez_csv_dialect *d, bez_csv_marks *m) {
  for (uint32_t base = from; base < to; base += 64) {
    uint32_t n = to - base < 64 ? to - base : 64;
    bez_csv_bits b = {0};
    for (uint32_t i = 0; i < n; i++) {
      char c = buf[base + i];
      b.structural |= (uint64_t)(c == d->separator || c == d->newline) << i;
      b.newline |= (uint64_t)(c == d->newline) << i;
      b.quote |= (uint64_t)(d->quotes && c == '"') << i;
      b.cr |= (uint64_t)(c == '\r') << i;
      b.nul |= (uint64_t)(c == 0) << i;
      b.high |= (uint64_t)((unsigned char)c >> 7) << i;
    }
    bez_csv_take_block(m, base, b, n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1);
  }
}

bez_csv_scan_fn bez_csv_scanner(uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_csv_scan_avx512;
  if (cpu & BEZ_CPU_AVX2) return bez_csv_scan_avx2;
#endif
  (void)cpu;
  return bez_csv_scan_plain;
}
