/* Escapes in the lines of text of protocol 0 (pickle_machine.h), as CPython's codecs undo them. */
#include "base/utf8.h"
#include "decode/pickle_machine.h"

static int hex(uint8_t c) {
  return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* `digits` hexadecimal digits at p; -1: they are not there. */
static int64_t hex_number(const uint8_t *p, size_t left, unsigned digits) {
  int64_t v = 0;
  if (left < digits) return -1;
  for (unsigned i = 0; i < digits; i++) {
    int h = hex(p[i]);
    if (h < 0) return -1;
    v = v << 4 | h;
  }
  return v;
}

/* One escape behind a backslash: the code point, and how many bytes it took; 0: it stands for itself. */
static size_t escape(const uint8_t *p, size_t left, bool raw, uint32_t *cp) {
  static const char simple[] = "n\nt\tr\ra\ab\bf\fv\v\\\\''\"\"";
  int64_t v = left && (*p == 'u' || *p == 'U') && raw ? hex_number(p + 1, left - 1, *p == 'u' ? 4 : 8) : -1;
  if (v >= 0) return *cp = (uint32_t)v, *p == 'u' ? 5 : 9;
  if (raw || !left) return 0;
  v = *p == 'x' ? hex_number(p + 1, left - 1, 2) : -1;
  if (v >= 0) return *cp = (uint32_t)v, 3;
  if (*p >= '0' && *p <= '7') {
    size_t n = 0;
    for (*cp = 0; n < 3 && n < left && p[n] >= '0' && p[n] <= '7'; n++) *cp = *cp << 3 | (uint32_t)(p[n] - '0');
    return *cp &= 255, n;
  }
  for (size_t i = 0; simple[i]; i += 2)
    if (simple[i] == (char)*p) return *cp = (uint8_t)simple[i + 1], 1;
  return 0;
}

bool bez_pickle_put_escaped(bez_pickle_machine *m, const uint8_t *text, size_t len, bool raw) {
  char *out = bez_arena_alloc(&m->arena, 4 * len + 1);
  size_t n = 0;
  if (!out) return bez_pickle_fail_limit(m, "memory is out");
  for (size_t i = 0; i < len;) {
    uint32_t cp;
    size_t used = text[i] == '\\' ? escape(text + i + 1, len - i - 1, raw, &cp) : 0;
    if (used && cp <= 0x10ffff)
      n += bez_utf8_encode(cp, out + n), i += 1 + used;
    else
      n += bez_utf8_encode(text[i++], out + n); /* raw bytes are Latin-1 */
  }
  return bez_pickle_put(m, bez_pickle_string(BEZ_PV_STR, out, n));
}
