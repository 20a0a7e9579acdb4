/* Growing buffer; see buf.h for the sticky-error rule. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

bool bez_buf_reserve(bez_buf *buf, size_t more) {
  if (buf->failed != BEZ_OK) return false;
  size_t need;
  if (__builtin_add_overflow(buf->len, more, &need) || need == SIZE_MAX || (buf->ceiling && need > buf->ceiling)) {
    buf->failed = BEZ_LIMIT;
    return false;
  }
  if (need < buf->cap) return true; /* strictly: room for the NUL */
  size_t cap = buf->cap ? buf->cap : 256;
  while (cap <= need) cap = cap > SIZE_MAX / 2 ? need + 1 : cap * 2;
  char *data = realloc(buf->data, cap);
  if (!data) {
    buf->failed = BEZ_MEMORY;
    return false;
  }
  buf->data = data;
  buf->cap = cap;
  return true;
}

void bez_buf_write(bez_buf *buf, const void *bytes, size_t len) {
  if (!bez_buf_reserve(buf, len)) return;
  if (len) memcpy(buf->data + buf->len, bytes, len);
  buf->len += len;
  buf->data[buf->len] = '\0';
}

void bez_buf_puts(bez_buf *buf, const char *text) {
  bez_buf_write(buf, text, strlen(text));
}

void bez_buf_putc(bez_buf *buf, char c) {
  bez_buf_write(buf, &c, 1);
}

void bez_buf_printf(bez_buf *buf, const char *fmt, ...) {
  va_list args, again;
  /* It mostly fits where there is room already. */
  size_t room = buf->failed == BEZ_OK && buf->data ? buf->cap - buf->len : 0;
  if (buf->ceiling && room > buf->ceiling - buf->len) room = buf->ceiling - buf->len;
  va_start(args, fmt);
  va_copy(again, args);
  int len = vsnprintf(room ? buf->data + buf->len : NULL, room, fmt, args);
  va_end(args);
  const bool fits = len >= 0 && (size_t)len < room;
  if (!fits && room) buf->data[buf->len] = '\0';
  if (!fits && len >= 0 && bez_buf_reserve(buf, (size_t)len))
    vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, again);
  else if (!fits)
    len = 0;
  buf->len += (size_t)len;
  va_end(again);
}

bez_status bez_buf_status(const bez_buf *buf, bez_error *err) {
  if (buf->failed == BEZ_OK) return BEZ_OK;
  if (buf->failed == BEZ_LIMIT) return bez_fail(err, BEZ_LIMIT, NULL, "output larger than its ceiling");
  return bez_fail_memory(err, buf->cap);
}

void bez_buf_clear(bez_buf *buf) {
  buf->len = 0;
  buf->failed = BEZ_OK;
  if (buf->data) buf->data[0] = '\0';
}

void bez_buf_free(bez_buf *buf) {
  free(buf->data);
  *buf = (bez_buf){.ceiling = buf->ceiling};
}
