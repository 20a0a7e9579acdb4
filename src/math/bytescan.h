/* Skipping plain text: where does the first byte stand that is not ordinary ASCII? */
#ifndef BEZ_MATH_BYTESCAN_H
#define BEZ_MATH_BYTESCAN_H

#include <stddef.h>
#include <stdint.h>

/* Offset of the first byte that is ≥ 0x7F or equals 0x08 (what hides text starts with one of these in UTF-8), len where
 * there is none. cpu is a mask of base/cpu.h; it never changes the answer. */
size_t bez_scan_plain_ascii(const char *bytes, size_t len, uint32_t cpu);

/* One per instruction set; bez_scan_plain_ascii chooses. */
size_t bez_scan_plain_ascii_plain(const char *bytes, size_t len);
#if defined(__x86_64__)
size_t bez_scan_plain_ascii_avx2(const char *bytes, size_t len);
size_t bez_scan_plain_ascii_avx512(const char *bytes, size_t len);
#endif

#endif
