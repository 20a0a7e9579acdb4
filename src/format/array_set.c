/* Values back into items of arrays: the reverse of array_number.c and array_push.c. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "format/array.h"
#include "format/cell.h"

static void put_bits(const bez_field *f, uint64_t bits, uint8_t *item) {
  if (f->swap) bits = __builtin_bswap64(bits) >> (64 - 8 * f->size);
  memcpy(item, &bits, f->size);
}

/* IEEE 754 binary16, to nearest even. */
static uint16_t half_bits(double v) {
  uint16_t sign = signbit(v) ? 0x8000 : 0;
  double a = fabs(v);
  int exponent;
  if (isnan(v)) return 0x7E00;
  if (a >= 65520) return sign | 0x7C00;
  if (a < 0x1p-14) return sign | (uint16_t)nearbyint(a * 0x1p24);
  unsigned scaled = (unsigned)nearbyint(ldexp(frexp(a, &exponent), 11)); /* 1024 … 2048 */
  return (uint16_t)(sign | (((unsigned)(exponent + 14) << 10) + (scaled - 1024)));
}

static void put_float(const bez_field *f, double value, uint8_t *item) {
  uint64_t bits = 0;
  float single = (float)value;
  if (f->size == 2)
    bits = half_bits(value);
  else if (f->size == 4)
    memcpy(&bits, &single, sizeof single);
  else
    memcpy(&bits, &value, sizeof value);
  put_bits(f, bits, item);
}

void bez_array_set_number(const bez_field *f, double value, uint8_t *item) {
  bool is_signed = f->kind == BEZ_ITEM_INT;
  if (f->kind == BEZ_ITEM_FLOAT) {
    put_float(f, value, item);
    return;
  }
  if (f->kind == BEZ_ITEM_BOOL) {
    *item = value >= .5;
    return;
  }
  double most = ldexp(1, 8 * (int)f->size - is_signed), least = is_signed ? -most : 0;
  if (!(value > least))
    put_bits(f, is_signed ? (uint64_t)1 << (8 * f->size - 1) : 0, item);
  else if (value >= most - 1)
    put_bits(f, UINT64_MAX >> (64 - 8 * f->size + is_signed), item);
  else
    put_bits(f, is_signed ? (uint64_t)llround(value) : (uint64_t)(value + .5), item);
}

static bool whole_number(const bez_field *f, const char *text, uint64_t *bits) {
  char *end;
  unsigned width = 8 * (unsigned)f->size;
  errno = 0;
  if (f->kind == BEZ_ITEM_UINT) {
    *bits = strtoull(text, &end, 10);
    return !errno && !*end && *text != '-' && (width == 64 || *bits >> width == 0);
  }
  long long v = strtoll(text, &end, 10);
  *bits = (uint64_t)v;
  return !errno && !*end && (width == 64 || (v >= -(1LL << (width - 1)) && v < 1LL << (width - 1)));
}

static bool put_ucs4(const bez_field *f, const char *text, size_t len, uint8_t *item) {
  uint64_t at = 0;
  memset(item, 0, f->size);
  for (size_t i = 0; i < len; at += 4) {
    uint32_t cp;
    if (at == f->size) return false;
    i += bez_utf8_decode(text + i, len - i, &cp, NULL);
    if (f->swap) cp = __builtin_bswap32(cp);
    memcpy(item + at, &cp, 4);
  }
  return true;
}

static bool put_text(const bez_field *f, const char *text, size_t len, uint8_t *item) {
  char number[64];
  uint64_t bits;
  double value;
  if (f->kind == BEZ_ITEM_UCS4) return put_ucs4(f, text, len, item);
  if (f->kind == BEZ_ITEM_BYTES) {
    if (len > f->size) return false;
    memset(item, 0, f->size);
    memcpy(item, text, len);
    return true;
  }
  if (len == 0 || len >= sizeof number) return false;
  memcpy(number, text, len);
  number[len] = 0;
  if (f->kind == BEZ_ITEM_BOOL) {
    *item = strcmp(number, "true") == 0;
    return *item || strcmp(number, "false") == 0;
  }
  if (f->kind == BEZ_ITEM_FLOAT) {
    if (!bez_parse_number(text, len, &value, NULL)) return false;
    put_float(f, value, item);
    return true;
  }
  if (!whole_number(f, number, &bits)) return false;
  put_bits(f, bits & UINT64_MAX >> (64 - 8 * f->size), item);
  return true;
}

bez_status bez_array_set_text(const bez_field *f, const char *text, size_t len, uint8_t *item, bez_error *err) {
  if (f->kind == BEZ_ITEM_TIME || f->kind == BEZ_ITEM_SPAN)
    return bez_fail(err, BEZ_UNSUPPORTED, f->name, "times in arrays are not rewritten");
  if (put_text(f, text, len, item)) return BEZ_OK;
  return bez_fail(err, BEZ_USAGE, f->name, "\"%.*s\" does not fit into the items of this array",
                  len > 60 ? 60 : (int)len, text);
}
