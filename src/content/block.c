/* Blocks: objects behind each other, packed together, with one digest over what is stored. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"
#include "content/pack.h"
#include "crypto/sha256.h"

/* Rows of text: 0.54 of their bytes at level 1, 0.80 at -1, in about the same time. */
enum { LEVEL = 1, SAMPLE = 4096, SAMPLES = 3 };

struct bez_packer {
  ZSTD_CCtx *zstd;
};

bez_status bez_packer_create(bez_packer **out, bez_error *err) {
  bez_packer *packer = calloc(1, sizeof *packer);
  if (packer) packer->zstd = ZSTD_createCCtx();
  if (!packer || !packer->zstd) {
    free(packer);
    return bez_fail_memory(err, sizeof *packer);
  }
  *out = packer;
  return BEZ_OK;
}

void bez_packer_free(bez_packer *packer) {
  if (!packer) return;
  ZSTD_freeCCtx(packer->zstd);
  free(packer);
}

bez_status bez_block_create(bez_block **out, bez_error *err) {
  bez_block *block = calloc(1, sizeof *block);
  if (!block) return bez_fail_memory(err, sizeof *block);
  *out = block;
  return BEZ_OK;
}

void bez_block_free(bez_block *block) {
  if (!block) return;
  bez_buf_free(&block->raw);
  bez_buf_free(&block->stored);
  bez_packer_free(block->packer);
  free(block->objects);
  free(block);
}

void bez_block_clear(bez_block *block) {
  bez_buf_clear(&block->raw);
  bez_buf_clear(&block->stored);
  block->n = 0;
  block->sealed = false;
}

static bez_status room_for_object(bez_block *block, bez_error *err) {
  if (block->n < block->cap) return BEZ_OK;
  size_t cap = block->cap ? block->cap * 2 : 64;
  bez_object_record *objects = realloc(block->objects, cap * sizeof *objects);
  if (!objects) return bez_fail_memory(err, cap * sizeof *objects);
  block->objects = objects;
  block->cap = cap;
  return BEZ_OK;
}

bez_status bez_block_put(bez_block *block, bez_object_kind kind, const void *bytes, size_t len, bool id_known,
                         bez_id *id, bez_error *err) {
  if (block->sealed) return bez_fail(err, BEZ_INTERNAL, NULL, "a sealed block takes nothing more");
  if (len > BEZ_MAX_OBJECT || block->raw.len > BEZ_MAX_OBJECT)
    return bez_fail(err, BEZ_LIMIT, NULL, "an object of %zu bytes is larger than the ceiling of %u", len,
                    BEZ_MAX_OBJECT);
  bez_status st = room_for_object(block, err);
  if (st != BEZ_OK) return st;
  if (!id_known) bez_sha256(bytes, len, id->bytes);
  block->objects[block->n] = (bez_object_record){*id, 0, (uint32_t)block->raw.len, (uint32_t)len, (uint32_t)kind};
  bez_buf_write(&block->raw, bytes, len);
  st = bez_buf_status(&block->raw, err);
  if (st == BEZ_OK) block->n++;
  return st;
}

size_t bez_block_bytes(const bez_block *block) {
  return block->raw.len;
}

/* Pictures and other packed bytes would cost their full time for nothing: three samples tell. What is stored follows
 * from the bytes alone. */
static bool samples_shrink(bez_block *block, const bez_packer *packer) {
  size_t gap = (block->raw.len - SAMPLE) / (SAMPLES - 1), bound = ZSTD_compressBound(SAMPLE);
  for (unsigned i = 0; i < SAMPLES; i++) {
    size_t packed =
        ZSTD_compressCCtx(packer->zstd, block->stored.data, bound, block->raw.data + i * gap, SAMPLE, LEVEL);
    if (!ZSTD_isError(packed) && packed < SAMPLE - SAMPLE / 16) return true;
  }
  return false;
}

