/* Every byte of every pack against its digest. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/file.h"
#include "base/threads.h"
#include "content/store.h"
#include "crypto/sha256.h"

enum { STRETCH = 4 << 20, MOST_IDS = 4096 }; /* read at once; ids that are told of one damaged block */

/* What was found, gathered by the threads and told at the end in the order of packs and places. */
typedef struct found {
  size_t pack;
  uint64_t offset, len;
  uint32_t block; /* BEZ_PACK_REFERRED: not of a block */
  bez_id id;      /* of a reference */
  bool has_id;
  char what[160];
} found;

/* Blocks [first, last) of a pack, or with `refers` references. */
typedef struct stretch {
  size_t pack;
  uint64_t first, last;
  bool refers;
} stretch;

typedef struct verify_job {
  bez_objects *objects;
  uint32_t **by_refer; /* per pack: the object of each reference */
  stretch *stretches;
  size_t n, cap;
  pthread_mutex_t mutex;
  found *found;
  size_t n_found, cap_found;
  _Atomic uint64_t referred;
} verify_job;

static bez_status tell(verify_job *job, const found *one, bez_error *err) {
  bez_status st = BEZ_OK;
  pthread_mutex_lock(&job->mutex);
  if (job->n_found == job->cap_found) {
    size_t cap = job->cap_found ? job->cap_found * 2 : 16;
    found *more = realloc(job->found, cap * sizeof *more);
    if (!more) BEZ_TRY(bez_fail_memory(err, cap * sizeof *more));
    job->found = more;
    job->cap_found = cap;
  }
  job->found[job->n_found++] = *one;
cleanup:
  pthread_mutex_unlock(&job->mutex);
  return st;
}

static bez_status tell_place(verify_job *job, size_t pack, uint64_t offset, uint64_t len, const char *what,
                             bez_error *err) {
  found one = {.pack = pack, .offset = offset, .len = len, .block = BEZ_PACK_REFERRED};
  snprintf(one.what, sizeof one.what, "%s", what);
  return tell(job, &one, err);
}

static bez_status add_stretch(verify_job *job, stretch one, bez_error *err) {
  if (job->n == job->cap) {
    size_t cap = job->cap ? job->cap * 2 : 64;
    stretch *more = realloc(job->stretches, cap * sizeof *more);
    if (!more) return bez_fail_memory(err, cap * sizeof *more);
    job->stretches = more;
    job->cap = cap;
  }
  job->stretches[job->n++] = one;
  return BEZ_OK;
}

/* Every page of the directory, and that blocks lie behind each other without gaps from the beginning to the directory:
 * then no byte of the file is outside of what is hashed. */
static bez_status plan_blocks(verify_job *job, size_t pack, bez_objects_sum *sum, bez_error *err) {
  const bez_pack_file *file = job->objects->packs[pack];
  uint64_t at = BEZ_PACK_MAGIC_BYTES, begin = 0, begin_at = at;
  for (uint64_t i = 0; i < file->shape.blocks; i++) {
    bez_block_record record;
    if (!bez_pack_file_block(file, i, &record))
      return tell_place(job, pack, file->shape.dir_offset + i * BEZ_PACK_BLOCK, BEZ_PACK_BLOCK,
                        "the directory of blocks is damaged", err);
    if (record.offset != at || record.raw > 2 * BEZ_MAX_OBJECT)
      return tell_place(job, pack, at, 0, "blocks do not follow each other", err);
    at += BEZ_PACK_HEAD + (uint64_t)record.stored;
    sum->raw_bytes += record.raw;
    if (at - begin_at < STRETCH && i + 1 < file->shape.blocks) continue;
    bez_status st = add_stretch(job, (stretch){pack, begin, i + 1, false}, err);
    if (st != BEZ_OK) return st;
    begin = i + 1;
    begin_at = at;
  }
  sum->blocks += file->shape.blocks;
  if (at != file->shape.dir_offset)
    return tell_place(job, pack, at, 0, "between the last block and the directory lie other bytes", err);
  return BEZ_OK;
}

