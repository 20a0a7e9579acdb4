/* The one way to write a decimal number. */
#include <string.h>

#include "content/canonical.h"

static inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* [+-] digits [. digits] [e [+-] digits], as JSON has it. */
typedef struct decimal {
  bool negative;
  const char *whole, *part; /* digits before and behind the point */
  size_t n_whole, n_part;
  int64_t exponent;
} decimal;

/* Behind the "e". An exponent of more than nine digits is none that is looked at. */
static bool read_exponent(const char *p, const char *end, int64_t *out) {
  bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  if (p == end) return false;
  while (p < end && *p == '0') p++;
  if (end - p > 9) return false;
  int64_t value = 0;
  for (; p < end; p++) {
    if (!is_digit(*p)) return false;
    value = value * 10 + (*p - '0');
  }
  *out = negative ? -value : value;
  return true;
}

static bool read_decimal(const char *p, size_t len, decimal *d) {
  const char *end = p + len;
  *d = (decimal){.negative = *p == '-'};
  if (*p == '-' || *p == '+') p++;
  d->whole = p;
  while (p < end && is_digit(*p)) p++;
  d->n_whole = (size_t)(p - d->whole);
  if (!d->n_whole || (d->n_whole > 1 && *d->whole == '0')) return false;
  if (p < end && *p == '.') {
    d->part = ++p;
    while (p < end && is_digit(*p)) p++;
    d->n_part = (size_t)(p - d->part);
    if (!d->n_part) return false;
  }
  if (p == end) return true;
  return (*p | 32) == 'e' && read_exponent(p + 1, end, &d->exponent);
}

/* Written as it would be anyhow: digits alone, or digits behind a point of which the last is not 0. */
static bool as_it_stands(const char *text, size_t len) {
  const char *p = text + (*text == '-'), *end = text + len, *point;
  if (len > BEZ_NUMBER_DIGITS || p == end || !is_digit(*p)) return false;
  if (*p == '0' && (p + 1 < end ? p[1] != '.' : p > text)) return false; /* "007" is text, "-0" is 0 */
  while (p < end && is_digit(*p)) p++;
  if (p == end) return true;
  if (*p != '.') return false;
  point = p++;
  while (p < end && is_digit(*p)) p++;
  return p == end && p > point + 1 && p[-1] != '0';
}

/* The significant digits, without zeros at either end; *before: how many of them stand before the point (it may lie
 * outside of them). */
static size_t significant(const decimal *d, char *digits, int64_t *before) {
  size_t n = d->n_whole + d->n_part, first = 0;
  memcpy(digits, d->whole, d->n_whole);
  if (d->n_part) memcpy(digits + d->n_whole, d->part, d->n_part);
  while (n && digits[n - 1] == '0') n--;
  while (first < n && digits[first] == '0') first++;
  memmove(digits, digits + first, n - first);
  *before = (int64_t)d->n_whole - (int64_t)first + d->exponent;
  return n - first;
}

static size_t put_zeros(char *out, int64_t n) {
  if (n > 0) memset(out, '0', (size_t)n);
  return n > 0 ? (size_t)n : 0;
}

static size_t put_exponent(char *out, int64_t value) {
  char digits[20];
  size_t n = 0, at = 0;
  uint64_t left = value < 0 ? (uint64_t)-value : (uint64_t)value;
  out[at++] = 'e';
  if (value < 0) out[at++] = '-';
  do digits[n++] = (char)('0' + left % 10);
  while (left /= 10);
  while (n) out[at++] = digits[--n];
  return at;
}

/* More than BEZ_NUMBER_DIGITS digits may stand in out themselves, behind room for what comes before them. */
static size_t write_decimal(const char *digits, size_t n, int64_t before, bool negative, char *out) {
  size_t at = 0;
  if (negative) out[at++] = '-';
  int64_t all = before <= 0 ? 1 - before + (int64_t)n : before > (int64_t)n ? before : (int64_t)n;
  if (all > (int64_t)BEZ_NUMBER_DIGITS) {
    out[at++] = digits[0];
    if (n > 1) out[at++] = '.';
    memmove(out + at, digits + 1, n - 1);
    at += n - 1;
    return at + put_exponent(out + at, before - 1);
  }
  if (before <= 0) {
    out[at++] = '0';
    out[at++] = '.';
    at += put_zeros(out + at, -before);
    memmove(out + at, digits, n);
    return at + n;
  }
  size_t whole = before < (int64_t)n ? (size_t)before : n;
  memmove(out + at, digits, whole);
  at += whole;
  at += put_zeros(out + at, before - (int64_t)n);
  if (whole == n) return at;
  out[at++] = '.';
  memmove(out + at, digits + whole, n - whole);
  return at + n - whole;
}

size_t bez_canonical_number(const char *text, size_t len, char *out) {
  decimal d;
  int64_t before;
  if (!len) return 0;
  if (as_it_stands(text, len)) {
    memcpy(out, text, len);
    return len;
  }
  if (!read_decimal(text, len, &d)) return 0;
  char small[64], *digits = small;
  bool wide = d.n_whole + d.n_part > sizeof small;
  if (wide) digits = out + BEZ_NUMBER_ROOM / 2; /* gathered there, moved to the front when they are written */
  size_t n = significant(&d, digits, &before);
  if (!n) {
    *out = '0';
    return 1;
  }
  if (wide && n <= sizeof small)
    digits = memcpy(small, digits, n); /* few enough to be written with zeros around them */
  return write_decimal(digits, n, before, d.negative, out);
}
