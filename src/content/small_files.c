/* Tiles of files over threads (small_files.h). */
#include "content/small_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/threads.h"
#include "format/beneath.h"

#define TILE 32u /* files */

typedef struct batch {
  const bez_listing *listing;
  int folder;
  size_t first, n;
  uint8_t *out;
  const uint64_t *at; /* of each file in out */
} batch;

size_t bez_small_files_count(const bez_listing *l, size_t first, uint64_t room, uint64_t *bytes) {
  size_t n = 0;
  *bytes = 0;
  while (first + n < l->n && n < BEZ_SMALL_FILES) {
    uint64_t size = l->files[first + n].size;
    if (size > BEZ_SMALL_FILE || size > room - *bytes) break;
    *bytes += size;
    n++;
  }
  return n;
}

static bool same(const struct stat *a, const struct stat *b) {
  return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
         a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bez_status read_open(int fd, const bez_listed *file, uint8_t *out, bez_error *err) {
  struct stat before, after;
  uint64_t got = 0;
  if (fstat(fd, &before) != 0) return bez_fail_errno(err, file->name, "cannot look at");
  if (!S_ISREG(before.st_mode)) return bez_fail(err, BEZ_USAGE, file->name, "is no regular file any more");
  if ((uint64_t)before.st_size != file->size) return bez_fail(err, BEZ_USAGE, file->name, "changed while it was added");
  while (got < file->size) {
    ssize_t n = read(fd, out + got, (size_t)(file->size - got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return bez_fail_errno(err, file->name, "cannot read");
    if (n == 0) return bez_fail(err, BEZ_USAGE, file->name, "became shorter while it was added");
    got += (uint64_t)n;
  }
  if (fstat(fd, &after) != 0) return bez_fail_errno(err, file->name, "cannot look at");
  return same(&before, &after) ? BEZ_OK : bez_fail(err, BEZ_USAGE, file->name, "changed while it was added");
}

static bez_status read_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const batch *b = ctx;
  size_t end = (tile + 1) * TILE < b->n ? (tile + 1) * TILE : b->n;
  for (size_t i = tile * TILE; i < end; i++) {
    const bez_listed *file = &b->listing->files[b->first + i];
    int fd = bez_open_beneath(b->folder, file->name);
    if (fd < 0) return bez_fail_errno(err, file->name, "cannot open");
    bez_status st = read_open(fd, file, b->out + b->at[i], err);
    close(fd);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_small_files_read(const bez_listing *listing, int folder, size_t first, size_t n, unsigned threads,
                                uint8_t *out, bez_error *err) {
  uint64_t *at = calloc(n + 1, sizeof *at);
  if (!at) return bez_fail_memory(err, n * sizeof *at);
  for (size_t i = 0; i < n; i++) at[i + 1] = at[i] + listing->files[first + i].size;
  batch b = {.listing = listing, .folder = folder, .first = first, .n = n, .out = out, .at = at};
  bez_status st = bez_parallel((n + TILE - 1) / TILE, threads, read_tile, &b, err);
  free(at);
  return st;
}
