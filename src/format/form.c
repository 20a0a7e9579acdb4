/* Parsing and printing cells of a fixed form; printing undoes parsing byte for byte (FLOAT excepted). */
#include "format/form.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "format/cell.h"

#define MAX_DIGITS 15u

static const int64_t powers[] = {
    1,         10,         100,         1000,         10000,         100000,         1000000,         10000000,
    100000000, 1000000000, 10000000000, 100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000};

bool bez_form_equal(bez_form a, bez_form b) {
  return a.kind == b.kind && a.decimals == b.decimals && a.mark == b.mark && a.zulu == b.zulu;
}

bez_form bez_form_of(const char *p, size_t len) {
  bez_form form = {0};
  int64_t x;
  if (len >= 10 && p[4] == '-' && p[7] == '-') {
    form.kind = len == 10 ? BEZ_FORM_DATE : BEZ_FORM_TIME;
    if (len > 10) form.mark = p[10];
    form.zulu = len == 20 && p[19] == 'Z';
  } else {
    const char *point = len ? memchr(p, '.', len) : NULL;
    size_t decimals = point ? len - (size_t)(point - p) - 1 : 0;
    form.kind = BEZ_FORM_DECIMAL;
    form.decimals = (uint8_t)(decimals <= MAX_DIGITS ? decimals : 0);
  }
  return bez_form_parse(form, p, len, &x) ? form : (bez_form){0};
}

static bool parse_decimal(const char *p, size_t len, unsigned decimals, int64_t *out) {
  size_t i = len && p[0] == '-', first = i;
  if (len - i > MAX_DIGITS + 1 || len == i) return false;
  uint64_t x = 0;
  unsigned d;
  for (; i < len && (d = (unsigned)(p[i] - '0')) < 10; i++) x = x * 10 + d;
  size_t whole = i - first;
  if (whole == 0 || (whole > 1 && p[first] == '0')) return false;
  if (decimals) {
    if (i + decimals + 1 != len || p[i] != '.' || whole + decimals > MAX_DIGITS) return false;
    for (i++; i < len && (d = (unsigned)(p[i] - '0')) < 10; i++) x = x * 10 + d;
  }
  if (i != len || whole > MAX_DIGITS || (first && x == 0)) return false; /* "-0" is not what 0 prints as */
  *out = first ? -(int64_t)x : (int64_t)x;
  return true;
}

static unsigned two(const char *p) {
  unsigned a = (unsigned)(p[0] - '0'), b = (unsigned)(p[1] - '0');
  return a < 10 && b < 10 ? a * 10 + b : 100;
}

