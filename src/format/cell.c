/* Reading one cell as missing, number or time.
 *
 * Decimal to double without a table: a mantissa below 2^53 and a power of ten up to 10^22 are exact doubles, so one
 * multiplication or division rounds correctly (Clinger, "How to read floating point numbers accurately", PLDI 1990).
 * With a 64-bit long double the same holds for 19 digits and 10^27 unless the result lies next to the middle between
 * two doubles; only that case and extreme exponents go to strtod. */
#include "format/cell.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void trim(const char **p, size_t *len) {
  while (*len && **p == ' ') (*p)++, (*len)--;
  while (*len && (*p)[*len - 1] == ' ') (*len)--;
}

bool bez_cell_is_missing(const char *p, size_t len) {
  static const char *const markers[] = {"NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"};
  trim(&p, &len);
  if (len == 0) return true;
  if (len > 4) return false;
  for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
    if (strlen(markers[i]) == len && !memcmp(markers[i], p, len)) return true;
  return false;
}

static const double exact_powers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* The text itself through the C library, in the C locale whatever the process has set. */
static bool slow_number(const char *p, size_t len, double *out) {
  char small[128], *copy = len < sizeof small ? small : malloc(len + 1);
  if (!copy) return false;
  memcpy(copy, p, len);
  copy[len] = 0;
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  char *end = NULL;
  *out = c ? strtod_l(copy, &end, c) : strtod(copy, &end);
  if (c) freelocale(c);
  bool ok = end == copy + len;
  if (copy != small) free(copy);
  return ok;
}

#if LDBL_MANT_DIG == 64
static bool long_number(uint64_t mantissa, int exponent, double *out) {
  if (exponent < -27 || exponent > 27 || mantissa == 0) return false;
  long double power = 1;
  for (int i = 0; i < (exponent < 0 ? -exponent : exponent); i++) power *= 10;
  long double value = exponent < 0 ? (long double)mantissa / power : (long double)mantissa * power;
  uint64_t bits;
  memcpy(&bits, &value, 8);
  unsigned low = (unsigned)(bits & 0x7ff);
  if (low >= 0x3ff && low <= 0x401) return false;
  *out = (double)value;
  return true;
}
#else
static bool long_number(uint64_t mantissa, int exponent, double *out) {
  (void)mantissa, (void)exponent, (void)out;
  return false;
}
#endif

static bool parse_infinity(const char *p, size_t len, bool negative, double *out) {
  static const char word[] = "infinity";
  if (len != 3 && len != 8) return false;
  for (size_t i = 0; i < len; i++)
    if ((p[i] | 0x20) != word[i]) return false;
  *out = negative ? -INFINITY : INFINITY;
  return true;
}

typedef struct digits {
  uint64_t mantissa;
  unsigned kept;  /* significant digits in mantissa */
  int exponent;   /* of ten */
  bool any, lost; /* lost: more than 19 significant digits */
} digits;

static size_t read_digits(const char *p, size_t len, size_t i, digits *d, bool fraction) {
  for (; i < len && (unsigned)(p[i] - '0') < 10; i++) {
    d->any = true;
    if (d->kept < 19) {
      d->mantissa = d->mantissa * 10 + (unsigned)(p[i] - '0');
      if (d->mantissa) d->kept++;
      d->exponent -= fraction;
    } else {
      d->lost = true;
      d->exponent += !fraction;
    }
  }
  return i;
}

static bool read_exponent(const char *p, size_t len, size_t i, int *exponent) {
  bool negative = false;
  if (i < len && (p[i] == '+' || p[i] == '-')) negative = p[i++] == '-';
  if (i == len) return false;
  int value = 0;
  for (; i < len; i++) {
    if ((unsigned)(p[i] - '0') > 9) return false;
    if (value < 100000) value = value * 10 + (p[i] - '0');
  }
  *exponent += negative ? -value : value;
  return true;
}

