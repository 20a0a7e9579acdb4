/* Numbers and times as text (celltext.h). Most doubles in tables are integers or short decimals: k / 10^d with
 * k < 2^53 and d ≤ 6 is correctly rounded, so when it gives the number back, its digits are the spelling sought and
 * the slow general way is not needed. */
#include "format/celltext.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

size_t bez_text_uint(uint64_t value, char *out) {
  char back[20];
  size_t n = 0;
  do {
    back[n++] = (char)('0' + value % 10);
    value /= 10;
  } while (value);
  for (size_t i = 0; i < n; i++) out[i] = back[n - 1 - i];
  return n;
}

size_t bez_text_int(int64_t value, char *out) {
  if (value >= 0) return bez_text_uint((uint64_t)value, out);
  *out = '-';
  return 1 + bez_text_uint(0 - (uint64_t)value, out + 1);
}

/* `width` digits, zeros in front. */
static size_t padded(uint64_t value, unsigned width, char *out) {
  for (unsigned i = width; i-- > 0; value /= 10) out[i] = (char)('0' + value % 10);
  return width;
}

static const double power10[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
#define MAX_DECIMALS 6

/* k / 10^d as digits, d ≥ 1. */
static size_t fixed_text(int64_t k, int d, char *out) {
  uint64_t scale = (uint64_t)power10[d], a = k < 0 ? 0 - (uint64_t)k : (uint64_t)k;
  size_t n = 0;
  if (k < 0) out[n++] = '-';
  n += bez_text_uint(a / scale, out + n);
  out[n++] = '.';
  return n + padded(a % scale, (unsigned)d, out + n);
}

static size_t infinite(double value, char *out) {
  const char *text = value > 0 ? "inf" : "-inf";
  memcpy(out, text, strlen(text));
  return strlen(text);
}

#if LDBL_MANT_DIG >= 64
/* v = 0.0001 … 10^15 with `digits` significant digits, as bez_format_double would choose them: 0 where 80-bit
 * arithmetic cannot be sure (a tie too close to call), -1 where so few digits do not read back as v. */
static int try_digits(double v, int digits, int exponent, int64_t *out, int *decimals) {
  static const long double power[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,  1e10L,
                                      1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L, 1e21L};
  int d = digits - 1 - exponent;
  if (d < 0 || d > 21) return 0;
  long double scaled = (long double)v * power[d], k = floorl(scaled), rest = scaled - k;
  if (rest > 0.48L && rest < 0.52L) return 0;
  if (rest >= 0.5L) k += 1;
  long double half_ulp = (long double)(nextafter(v, INFINITY) - v) / 2, off = fabsl(k / power[d] - (long double)v);
  /* Just above a power of two the gap below is half as wide. */
  if (off > half_ulp * 0.48L && off < half_ulp * 1.02L) return 0;
  *out = (int64_t)k;
  *decimals = d;
  return off < half_ulp ? 1 : -1;
}

/* The shortest of 15, 16 and 17 digits, in fixed notation; 0: ask the general way. */
static size_t quick_text(double value, char *out) {
  double v = fabs(value);
  if (!(v >= 1e-4 && v < 1e15)) return 0;
  int64_t k = 0;
  int decimals = 0, exponent = (int)floor(log10(v)), known = -1;
  for (int digits = 15; digits <= 17 && known < 0; digits++) known = try_digits(v, digits, exponent, &k, &decimals);
  if (known <= 0) return 0;
  for (; decimals > 0 && k % 10 == 0; decimals--) k /= 10;
  uint64_t scale = 1;
  for (int i = 0; i < decimals && i < 19; i++) scale *= 10;
  if (decimals > 19) return 0;
  size_t n = 0;
  if (value < 0) out[n++] = '-';
  n += bez_text_uint((uint64_t)k / scale, out + n);
  if (decimals == 0) return n;
  out[n++] = '.';
  return n + padded((uint64_t)k % scale, (unsigned)decimals, out + n);
}
#else
static size_t quick_text(double value, char *out) {
  return 0;
}
#endif

size_t bez_text_double(double value, char *out) {
  if (isnan(value)) return 0;
  if (isinf(value)) return infinite(value, out);
  if (fabs(value) < 9e15 && (double)(int64_t)value == value) return bez_text_int((int64_t)value, out);
  for (int d = 1; d <= MAX_DECIMALS && fabs(value) < 9e8; d++) {
    double k = nearbyint(value * power10[d]);
    if (k / power10[d] == value && k != 0) return fixed_text((int64_t)k, d, out);
  }
  size_t quick = quick_text(value, out);
  if (quick) return quick;
  char text[32];
  size_t n = bez_format_double(value, text);
  memcpy(out, text, n);
  return n;
}

size_t bez_text_float(float value, char *out) {
  double wide = (double)value;
  if (isnan(wide)) return 0;
  if (isinf(wide)) return infinite(wide, out);
  if (fabs(wide) < 1e9 && (double)(int64_t)wide == wide) return bez_text_int((int64_t)wide, out);
  for (int d = 1; d <= MAX_DECIMALS && fabs(wide) < 1e8; d++) {
    double k = nearbyint(wide * power10[d]);
    if ((float)(k / power10[d]) == value && k != 0) return fixed_text((int64_t)k, d, out);
  }
  char text[40];
  int n = 0;
  for (int digits = 6; digits <= 9; digits++) {
    n = snprintf(text, sizeof text, "%.*g", digits, wide);
    if (strtof(text, NULL) == value) break;
  }
  for (int i = 0; i < n; i++) out[i] = text[i] == ',' ? '.' : text[i]; /* a locale may have its own point */
  return (size_t)n;
}

size_t bez_text_half(uint16_t bits, char *out) {
  int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  double value = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
                 : exponent == 0 ? ldexp(fraction, -24)
                                 : ldexp(1024 + fraction, exponent - 25);
  return bez_text_double(bits >> 15 ? -value : value, out);
}

static int64_t floor_div(int64_t a, int64_t b, int64_t *rest) {
  int64_t q = a / b, r = a % b;
  if (r < 0) {
    r += b;
    q--;
  }
  *rest = r;
  return q;
}

/* Days since 1970-01-01 to the proleptic Gregorian calendar, counting eras of 400 years from 0000-03-01. */
static bool civil(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
  if (days < -719162 || days > 2932896) return false; /* 0001-01-01 … 9999-12-31 */
  int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
  *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
  *year = yoe + era * 400 + (*month <= 2);
  return true;
}

size_t bez_text_date(int64_t days, char *out) {
  int64_t year;
  unsigned month, day;
  if (!civil(days, &year, &month, &day)) return bez_text_int(days, out);
  size_t n = padded((uint64_t)year, 4, out);
  out[n++] = '-';
  n += padded(month, 2, out + n);
  out[n++] = '-';
  return n + padded(day, 2, out + n);
}

size_t bez_text_month(int64_t months, char *out) {
  int64_t month, year = floor_div(months, 12, &month);
  if (year < -1969 || year > 8029) return bez_text_int(months, out);
  size_t n = padded((uint64_t)(year + 1970), 4, out);
  out[n++] = '-';
  n += padded((uint64_t)month + 1, 2, out + n);
  memcpy(out + n, "-01", 3);
  return n + 3;
}

/* Seconds within a day and the ticks behind them, trailing zeros dropped. */
static size_t clock_text(int64_t second, int64_t tick, int64_t per_second, char *out) {
  size_t n = padded((uint64_t)(second / 3600), 2, out);
  out[n++] = ':';
  n += padded((uint64_t)(second / 60 % 60), 2, out + n);
  out[n++] = ':';
  n += padded((uint64_t)(second % 60), 2, out + n);
  if (tick == 0) return n;
  unsigned width = 0;
  for (int64_t p = per_second; p > 1; p /= 10) width++;
  out[n++] = '.';
  n += padded((uint64_t)tick, width, out + n);
  while (out[n - 1] == '0') n--;
  return n;
}

size_t bez_text_time(int64_t ticks, int64_t per_second, char *out) {
  int64_t tick, second, seconds = floor_div(ticks, per_second, &tick), days = floor_div(seconds, 86400, &second), year;
  unsigned month, day;
  if (!civil(days, &year, &month, &day)) return bez_text_int(ticks, out);
  size_t n = bez_text_date(days, out);
  out[n++] = 'T';
  return n + clock_text(second, tick, per_second, out + n);
}

size_t bez_text_clock(int64_t ticks, int64_t per_second, char *out) {
  int64_t tick, seconds = floor_div(ticks, per_second, &tick);
  if (seconds < 0 || seconds >= 86400) return bez_text_int(ticks, out);
  return clock_text(seconds, tick, per_second, out);
}

size_t bez_text_decimal(uint64_t low, int64_t high, int scale, char *out) {
  bool negative = high < 0;
  unsigned __int128 value = ((unsigned __int128)(uint64_t)high << 64) | low;
  if (negative) value = 0 - value;
  char back[48];
  int n = 0, sign = negative ? 1 : 0;
  size_t used = 0;
  while (value || n <= scale) {
    back[n++] = (char)('0' + (unsigned)(value % 10));
    value /= 10;
  }
  if (sign) out[used++] = '-';
  for (int i = n; i-- > 0;) {
    out[used++] = back[i];
    if (i == scale && scale > 0) out[used++] = '.';
  }
  return used;
}
