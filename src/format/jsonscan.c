/* JSON tokens (jsonscan.h). Strings are scanned eight bytes at a time: that is where the bytes are. */
#include "format/jsonscan.h"

#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

bool bez_jsonscan_fail(bez_jsonscan *s, const char *problem) {
  if (!s->problem) s->problem = problem;
  return false;
}

static inline void blanks(bez_jsonscan *s) {
  while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\r' || *s->at == '\n')) s->at++;
}

bool bez_jsonscan_eat(bez_jsonscan *s, char c) {
  blanks(s);
  if (s->at >= s->end || *s->at != c) return false;
  s->at++;
  return true;
}

bool bez_jsonscan_done(bez_jsonscan *s) {
  blanks(s);
  return s->at == s->end;
}

bez_json_kind bez_jsonscan_kind(bez_jsonscan *s) {
  blanks(s);
  if (s->at == s->end) return BEZ_JSON_BAD;
  switch (*s->at) {
    case '{': return BEZ_JSON_OBJECT;
    case '[': return BEZ_JSON_ARRAY;
    case '"': return BEZ_JSON_STRING;
    case 'n': return BEZ_JSON_NULL;
    case 't':
    case 'f':
    case 'N':
    case 'I': return BEZ_JSON_WORD;
    case '-': return s->at + 1 < s->end && s->at[1] == 'I' ? BEZ_JSON_WORD : BEZ_JSON_NUMBER;
    default: return *s->at >= '0' && *s->at <= '9' ? BEZ_JSON_NUMBER : BEZ_JSON_BAD;
  }
}

/* High bit set in each byte that equals c, is below 0x20, or is not ASCII: exact for the first marked byte. */
static inline uint64_t marks(uint64_t w) {
  const uint64_t ones = 0x0101010101010101ull, tops = 0x8080808080808080ull;
  uint64_t quote = w ^ (ones * '"'), slash = w ^ (ones * '\\');
  return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) | (w - ones * 0x20)) & tops;
}

/* The first byte of [p, end) that ends a plain run: quote, backslash or control. *high: non-ASCII was passed. */
static const char *run_end(const char *p, const char *end, bool *high) {
  for (;;) {
    while (end - p >= 8) {
      uint64_t w;
      memcpy(&w, p, 8);
      if (w & 0x8080808080808080ull) {
        *high = true;
        break;
      }
      uint64_t m = marks(w);
      if (m) return p + (__builtin_ctzll(m) >> 3);
      p += 8;
    }
    /* Byte by byte over a word with non-ASCII in it, or the tail. */
    const char *stop = end - p >= 8 ? p + 8 : end;
    for (; p < stop; p++) {
      unsigned char c = (unsigned char)*p;
      if (c == '"' || c == '\\' || c < 0x20) return p;
      if (c >= 0x80) *high = true;
    }
    if (p == end) return end;
  }
}

static bool hex4(bez_jsonscan *s, uint32_t *out) {
  if (s->end - s->at < 4) return bez_jsonscan_fail(s, "an escape is cut off");
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    char c = s->at[i];
    unsigned digit;
    if (c >= '0' && c <= '9') {
      digit = (unsigned)(c - '0');
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      digit = (unsigned)((c | 32) - 'a') + 10;
    } else {
      return bez_jsonscan_fail(s, "\\u without four hexadecimal digits");
    }
    value = value * 16 + digit;
  }
  s->at += 4;
  *out = value;
  return true;
}

/* Behind \u: one code point, pairs joined, a lone surrogate replaced. */
static bool unicode_escape(bez_jsonscan *s, bez_buf *out) {
  uint32_t cp = 0;
  if (!hex4(s, &cp)) return false;
  if (cp >= 0xD800 && cp < 0xDC00 && s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u') {
    const char *back = s->at;
    uint32_t low = 0;
    s->at += 2;
    if (!hex4(s, &low)) return false;
    if (low >= 0xDC00 && low < 0xE000) {
      cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
    } else {
      s->at = back;
    }
  }
  if (cp >= 0xD800 && cp < 0xE000) {
    s->lone_surrogates++;
    cp = 0xFFFD;
  }
  char bytes[4];
  size_t n = bez_utf8_encode(cp, bytes);
  if (out) bez_buf_write(out, bytes, n);
  return true;
}

/* Behind a backslash; out may be NULL: checked only. */
static bool escape(bez_jsonscan *s, bez_buf *out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (s->at == s->end) return bez_jsonscan_fail(s, "an escape is cut off");
  char c = *s->at;
  if (c == 'u') {
    s->at++;
    return unicode_escape(s, out);
  }
  const char *hit = c ? strchr(from, c) : NULL;
  if (!hit) return bez_jsonscan_fail(s, "an escape that JSON does not have");
  s->at++;
  if (out) bez_buf_putc(out, to[hit - from]);
  return true;
}

