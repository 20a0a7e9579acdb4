/* Whole reads with a ceiling, and files that appear whole or not at all. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

bez_status bez_file_read(const char *path, size_t ceiling, bez_buf *buf, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf_clear(buf);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return bez_fail_errno(err, path, "cannot open");
  for (;;) {
    if (!bez_buf_reserve(buf, 65536)) BEZ_TRY(bez_buf_status(buf, err));
    ssize_t got = read(fd, buf->data + buf->len, 65536);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) BEZ_TRY(bez_fail_errno(err, path, "cannot read"));
    if (got == 0) break;
    buf->len += (size_t)got;
    if (buf->len > ceiling) BEZ_TRY(bez_fail(err, BEZ_LIMIT, path, "larger than the ceiling of %zu bytes", ceiling));
  }
  if (buf->data) buf->data[buf->len] = '\0';
cleanup:
  close(fd);
  return st;
}

bez_status bez_file_pread(int fd, const char *path, void *out, size_t len, uint64_t offset, bez_error *err) {
  char *p = out;
  while (len) {
    ssize_t got = pread(fd, p, len, (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return bez_fail_errno(err, path, "cannot read");
    if (got == 0)
      return bez_fail_at(err, BEZ_IO, path, -1, (int64_t)offset, "file ends early: it became shorter while being read");
    p += got;
    offset += (uint64_t)got;
    len -= (size_t)got;
  }
  return BEZ_OK;
}

struct bez_outfile {
  int fd;
  char *path, *partial; /* partial NULL: written through */
};

static void outfile_free(bez_outfile *file) {
  if (file->partial || (file->fd > STDERR_FILENO)) close(file->fd);
  free(file->path);
  free(file->partial);
  free(file);
}

/* Pipes, terminals and devices cannot be renamed over: they are written through. */
static bool is_special(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

static bez_status open_partial(bez_outfile *file, bez_error *err) {
  if (asprintf(&file->partial, "%s.partial-XXXXXX", file->path) < 0) {
    file->partial = NULL;
    return bez_fail_memory(err, strlen(file->path) + 16);
  }
  file->fd = mkostemp(file->partial, O_CLOEXEC);
  if (file->fd < 0) {
    bez_status st = bez_fail_errno(err, file->path, "cannot create");
    free(file->partial);
    file->partial = NULL;
    return st;
  }
  mode_t mask = umask(0); /* mkostemp gives 0600; the user's umask decides instead */
  umask(mask);
  if (fchmod(file->fd, 0666 & ~mask) != 0) return bez_fail_errno(err, file->path, "cannot set permissions");
  return BEZ_OK;
}

bez_status bez_outfile_open(const char *path, bez_outfile **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_outfile *file = calloc(1, sizeof *file);
  if (!file) return bez_fail_memory(err, sizeof *file);
  file->fd = -1;
  file->path = strdup(path);
  if (!file->path) BEZ_TRY(bez_fail_memory(err, strlen(path) + 1));
  if (!strcmp(path, "-")) {
    file->fd = STDOUT_FILENO;
  } else if (is_special(path)) {
    file->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (file->fd < 0) BEZ_TRY(bez_fail_errno(err, path, "cannot open for writing"));
  } else {
    BEZ_TRY(open_partial(file, err));
  }
  *out = file;
  return BEZ_OK;
cleanup:
  bez_outfile_abandon(file);
  return st;
}

bez_status bez_outfile_write(bez_outfile *file, const void *bytes, size_t len, bez_error *err) {
  const char *p = bytes;
  while (len) {
    ssize_t put = write(file->fd, p, len);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return bez_fail_errno(err, file->path, "cannot write");
    p += put;
    len -= (size_t)put;
  }
  return BEZ_OK;
}

bez_status bez_outfile_commit(bez_outfile *file, bez_error *err) {
  bez_status st = BEZ_OK;
  if (file->partial) {
    if (fsync(file->fd) != 0) BEZ_TRY(bez_fail_errno(err, file->path, "cannot write"));
    if (rename(file->partial, file->path) != 0) BEZ_TRY(bez_fail_errno(err, file->path, "cannot put in place"));
  }
  outfile_free(file);
  return BEZ_OK;
cleanup:
  bez_outfile_abandon(file);
  return st;
}

void bez_outfile_abandon(bez_outfile *file) {
  if (!file) return;
  if (file->partial) unlink(file->partial);
  outfile_free(file);
}

bez_status bez_file_write(const char *path, const void *bytes, size_t len, bez_error *err) {
  bez_outfile *file = NULL;
  bez_status st = bez_outfile_open(path, &file, err);
  if (st != BEZ_OK) return st;
  st = bez_outfile_write(file, bytes, len, err);
  if (st != BEZ_OK) {
    bez_outfile_abandon(file);
    return st;
  }
  return bez_outfile_commit(file, err);
}
