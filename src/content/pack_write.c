/* Packs in the making; see pack_write.h. */
#include "content/pack_write.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"

bez_status bez_pack_begin(bez_objects *objects, bez_pack **out, bez_error *err) {
  bez_pack *pack = calloc(1, sizeof *pack);
  if (!pack) return bez_fail_memory(err, sizeof *pack);
  pack->objects = objects;
  pack->part = (bez_part){.fd = -1, .number = bez_objects_number(objects)};
  pthread_mutex_init(&pack->mutex, NULL);
  for (unsigned i = 0; i < BEZ_OPEN_BLOCKS; i++) {
    bez_status st = bez_block_create(&pack->open[i], err);
    if (st == BEZ_OK) continue;
    bez_pack_abandon(pack);
    return st;
  }
  *out = pack;
  return BEZ_OK;
}

bez_status bez_pack_begin_anew(bez_objects *objects, bez_pack **out, bez_error *err) {
  bez_status st = bez_pack_begin(objects, out, err);
  if (st == BEZ_OK) (*out)->anew = true;
  return st;
}

static bool in_store(const bez_pack *pack, const bez_id *id) {
  return !pack->anew && bez_objects_has(pack->objects, id);
}

void bez_pack_abandon(bez_pack *pack) {
  if (!pack) return;
  bez_part_free(&pack->part);
  for (size_t i = 0; i < pack->n_done; i++) {
    unlink(pack->done[i]->path); /* renamed ones are called otherwise now */
    bez_pack_file_close(pack->done[i]);
  }
  free(pack->done);
  for (unsigned i = 0; i < BEZ_OPEN_BLOCKS; i++) bez_block_free(pack->open[i]);
  pthread_mutex_destroy(&pack->mutex);
  free(pack);
}

/* In the parts so far; the caller holds the mutex. */
static bool in_parts(const bez_pack *pack, const bez_id *id) {
  bez_object_record record;
  if (bez_part_find(&pack->part, id)) return true;
  for (size_t i = 0; i < pack->n_done; i++)
    if (bez_pack_file_find(pack->done[i], id, &record) == BEZ_FOUND) return true;
  return false;
}

bool bez_pack_has(const bez_pack *pack, const bez_id *id) {
  bez_pack *changed = (bez_pack *)(uintptr_t)pack; /* its mutex */
  pthread_mutex_lock(&changed->mutex);
  bool has = in_parts(pack, id);
  pthread_mutex_unlock(&changed->mutex);
  return has || in_store(pack, id);
}

static bez_status keep_done(bez_pack *pack, const char *path, bez_error *err) {
  bez_pack_file **done = realloc(pack->done, (pack->n_done + 1) * sizeof *done);
  if (!done) return bez_fail_memory(err, sizeof *done);
  pack->done = done;
  bez_status st = bez_pack_file_open(path, pack->part.number, false, &done[pack->n_done], err);
  if (st == BEZ_OK) pack->n_done++;
  return st;
}

static bez_status flush_block(bez_pack *pack, unsigned which, bez_error *err) {
  bez_block *block = pack->open[which];
  bez_part *part = &pack->part;
  if (!block->n) return BEZ_OK;
  bez_status st = bez_block_seal(block, err);
  if (st == BEZ_OK) st = bez_part_add_block(part, pack->objects->tmp, block, err);
  if (st != BEZ_OK) return st;
  uint32_t number = (uint32_t)(part->n_blocks - 1);
  if (which == BEZ_OPEN_FRAMES) {
    for (size_t i = part->settled_refers; i < part->n_refers; i++) part->refers[i].block = number;
    part->settled_refers = part->n_refers;
  } else {
    for (size_t i = 0; i < block->n; i++) bez_part_find(part, &block->objects[i].id)->block = number;
  }
  bez_block_clear(block);
  return BEZ_OK;
}

static bez_status finish_part(bez_pack *pack, bez_error *err) {
  bez_status st = BEZ_OK;
  char *path = NULL;
  for (unsigned i = 0; i < BEZ_OPEN_BLOCKS; i++) BEZ_TRY(flush_block(pack, i, err));
  if (pack->part.fd < 0) return BEZ_OK;
  uint64_t number = pack->part.number;
  BEZ_TRY(bez_part_finish(&pack->part, &path, err));
  pack->part.number = number;
  st = keep_done(pack, path, err);
  if (st != BEZ_OK) unlink(path);
  pack->part.number = bez_objects_number(pack->objects);
cleanup:
  free(path);
  return st;
}

