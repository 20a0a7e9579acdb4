/* The one way to read hostile bytes: a bounds-checked cursor. A failed read leaves the position where it was. */
#ifndef BEZ_BASE_CURSOR_H
#define BEZ_BASE_CURSOR_H

#include "base/buf.h"

typedef struct bez_cursor {
  const uint8_t *data;
  size_t len;
  size_t pos;
} bez_cursor;

static inline size_t bez_cursor_left(const bez_cursor *c) {
  return c->len - c->pos;
}
/* Points *out at n bytes and moves on. */
BEZ_MUST_USE bool bez_cursor_take(bez_cursor *c, size_t n, const uint8_t **out);
BEZ_MUST_USE bool bez_cursor_skip(bez_cursor *c, size_t n);
BEZ_MUST_USE bool bez_cursor_u8(bez_cursor *c, uint8_t *out);
BEZ_MUST_USE bool bez_cursor_le16(bez_cursor *c, uint16_t *out);
BEZ_MUST_USE bool bez_cursor_le32(bez_cursor *c, uint32_t *out);
BEZ_MUST_USE bool bez_cursor_le64(bez_cursor *c, uint64_t *out);
BEZ_MUST_USE bool bez_cursor_f64(bez_cursor *c, double *out);
/* A count read as le64 of items of item_size bytes that the remaining bytes must be able to hold. */
BEZ_MUST_USE bool bez_cursor_count(bez_cursor *c, size_t item_size, uint64_t *out);

/* Writers for the same wire forms. */

void bez_put_le32(bez_buf *buf, uint32_t value);
void bez_put_le64(bez_buf *buf, uint64_t value);
void bez_put_f64(bez_buf *buf, double value);

#endif