bool bez_parse_number(const char *p, size_t len, double *out, bez_number_form *form) {
  size_t given = len;
  trim(&p, &len);
  if (len == 0) return false;
  bool negative = p[0] == '-', sign = negative || p[0] == '+';
  size_t i = sign, first = i;
  if (i == len) return false;
  if ((unsigned)(p[i] - '0') > 9 && p[i] != '.') {
    if (form) *form = (bez_number_form){0};
    return parse_infinity(p + i, len - i, negative, out);
  }
  digits d = {0};
  i = read_digits(p, len, i, &d, false);
  if (p[first] == '0' && i - first > 1) return false;
  size_t point = i;
  bool has_point = i < len && p[i] == '.', has_exponent = false;
  if (has_point) i = read_digits(p, len, i + 1, &d, true);
  if (!d.any) return false;
  size_t decimals = has_point ? i - point - 1 : 0;
  if (i < len) {
    if ((p[i] | 0x20) != 'e' || !read_exponent(p, len, i + 1, &d.exponent)) return false;
    has_exponent = true;
  }
  if (form)
    *form = (bez_number_form){.integer = !has_point && !has_exponent,
                              .decimals = (uint8_t)(decimals < 255 ? decimals : 255),
                              .plain = given == len && p[0] != '+' && !has_exponent && (!has_point || decimals)};
  double value;
  if (!d.lost && d.mantissa <= (uint64_t)1 << 53 && d.exponent >= -22 && d.exponent <= 22)
    value =
        d.exponent < 0 ? (double)d.mantissa / exact_powers[-d.exponent] : (double)d.mantissa * exact_powers[d.exponent];
  else if (!d.lost && d.mantissa == 0)
    value = 0;
  else if (d.lost || !long_number(d.mantissa, d.exponent, &value))
    return slow_number(p, len, out);
  *out = negative ? -value : value;
  return true;
}

static bool two(const char *p, int *out) {
  unsigned a = (unsigned)(p[0] - '0'), b = (unsigned)(p[1] - '0');
  *out = (int)(a * 10 + b);
  return a < 10 && b < 10;
}

/* Days since 1970-01-01 of a Gregorian date, by whole 400-year eras counted from 1 March. */
static int64_t day_number(int year, int month, int day) {
  int64_t y = year - (month <= 2);
  int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool parse_date(const char *p, int64_t *days) {
  static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int century, year, month, day;
  if (p[4] != '-' || p[7] != '-' || !two(p, &century) || !two(p + 2, &year) || !two(p + 5, &month) || !two(p + 8, &day))
    return false;
  year += century * 100;
  if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1]) return false;
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month == 2 && day == 29 && !leap) return false;
  *days = day_number(year, month, day);
  return true;
}

/* Z, ±HH, ±HHMM or ±HH:MM at the end of the cell; seconds to subtract. */
static bool parse_zone(const char *p, size_t len, int *shift) {
  *shift = 0;
  if (len == 0 || (len == 1 && (*p == 'Z' || *p == 'z'))) return true;
  int hours, minutes = 0;
  if ((*p != '+' && *p != '-') || (len != 3 && len != 5 && len != 6) || !two(p + 1, &hours)) return false;
  if (len == 6 && p[3] != ':') return false;
  if (len > 3 && !two(p + len - 2, &minutes)) return false;
  *shift = (hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
  return hours < 24 && minutes < 60;
}

bool bez_parse_time(const char *p, size_t len, double *out) {
  trim(&p, &len);
  int64_t days;
  if (len < 10 || len > 40 || !parse_date(p, &days)) return false;
  double seconds = (double)(days * 86400);
  if (len > 10) {
    int hour, minute, second = 0, shift;
    if (len < 16 || (p[10] != 'T' && p[10] != ' ' && p[10] != 't') || p[13] != ':' || !two(p + 11, &hour) ||
        !two(p + 14, &minute))
      return false;
    size_t i = 16;
    double fraction = 0, unit = 0.1;
    if (len >= 19 && p[16] == ':') {
      if (!two(p + 17, &second)) return false;
      i = 19;
      if (i < len && p[i] == '.')
        for (i++; i < len && (unsigned)(p[i] - '0') < 10; i++, unit /= 10) fraction += unit * (p[i] - '0');
    }
    if (hour > 24 || minute > 59 || second > 60 || !parse_zone(p + i, len - i, &shift)) return false;
    seconds += hour * 3600 + minute * 60 + second - shift + fraction;
  }
  *out = seconds;
  return true;
}