static bez_status next_part_if_full(bez_pack *pack, bez_error *err) {
  bool full = pack->part.n_objects >= BEZ_PACK_PART_OBJECTS || pack->part.offset >= BEZ_PACK_PART_BYTES;
  return full ? finish_part(pack, err) : BEZ_OK;
}

/* Into one of the open blocks; the caller holds the mutex and knows the object is new. */
static bez_status put_new(bez_pack *pack, bez_object_kind kind, const void *bytes, size_t len, bez_id *id,
                          bez_error *err) {
  unsigned which = kind == BEZ_OBJECT_NODE ? BEZ_OPEN_NODES : BEZ_OPEN_DATA;
  bez_block *block = pack->open[which];
  bez_object_record record = {*id, BEZ_BLOCK_OPEN + which, (uint32_t)block->raw.len, (uint32_t)len, (uint32_t)kind};
  bez_status st = bez_block_put(block, kind, bytes, len, true, id, err);
  if (st == BEZ_OK) st = bez_part_add_object(&pack->part, &record, err);
  if (st == BEZ_OK && block->raw.len >= BEZ_BLOCK) st = flush_block(pack, which, err);
  return st == BEZ_OK ? next_part_if_full(pack, err) : st;
}

bez_status bez_pack_put(bez_pack *pack, bez_object_kind kind, const void *bytes, size_t len, bez_id *id,
                        bez_error *err) {
  bez_status st = BEZ_OK;
  bez_sha256(bytes, len, id->bytes);
  if (in_store(pack, id)) return st;
  pthread_mutex_lock(&pack->mutex);
  if (!in_parts(pack, id)) st = put_new(pack, kind, bytes, len, id, err);
  pthread_mutex_unlock(&pack->mutex);
  return st;
}

