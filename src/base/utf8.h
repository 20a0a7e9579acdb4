/* UTF-8 (RFC 3629). */
#ifndef BEZ_BASE_UTF8_H
#define BEZ_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes one code point from [p, p+len), len > 0; returns the bytes used (≥ 1). Malformed: *cp = 0xFFFD,
 * one byte used, and *ok = false when ok is given. */
size_t bez_utf8_decode(const char *p, size_t len, uint32_t *cp, bool *ok);
/* Encodes cp; returns 1..4. */
size_t bez_utf8_encode(uint32_t cp, char out[4]);
bool bez_utf8_valid(const char *p, size_t len);

#endif
