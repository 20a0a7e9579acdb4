/* Many small model files at once (models.h): one question to the helper for all of them, with their bytes, which are
 * read and hashed on the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "format/model_helper.h"
#include "scan/models.h"

bool bez_scan_is_small(const bez_scan_file *f) {
  return !f->link && f->size > 0 && f->size <= BEZ_MAX_MODEL_SMALL;
}

static bool read_whole(int fd, uint8_t *out, size_t len) {
  for (size_t have = 0; have < len;) {
    ssize_t n = read(fd, out + have, len - have);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    have += (size_t)n;
  }
  return true;
}

/* Exactly the bytes that were counted when it was found; false: something else by now, or unreadable. */
static bool take(bez_scan_file *f, uint8_t *out) {
  struct stat info;
  int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return false;
  const bool good = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == f->size &&
                    read_whole(fd, out, (size_t)f->size);
  close(fd);
  f->stamp[0] = f->stamp[1] = 0; /* its digest is of the bytes that are examined */
  return good && bez_sha256_hex(out, (size_t)f->size, f->sha256) == 0;
}

bool bez_scan_read_small(bez_scan_file *const *files, size_t n, bez_helper *helper) {
  bez_model_item items[BEZ_MAX_MODEL_BATCH] = {0};
  bez_error why = {0};
  size_t total = 0, at = 0;
  for (size_t i = 0; i < n; i++) total += (size_t)files[i]->size;
  uint8_t *bytes = n <= BEZ_MAX_MODEL_BATCH ? malloc(total + 1) : NULL;
  bool good = bytes != NULL;
  for (size_t i = 0; good && i < n; i++) {
    good = take(files[i], bytes + at);
    items[i] = (bez_model_item){files[i]->path, bytes + at, (size_t)files[i]->size, &files[i]->model};
    at += (size_t)files[i]->size;
  }
  good = good && bez_model_helper_ask_many(helper, items, n, &why) == BEZ_OK;
  for (size_t i = 0; good && i < n; i++) {
    files[i]->known = true;
    bez_audit_judge_names(&files[i]->model);
  }
  free(bytes);
  return good;
}
