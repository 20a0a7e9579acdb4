/* Asking the helper that reads models. It has met hostile bytes and may be anyone's by now: what it says is read as
 * hostile bytes, too. */
#include "format/model_helper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/model_wire.h"

#define RETIRE 1000u /* files; then a fresh one takes over */

static const bez_helper_limits limits = {
    .heap = (uint64_t)1 << 30, /* the mapped file does not count */
    .cpu_seconds = 600,
    .patience = 300, /* for one answer */
};

static bez_status open_file(const char *path, int *fd, bez_error *err) {
  struct stat info;
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (*fd < 0) return bez_fail_errno(err, path, "cannot open");
  if (fstat(*fd, &info) == 0 && S_ISREG(info.st_mode)) return BEZ_OK;
  close(*fd);
  return bez_fail(err, BEZ_USAGE, path, "is no regular file");
}

static bez_status exchange(bez_helper *h, const bez_model_request *q, int fd, uint8_t **bytes, size_t *len,
                           bez_error *err) {
  bez_model_reply r;
  bool ended = false;
  bez_status st = bez_child_write(&h->child, q, sizeof *q, err);
  if (st == BEZ_OK) st = bez_child_pass(&h->child, fd, err);
  if (st == BEZ_OK) st = bez_child_read(&h->child, &r, sizeof r, &ended, err);
  if (st != BEZ_OK) return st;
  if (ended) return bez_fail(err, BEZ_IO, BEZ_HELPER_NAME, "the helper ended");
  if (r.magic != BEZ_MODEL_ANSWER || r.bytes > BEZ_MAX_MODEL_ANSWER)
    return bez_fail(err, BEZ_FORMAT, BEZ_HELPER_NAME, "the helper answered nonsense");
  if (r.failed) return bez_fail(err, BEZ_MEMORY, BEZ_HELPER_NAME, "the helper's memory is out");
  *len = (size_t)r.bytes;
  *bytes = malloc(*len + 1);
  if (!*bytes) return bez_fail_memory(err, *len);
  st = bez_child_read(&h->child, *bytes, *len, &ended, err);
  return st == BEZ_OK && ended && *len ? bez_fail(err, BEZ_IO, BEZ_HELPER_NAME, "the helper ended") : st;
}

/* A helper that never came to life is no fault of the file's. */
static bez_status explain(int code, const char *path, const bez_error *why, bez_error *err) {
  if (code == BEZ_HELPER_NO_FILTER || code == BEZ_HELPER_NO_SANDBOX)
    return bez_fail(err, BEZ_UNSUPPORTED, path,
                    "the sandbox cannot be started here (system call filters are refused), so that nothing was read; "
                    "--sandbox=off reads without it");
  return bez_fail(err, BEZ_LIMIT, path, "the sandboxed reader gave up on it: %s", why->message);
}

bez_status bez_model_helper_ask(bez_helper *h, const char *path, bez_model *out, bez_error *err) {
  bez_model_request q = {.magic = BEZ_MODEL_MAGIC};
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t skip = strlen(name) >= sizeof q.name ? strlen(name) + 1 - sizeof q.name : 0;
  uint8_t *bytes = NULL;
  bez_error why = {0};
  size_t len = 0;
  int fd = -1;
  bez_status st = open_file(path, &fd, err);
  *out = (bez_model){0};
  if (st != BEZ_OK) return st;
  memcpy(q.name, name + skip, strlen(name + skip) + 1);
  if (h->running && h->served >= RETIRE) (void)bez_helper_stop(h);
  if (!h->running)
    BEZ_TRY(bez_helper_start(h, h->unconfined ? "models-unconfined" : "models", &limits, "models are read", err));
  st = exchange(h, &q, fd, &bytes, &len, &why);
  if (st == BEZ_OK) st = bez_model_load(bytes, len, out, &why);
  h->served++;
  if (st != BEZ_OK) {
    st = explain(bez_helper_stop(h), path, &why, err);
  }
cleanup:
  free(bytes);
  close(fd);
  return st;
}