/* A plain run up to the closing quote, a backslash or what must not be there; checked as UTF-8. */
static bool plain_run(bez_jsonscan *s, const char **text, size_t *len) {
  bool high = false;
  const char *stop = run_end(s->at, s->end, &high);
  *text = s->at;
  *len = (size_t)(stop - s->at);
  if (high && !bez_utf8_valid(s->at, *len)) return bez_jsonscan_fail(s, "a string is not UTF-8");
  s->at = stop;
  if (stop == s->end) return bez_jsonscan_fail(s, "a string does not end");
  if ((unsigned char)*stop < 0x20) return bez_jsonscan_fail(s, "a control character in a string");
  return true;
}

bool bez_jsonscan_string(bez_jsonscan *s, bez_buf *scratch, const char **text, size_t *len) {
  if (!bez_jsonscan_eat(s, '"')) return bez_jsonscan_fail(s, "a string is expected");
  if (!plain_run(s, text, len)) return false;
  if (*s->at == '"') {
    s->at++;
    return true;
  }
  size_t start = scratch->len;
  bez_buf_write(scratch, *text, *len);
  while (*s->at == '\\') {
    s->at++;
    if (!escape(s, scratch) || !plain_run(s, text, len)) return false;
    bez_buf_write(scratch, *text, *len);
  }
  s->at++;
  if (scratch->failed) return bez_jsonscan_fail(s, "memory is out");
  *text = scratch->data + start;
  *len = scratch->len - start;
  return true;
}

static bool digits(bez_jsonscan *s) {
  const char *start = s->at;
  while (s->at < s->end && *s->at >= '0' && *s->at <= '9') s->at++;
  return s->at > start || bez_jsonscan_fail(s, "a number lacks a digit");
}

static bool number(bez_jsonscan *s) {
  if (*s->at == '-') s->at++;
  if (s->at < s->end && *s->at == '0') {
    s->at++;
    if (s->at < s->end && *s->at >= '0' && *s->at <= '9') return bez_jsonscan_fail(s, "a number begins with 0");
  } else if (!digits(s)) {
    return false;
  }
  if (s->at < s->end && *s->at == '.') {
    s->at++;
    if (!digits(s)) return false;
  }
  if (s->at < s->end && (*s->at | 32) == 'e') {
    s->at++;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-')) s->at++;
    if (!digits(s)) return false;
  }
  return true;
}

static bool word(bez_jsonscan *s) {
  static const char *const words[] = {"true", "false", "null", "NaN", "Infinity", "-Infinity"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t n = strlen(words[i]);
    if ((size_t)(s->end - s->at) >= n && memcmp(s->at, words[i], n) == 0) {
      s->at += n;
      return true;
    }
  }
  return bez_jsonscan_fail(s, "a word that JSON does not have");
}

bool bez_jsonscan_scalar(bez_jsonscan *s, const char **text, size_t *len) {
  bez_json_kind kind = bez_jsonscan_kind(s);
  *text = s->at;
  bool good = kind == BEZ_JSON_NUMBER                          ? number(s)
              : kind == BEZ_JSON_WORD || kind == BEZ_JSON_NULL ? word(s)
                                                               : bez_jsonscan_fail(s, "a value is expected");
  *len = (size_t)(s->at - *text);
  return good;
}

/* A string that is only passed over: it still has to be right. */
static bool skip_string(bez_jsonscan *s) {
  const char *text;
  size_t len;
  s->at++;
  if (!plain_run(s, &text, &len)) return false;
  while (*s->at == '\\') {
    s->at++;
    if (!escape(s, NULL) || !plain_run(s, &text, &len)) return false;
  }
  s->at++;
  return true;
}

bool bez_jsonscan_skip(bez_jsonscan *s, unsigned depth, const char **text, size_t *len) {
  bez_json_kind kind = bez_jsonscan_kind(s);
  const char *start = s->at, *ignored;
  size_t ignored_len;
  bool good = true;
  if (depth > BEZ_MAX_JSON_DEPTH) return bez_jsonscan_fail(s, "nested deeper than 64");
  if (kind == BEZ_JSON_STRING) {
    good = skip_string(s);
  } else if (kind != BEZ_JSON_OBJECT && kind != BEZ_JSON_ARRAY) {
    good = bez_jsonscan_scalar(s, &ignored, &ignored_len);
  } else {
    char close = kind == BEZ_JSON_OBJECT ? '}' : ']';
    s->at++;
    for (bool first = true; good && !bez_jsonscan_eat(s, close); first = false) {
      if (!first && !bez_jsonscan_eat(s, ',')) return bez_jsonscan_fail(s, "a comma is expected");
      if (kind == BEZ_JSON_OBJECT) {
        if (bez_jsonscan_kind(s) != BEZ_JSON_STRING) return bez_jsonscan_fail(s, "a key is expected");
        if (!skip_string(s)) return false;
        if (!bez_jsonscan_eat(s, ':')) return bez_jsonscan_fail(s, "a colon is expected");
      }
      good = bez_jsonscan_skip(s, depth + 1, &ignored, &ignored_len);
    }
  }
  *text = start;
  *len = (size_t)(s->at - start);
  return good;
}
