/* A store of objects: the packs of one folder. */
#include "content/object.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "content/pack.h"
#include "content/store.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"

enum { KEPT_OPEN = 100 }; /* packs; two stores are open at once, and 1024 files are common as the most */

static bez_status make_folder(const char *path, bez_error *err) {
  if (mkdir(path, 0777) == 0 || errno == EEXIST) return BEZ_OK;
  return bez_fail_errno(err, path, "cannot create the folder");
}

/* "…/objects" → "…/tmp" */
static bez_status tmp_beside(const char *folder, char **out, bez_error *err) {
  size_t len = strlen(folder);
  while (len > 1 && folder[len - 1] == '/') len--;
  while (len && folder[len - 1] != '/') len--;
  if (asprintf(out, "%.*stmp", (int)len, folder) >= 0) return BEZ_OK;
  *out = NULL;
  return bez_fail_memory(err, len);
}

bez_status bez_objects_open(const char *folder, bool make, bez_objects **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_objects *objects = calloc(1, sizeof *objects);
  if (!objects) return bez_fail_memory(err, sizeof *objects);
  pthread_rwlock_init(&objects->lock, NULL);
  objects->folder = strdup(folder);
  if (!objects->folder) BEZ_TRY(bez_fail_memory(err, strlen(folder)));
  BEZ_TRY(tmp_beside(folder, &objects->tmp, err));
  BEZ_TRY(bez_block_cache_create(&objects->cache, err));
  if (make) BEZ_TRY(make_folder(folder, err));
  if (make) BEZ_TRY(make_folder(objects->tmp, err));
  st = bez_objects_refresh(objects, err);
  if (st == BEZ_OK || st == BEZ_FORMAT) {
    *out = objects;
    objects = NULL;
  }
cleanup:
  bez_objects_close(objects);
  return st;
}

void bez_objects_close(bez_objects *objects) {
  if (!objects) return;
  for (size_t i = 0; i < objects->n; i++) bez_pack_file_close(objects->packs[i]);
  free(objects->packs);
  bez_block_cache_free(objects->cache);
  bez_buf_free(&objects->damaged);
  pthread_rwlock_destroy(&objects->lock);
  free(objects->tmp);
  free(objects->folder);
  free(objects);
}

static bool is_pack_name(const char *name) {
  size_t len = strlen(name);
  return len > strlen(BEZ_PACK_SUFFIX) && strcmp(name + len - strlen(BEZ_PACK_SUFFIX), BEZ_PACK_SUFFIX) == 0;
}

static int by_path(const void *a, const void *b) {
  return strcmp((*(bez_pack_file *const *)a)->path, (*(bez_pack_file *const *)b)->path);
}

/* known: how many of the packs were there before, in the order of their paths. */
static bez_pack_file *known_pack(const bez_objects *objects, size_t known, const char *path) {
  size_t lo = 0, hi = known;
  while (lo < hi) {
    size_t at = lo + (hi - lo) / 2;
    int order = strcmp(objects->packs[at]->path, path);
    if (order == 0) return objects->packs[at];
    if (order < 0)
      lo = at + 1;
    else
      hi = at;
  }
  return NULL;
}

static bez_status add_pack(bez_objects *objects, const char *path, bez_error *err) {
  if (objects->n == objects->cap) {
    size_t cap = objects->cap ? objects->cap * 2 : 16;
    bez_pack_file **packs = realloc(objects->packs, cap * sizeof *packs);
    if (!packs) return bez_fail_memory(err, cap * sizeof *packs);
    objects->packs = packs;
    objects->cap = cap;
  }
  bez_pack_file *file = NULL;
  bez_status st = bez_pack_file_open(path, bez_objects_number(objects), true, &file, err);
  if (st != BEZ_OK) return st;
  file->seen = true;
  if (objects->n < KEPT_OPEN) file->fd = open(path, O_RDONLY | O_CLOEXEC); /* without it, every read opens the file */
  objects->packs[objects->n++] = file;
  return BEZ_OK;
}

/* Whether a pack is found damaged for the first time: who goes on with the others is not told again. */
static bool is_news(bez_objects *objects, const char *path) {
  for (size_t at = 0; at < objects->damaged.len; at += strlen(objects->damaged.data + at) + 1)
    if (strcmp(objects->damaged.data + at, path) == 0) return false;
  bez_buf_write(&objects->damaged, path, strlen(path) + 1);
  return true;
}

