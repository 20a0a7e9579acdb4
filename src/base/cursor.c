/* Bounds-checked reads; little endian on every machine. */
#include "base/cursor.h"

#include <string.h>

#include "base/buf.h"

bool bez_cursor_take(bez_cursor *c, size_t n, const uint8_t **out) {
  if (n > bez_cursor_left(c)) return false;
  *out = c->data + c->pos;
  c->pos += n;
  return true;
}

bool bez_cursor_skip(bez_cursor *c, size_t n) {
  const uint8_t *ignored;
  return bez_cursor_take(c, n, &ignored);
}

static bool take_le(bez_cursor *c, size_t n, uint64_t *out) {
  const uint8_t *p;
  if (!bez_cursor_take(c, n, &p)) return false;
  uint64_t value = 0;
  for (size_t i = 0; i < n; i++) value |= (uint64_t)p[i] << (8 * i);
  *out = value;
  return true;
}

bool bez_cursor_u8(bez_cursor *c, uint8_t *out) {
  uint64_t v;
  if (!take_le(c, 1, &v)) return false;
  *out = (uint8_t)v;
  return true;
}

bool bez_cursor_le16(bez_cursor *c, uint16_t *out) {
  uint64_t v;
  if (!take_le(c, 2, &v)) return false;
  *out = (uint16_t)v;
  return true;
}

bool bez_cursor_le32(bez_cursor *c, uint32_t *out) {
  uint64_t v;
  if (!take_le(c, 4, &v)) return false;
  *out = (uint32_t)v;
  return true;
}

bool bez_cursor_le64(bez_cursor *c, uint64_t *out) {
  return take_le(c, 8, out);
}

bool bez_cursor_f64(bez_cursor *c, double *out) {
  uint64_t v;
  if (!take_le(c, 8, &v)) return false;
  memcpy(out, &v, 8);
  return true;
}

bool bez_cursor_count(bez_cursor *c, size_t item_size, uint64_t *out) {
  bez_cursor copy = *c;
  uint64_t n;
  if (!bez_cursor_le64(&copy, &n) || (item_size && n > bez_cursor_left(&copy) / item_size)) return false;
  *c = copy;
  *out = n;
  return true;
}

static void put_le(bez_buf *buf, uint64_t value, size_t n) {
  uint8_t bytes[8];
  for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(value >> (8 * i));
  bez_buf_write(buf, bytes, n);
}

void bez_put_le32(bez_buf *buf, uint32_t value) {
  put_le(buf, value, 4);
}

void bez_put_le64(bez_buf *buf, uint64_t value) {
  put_le(buf, value, 8);
}

void bez_put_f64(bez_buf *buf, double value) {
  uint64_t v;
  memcpy(&v, &value, 8);
  put_le(buf, v, 8);
}
