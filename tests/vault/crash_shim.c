/* Preloaded into a command by the crash tests: counts the calls that change something below a folder, and at the Nth
 * one the process dies, or the call (and, for a full disk, every later one that needs room) fails.
 *
 *   CRASH_BELOW  calls on paths that hold this text count
 *   CRASH_AT     which one, 1 the first; 0 or absent: none
 *   CRASH_HOW    kill (before the call), torn (half of a write happens first), eio, enospc
 *   CRASH_LOG    a file that gets a line per call: its number, name and path
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#pragma GCC visibility push(default)

static _Atomic long calls;

static bool concerns(const char *path) {
  const char *below = getenv("CRASH_BELOW");
  return below && path && strstr(path, below);
}

static void note(long number, const char *name, const char *path) {
  const char *log = getenv("CRASH_LOG");
  char line[PATH_MAX + 64];
  if (!log) return;
  int len = snprintf(line, sizeof line, "%ld %s %s\n", number, name, path);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return;
  syscall(SYS_write, fd, line, (size_t)len);
  syscall(SYS_close, fd);
}

typedef enum fate { GO_ON, FAIL, TEAR } fate;

static fate count(const char *name, const char *path, bool needs_room) {
  if (!concerns(path)) return GO_ON;
  const char *at_text = getenv("CRASH_AT"), *how = getenv("CRASH_HOW");
  long number = atomic_fetch_add(&calls, 1) + 1, at = at_text ? strtol(at_text, NULL, 10) : 0;
  note(number, name, path);
  if (!at || !how || number < at) return GO_ON;
  if (!strcmp(how, "enospc")) {
    errno = ENOSPC;
    return needs_room ? FAIL : GO_ON;
  }
  if (number > at) return GO_ON;
  if (!strcmp(how, "torn") && !strcmp(name, "write")) return TEAR;
  if (!strcmp(how, "kill") || !strcmp(how, "torn")) kill(getpid(), SIGKILL);
  errno = EIO;
  return FAIL;
}

static const char *path_of(int fd, char out[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(link, out, PATH_MAX - 1);
  if (len < 0) return NULL;
  out[len] = '\0';
  return out;
}

static fate count_fd(const char *name, int fd, bool needs_room) {
  char path[PATH_MAX];
  int kept = errno;
  fate f = count(name, path_of(fd, path), needs_room);
  if (f == GO_ON) errno = kept;
  return f;
}

static void die(void) {
  kill(getpid(), SIGKILL);
}

ssize_t write(int fd, const void *bytes, size_t len) {
  fate f = count_fd("write", fd, true);
  if (f == FAIL) return -1;
  ssize_t put = syscall(SYS_write, fd, bytes, f == TEAR ? len / 2 : len);
  if (f == TEAR) die();
  return put;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at) {
  fate f = count_fd("write", fd, true);
  if (f == FAIL) return -1;
  ssize_t put = syscall(SYS_pwrite64, fd, bytes, f == TEAR ? len / 2 : len, at);
  if (f == TEAR) die();
  return put;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) {
  return pwrite64(fd, bytes, len, at);
}

ssize_t writev(int fd, const struct iovec *parts, int n) {
  if (count_fd("writev", fd, true) == FAIL) return -1;
  return syscall(SYS_writev, fd, parts, n);
}

/* What was written outlives the process that is killed here, through to the disk or not: no need to wait for it. */
int fsync(int fd) {
  return count_fd("fsync", fd, true) == FAIL ? -1 : 0;
}

int fdatasync(int fd) {
  return count_fd("fdatasync", fd, true) == FAIL ? -1 : 0;
}

int ftruncate64(int fd, off64_t len) {
  return count_fd("ftruncate", fd, true) == FAIL ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int ftruncate(int fd, off_t len) {
  return ftruncate64(fd, len);
}

int fallocate(int fd, int mode, off_t at, off_t len) {
  return count_fd("fallocate", fd, true) == FAIL ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, len);
}

int posix_fallocate(int fd, off_t at, off_t len) {
  if (count_fd("fallocate", fd, true) == FAIL) return errno;
  return syscall(SYS_fallocate, fd, 0, at, len) == 0 ? 0 : errno;
}

int rename(const char *from, const char *to) {
  return count("rename", to, false) == FAIL ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
  char path[PATH_MAX];
  const char *whole = to_dir == AT_FDCWD || to[0] == '/' ? to : path_of(to_dir, path);
  return count("rename", whole, false) == FAIL ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, 0);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
  char path[PATH_MAX];
  const char *whole = to_dir == AT_FDCWD || to[0] == '/' ? to : path_of(to_dir, path);
  return count("rename", whole, false) == FAIL ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int link(const char *from, const char *to) {
  return count("link", to, true) == FAIL ? -1 : (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path) {
  return count("unlink", path, false) == FAIL ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int unlinkat(int dir, const char *path, int flags) {
  char whole[PATH_MAX];
  const char *place = dir == AT_FDCWD || path[0] == '/' ? path : path_of(dir, whole);
  return count("unlink", place, false) == FAIL ? -1 : (int)syscall(SYS_unlinkat, dir, path, flags);
}

int mkdir(const char *path, mode_t mode) {
  return count("mkdir", path, true) == FAIL ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

static int open_with(int dir, const char *path, int flags, mode_t mode) {
  if ((flags & O_CREAT) && count("create", path, true) == FAIL) return -1;
  return (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags, mode)                                                                                           \
  mode_t mode = 0;                                                                                                     \
  if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                               \
    va_list args;                                                                                                      \
    va_start(args, flags);                                                                                             \
    mode = va_arg(args, mode_t);                                                                                       \
    va_end(args);                                                                                                      \
  }

int open(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_with(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_with(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_with(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_with(dir, path, flags, mode);
}
