/* Files of a checkout. Names come from a tree and may be hostile: only plain relative ones are made, in a folder that
 * nobody else has a hand in yet, and each only once. */
#include "content/checkout_target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

#define WINDOW (256u << 10)

struct bez_target {
  char *path, *partial; /* partial: the folder in the making */
  bool folder, started; /* started: the single file has begun */
  bez_outfile *file;
  int fd;     /* of the file in the making below partial, -1 none */
  char *name; /* its path */
  bez_buf window;
};

static bez_status remove_below(int parent, const char *name, bez_error *err);

static bez_status remove_entries(DIR *folder, bez_error *err) {
  bez_status st = BEZ_OK;
  for (const struct dirent *entry; st == BEZ_OK && (entry = readdir(folder)) != NULL;)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") && unlinkat(dirfd(folder), entry->d_name, 0) != 0)
      st = remove_below(dirfd(folder), entry->d_name, err);
  return st;
}

/* A folder and all in it. What cannot be removed is left: it is ours, and has a name that says so. */
static bez_status remove_below(int parent, const char *name, bez_error *err) {
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
  if (!folder) {
    if (fd >= 0) close(fd);
    return bez_fail_errno(err, name, "cannot remove");
  }
  bez_status st = remove_entries(folder, err);
  (void)closedir(folder);
  if (st == BEZ_OK && unlinkat(parent, name, AT_REMOVEDIR) != 0) st = bez_fail_errno(err, name, "cannot remove");
  return st;
}

static void target_free(bez_target *t) {
  if (t->fd >= 0) close(t->fd);
  bez_buf_free(&t->window);
  free(t->name);
  free(t->partial);
  free(t->path);
  free(t);
}

void bez_target_abandon(bez_target *t) {
  bez_error ignored = {0};
  if (!t) return;
  bez_outfile_abandon(t->file);
  if (t->partial && remove_below(AT_FDCWD, t->partial, &ignored) != BEZ_OK) {
  }
  target_free(t);
}

/* Room for them on the disk that holds the folder of path. Where that cannot be told, writing will. */
static bez_status check_room(const char *path, uint64_t bytes, bez_error *err) {
  struct statvfs disk;
  char *copy = strdup(path);
  if (!copy) return bez_fail_memory(err, strlen(path) + 1);
  const int told = statvfs(dirname(copy), &disk);
  free(copy);
  if (told != 0 || !disk.f_frsize || bytes / disk.f_frsize < disk.f_bavail) return BEZ_OK;
  return bez_fail(err, BEZ_LIMIT, path, "the version has %llu bytes, and there is room for %llu",
                  (unsigned long long)bytes, (unsigned long long)disk.f_bavail * disk.f_frsize);
}

