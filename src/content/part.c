/* One file of a pack in the making: blocks are written as they come, the directory at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "content/pack_write.h"
#include "crypto/sha256.h"

enum { WRITE_BACK = 32 << 20, TABLE_BITS = 12 };

void bez_part_free(bez_part *part) {
  if (part->fd >= 0) close(part->fd);
  if (part->path) unlink(part->path);
  free(part->path);
  free(part->blocks);
  free(part->objects);
  free(part->table);
  free(part->refers);
  bez_buf_free(&part->paths);
  *part = (bez_part){.fd = -1};
}

/* Room for one more; NULL (and the array as it was) without memory. */
static void *one_more(void *array, size_t n, size_t *cap, size_t size, bez_error *err) {
  if (n < *cap) return array;
  size_t more = *cap ? *cap * 2 : 64;
  void *grown = realloc(array, more * size);
  if (grown)
    *cap = more;
  else
    (void)bez_fail_memory(err, more * size);
  return grown;
}

static size_t slot_of(const bez_part *part, const bez_id *id) {
  uint64_t key;
  memcpy(&key, id->bytes, sizeof key);
  size_t mask = ((size_t)1 << part->bits) - 1, at = (size_t)key & mask;
  while (part->table[at] && bez_id_compare(&part->objects[part->table[at] - 1].id, id) != 0) at = (at + 1) & mask;
  return at;
}

bez_object_record *bez_part_find(const bez_part *part, const bez_id *id) {
  if (!part->table) return NULL;
  uint32_t number = part->table[slot_of(part, id)];
  return number ? &part->objects[number - 1] : NULL;
}

static bez_status grow_table(bez_part *part, bez_error *err) {
  if (part->table && part->n_objects < (size_t)1 << (part->bits - 1)) return BEZ_OK;
  unsigned bits = part->table ? part->bits + 1 : TABLE_BITS;
  uint32_t *table = calloc((size_t)1 << bits, sizeof *table);
  if (!table) return bez_fail_memory(err, sizeof *table << bits);
  free(part->table);
  part->table = table;
  part->bits = bits;
  for (size_t i = 0; i < part->n_objects; i++) table[slot_of(part, &part->objects[i].id)] = (uint32_t)i + 1;
  return BEZ_OK;
}

bez_status bez_part_add_object(bez_part *part, const bez_object_record *record, bez_error *err) {
  bez_object_record *objects = one_more(part->objects, part->n_objects, &part->cap_objects, sizeof *objects, err);
  if (!objects) return BEZ_MEMORY;
  part->objects = objects;
  bez_status st = grow_table(part, err);
  if (st != BEZ_OK) return st;
  objects[part->n_objects] = *record;
  part->table[slot_of(part, &record->id)] = (uint32_t)part->n_objects + 1;
  part->n_objects++;
  return BEZ_OK;
}

static bez_status write_all(bez_part *part, const void *bytes, size_t len, bez_error *err) {
  const char *p = bytes;
  while (len) {
    ssize_t put = write(part->fd, p, len);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return bez_fail_errno(err, part->path, "cannot write");
    p += put;
    len -= (size_t)put;
    part->offset += (uint64_t)put;
  }
  if (part->offset - part->flushed > WRITE_BACK) { /* the disk works while we do: less to wait for at the end */
    (void)sync_file_range(part->fd, (off_t)part->flushed, (off_t)(part->offset - part->flushed), SYNC_FILE_RANGE_WRITE);
    part->flushed = part->offset;
  }
  return BEZ_OK;
}

static bez_status start_file(bez_part *part, const char *tmp, bez_error *err) {
  uint64_t number = 0;
  if (mkdir(tmp, 0777) != 0 && errno != EEXIST) return bez_fail_errno(err, tmp, "cannot create the folder");
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return bez_fail_errno(err, tmp, "no randomness");
  char *path = NULL;
  if (asprintf(&path, "%s/pack-%016llx", tmp, (unsigned long long)number) < 0) return bez_fail_memory(err, 64);
  part->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (part->fd < 0) {
    bez_status st = bez_fail_errno(err, path, "cannot create");
    free(path);
    return st;
  }
  part->path = path;
  part->offset = part->flushed = 0;
  return write_all(part, BEZ_PACK_MAGIC, BEZ_PACK_MAGIC_BYTES, err);
}

bez_status bez_part_add_block(bez_part *part, const char *tmp, bez_block *block, bez_error *err) {
  if (part->fd < 0) {
    bez_status st = start_file(part, tmp, err);
    if (st != BEZ_OK) return st;
  }
  bez_block_record *blocks = one_more(part->blocks, part->n_blocks, &part->cap_blocks, sizeof *blocks, err);
  if (!blocks) return BEZ_MEMORY;
  part->blocks = blocks;
  block->record.offset = part->offset;
  blocks[part->n_blocks] = block->record;
  bez_status st = write_all(part, block->stored.data, block->stored.len, err);
  if (st == BEZ_OK) part->n_blocks++;
  return st;
}