/* A damaged pack is passed over; its error is kept, the first of them, and told at the end. */
static bez_status take_folder(bez_objects *objects, DIR *dir, bez_error *err) {
  size_t known = objects->n;
  bez_status damaged = BEZ_OK;
  bez_error why = {.line = -1, .offset = -1};
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (!is_pack_name(entry->d_name)) continue;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", objects->folder, entry->d_name) < 0) return bez_fail_memory(err, 256);
    bez_pack_file *file = known_pack(objects, known, path);
    bez_status st = BEZ_OK;
    if (file)
      file->seen = true;
    else
      st = add_pack(objects, path, &why);
    bool told = st == BEZ_FORMAT && !is_news(objects, path);
    free(path);
    if (st == BEZ_OK || told) {
      if (damaged == BEZ_OK) why = (bez_error){.line = -1, .offset = -1};
      continue;
    }
    if (err && (damaged == BEZ_OK || st != BEZ_FORMAT)) *err = why;
    if (st != BEZ_FORMAT) return st;
    damaged = st;
  }
  return damaged;
}

/* Packs that are gone (gc) are let go of. */
static void drop_unseen(bez_objects *objects) {
  size_t kept = 0;
  for (size_t i = 0; i < objects->n; i++)
    if (objects->packs[i]->seen)
      objects->packs[kept++] = objects->packs[i];
    else
      bez_pack_file_close(objects->packs[i]);
  objects->n = kept;
  if (kept) qsort(objects->packs, kept, sizeof(bez_pack_file *), by_path);
}

bez_status bez_objects_refresh(bez_objects *objects, bez_error *err) {
  DIR *dir = opendir(objects->folder);
  if (!dir) return bez_fail_errno(err, objects->folder, "cannot open the folder of packs");
  pthread_rwlock_wrlock(&objects->lock);
  for (size_t i = 0; i < objects->n; i++) objects->packs[i]->seen = false;
  bez_status st = take_folder(objects, dir, err);
  if (st == BEZ_OK || st == BEZ_FORMAT) drop_unseen(objects);
  atomic_store(&objects->hint, 0);
  pthread_rwlock_unlock(&objects->lock);
  closedir(dir);
  return st;
}

bool bez_objects_has(const bez_objects *objects, const bez_id *id) {
  bez_objects *store = (bez_objects *)(uintptr_t)objects;
  bez_object_record record;
  bool found = false;
  pthread_rwlock_rdlock(&store->lock);
  size_t hint = atomic_load(&store->hint);
  for (size_t i = 0; i < store->n && !found; i++) {
    size_t at = (i + hint) % store->n;
    found = bez_pack_file_find(store->packs[at], id, &record) == BEZ_FOUND;
    if (found) atomic_store(&store->hint, at);
  }
  pthread_rwlock_unlock(&store->lock);
  return found;
}

/* Every pack that has it is tried: one copy may be damaged and another whole. */
static bez_status get_from_packs(bez_objects *store, bez_object_kind kind, const bez_id *id, bez_buf *out,
                                 bez_error *err) {
  bez_status failed = BEZ_OK;
  const char *damaged = NULL;
  size_t hint = atomic_load(&store->hint);
  for (size_t i = 0; i < store->n; i++) {
    size_t at = (i + hint) % store->n;
    bez_object_record record;
    bez_error why = {0};
    bez_found found = bez_pack_file_find(store->packs[at], id, &record);
    if (found == BEZ_FOUND_DAMAGED) damaged = store->packs[at]->path;
    if (found != BEZ_FOUND) continue;
    bez_buf_clear(out);
    bez_status st = bez_pack_file_read(store->cache, store->packs[at], &record, out, &why);
    if (st == BEZ_OK) st = bez_object_check(store->packs[at]->path, kind, &record, out, &why);
    if (st == BEZ_OK) {
      atomic_store(&store->hint, at);
      return st;
    }
    if (failed == BEZ_OK && err) *err = why;
    if (failed == BEZ_OK) failed = st;
  }
  bez_buf_clear(out);
  if (failed != BEZ_OK) return failed;
  char hex[2 * BEZ_ID + 1];
  bez_hex(id->bytes, BEZ_ID, hex);
  if (damaged) return bez_fail(err, BEZ_FORMAT, damaged, "damaged: its directory cannot tell where object %s is", hex);
  return bez_fail(err, BEZ_FORMAT, store->folder, "object %s is missing", hex);
}

