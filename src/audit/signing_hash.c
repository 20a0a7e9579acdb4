/* Reading what is to be hashed: one stretch is one tile, so that a large file with shards, and a folder of many files,
 * keep every thread busy. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/signing.h"
#include "base/error.h"

typedef struct hasher {
  const bez_hash_plan *plan;
  bez_watch watch;
} hasher;

typedef struct asker {
  bez_watch *watch;
  unsigned worker;
} asker;

static bool go_on(void *ctx) {
  asker *a = ctx;
  return bez_watch_ask(a->watch, a->worker);
}

/* Opened anew for each stretch: what a name leads to may have changed since the walk, into a pipe that would block or a
 * link that may not be followed. */
static bez_status open_file(const bez_hash_plan *plan, const bez_walk_file *file, const char *path, int *fd,
                            bez_error *err) {
  struct stat info;
  const bool whole = !strcmp(file->name, ".");
  const int follow = plan->allow_symlinks || whole ? 0 : O_NOFOLLOW;
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | follow);
  if (*fd < 0) return bez_fail_errno(err, path, "cannot open");
  if (fstat(*fd, &info) != 0 || !S_ISREG(info.st_mode)) return bez_fail(err, BEZ_IO, path, "is no file any more");
  if ((uint64_t)info.st_size != file->size) return bez_fail(err, BEZ_IO, path, "changed while it was read");
  return BEZ_OK;
}

static bez_status hash_one(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  hasher *h = ctx;
  const bez_hash_task *task = &h->plan->tasks[tile];
  asker ask = {&h->watch, worker};
  char *path = NULL;
  int fd = -1;
  bez_status st = BEZ_OK;
  const bool whole = !strcmp(task->file->name, ".");
  if (asprintf(&path, "%s%s%s", h->plan->root, whole ? "" : "/", whole ? "" : task->file->name) < 0) {
    path = NULL;
    BEZ_TRY(bez_fail_memory(err, strlen(task->file->name)));
  }
  BEZ_TRY(open_file(h->plan, task->file, path, &fd, err));
  BEZ_TRY(bez_digest_file(h->plan->kind, fd, path, task->first, task->len, go_on, &ask, task->digest, err));
cleanup:
  if (fd >= 0) close(fd);
  free(path);
  return st;
}

bez_status bez_signing_hash(const bez_hash_plan *plan, bez_error *err) {
  hasher h = {.plan = plan,
              .watch = {.progress = plan->progress, .ctx = plan->progress_ctx, .stage = "hashing", .unit = "files"}};
  return bez_parallel_watched(plan->n, plan->threads, &h.watch, hash_one, &h, err);
}
