/* Deflate with a bound on what comes out (inflate.h). */
#include "decode/inflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/limits.h"

bool bez_is_bomb(struct bez_model_out *out, uint32_t part, uint64_t packed, uint64_t unpacked) {
  if (unpacked < BEZ_BOMB_FLOOR || unpacked / BEZ_BOMB_RATIO < packed + 1) return false;
  bez_model_odd(out, part, 0, "bomb", "more than %u times as much comes out as goes in; unpacking was stopped",
                BEZ_BOMB_RATIO);
  bez_model_unread(out, part, "a decompression bomb");
  return true;
}

static bool more_room(bez_inflated *made, size_t *room, struct bez_model_out *out, uint32_t part) {
  size_t next = *room ? 2 * *room : 1u << 16;
  if (!bez_model_may_unpack(out, part, next - *room)) return false;
  uint8_t *bytes = realloc(made->bytes, next);
  if (!bytes) return false;
  made->bytes = bytes;
  *room = next;
  return true;
}

void bez_inflate(const uint8_t *data, size_t len, int window, struct bez_model_out *out, uint32_t part,
                 bez_inflated *made) {
  z_stream z = {0};
  size_t room = 0;
  int r = Z_OK;
  *made = (bez_inflated){0};
  if (inflateInit2(&z, window) != Z_OK) return;
  z.next_in = (Bytef *)(uintptr_t)data;
  while (r == Z_OK) {
    if (made->len == room && (bez_is_bomb(out, part, made->used, made->len) || !more_room(made, &room, out, part)))
      break;
    size_t left = len - made->used;
    z.avail_in = (uInt)(left < 1u << 30 ? left : 1u << 30);
    uInt in = z.avail_in, space = (uInt)(room - made->len < 1u << 30 ? room - made->len : 1u << 30);
    z.next_out = made->bytes + made->len;
    z.avail_out = space;
    r = inflate(&z, Z_NO_FLUSH);
    made->used += in - z.avail_in;
    made->len += space - z.avail_out;
    if (r == Z_BUF_ERROR && made->len == room && room) r = Z_OK;
  }
  made->whole = r == Z_STREAM_END;
  inflateEnd(&z);
}