bez_status bez_objects_get(const bez_objects *objects, bez_object_kind kind, const bez_id *id, bez_buf *out,
                           bez_error *err) {
  bez_objects *store = (bez_objects *)(uintptr_t)objects; /* its lock, its cache and its hint change */
  pthread_rwlock_rdlock(&store->lock);
  bez_status st = get_from_packs(store, kind, id, out, err);
  pthread_rwlock_unlock(&store->lock);
  return st;
}

static bez_status read_block_bytes(bez_block_cache *cache, const bez_pack_file *file, uint32_t block, uint32_t offset,
                                   uint32_t len, bez_buf *out, bez_error *err) {
  bez_block_place place = {.path = file->path, .fd = file->fd, .number = file->number, .block = block};
  if (!bez_pack_file_block(file, block, &place.record))
    return bez_fail(err, BEZ_FORMAT, file->path, "damaged: its directory does not tell where block %u is", block);
  return bez_block_cache_read(cache, &place, offset, len, out, err);
}

static bez_status read_referred(bez_block_cache *cache, const bez_pack_file *file, const bez_object_record *object,
                                bez_buf *out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_refer_record refer;
  const char *text = NULL;
  char *path = NULL;
  size_t len = 0;
  bez_buf frame = {0};
  if (!bez_pack_file_refer(file, object->offset, &refer) || !bez_pack_file_path(file, refer.path, &text, &len))
    return bez_fail(err, BEZ_FORMAT, file->path, "damaged: its directory does not tell which file a reference means");
  path = strndup(text, len);
  if (!path) return bez_fail_memory(err, len);
  BEZ_TRY(read_block_bytes(cache, file, refer.block, refer.frame_offset, refer.frame_len, &frame, err));
  BEZ_TRY(bez_refer_read(path, refer.offset, refer.len, frame.data, frame.len, out, err));
  bez_id id;
  bez_sha256(out->data, out->len, id.bytes);
  if (bez_id_compare(&id, &object->id) != 0)
    st = bez_fail_at(err, BEZ_FORMAT, path, -1, (int64_t)refer.offset,
                     "the %llu bytes here are not those that were added by reference", (unsigned long long)refer.len);
cleanup:
  bez_buf_free(&frame);
  free(path);
  return st;
}

bez_status bez_pack_file_read(bez_block_cache *cache, const bez_pack_file *file, const bez_object_record *object,
                              bez_buf *out, bez_error *err) {
  if (object->len > BEZ_MAX_OBJECT)
    return bez_fail(err, BEZ_FORMAT, file->path, "damaged: an object of %u bytes", object->len);
  if (object->block == BEZ_PACK_REFERRED) return read_referred(cache, file, object, out, err);
  return read_block_bytes(cache, file, object->block, object->offset, object->len, out, err);
}

bez_status bez_object_check(const char *path, bez_object_kind kind, const bez_object_record *object,
                            const bez_buf *bytes, bez_error *err) {
  char hex[2 * BEZ_ID + 1];
  bez_hex(object->id.bytes, BEZ_ID, hex);
  if (kind && object->kind != (uint32_t)kind)
    return bez_fail(err, BEZ_FORMAT, path, "object %s is of another kind (%u) than is asked for (%u)", hex,
                    object->kind, (unsigned)kind);
  bez_id id;
  bez_sha256(bytes->data, bytes->len, id.bytes);
  if (bez_id_compare(&id, &object->id) == 0) return BEZ_OK;
  return bez_fail(err, BEZ_FORMAT, path, "damaged: object %s (block %u, byte %u in it) is not what it is called", hex,
                  object->block, object->offset);
}

uint64_t bez_objects_number(const bez_objects *objects) {
  return atomic_fetch_add(&((bez_objects *)(uintptr_t)objects)->number, 1);
}
