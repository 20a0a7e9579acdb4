/* SSH's wire forms and armor. */
#include "crypto/ssh_wire.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"

#define COLUMNS 70u
#define MAX_ARMOR (1u << 20)

bool bez_ssh_take_u32(bez_cursor *c, uint32_t *out) {
  const uint8_t *p;
  if (!bez_cursor_take(c, 4, &p)) return false;
  *out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
  return true;
}

bool bez_ssh_take(bez_cursor *c, const uint8_t **bytes, size_t *len) {
  const size_t from = c->pos;
  uint32_t n;
  if (bez_ssh_take_u32(c, &n) && bez_cursor_take(c, n, bytes)) {
    *len = n;
    return true;
  }
  c->pos = from;
  return false;
}

bool bez_ssh_take_part(bez_cursor *c, bez_cursor *part) {
  *part = (bez_cursor){0};
  return bez_ssh_take(c, &part->data, &part->len);
}

bool bez_ssh_take_text(bez_cursor *c, const char *text) {
  const size_t from = c->pos;
  const uint8_t *p;
  size_t n;
  if (bez_ssh_take(c, &p, &n) && n == strlen(text) && !memcmp(p, text, n)) return true;
  c->pos = from;
  return false;
}

bool bez_ssh_take_mpint(bez_cursor *c, const uint8_t **bytes, size_t *len) {
  const size_t from = c->pos;
  if (bez_ssh_take(c, bytes, len) && *len) {
    const uint8_t *p = *bytes;
    const bool padded = !p[0];
    const bool shortest = !padded || (*len > 1 && p[1] & 0x80);
    if (shortest && !(p[0] & 0x80)) {
      *bytes += padded;
      *len -= padded;
      return true;
    }
  }
  c->pos = from;
  return false;
}

void bez_ssh_put_u32(bez_buf *out, uint32_t value) {
  const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
  bez_buf_write(out, bytes, 4);
}

void bez_ssh_put(bez_buf *out, const void *bytes, size_t len) {
  bez_ssh_put_u32(out, (uint32_t)len);
  if (len) bez_buf_write(out, bytes, len);
}

void bez_ssh_put_text(bez_buf *out, const char *text) {
  bez_ssh_put(out, text, strlen(text));
}

void bez_ssh_armor(bez_buf *out, const char *kind, const void *bytes, size_t len) {
  bez_buf text = {0};
  if (len > MAX_ARMOR || !bez_buf_reserve(&text, len / 3 * 4 + 8)) {
    out->failed = len > MAX_ARMOR ? BEZ_LIMIT : BEZ_MEMORY;
    return;
  }
  bez_base64_put(&text, bytes, len);
  bez_buf_printf(out, "-----BEGIN %s-----\n", kind);
  for (size_t i = 0; i < text.len; i += COLUMNS) {
    bez_buf_write(out, text.data + i, text.len - i < COLUMNS ? text.len - i : COLUMNS);
    bez_buf_putc(out, '\n');
  }
  bez_buf_printf(out, "-----END %s-----\n", kind);
  OPENSSL_cleanse(text.data, text.cap);
  bez_buf_free(&text);
}

/* The base64 digits of [text, end) behind each other, without line ends. NULL: out of memory. */
static char *gather(const char *text, const char *end, size_t *len) {
  char *digits = malloc((size_t)(end - text) + 1);
  *len = 0;
  for (; digits && text < end; text++)
    if (*text != '\n' && *text != '\r') digits[(*len)++] = *text;
  return digits;
}

bez_status bez_ssh_unarmor(const char *text, size_t len, const char *kind, const char *subject, bez_buf *out,
                           size_t *used, bez_error *err) {
  char begin[64], end[64];
  size_t n = 0, size = 0;
  const size_t head = (size_t)snprintf(begin, sizeof begin, "-----BEGIN %s-----", kind);
  const size_t tail = (size_t)snprintf(end, sizeof end, "-----END %s-----", kind);
  if (len < head || memcmp(text, begin, head) != 0)
    return bez_fail(err, BEZ_FORMAT, subject, "does not begin with %s", begin);
  const char *stop = memmem(text + head, len - head, end, tail);
  if (!stop) return bez_fail(err, BEZ_FORMAT, subject, "ends before %s", end);
  if ((size_t)(stop - text) > MAX_ARMOR) return bez_fail(err, BEZ_LIMIT, subject, "%s of more than 1 MiB", kind);
  char *digits = gather(text + head, stop, &n);
  bez_status st = BEZ_OK;
  if (!digits) return bez_fail_memory(err, (size_t)(stop - text));
  bez_buf_clear(out);
  if (!bez_base64_size(digits, n, &size)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "%s is not base64", kind));
  if (!bez_buf_reserve(out, size + 1)) BEZ_TRY(bez_buf_status(out, err));
  if (!bez_base64_get(digits, n, (uint8_t *)out->data, size))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "%s is not base64", kind));
  out->len = size;
  stop += tail;
  if (stop < text + len && *stop == '\r') stop++;
  if (stop < text + len && *stop == '\n') stop++;
  *used = (size_t)(stop - text);
cleanup:
  OPENSSL_cleanse(digits, n);
  free(digits);
  return st;
}
