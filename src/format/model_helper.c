/* Asking the helper that reads models. It has met hostile bytes and may be anyone's by now: what it says is read as
 * hostile bytes, too. */
#include "format/model_helper.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"
#include "format/model_wire.h"

#define RETIRE 8192u /* files; then a fresh one takes over */

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

/* The answer to whatever was asked; the caller frees it. */
static bez_status take_answer(bez_helper *h, uint8_t **bytes, size_t *len, bez_error *err) {
  bez_model_reply r;
  bool ended = false;
  bez_status st = bez_child_read(&h->child, &r, sizeof r, &ended, err);
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

static bez_status exchange(bez_helper *h, const bez_model_request *q, int fd, uint8_t **bytes, size_t *len,
                           bez_error *err) {
  bez_status st = bez_child_write(&h->child, q, sizeof *q, err);
  if (st == BEZ_OK) st = bez_child_pass(&h->child, fd, err);
  return st == BEZ_OK ? take_answer(h, bytes, len, err) : st;
}

/* A helper that never came to life is no fault of the file's. */
static bez_status explain(int code, const char *path, const bez_error *why, bez_error *err) {
  if (code == BEZ_HELPER_NO_FILTER || code == BEZ_HELPER_NO_SANDBOX)
    return bez_fail(err, BEZ_UNSUPPORTED, path,
                    "the sandbox cannot be started here (system call filters are refused), so that nothing was read; "
                    "--sandbox=off reads without it");
  return bez_fail(err, BEZ_LIMIT, path, "the sandboxed reader gave up on it: %s", why->message);
}

/* The end of a path, as far as it fits into a request. */
static const char *own_name(const char *path) {
  const size_t most = sizeof((bez_model_request *)0)->name - 1;
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  return strlen(name) > most ? name + strlen(name) - most : name;
}

static bez_status ready(bez_helper *h, bez_error *err) {
  if (h->running && h->served >= RETIRE) (void)bez_helper_stop(h);
  if (h->running) return BEZ_OK;
  return bez_helper_start(h, h->unconfined ? "models-unconfined" : "models", &limits, "models are read", err);
}

bez_status bez_model_helper_ask(bez_helper *h, const char *path, bez_model *out, bez_error *err) {
  bez_model_request q = {.magic = BEZ_MODEL_MAGIC, .count = 1};
  const char *name = own_name(path);
  uint8_t *bytes = NULL;
  bez_error why = {0};
  size_t len = 0;
  int fd = -1;
  bez_status st = open_file(path, &fd, err);
  *out = (bez_model){0};
  if (st != BEZ_OK) return st;
  memcpy(q.name, name, strlen(name) + 1);
  BEZ_TRY(ready(h, err));
  st = exchange(h, &q, fd, &bytes, &len, &why);
  if (st == BEZ_OK) st = bez_model_load(bytes, len, out, &why);
  h->served++;
  if (st != BEZ_OK) st = explain(bez_helper_stop(h), path, &why, err);
cleanup:
  free(bytes);
  close(fd);
  return st;
}

static bez_status send_many(bez_helper *h, const bez_model_item *items, size_t n, bez_error *err) {
  bez_buf content = {0};
  bez_model_request q = {.magic = BEZ_MODEL_BATCH, .count = (uint32_t)n};
  bez_buf_write(&content, &q, BEZ_MODEL_HEAD);
  for (size_t i = 0; i < n; i++) {
    const char *name = own_name(items[i].path);
    bez_put_le32(&content, (uint32_t)strlen(name) + 1);
    bez_put_le32(&content, (uint32_t)items[i].len);
    bez_buf_write(&content, name, strlen(name) + 1);
    bez_buf_write(&content, items[i].bytes, items[i].len);
  }
  bez_status st = bez_buf_status(&content, err);
  if (st == BEZ_OK) {
    q.bytes = content.len - BEZ_MODEL_HEAD;
    memcpy(content.data, &q, BEZ_MODEL_HEAD);
    st = bez_child_write(&h->child, content.data, content.len, err);
  }
  bez_buf_free(&content);
  return st;
}

static bez_status load_many(const uint8_t *bytes, size_t len, const bez_model_item *items, size_t n, bez_error *err) {
  bez_cursor c = {.data = bytes, .len = len};
  for (size_t i = 0; i < n; i++) {
    uint32_t size;
    const uint8_t *one;
    if (!bez_cursor_le32(&c, &size) || !bez_cursor_take(&c, size, &one))
      return bez_fail(err, BEZ_FORMAT, BEZ_HELPER_NAME, "the helper answered nonsense");
    bez_status st = bez_model_load(one, size, items[i].out, err);
    if (st != BEZ_OK) return st;
  }
  return bez_cursor_left(&c) ? bez_fail(err, BEZ_FORMAT, BEZ_HELPER_NAME, "the helper answered nonsense") : BEZ_OK;
}

bez_status bez_model_helper_ask_many(bez_helper *h, const bez_model_item *items, size_t n, bez_error *err) {
  uint8_t *bytes = NULL;
  size_t len = 0;
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < n; i++) *items[i].out = (bez_model){0};
  BEZ_TRY(ready(h, err));
  BEZ_TRY(send_many(h, items, n, err));
  BEZ_TRY(take_answer(h, &bytes, &len, err));
  BEZ_TRY(load_many(bytes, len, items, n, err));
  h->served += (unsigned)n;
cleanup:
  for (size_t i = 0; st != BEZ_OK && i < n; i++) bez_model_free(items[i].out);
  if (st != BEZ_OK) (void)bez_helper_stop(h);
  free(bytes);
  return st;
}