/* The packed bytes behind the header's place; 0 where packing gains too little to be worth unpacking. */
static size_t pack_bytes(bez_block *block, const bez_packer *packer, bez_error *err) {
  size_t bound = ZSTD_compressBound(block->raw.len);
  if (!bez_buf_reserve(&block->stored, BEZ_PACK_HEAD + bound)) {
    (void)bez_fail_memory(err, bound);
    return SIZE_MAX;
  }
  if (block->raw.len >= (size_t)4 * SAMPLES * SAMPLE && !samples_shrink(block, packer)) return 0;
  size_t packed = ZSTD_compressCCtx(packer->zstd, block->stored.data + BEZ_PACK_HEAD, bound, block->raw.data,
                                    block->raw.len, LEVEL);
  return ZSTD_isError(packed) || packed > block->raw.len - block->raw.len / 16 ? 0 : packed;
}

/* Nodes are digests and counts: nothing to gain. */
static bool worth_packing(const bez_block *block) {
  return block->raw.len >= 64 && block->n && block->objects[0].kind != BEZ_OBJECT_NODE;
}

static void put_header(char *out, const bez_block_record *record) {
  const uint32_t numbers[3] = {record->stored, record->raw, record->codec};
  for (unsigned i = 0; i < BEZ_PACK_HEAD; i++) out[i] = (char)(uint8_t)(numbers[i / 4] >> (i % 4 * 8) & 255);
}

bez_status bez_block_seal(bez_block *block, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!block->packer) st = bez_packer_create(&block->packer, err);
  return st == BEZ_OK ? bez_block_seal_by(block, block->packer, err) : st;
}

bez_status bez_block_seal_by(bez_block *block, bez_packer *packer, bez_error *err) {
  if (block->sealed || !block->n) return BEZ_OK;
  size_t packed = worth_packing(block) ? pack_bytes(block, packer, err) : 0;
  if (packed == SIZE_MAX) return BEZ_MEMORY;
  bez_block_record *record = &block->record;
  *record = (bez_block_record){.stored = (uint32_t)(packed ? packed : block->raw.len),
                               .raw = (uint32_t)block->raw.len,
                               .codec = packed ? BEZ_CODEC_ZSTD : BEZ_CODEC_RAW};
  if (!bez_buf_reserve(&block->stored, BEZ_PACK_HEAD + (size_t)record->stored))
    return bez_buf_status(&block->stored, err);
  put_header(block->stored.data, record);
  if (!packed) memcpy(block->stored.data + BEZ_PACK_HEAD, block->raw.len ? block->raw.data : "", block->raw.len);
  block->stored.len = BEZ_PACK_HEAD + (size_t)record->stored;
  bez_sha256(block->stored.data, block->stored.len, record->sha256);
  block->sealed = true;
  return BEZ_OK;
}

/* Whether the header before the bytes says what the directory says. */
static bool header_fits(const bez_block_record *record, const uint8_t *stored) {
  bez_cursor c = {stored, BEZ_PACK_HEAD, 0};
  uint32_t stored_len = 0, raw = 0, codec = 0;
  return bez_cursor_le32(&c, &stored_len) && bez_cursor_le32(&c, &raw) && bez_cursor_le32(&c, &codec) &&
         stored_len == record->stored && raw == record->raw && codec == record->codec;
}

bez_status bez_block_unpack(const char *path, const bez_block_record *record, const uint8_t *stored, void *unpacker,
                            void *raw, bez_error *err) {
  int64_t at = (int64_t)record->offset;
  if (!header_fits(record, stored))
    return bez_fail_at(err, BEZ_FORMAT, path, -1, at, "damaged: the block here is not the one of the directory");
  if (record->codec == BEZ_CODEC_RAW) {
    if (record->stored != record->raw)
      return bez_fail_at(err, BEZ_FORMAT, path, -1, at, "damaged: a plain block of two lengths");
    memcpy(raw, stored + BEZ_PACK_HEAD, record->raw);
    return BEZ_OK;
  }
  if (record->codec != BEZ_CODEC_ZSTD)
    return bez_fail_at(err, BEZ_FORMAT, path, -1, at, "packed in a way (%u) that is not known here", record->codec);
  size_t got = ZSTD_decompressDCtx(unpacker, raw, record->raw, stored + BEZ_PACK_HEAD, record->stored);
  if (ZSTD_isError(got) || got != record->raw)
    return bez_fail_at(err, BEZ_FORMAT, path, -1, at, "damaged: the block here does not unpack (%s)",
                       ZSTD_isError(got) ? ZSTD_getErrorName(got) : "another length");
  return BEZ_OK;
}
