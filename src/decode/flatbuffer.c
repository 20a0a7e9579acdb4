/* Tables and vectors of FlatBuffers (flatbuffer.h). */
#include "decode/flatbuffer.h"

static bool within(bez_flat *f, uint64_t at, uint64_t len) {
  if (at <= f->len && len <= f->len - at && f->budget) {
    f->budget--;
    return true;
  }
  f->broken = true;
  return false;
}

uint64_t bez_flat_value(bez_flat *f, uint64_t at, unsigned bytes) {
  uint64_t value = 0;
  if (!within(f, at, bytes)) return 0;
  for (unsigned i = bytes; i-- > 0;) value = value << 8 | f->bytes[at + i];
  return value;
}

/* Where an offset leads: ahead, never to itself. */
static uint64_t follow(bez_flat *f, uint64_t at) {
  const uint64_t offset = bez_flat_value(f, at, 4);
  if (!offset) f->broken = true;
  return offset && within(f, at + offset, 4) ? at + offset : 0;
}

uint64_t bez_flat_root(bez_flat *f) {
  return follow(f, 0);
}

uint64_t bez_flat_field(bez_flat *f, uint64_t table, unsigned number) {
  const int64_t back = (int32_t)bez_flat_value(f, table, 4);
  const uint64_t vtable = (uint64_t)((int64_t)table - back);
  if (!table || f->broken) return 0;
  const uint64_t size = bez_flat_value(f, vtable, 2), slot = 4 + 2 * (uint64_t)number;
  if (f->broken || slot + 2 > size) return 0;
  const uint64_t offset = bez_flat_value(f, vtable + slot, 2);
  return offset ? table + offset : 0;
}

uint64_t bez_flat_number(bez_flat *f, uint64_t table, unsigned number, unsigned bytes, uint64_t otherwise) {
  const uint64_t at = bez_flat_field(f, table, number);
  return at ? bez_flat_value(f, at, bytes) : otherwise;
}

bez_flat_vector bez_flat_items(bez_flat *f, uint64_t table, unsigned number, unsigned item_bytes) {
  const uint64_t field = bez_flat_field(f, table, number), at = field ? follow(f, field) : 0;
  bez_flat_vector v = {0};
  if (!at) return v;
  v.n = (uint32_t)bez_flat_value(f, at, 4);
  v.at = at + 4;
  if (!within(f, v.at, (uint64_t)v.n * item_bytes)) v.n = 0;
  return v;
}

uint64_t bez_flat_table(bez_flat *f, const bez_flat_vector *v, uint32_t i) {
  return i < v->n ? follow(f, v->at + 4 * (uint64_t)i) : 0;
}

char *bez_flat_text(bez_flat *f, uint64_t table, unsigned number, char *out, size_t room) {
  const bez_flat_vector v = bez_flat_items(f, table, number, 1);
  size_t n = v.n < room ? v.n : room - 1;
  for (size_t i = 0; i < n; i++) out[i] = f->bytes[v.at + i] ? (char)f->bytes[v.at + i] : '?';
  out[n] = 0;
  return out;
}
