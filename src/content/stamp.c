/* Stamps of files and folders. */
#include "content/stamp.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/limits.h"
#include "crypto/sha256.h"

#define RACY_NANOSECONDS 2000000000ll

typedef struct stamper {
  bez_sha256_state hash;
  int64_t newest; /* nanoseconds since 1970 */
  uint64_t n_files, n_bytes;
} stamper;

static int64_t nanoseconds(const struct timespec *t) {
  return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static void add_file(stamper *s, const char *name, const struct stat *info) {
  const int64_t mtime = nanoseconds(&info->st_mtim), ctime = nanoseconds(&info->st_ctim);
  const uint64_t facts[] = {(uint64_t)info->st_size, (uint64_t)mtime,        (uint64_t)ctime,
                            (uint64_t)info->st_ino,  (uint64_t)info->st_dev, info->st_mode};
  bez_sha256_add(&s->hash, name, strlen(name) + 1);
  bez_sha256_add(&s->hash, facts, sizeof facts);
  if (mtime > s->newest) s->newest = mtime;
  if (ctime > s->newest) s->newest = ctime;
  s->n_files++;
  s->n_bytes += (uint64_t)info->st_size;
}

static int by_bytes(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_member(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static bez_status add_path(stamper *s, const char *path, unsigned depth, bez_error *err);

static bez_status add_folder(stamper *s, const char *path, unsigned depth, bez_error *err) {
  struct dirent **members = NULL;
  char below[4096];
  int n = scandir(path, &members, is_member, by_bytes);
  bez_status st = BEZ_OK;
  if (n < 0) return bez_fail_errno(err, path, "cannot open");
  if (depth >= BEZ_MAX_FOLDER_DEPTH) st = bez_fail(err, BEZ_LIMIT, path, "folders are nested too deep");
  for (int i = 0; i < n && st == BEZ_OK; i++) {
    if (snprintf(below, sizeof below, "%s/%s", path, members[i]->d_name) >= (int)sizeof below)
      st = bez_fail(err, BEZ_USAGE, path, "the path is too long");
    else
      st = add_path(s, below, depth + 1, err);
  }
  for (int i = 0; i < n; i++) free(members[i]);
  free(members);
  return st;
}

static bez_status add_path(stamper *s, const char *path, unsigned depth, bez_error *err) {
  struct stat info;
  if ((depth ? lstat(path, &info) : stat(path, &info)) != 0) return bez_fail_errno(err, path, "cannot open");
  if (S_ISDIR(info.st_mode)) return add_folder(s, path, depth, err);
  add_file(s, path, &info);
  return BEZ_OK;
}

bez_status bez_stamp_take(const char *path, bez_stamp *out, bez_error *err) {
  stamper s = {0};
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  bez_sha256_begin(&s.hash);
  bez_status st = add_path(&s, path, 0, err);
  *out = (bez_stamp){
      .settled = nanoseconds(&now) - s.newest >= RACY_NANOSECONDS, .n_files = s.n_files, .n_bytes = s.n_bytes};
  bez_sha256_end(&s.hash, out->bytes);
  return st;
}
