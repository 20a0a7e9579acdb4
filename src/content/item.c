/* Items as they are stored, read and hashed. */
#include "content/item.h"

#include <string.h>

#include "crypto/sha256.h"

enum { VARINT_MOST = 10, DIGEST = 32 };

void bez_put_varint(bez_buf *out, uint64_t value) {
  uint8_t bytes[VARINT_MOST];
  size_t n = 0;
  for (; value >= 0x80; value >>= 7) bytes[n++] = (uint8_t)(value | 0x80);
  bytes[n++] = (uint8_t)value;
  bez_buf_write(out, bytes, n);
}

bool bez_cursor_varint(bez_cursor *c, uint64_t *out) {
  uint64_t value = 0;
  for (size_t i = 0; i < VARINT_MOST && c->pos + i < c->len; i++) {
    uint8_t byte = c->data[c->pos + i];
    if (i == VARINT_MOST - 1 && byte > 1) return false; /* more than 64 bits */
    value |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte & 0x80) continue;
    if (byte == 0 && i > 0) return false; /* there is a shorter form */
    c->pos += i + 1;
    *out = value;
    return true;
  }
  return false;
}

void bez_item_write(bez_buf *out, const bez_item *item) {
  bez_buf_putc(out, (char)item->type);
  bez_put_varint(out, item->head_len);
  bez_buf_write(out, item->head, item->head_len);
  bez_put_varint(out, item->body_len);
  bez_buf_write(out, item->body, item->body_len);
}

static bool take_text(bez_cursor *c, const char **text, size_t *len) {
  uint64_t n;
  const uint8_t *bytes;
  if (!bez_cursor_varint(c, &n) || n > bez_cursor_left(c) || !bez_cursor_take(c, (size_t)n, &bytes)) return false;
  *text = (const char *)bytes;
  *len = (size_t)n;
  return true;
}

bool bez_item_next(bez_cursor *c, bez_item *out) {
  bez_cursor at = *c;
  uint8_t type;
  if (!bez_cursor_u8(&at, &type) || type < BEZ_ITEM_FILE || type > BEZ_ITEM_DIGEST) return false;
  out->type = (bez_item_type)type;
  if (!take_text(&at, &out->head, &out->head_len) || !take_text(&at, &out->body, &out->body_len)) return false;
  if (out->type == BEZ_ITEM_DIGEST && out->body_len != DIGEST) return false;
  *c = at;
  return true;
}

void bez_item_hash(const bez_item *item, const uint8_t raw[32], const uint8_t canonical[32], uint8_t out[32]) {
  uint8_t front[2 + 2 * DIGEST] = {0, (uint8_t)item->type}; /* 0: leaves and nodes of a Merkle tree are hashed apart */
  memcpy(front + 2, raw, DIGEST);
  memcpy(front + 2 + DIGEST, canonical, DIGEST);
  if (!item->head_len) {
    bez_sha256(front, sizeof front, out);
    return;
  }
  bez_sha256_state state;
  bez_sha256_begin(&state);
  bez_sha256_add(&state, front, sizeof front);
  bez_sha256_add(&state, item->head, item->head_len);
  bez_sha256_end(&state, out);
}
