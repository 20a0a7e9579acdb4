/* UTF-8 by RFC 3629: shortest forms only, no surrogates, nothing above U+10FFFF. */
#include "base/utf8.h"

static size_t malformed(uint32_t *cp, bool *ok) {
  *cp = 0xFFFD;
  if (ok) *ok = false;
  return 1;
}

size_t bez_utf8_decode(const char *text, size_t len, uint32_t *cp, bool *ok) {
  const unsigned char *p = (const unsigned char *)text;
  static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
  if (ok) *ok = true;
  if (p[0] < 0x80) {
    *cp = p[0];
    return 1;
  }
  size_t n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
  if (p[0] < 0xC2 || p[0] > 0xF4 || n > len) return malformed(cp, ok);
  uint32_t value = p[0] & (0x7Fu >> n);
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xC0) != 0x80) return malformed(cp, ok);
    value = value << 6 | (p[i] & 0x3Fu);
  }
  if (value < smallest[n] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return malformed(cp, ok);
  *cp = value;
  return n;
}

size_t bez_utf8_encode(uint32_t cp, char out[4]) {
  if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF)) cp = 0xFFFD;
  if (cp < 0x80) {
    out[0] = (char)cp;
    return 1;
  }
  size_t n = cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
  for (size_t i = n - 1; i > 0; i--, cp >>= 6) out[i] = (char)(0x80 | (cp & 0x3F));
  out[0] = (char)((0xF00u >> n & 0xFF) | cp);
  return n;
}

bool bez_utf8_valid(const char *p, size_t len) {
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    bool ok;
    at += bez_utf8_decode(p + at, len - at, &cp, &ok);
    if (!ok) return false;
  }
  return true;
}
