/* Records of a pack's directory as bytes: fixed sizes, little endian, so that a mapped directory is searched in place.
 */
#include <string.h>

#include "base/cursor.h"
#include "content/pack.h"

static uint32_t le32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t le64(const uint8_t *p) {
  return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

void bez_put_block_record(bez_buf *out, const bez_block_record *record) {
  bez_put_le64(out, record->offset);
  bez_put_le32(out, record->stored);
  bez_put_le32(out, record->raw);
  bez_put_le32(out, record->codec);
  bez_put_le32(out, 0);
  bez_buf_write(out, record->sha256, sizeof record->sha256);
}

void bez_get_block_record(const uint8_t *bytes, bez_block_record *out) {
  out->offset = le64(bytes);
  out->stored = le32(bytes + 8);
  out->raw = le32(bytes + 12);
  out->codec = le32(bytes + 16);
  memcpy(out->sha256, bytes + 24, sizeof out->sha256);
}

void bez_put_object_record(bez_buf *out, const bez_object_record *record) {
  bez_buf_write(out, record->id.bytes, BEZ_ID);
  bez_put_le32(out, record->block);
  bez_put_le32(out, record->offset);
  bez_put_le32(out, record->len);
  bez_put_le32(out, record->kind);
}

void bez_get_object_record(const uint8_t *bytes, bez_object_record *out) {
  memcpy(out->id.bytes, bytes, BEZ_ID);
  out->block = le32(bytes + 32);
  out->offset = le32(bytes + 36);
  out->len = le32(bytes + 40);
  out->kind = le32(bytes + 44);
}

void bez_put_refer_record(bez_buf *out, const bez_refer_record *record) {
  bez_put_le64(out, record->offset);
  bez_put_le64(out, record->len);
  bez_put_le32(out, record->path);
  bez_put_le32(out, record->block);
  bez_put_le32(out, record->frame_offset);
  bez_put_le32(out, record->frame_len);
}

void bez_get_refer_record(const uint8_t *bytes, bez_refer_record *out) {
  out->offset = le64(bytes);
  out->len = le64(bytes + 8);
  out->path = le32(bytes + 16);
  out->block = le32(bytes + 20);
  out->frame_offset = le32(bytes + 24);
  out->frame_len = le32(bytes + 28);
}

uint64_t bez_pack_dir_len(const bez_pack_shape *shape) {
  return shape->blocks * BEZ_PACK_BLOCK + shape->objects * BEZ_PACK_OBJECT + shape->refers * BEZ_PACK_REFER +
         shape->paths_len;
}

uint64_t bez_pack_pages(const bez_pack_shape *shape) {
  return (bez_pack_dir_len(shape) + BEZ_PACK_PAGE - 1) / BEZ_PACK_PAGE;
}

void bez_put_footer(bez_buf *out, const bez_pack_shape *shape) {
  bez_buf_write(out, BEZ_PACK_END, 8);
  bez_put_le64(out, shape->blocks);
  bez_put_le64(out, shape->objects);
  bez_put_le64(out, shape->refers);
  bez_put_le64(out, shape->paths_len);
  bez_put_le64(out, shape->dir_offset);
}

bool bez_get_footer(const uint8_t *bytes, uint64_t file_size, bez_pack_shape *out) {
  if (memcmp(bytes, BEZ_PACK_END, 8) != 0) return false;
  *out = (bez_pack_shape){le64(bytes + 8), le64(bytes + 16), le64(bytes + 24), le64(bytes + 32), le64(bytes + 40)};
  /* Numbers that cannot overflow once they are known to fit into the file. */
  if (out->blocks > UINT32_MAX || out->objects > UINT32_MAX || out->refers > UINT32_MAX) return false;
  if (out->paths_len > file_size || out->dir_offset > file_size) return false;
  return out->dir_offset + bez_pack_dir_len(out) + bez_pack_pages(out) * 32 + BEZ_PACK_FOOTER == file_size;
}