/* References of one file follow each other: the last path is looked at alone. */
static bez_status take_path(bez_part *part, const char *path, uint32_t *place, bez_error *err) {
  size_t len = strlen(path);
  if (part->paths.len && part->paths.len - part->last_path - 4 == len &&
      memcmp(part->paths.data + part->last_path + 4, path, len) == 0) {
    *place = part->last_path;
    return BEZ_OK;
  }
  if (part->paths.len > UINT32_MAX / 2)
    return bez_fail(err, BEZ_LIMIT, path, "too many files by reference in one pack");
  part->last_path = *place = (uint32_t)part->paths.len;
  bez_put_le32(&part->paths, (uint32_t)len);
  bez_buf_write(&part->paths, path, len);
  return bez_buf_status(&part->paths, err);
}

bez_status bez_part_add_refer(bez_part *part, const char *path, const bez_refer_record *record, bez_error *err) {
  bez_refer_record *refers = one_more(part->refers, part->n_refers, &part->cap_refers, sizeof *refers, err);
  if (!refers) return BEZ_MEMORY;
  part->refers = refers;
  refers[part->n_refers] = *record;
  bez_status st = take_path(part, path, &refers[part->n_refers].path, err);
  if (st == BEZ_OK) part->n_refers++;
  return st;
}

/* The directory goes out page by page, and its digests are gathered. */
typedef struct directory {
  bez_part *part;
  bez_buf pending, digests;
} directory;

static bez_status put_pages(directory *d, bool last, bez_error *err) {
  size_t whole = last ? d->pending.len : d->pending.len - d->pending.len % BEZ_PACK_PAGE;
  if (!last && whole < 16 * BEZ_PACK_PAGE) return bez_buf_status(&d->pending, err);
  for (size_t at = 0; at < whole; at += BEZ_PACK_PAGE) {
    uint8_t digest[32];
    bez_sha256(d->pending.data + at, whole - at < BEZ_PACK_PAGE ? whole - at : BEZ_PACK_PAGE, digest);
    bez_buf_write(&d->digests, digest, sizeof digest);
  }
  bez_status st = bez_buf_status(&d->pending, err);
  if (st == BEZ_OK) st = write_all(d->part, d->pending.data, whole, err);
  if (st != BEZ_OK) return st;
  memmove(d->pending.data, d->pending.data + whole, d->pending.len - whole);
  d->pending.len -= whole;
  return BEZ_OK;
}

static int by_id(const void *a, const void *b) {
  return bez_id_compare(&((const bez_object_record *)a)->id, &((const bez_object_record *)b)->id);
}

static bez_status put_records(directory *d, bez_error *err) {
  bez_part *part = d->part;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < part->n_blocks && st == BEZ_OK; i++) {
    bez_put_block_record(&d->pending, &part->blocks[i]);
    st = put_pages(d, false, err);
  }
  for (size_t i = 0; i < part->n_objects && st == BEZ_OK; i++) {
    bez_put_object_record(&d->pending, &part->objects[i]);
    st = put_pages(d, false, err);
  }
  for (size_t i = 0; i < part->n_refers && st == BEZ_OK; i++) {
    bez_put_refer_record(&d->pending, &part->refers[i]);
    st = put_pages(d, false, err);
  }
  bez_buf_write(&d->pending, part->paths.data, part->paths.len);
  return st == BEZ_OK ? put_pages(d, true, err) : st;
}

bez_status bez_part_finish(bez_part *part, char **path, bez_error *err) {
  bez_status st = BEZ_OK;
  directory d = {.part = part};
  bez_pack_shape shape = {part->n_blocks, part->n_objects, part->n_refers, part->paths.len, part->offset};
  uint8_t digest[32];
  free(part->table);
  part->table = NULL;
  if (part->n_objects) qsort(part->objects, part->n_objects, sizeof *part->objects, by_id);
  BEZ_TRY(put_records(&d, err));
  bez_put_footer(&d.digests, &shape);
  BEZ_TRY(bez_buf_status(&d.digests, err));
  bez_sha256(d.digests.data, d.digests.len, digest);
  bez_buf_write(&d.digests, digest, sizeof digest);
  BEZ_TRY(bez_buf_status(&d.digests, err));
  BEZ_TRY(write_all(part, d.digests.data, d.digests.len, err));
  if (fsync(part->fd) != 0) BEZ_TRY(bez_fail_errno(err, part->path, "cannot write through to the disk"));
  *path = part->path;
  part->path = NULL;
  bez_part_free(part);
cleanup:
  bez_buf_free(&d.pending);
  bez_buf_free(&d.digests);
  return st;
}
