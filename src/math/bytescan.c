/* The dispatcher and the plain reference of the byte scan. */
#include "math/bytescan.h"

#include "base/cpu.h"

size_t bez_scan_plain_ascii_plain(const char *bytes, size_t len) {
  size_t i = 0;
  for (; i < len; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c >= 0x7F || c == 0x08) break;
  }
  return i;
}

size_t bez_scan_plain_ascii(const char *bytes, size_t len, uint32_t cpu) {
#if defined(__x86_64__)
  if (cpu & BEZ_CPU_AVX512) return bez_scan_plain_ascii_avx512(bytes, len);
  if (cpu & BEZ_CPU_AVX2) return bez_scan_plain_ascii_avx2(bytes, len);
#endif
  (void)cpu;
  return bez_scan_plain_ascii_plain(bytes, len);
}
