/* Files of the log, put in place whole, and taken away when nobody needs them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "ledger/log_internal.h"

bez_status bez_log_sync(const char *folder, bez_error *err) {
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return bez_fail_errno(err, folder, "cannot open");
  bez_status st = BEZ_OK;
  if (fsync(fd) != 0) st = bez_fail_errno(err, folder, "cannot bring to the disk");
  close(fd);
  return st;
}

static bez_status write_all(int fd, const char *path, const char *bytes, size_t len, bez_error *err) {
  while (len) {
    ssize_t put = write(fd, bytes, len);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return bez_fail_errno(err, path, "cannot write");
    bytes += put;
    len -= (size_t)put;
  }
  return BEZ_OK;
}

/* Remembers the folder that path lies in, once. */
static void remember(bez_buf *folders, const char *path) {
  size_t len = (size_t)(strrchr(path, '/') - path);
  if (!folders) return;
  for (const char *at = folders->data; at && at < folders->data + folders->len; at += strlen(at) + 1)
    if (strlen(at) == len && memcmp(at, path, len) == 0) return;
  bez_buf_write(folders, path, len);
  bez_buf_putc(folders, '\0');
}

/* The folders of path below the log's own; slashes of path are cut for a moment. */
static bez_status make_folders(const bez_log *log, char *path, bez_buf *folders, bez_error *err) {
  for (char *p = path + strlen(log->folder) + 1; (p = strchr(p, '/')) != NULL; p++) {
    *p = '\0';
    int failed = mkdir(path, 0777) != 0 ? errno : 0;
    if (!failed) remember(folders, path);
    bez_status st = BEZ_OK;
    if (failed && failed != EEXIST) {
      errno = failed;
      st = bez_fail_errno(err, path, "cannot make the folder");
    }
    *p = '/';
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_log_put(const bez_log *log, const char *path, const void *bytes, size_t len, bez_buf *folders,
                       bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf fresh = {0}, name = {0};
  int fd = -1;
  bez_buf_printf(&fresh, "%s/new", log->folder);
  bez_buf_puts(&name, path);
  BEZ_TRY(bez_buf_status(&fresh, err));
  BEZ_TRY(bez_buf_status(&name, err));
  BEZ_TRY(make_folders(log, name.data, folders, err));
  fd = open(fresh.data, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd < 0) BEZ_TRY(bez_fail_errno(err, fresh.data, "cannot create"));
  BEZ_TRY(write_all(fd, fresh.data, bytes, len, err));
  if (fsync(fd) != 0) BEZ_TRY(bez_fail_errno(err, fresh.data, "cannot bring to the disk"));
  if (rename(fresh.data, path) != 0) BEZ_TRY(bez_fail_errno(err, path, "cannot put in place"));
  remember(folders, path);
  if (folders) BEZ_TRY(bez_buf_status(folders, err));
cleanup:
  if (fd >= 0) close(fd);
  if (st != BEZ_OK && fresh.data) (void)unlink(fresh.data);
  bez_buf_free(&fresh);
  bez_buf_free(&name);
  return st;
}

/* Whether a partial tile of `old` is one of `size`, too. */
static bool needed(uint64_t old, uint64_t size, unsigned level) {
  return bez_log_width(old, level) == bez_log_width(size, level) &&
         bez_log_edge(old, level) == bez_log_edge(size, level);
}

void bez_log_drop(const bez_log *log, uint64_t old) {
  for (unsigned i = 0; i <= BEZ_LOG_LEVELS; i++) {
    bez_buf path = {0};
    unsigned level = i < BEZ_LOG_LEVELS ? i : BEZ_LOG_ENTRIES, width = bez_log_width(old, level);
    if (!width || needed(old, log->state->size, level) || needed(old, log->state->signed_size, level)) continue;
    bez_log_path(log, level, bez_log_edge(old, level), width, &path);
    if (bez_buf_status(&path, NULL) == BEZ_OK && unlink(path.data) == 0) {
      *strrchr(path.data, '/') = '\0';
      (void)rmdir(path.data); /* succeeds with the last one */
    }
    bez_buf_free(&path);
  }
}