/* Days since 1970-01-01, Gregorian, by eras of 400 years that begin on 1 March. */
static int64_t day_number(unsigned year, unsigned month, unsigned day) {
  unsigned y = year - (month <= 2), era = y / 400, of_era = y % 400;
  unsigned of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
  return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool parse_days(const char *p, int64_t *out) {
  static const uint8_t days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  unsigned century = two(p), rest = two(p + 2), month = two(p + 5), day = two(p + 8);
  if (century > 99 || rest > 99 || month - 1 > 11 || p[4] != '-' || p[7] != '-') return false;
  unsigned year = century * 100 + rest;
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (year < 1 || day < 1 || day > days_of[month - 1] + (unsigned)(month == 2 && leap)) return false;
  *out = day_number(year, month, day);
  return true;
}

static bool parse_seconds(bez_form form, const char *p, size_t len, int64_t *out) {
  int64_t days;
  if (len != 19u + form.zulu || p[10] != form.mark || (form.mark != ' ' && form.mark != 'T') || p[13] != ':' ||
      p[16] != ':' || (form.zulu && p[19] != 'Z'))
    return false;
  unsigned hour = two(p + 11), minute = two(p + 14), second = two(p + 17);
  if (hour > 23 || minute > 59 || second > 59 || !parse_days(p, &days)) return false;
  *out = days * 86400 + hour * 3600 + minute * 60 + second;
  return true;
}

/* Doubles as integers in the same order. */
static int64_t order_bits(double value) {
  int64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits < 0 ? (int64_t)(~(uint64_t)bits | (uint64_t)1 << 63) : bits;
}

static double from_order_bits(int64_t bits) {
  double value;
  if (bits < 0) bits = (int64_t)(~((uint64_t)bits & ~((uint64_t)1 << 63)));
  memcpy(&value, &bits, sizeof value);
  return value;
}

bool bez_form_parse(bez_form form, const char *p, size_t len, int64_t *out) {
  double value;
  switch (form.kind) {
    case BEZ_FORM_DECIMAL: return parse_decimal(p, len, form.decimals, out);
    case BEZ_FORM_TIME: return parse_seconds(form, p, len, out);
    case BEZ_FORM_DATE: return len == 10 && parse_days(p, out);
    case BEZ_FORM_FLOAT:
      if (!bez_parse_number(p, len, &value, NULL) || !isfinite(value)) return false;
      *out = order_bits(value == 0 ? 0.0 : value);
      return *out > BEZ_FORM_LEAST;
    default: return false;
  }
}

bool bez_form_holds(bez_form form, int64_t x) {
  int64_t first = day_number(1, 1, 1), last = day_number(9999, 12, 31);
  switch (form.kind) {
    case BEZ_FORM_DECIMAL: return x > -powers[MAX_DIGITS] && x < powers[MAX_DIGITS];
    case BEZ_FORM_DATE: return x >= first && x <= last;
    case BEZ_FORM_TIME: return x >= first * 86400 && x < (last + 1) * 86400;
    case BEZ_FORM_FLOAT: return x > BEZ_FORM_LEAST && isfinite(from_order_bits(x));
    default: return false;
  }
}

double bez_form_value(bez_form form, int64_t x) {
  switch (form.kind) {
    case BEZ_FORM_DECIMAL: return (double)x / (double)powers[form.decimals];
    case BEZ_FORM_DATE: return (double)(x * 86400);
    case BEZ_FORM_FLOAT: return from_order_bits(x);
    default: return (double)x;
  }
}

/* At least `width` digits, zeros in front. */
static size_t print_digits(uint64_t x, unsigned width, char *out) {
  char back[24];
  unsigned n = 0;
  do back[n++] = (char)('0' + x % 10);
  while ((x /= 10) != 0);
  while (n < width) back[n++] = '0';
  for (unsigned i = 0; i < n; i++) out[i] = back[n - 1 - i];
  return n;
}

/* The inverse of day_number. */
static size_t print_date(int64_t days, char *out) {
  uint64_t z = (uint64_t)(days + 719468);
  unsigned era = (unsigned)(z / 146097), of_era = (unsigned)(z % 146097);
  unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned mp = (5 * of_year + 2) / 153, day = of_year - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
  print_digits((year_of_era + era * 400 + (month <= 2)) % 10000, 4, out);
  out[4] = out[7] = '-';
  print_digits(month, 2, out + 5);
  print_digits(day, 2, out + 8);
  return 10;
}

static size_t print_time(bez_form form, int64_t x, char *out) {
  int64_t days = x >= 0 ? x / 86400 : -((86399 - x) / 86400);
  unsigned second = (unsigned)(x - days * 86400);
  print_date(days, out);
  out[10] = form.mark;
  print_digits(second / 3600, 2, out + 11);
  print_digits(second / 60 % 60, 2, out + 14);
  print_digits(second % 60, 2, out + 17);
  out[13] = out[16] = ':';
  out[19] = 'Z';
  return 19u + form.zulu;
}

size_t bez_form_print(bez_form form, int64_t x, char out[40]) {
  if (form.kind == BEZ_FORM_DATE) return print_date(x, out);
  if (form.kind == BEZ_FORM_FLOAT) return bez_format_double(from_order_bits(x), out);
  if (form.kind == BEZ_FORM_TIME) return print_time(form, x, out);
  uint64_t size = x < 0 ? (uint64_t)-x : (uint64_t)x, unit = (uint64_t)powers[form.decimals];
  size_t n = x < 0;
  out[0] = '-';
  n += print_digits(size / unit, 1, out + n);
  if (!form.decimals) return n;
  out[n++] = '.';
  return n + print_digits(size % unit, form.decimals, out + n);
}