static bez_status plan_refers(verify_job *job, size_t pack, bez_error *err) {
  uint64_t n = job->objects->packs[pack]->shape.refers;
  for (uint64_t i = 0; i < n; i += 256) {
    bez_status st = add_stretch(job, (stretch){pack, i, i + 256 < n ? i + 256 : n, true}, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

/* Objects ascend, lie in their blocks, and each reference is one object's. */
static bool object_fits(const bez_pack_file *file, const bez_object_record *object, uint32_t *by_refer, uint64_t i) {
  bez_block_record block;
  if (object->kind < BEZ_OBJECT_BLOB || object->kind > BEZ_OBJECT_NODE) return false;
  if (object->block == BEZ_PACK_REFERRED) {
    if (object->offset >= file->shape.refers || by_refer[object->offset] != UINT32_MAX) return false;
    by_refer[object->offset] = (uint32_t)i;
    return true;
  }
  return bez_pack_file_block(file, object->block, &block) && object->offset <= block.raw &&
         object->len <= block.raw - object->offset;
}

static bez_status plan_objects(verify_job *job, size_t pack, bez_error *err) {
  const bez_pack_file *file = job->objects->packs[pack];
  const uint64_t base = file->shape.dir_offset + file->shape.blocks * BEZ_PACK_BLOCK;
  uint32_t *by_refer = malloc((file->shape.refers + 1) * sizeof *by_refer);
  if (!by_refer) return bez_fail_memory(err, file->shape.refers * sizeof *by_refer);
  job->by_refer[pack] = by_refer;
  memset(by_refer, 0xff, (file->shape.refers + 1) * sizeof *by_refer);
  bez_object_record before = {0}, object;
  for (uint64_t i = 0; i < file->shape.objects; i++) {
    uint64_t at = base + i * BEZ_PACK_OBJECT;
    if (!bez_pack_file_object(file, i, &object))
      return tell_place(job, pack, at, BEZ_PACK_OBJECT, "the directory of objects is damaged", err);
    if ((i && bez_id_compare(&before.id, &object.id) >= 0) || !object_fits(file, &object, by_refer, i))
      return tell_place(job, pack, at, BEZ_PACK_OBJECT, "the directory of objects makes no sense", err);
    before = object;
  }
  return BEZ_OK;
}

/* References and paths; both are read later, too, but by the way. */
static bez_status plan_rest(verify_job *job, size_t pack, bez_error *err) {
  const bez_pack_file *file = job->objects->packs[pack];
  uint64_t base = bez_pack_dir_len(&file->shape) - file->shape.paths_len;
  bez_refer_record refer;
  const char *path;
  size_t len;
  for (uint64_t i = 0; i < file->shape.refers; i++)
    if (!bez_pack_file_refer(file, i, &refer))
      return tell_place(job, pack, file->shape.dir_offset + base - file->shape.refers * BEZ_PACK_REFER, 0,
                        "the directory of references is damaged", err);
  for (uint64_t at = 0; at < file->shape.paths_len; at += 4 + len)
    if (!bez_pack_file_path(file, (uint32_t)at, &path, &len))
      return tell_place(job, pack, file->shape.dir_offset + base + at, 0, "the list of paths is damaged", err);
  return BEZ_OK;
}

static bez_status plan_pack(verify_job *job, size_t pack, bez_objects_sum *sum, bez_error *err) {
  const bez_pack_file *file = job->objects->packs[pack];
  size_t before = job->n_found;
  bez_status st = plan_blocks(job, pack, sum, err);
  if (st == BEZ_OK) st = plan_objects(job, pack, err);
  if (st == BEZ_OK) st = plan_rest(job, pack, err);
  if (st == BEZ_OK && job->n_found == before) st = plan_refers(job, pack, err);
  sum->packs++;
  sum->objects += file->shape.objects;
  sum->stored_bytes += file->size;
  return st;
}

static bez_status check_block(verify_job *job, const stretch *s, uint64_t i, const bez_block_record *record,
                              const uint8_t *stored, bez_error *err) {
  uint8_t digest[32];
  bez_sha256(stored, (size_t)record->stored + BEZ_PACK_HEAD, digest);
  if (memcmp(digest, record->sha256, 32) == 0) return BEZ_OK;
  found one = {
      .pack = s->pack, .offset = record->offset, .len = record->stored + (uint64_t)BEZ_PACK_HEAD, .block = (uint32_t)i};
  snprintf(one.what, sizeof one.what, "block %u is damaged", (unsigned)i);
  return tell(job, &one, err);
}

static bez_status check_blocks(verify_job *job, const stretch *s, bez_error *err) {
  const bez_pack_file *file = job->objects->packs[s->pack];
  bez_status st = BEZ_OK;
  bez_block_record first, last, record;
  uint8_t *bytes = NULL;
  int fd = -1;
  if (!bez_pack_file_block(file, s->first, &first) || !bez_pack_file_block(file, s->last - 1, &last)) return BEZ_OK;
  size_t len = last.offset + BEZ_PACK_HEAD + last.stored - first.offset;
  if (first.offset + len > file->shape.dir_offset) return BEZ_OK; /* told by plan_blocks */
  bytes = malloc(len);
  if (!bytes) return bez_fail_memory(err, len);
  fd = open(file->path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) BEZ_TRY(bez_fail_errno(err, file->path, "cannot open"));
  BEZ_TRY(bez_file_pread(fd, file->path, bytes, len, first.offset, err));
  for (uint64_t i = s->first; i < s->last; i++)
    if (bez_pack_file_block(file, i, &record))
      BEZ_TRY(check_block(job, s, i, &record, bytes + (record.offset - first.offset), err));
cleanup:
  if (fd >= 0) close(fd);
  free(bytes);
  return st;
}

static bez_status check_refer(verify_job *job, const stretch *s, uint64_t i, bez_buf *bytes, bez_error *err) {
  const bez_pack_file *file = job->objects->packs[s->pack];
  bez_object_record object;
  bez_refer_record refer;
  bez_error why = {0};
  uint32_t number = job->by_refer[s->pack][i];
  if (!bez_pack_file_refer(file, i, &refer)) return BEZ_OK;
  if (number == UINT32_MAX || !bez_pack_file_object(file, number, &object))
    return tell_place(job, s->pack, file->shape.dir_offset, 0, "a reference that is no object's", err);
  bez_buf_clear(bytes);
  bez_status st = bez_pack_file_read(job->objects->cache, file, &object, bytes, &why);
  if (st == BEZ_MEMORY) return bez_fail_memory(err, object.len);
  job->referred += refer.len;
  if (st == BEZ_OK) return BEZ_OK;
  found one = {.pack = s->pack,
               .offset = refer.offset,
               .len = refer.len,
               .block = BEZ_PACK_REFERRED,
               .id = object.id,
               .has_id = true};
  snprintf(one.what, sizeof one.what, "%.100s: %.50s", why.subject, why.message);
  return tell(job, &one, err);
}

static bez_status check_stretch(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  verify_job *job = ctx;
  const stretch *s = &job->stretches[tile];
  if (!s->refers) return check_blocks(job, s, err);
  bez_status st = BEZ_OK;
  bez_buf bytes = {0};
  for (uint64_t i = s->first; i < s->last && st == BEZ_OK; i++) st = check_refer(job, s, i, &bytes, err);
  bez_buf_free(&bytes);
  return st;
}

/* The objects in a block. */
static size_t ids_of_block(const bez_pack_file *file, uint32_t block, bez_id *ids) {
  size_t n = 0;
  bez_object_record object;
  for (uint64_t i = 0; i < file->shape.objects && n < MOST_IDS; i++)
    if (bez_pack_file_object(file, i, &object) && object.block == block) ids[n++] = object.id;
  return n;
}

static int by_place(const void *a, const void *b) {
  const found *x = a, *y = b;
  if (x->pack != y->pack) return x->pack < y->pack ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static bez_status report(verify_job *job, void (*damaged)(void *ctx, const bez_damage *damage), void *ctx,
                         bez_error *err) {
  if (!job->n_found) return BEZ_OK;
  qsort(job->found, job->n_found, sizeof *job->found, by_place);
  bez_id *ids = malloc(MOST_IDS * sizeof *ids);
  if (!ids) return bez_fail_memory(err, MOST_IDS * sizeof *ids);
  for (size_t i = 0; i < job->n_found; i++) {
    const found *one = &job->found[i];
    const bez_pack_file *file = job->objects->packs[one->pack];
    size_t n = one->block != BEZ_PACK_REFERRED && damaged ? ids_of_block(file, one->block, ids) : one->has_id;
    if (one->has_id) ids[0] = one->id;
    bez_damage damage = {file->path, one->offset, one->len, one->what, n ? ids : NULL, n};
    if (damaged) damaged(ctx, &damage);
  }
  free(ids);
  const found *first = &job->found[0];
  return bez_fail_at(err, BEZ_FORMAT, job->objects->packs[first->pack]->path, -1, (int64_t)first->offset, "damaged: %s",
                     first->what);
}

static bool is_open(const bez_objects *objects, const char *path) {
  for (size_t i = 0; i < objects->n; i++)
    if (strcmp(objects->packs[i]->path, path) == 0) return true;
  return false;
}

/* What lies in the folder and was not opened: a damaged pack, or something that does not belong there. */
static bez_status check_folder(bez_objects *objects, void (*damaged)(void *ctx, const bez_damage *damage), void *ctx,
                               bez_error *err) {
  bez_status st = BEZ_OK;
  DIR *dir = opendir(objects->folder);
  if (!dir) return bez_fail_errno(err, objects->folder, "cannot open the folder of packs");
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    char path[4096];
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    snprintf(path, sizeof path, "%s/%s", objects->folder, entry->d_name);
    if (is_open(objects, path)) continue;
    bez_pack_file *file = NULL;
    bez_error why = {0};
    if (bez_pack_file_open(path, 0, true, &file, &why) == BEZ_OK) { /* it came just now */
      bez_pack_file_close(file);
      continue;
    }
    bez_damage damage = {path, why.offset > 0 ? (uint64_t)why.offset : 0, 0, why.message, NULL, 0};
    if (damaged) damaged(ctx, &damage);
    st = bez_fail(err, BEZ_FORMAT, path, "%s", why.message);
  }
  closedir(dir);
  return st;
}

static bez_status verify_packs(verify_job *job, unsigned threads, bez_watch *watch, bez_objects_sum *sum,
                               bez_error *err) {
  for (size_t i = 0; i < job->objects->n; i++) {
    bez_status st = plan_pack(job, i, sum, err);
    if (st != BEZ_OK) return st;
  }
  watch->total = job->n;
  return bez_parallel_watched(job->n, threads, watch, check_stretch, job, err);
}

bez_status bez_objects_verify(bez_objects *objects, unsigned threads, bez_progress_fn progress, void *progress_ctx,
                              void (*damaged)(void *ctx, const bez_damage *damage), void *ctx, bez_objects_sum *sum,
                              bez_error *err) {
  bez_status st = BEZ_OK, folder = BEZ_OK;
  bez_objects_sum own = {0};
  verify_job job = {.objects = objects};
  bez_watch watch = {.progress = progress, .ctx = progress_ctx, .stage = "objects", .unit = "stretches"};
  pthread_mutex_init(&job.mutex, NULL);
  pthread_rwlock_rdlock(&objects->lock);
  job.by_refer = calloc(objects->n + 1, sizeof *job.by_refer);
  if (!job.by_refer) BEZ_TRY(bez_fail_memory(err, objects->n * sizeof *job.by_refer));
  folder = check_folder(objects, damaged, ctx, err);
  if (folder != BEZ_OK && folder != BEZ_FORMAT) BEZ_TRY(folder);
  BEZ_TRY(verify_packs(&job, threads, &watch, &own, err));
  own.referred_bytes = job.referred;
  st = report(&job, damaged, ctx, err);
  if (st == BEZ_OK) st = folder;
  if (sum) *sum = own;
cleanup:
  pthread_rwlock_unlock(&objects->lock);
  for (size_t i = 0; job.by_refer && i < objects->n; i++) free(job.by_refer[i]);
  free(job.by_refer);
  free(job.stretches);
  free(job.found);
  pthread_mutex_destroy(&job.mutex);
  return st;
}
