/* Fields of Protocol Buffers messages (protobuf.h). */
#include "decode/protobuf.h"

#include <string.h>

enum { START_GROUP = 3, END_GROUP = 4, LONGEST_VARINT = 10 };

bool bez_proto_varint(bez_cursor *c, uint64_t *out) {
  uint64_t value = 0;
  uint8_t byte;
  for (unsigned i = 0; i < LONGEST_VARINT && bez_cursor_u8(c, &byte); i++) {
    value |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte & 0x80) continue;
    *out = value;
    return true;
  }
  return false;
}

static bool take(bez_cursor *c, bez_proto_field *f) {
  uint64_t key, len;
  uint32_t word;
  if (!bez_proto_varint(c, &key) || key >> 3 == 0 || key > UINT32_MAX) return false;
  *f = (bez_proto_field){.number = (uint32_t)(key >> 3), .wire = (uint32_t)(key & 7)};
  switch (f->wire) {
    case BEZ_PROTO_VARINT: return bez_proto_varint(c, &f->value);
    case BEZ_PROTO_FIXED64: return bez_cursor_le64(c, &f->value);
    case BEZ_PROTO_BYTES:
      if (!bez_proto_varint(c, &len) || len > bez_cursor_left(c)) return false;
      f->len = (size_t)len;
      return bez_cursor_take(c, f->len, &f->bytes);
    case BEZ_PROTO_FIXED32:
      if (!bez_cursor_le32(c, &word)) return false;
      f->value = word;
      return true;
    default: return f->wire == START_GROUP || f->wire == END_GROUP;
  }
}

/* Steps behind the end of a group; what is in it belongs to no format read here. */
static bool skip_group(bez_cursor *c, uint32_t number) {
  uint32_t open[BEZ_PROTO_DEPTH] = {number};
  unsigned depth = 1;
  bez_proto_field f;
  while (depth && take(c, &f)) {
    if (f.wire == START_GROUP) {
      if (depth == BEZ_PROTO_DEPTH) return false;
      open[depth++] = f.number;
    } else if (f.wire == END_GROUP && open[--depth] != f.number) {
      return false;
    }
  }
  return depth == 0;
}

bool bez_proto_next(bez_cursor *c, bez_proto_field *out) {
  bez_cursor ahead = *c;
  while (ahead.pos < ahead.len) {
    if (!take(&ahead, out) || out->wire == END_GROUP) return false;
    const bool group = out->wire == START_GROUP;
    if (group && !skip_group(&ahead, out->number)) return false;
    c->pos = ahead.pos;
    if (!group) return true;
  }
  return false;
}

bez_cursor bez_proto_inside(const bez_proto_field *field) {
  return (bez_cursor){.data = field->bytes, .len = field->len};
}

bool bez_proto_is(const bez_proto_field *field, uint32_t number, uint32_t wire) {
  return field->number == number && field->wire == wire;
}

bool bez_proto_equals(const bez_proto_field *field, const char *text) {
  return field->len == strlen(text) && memcmp(field->bytes ? field->bytes : (const uint8_t *)"", text, field->len) == 0;
}

bool bez_proto_find(bez_cursor message, uint32_t number, bez_proto_field *out) {
  while (bez_proto_next(&message, out))
    if (bez_proto_is(out, number, BEZ_PROTO_BYTES)) return true;
  return false;
}

bool bez_proto_whole(bez_cursor message) {
  bez_proto_field f;
  while (bez_proto_next(&message, &f)) {
  }
  return message.pos == message.len;
}

bool bez_proto_last(bez_proto_field *kept, const bez_proto_field *next) {
  const bool differs =
      kept->number && (kept->len != next->len || (next->len && memcmp(kept->bytes, next->bytes, next->len) != 0));
  *kept = *next;
  return differs;
}

char *bez_proto_text(const bez_proto_field *field, char *out, size_t room) {
  const size_t n = field->len < room ? field->len : room - 1;
  for (size_t i = 0; i < n; i++) out[i] = field->bytes[i] ? (char)field->bytes[i] : '?';
  out[n] = 0;
  return out;
}