/* The objects of a block that is written already. */
static bez_status take_objects(bez_pack *pack, const bez_block *block, const bool *known, bez_error *err) {
  for (size_t i = 0; i < block->n; i++) {
    if (known[i] || bez_part_find(&pack->part, &block->objects[i].id)) continue;
    bez_object_record record = block->objects[i];
    record.block = (uint32_t)(pack->part.n_blocks - 1);
    bez_status st = bez_part_add_object(&pack->part, &record, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_pack_add(bez_pack *pack, bez_block *block, bez_error *err) {
  bez_status st = BEZ_OK;
  size_t fresh = 0;
  if (!block->n) return BEZ_OK;
  bool *known = calloc(block->n, sizeof *known);
  if (!known) return bez_fail_memory(err, block->n);
  pthread_mutex_lock(&pack->mutex);
  BEZ_TRY(bez_block_seal(block, err));
  for (size_t i = 0; i < block->n; i++) {
    known[i] = in_parts(pack, &block->objects[i].id) || in_store(pack, &block->objects[i].id);
    fresh += !known[i];
  }
  if (fresh) {
    BEZ_TRY(bez_part_add_block(&pack->part, pack->objects->tmp, block, err));
    BEZ_TRY(take_objects(pack, block, known, err));
    BEZ_TRY(next_part_if_full(pack, err));
  }
cleanup:
  pthread_mutex_unlock(&pack->mutex);
  free(known);
  bez_block_clear(block);
  return st;
}

/* The frame goes into a block of frames, the rest into the directory. */
static bez_status refer_new(bez_pack *pack, const char *path, bez_refer_record *refer, const void *frame,
                            const bez_id *id, bez_error *err) {
  bez_block *block = pack->open[BEZ_OPEN_FRAMES];
  bez_id unused = {{0}};
  refer->frame_offset = (uint32_t)block->raw.len;
  bez_object_record record = {*id, BEZ_PACK_REFERRED, (uint32_t)pack->part.n_refers,
                              (uint32_t)(refer->len + refer->frame_len), BEZ_OBJECT_LEAF};
  bez_status st = bez_block_put(block, BEZ_OBJECT_LEAF, frame, refer->frame_len, true, &unused, err);
  if (st == BEZ_OK) st = bez_part_add_refer(&pack->part, path, refer, err);
  if (st == BEZ_OK) st = bez_part_add_object(&pack->part, &record, err);
  if (st == BEZ_OK && block->raw.len >= BEZ_BLOCK) st = flush_block(pack, BEZ_OPEN_FRAMES, err);
  return st == BEZ_OK ? next_part_if_full(pack, err) : st;
}

bez_status bez_pack_refer(bez_pack *pack, const char *path, uint64_t offset, uint64_t len, const void *frame,
                          size_t frame_len, const bez_id *id, bez_error *err) {
  if (len > BEZ_MAX_OBJECT || frame_len > BEZ_MAX_OBJECT - len)
    return bez_fail(err, BEZ_LIMIT, path, "a leaf of %llu bytes is larger than the ceiling of %u",
                    (unsigned long long)len, BEZ_MAX_OBJECT);
  if (path[0] != '/') return bez_fail(err, BEZ_INTERNAL, path, "a reference needs an absolute path");
  if (in_store(pack, id)) return BEZ_OK;
  bez_status st = BEZ_OK;
  bez_refer_record refer = {.offset = offset, .len = len, .frame_len = (uint32_t)frame_len};
  pthread_mutex_lock(&pack->mutex);
  if (!in_parts(pack, id)) st = refer_new(pack, path, &refer, frame, id, err);
  pthread_mutex_unlock(&pack->mutex);
  return st;
}

/* From an open block, the file in the making, or a finished part; the caller holds the mutex. */
static bez_status get_from_parts(bez_pack *pack, bez_object_kind kind, const bez_id *id, bool *found, bez_buf *out,
                                 bez_error *err) {
  bez_part *part = &pack->part;
  bez_object_record record;
  const bez_object_record *here = bez_part_find(part, id);
  *found = true;
  if (here && here->block == BEZ_PACK_REFERRED)
    return bez_fail(err, BEZ_INTERNAL, NULL, "a leaf by reference cannot be read before its pack is finished");
  if (here && here->block >= BEZ_BLOCK_OPEN) {
    bez_buf_write(out, pack->open[here->block - BEZ_BLOCK_OPEN]->raw.data + here->offset, here->len);
    bez_status st = bez_buf_status(out, err);
    return st == BEZ_OK ? bez_object_check(pack->objects->tmp, kind, here, out, err) : st;
  }
  if (here) {
    bez_block_place place = {part->path, part->fd, part->number, here->block, part->blocks[here->block]};
    bez_status st = bez_block_cache_read(pack->objects->cache, &place, here->offset, here->len, out, err);
    return st == BEZ_OK ? bez_object_check(part->path, kind, here, out, err) : st;
  }
  for (size_t i = 0; i < pack->n_done; i++) {
    if (bez_pack_file_find(pack->done[i], id, &record) != BEZ_FOUND) continue;
    bez_status st = bez_pack_file_read(pack->objects->cache, pack->done[i], &record, out, err);
    return st == BEZ_OK ? bez_object_check(pack->done[i]->path, kind, &record, out, err) : st;
  }
  *found = false;
  return BEZ_OK;
}

bez_status bez_pack_get(bez_pack *pack, bez_object_kind kind, const bez_id *id, bez_buf *out, bez_error *err) {
  bool found = false;
  bez_buf_clear(out);
  pthread_mutex_lock(&pack->mutex);
  bez_status st = get_from_parts(pack, kind, id, &found, out, err);
  pthread_mutex_unlock(&pack->mutex);
  if (st != BEZ_OK || found) return st;
  return bez_objects_get(pack->objects, kind, id, out, err);
}

/* tmp/pack-… → objects/<digest>.pack */
static bez_status move_into_store(bez_objects *objects, bez_pack_file *file, bez_error *err) {
  char hex[65];
  char *target = NULL;
  bez_hex(file->name, 32, hex);
  if (asprintf(&target, "%s/%s" BEZ_PACK_SUFFIX, objects->folder, hex) < 0) return bez_fail_memory(err, 128);
  bez_status st = BEZ_OK;
  if (rename(file->path, target) != 0) st = bez_fail_errno(err, target, "cannot rename into place");
  free(target);
  return st;
}

static bez_status sync_folder(const char *path, bez_error *err) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return bez_fail_errno(err, path, "cannot open");
  bez_status st = fsync(fd) == 0 ? BEZ_OK : bez_fail_errno(err, path, "cannot write through to the disk");
  close(fd);
  return st;
}

bez_status bez_pack_finish(bez_pack *pack, uint64_t *bytes, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t sum = 0;
  bool any = false;
  BEZ_TRY(finish_part(pack, err));
  for (size_t i = 0; i < pack->n_done; i++) {
    sum += pack->done[i]->size;
    any = true;
    BEZ_TRY(move_into_store(pack->objects, pack->done[i], err));
  }
  if (any) {
    BEZ_TRY(sync_folder(pack->objects->folder, err));
    BEZ_TRY(bez_objects_refresh(pack->objects, err));
  }
  if (bytes) *bytes = sum;
cleanup:
  bez_pack_abandon(pack);
  return st;
}