bez_status bez_target_check(const char *path, bool replace, uint64_t bytes, bez_error *err) {
  struct stat info;
  if (!strcmp(path, "-")) return BEZ_OK;
  const bool there = lstat(path, &info) == 0;
  if (there && stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return BEZ_OK; /* a pipe */
  if (there && !S_ISDIR(info.st_mode) && !replace)
    return bez_fail(err, BEZ_USAGE, path, "is there already (--force replaces a file)");
  return check_room(path, bytes, err);
}

static bez_status make_partial(bez_target *t, bez_error *err) {
  struct stat info;
  size_t n = strlen(t->path) + 32;
  while (strlen(t->path) > 1 && t->path[strlen(t->path) - 1] == '/') t->path[strlen(t->path) - 1] = 0;
  if (lstat(t->path, &info) == 0) return bez_fail(err, BEZ_USAGE, t->path, "is there already");
  char *partial = malloc(n);
  if (!partial) return bez_fail_memory(err, n);
  for (unsigned try = 0; try < 1000; try++) { /* not mkdtemp: its folders are closed to others */
    (void)snprintf(partial, n, "%s.part%ld.%u", t->path, (long)getpid(), try);
    if (mkdir(partial, 0777) == 0) {
      t->partial = partial;
      return BEZ_OK;
    }
    if (errno != EEXIST) break;
  }
  bez_status st = bez_fail_errno(err, t->path, "cannot make a folder beside");
  free(partial);
  return st;
}

bez_status bez_target_open(const char *path, bool folder, bez_target **out, bez_error *err) {
  *out = NULL;
  bez_target *t = calloc(1, sizeof *t);
  if (!t) return bez_fail_memory(err, sizeof *t);
  t->folder = folder;
  t->fd = -1;
  t->path = strdup(path);
  bez_status st = t->path ? BEZ_OK : bez_fail_memory(err, strlen(path));
  if (st == BEZ_OK) st = folder ? make_partial(t, err) : bez_outfile_open(path, &t->file, err);
  if (st == BEZ_OK)
    *out = t;
  else
    bez_target_abandon(t);
  return st;
}

/* Whether a part of a name may be written: a vault inside the target would be somebody else's vault to whoever works
 * there, on file systems that do not tell cases apart as well. */
static bool plain_part(const char *part, size_t n) {
  static const char vault[] = ".bezoar";
  if (!n || (n == 1 && part[0] == '.') || (n == 2 && !memcmp(part, "..", 2))) return false;
  return n != sizeof vault - 1 || strncasecmp(part, vault, n) != 0;
}

/* Relative, of parts that are neither empty nor "." nor ".." nor ".bezoar", UTF-8. */
static bool plain_name(const char *name, size_t len) {
  if (!len || len >= 4096 || memchr(name, 0, len) || !bez_utf8_valid(name, len)) return false;
  for (size_t begin = 0; begin <= len;) {
    const char *slash = memchr(name + begin, '/', len - begin);
    size_t end = slash ? (size_t)(slash - name) : len;
    if (!plain_part(name + begin, end - begin)) return false;
    begin = end + 1;
  }
  return true;
}

static bez_status write_fd(const bez_target *t, const char *bytes, size_t len, bez_error *err) {
  while (len) {
    ssize_t n = write(t->fd, bytes, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return bez_fail_errno(err, t->name, "cannot write");
    bytes += n;
    len -= (size_t)n;
  }
  return BEZ_OK;
}

static bez_status flush(bez_target *t, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!t->window.len) return BEZ_OK;
  if (t->folder)
    st = write_fd(t, t->window.data, t->window.len, err);
  else
    st = bez_outfile_write(t->file, t->window.data, t->window.len, err);
  bez_buf_clear(&t->window);
  return st;
}

static bez_status put_bytes(bez_target *t, const char *bytes, size_t len, bez_error *err) {
  if (!len) return BEZ_OK;
  if (t->folder ? t->fd < 0 : !t->started)
    return bez_fail(err, BEZ_FORMAT, t->path, "bytes stand before the first file");
  if (t->window.len + len > WINDOW) {
    bez_status st = flush(t, err);
    if (st != BEZ_OK) return st;
    if (len > WINDOW) return t->folder ? write_fd(t, bytes, len, err) : bez_outfile_write(t->file, bytes, len, err);
  }
  bez_buf_write(&t->window, bytes, len);
  return bez_buf_status(&t->window, err);
}

static bez_status close_file(bez_target *t, bez_error *err) {
  bez_status st = flush(t, err);
  if (t->fd >= 0 && close(t->fd) != 0 && st == BEZ_OK) st = bez_fail_errno(err, t->name, "cannot write");
  t->fd = -1;
  return st;
}

/* The folders that a file lies in, of those below partial. */
static bez_status make_folders(const bez_target *t, bez_error *err) {
  for (char *slash = t->name + strlen(t->partial) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = 0;
    int failed = mkdir(t->name, 0777) != 0 && errno != EEXIST;
    bez_status st = failed ? bez_fail_errno(err, t->name, "cannot make the folder") : BEZ_OK;
    *slash = '/';
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status begin_file(bez_target *t, const bez_item *item, bez_error *err) {
  size_t len = bez_item_name_len(item);
  if (!t->folder) {
    if (t->started) return bez_fail(err, BEZ_FORMAT, t->path, "a data set of one file holds a second one");
    t->started = true;
    return BEZ_OK;
  }
  bez_status st = close_file(t, err);
  if (st != BEZ_OK) return st;
  if (!plain_name(item->head, len))
    return bez_fail(err, BEZ_FORMAT, t->path, "a file's name leads out of the folder or into a vault, or is none");
  size_t room = strlen(t->partial) + len + 2;
  free(t->name);
  t->name = malloc(room);
  if (!t->name) return bez_fail_memory(err, room);
  (void)snprintf(t->name, room, "%s/%.*s", t->partial, (int)len, item->head);
  int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  t->fd = open(t->name, flags, 0666);
  if (t->fd < 0 && errno == ENOENT) {
    st = make_folders(t, err);
    if (st == BEZ_OK) t->fd = open(t->name, flags, 0666);
  }
  if (st == BEZ_OK && t->fd < 0) st = bez_fail_errno(err, t->name, "cannot make");
  return st;
}

bez_status bez_target_put(bez_target *t, const bez_item *item, bez_error *err) {
  bez_status st = BEZ_OK;
  if (item->type == BEZ_ITEM_FILE || item->type == BEZ_ITEM_FILE_ROW) st = begin_file(t, item, err);
  size_t bytes = bez_item_file_bytes(item);
  return st == BEZ_OK ? put_bytes(t, item->body, bytes, err) : st;
}

static bez_status put_in_place(const bez_target *t, bez_error *err) {
  if (renameat2(AT_FDCWD, t->partial, AT_FDCWD, t->path, RENAME_NOREPLACE) == 0) return BEZ_OK;
  if (errno != EINVAL && errno != ENOSYS) return bez_fail_errno(err, t->path, "cannot put in place");
  return rename(t->partial, t->path) == 0 ? BEZ_OK : bez_fail_errno(err, t->path, "cannot put in place");
}

bez_status bez_target_commit(bez_target *t, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(close_file(t, err));
  if (t->folder) {
    BEZ_TRY(put_in_place(t, err));
  } else {
    bez_outfile *file = t->file;
    t->file = NULL;
    BEZ_TRY(bez_outfile_commit(file, err));
  }
  target_free(t);
  return BEZ_OK;
cleanup:
  bez_target_abandon(t);
  return st;
}
