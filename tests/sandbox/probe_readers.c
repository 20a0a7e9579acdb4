/* The helper as a reader that was taken over would find it: every registered reader, once it has read, tries what the
 * sandbox is there to deny, and puts down what came of it. Built for tests alone, as a second bezoar-decode with the
 * shipped one's main() and filter, in place of src/decode/model_readers.c. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "decode/model.h"

/* A process that came to be after all must not go on as the helper. */
static long forked(long pid) {
  if (pid == 0) _exit(0);
  return pid;
}

/* Nor must descriptors pile up. */
static long opened(long fd) {
  if (fd >= 0) close((int)fd);
  return fd;
}

/* A program that is not there: where exec is allowed, it says so instead of going through with it. */
static long try_exec(void) {
  return syscall(SYS_execve, "/no-such-program", NULL, NULL);
}

static long try_execveat(void) {
  return syscall(SYS_execveat, AT_FDCWD, "/no-such-program", NULL, NULL, 0);
}

static long try_open(void) {
  return opened(syscall(SYS_open, "/etc/passwd", O_RDONLY));
}

static long try_openat(void) {
  return opened(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY));
}

static long try_openat2(void) {
  uint64_t how[3] = {O_RDONLY, 0, 0};
  return opened(syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", how, sizeof how));
}

static long try_creat(void) {
  return opened(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY | O_CREAT, 0600));
}

static long try_unlink(void) {
  return syscall(SYS_unlinkat, AT_FDCWD, "/no-such-file", 0);
}

static long try_mkdir(void) {
  return syscall(SYS_mkdirat, AT_FDCWD, "/", 0700);
}

static long try_socket(void) {
  return opened(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
}

static long try_unix_socket(void) {
  return opened(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0));
}

static long try_sendmsg(void) {
  struct msghdr message = {0};
  return syscall(SYS_sendmsg, 3, &message, 0);
}

static long try_fork(void) {
  return forked(syscall(SYS_fork));
}

static long try_clone(void) {
  return forked(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0));
}

static long try_clone3(void) {
  uint64_t args[8] = {[4] = SIGCHLD};
  return forked(syscall(SYS_clone3, args, sizeof args));
}

static long try_ptrace(void) {
  return syscall(SYS_ptrace, PTRACE_DETACH, 0, NULL, NULL);
}

static long try_peek(void) {
  char byte = 0;
  struct iovec to = {.iov_base = &byte, .iov_len = 1}, from = {.iov_base = &byte, .iov_len = 1};
  return syscall(SYS_process_vm_readv, getpid(), &to, 1, &from, 1, 0);
}

static long try_kill(void) {
  return syscall(SYS_kill, 1, 0);
}

static long try_io_uring(void) {
  char params[128] = {0};
  return opened(syscall(SYS_io_uring_setup, 1, params));
}

static long try_dup(void) {
  return opened(syscall(SYS_dup, 1));
}

static const struct {
  const char *name;
  long (*go)(void);
} attempts[] = {
    {"open", try_open},
    {"openat", try_openat},
    {"openat2", try_openat2},
    {"creat", try_creat},
    {"unlink", try_unlink},
    {"mkdir", try_mkdir},
    {"socket", try_socket},
    {"unix socket", try_unix_socket},
    {"fork", try_fork},
    {"clone", try_clone},
    {"clone3", try_clone3},
    {"exec", try_exec},
    {"ptrace", try_ptrace},
    {"execveat", try_execveat},
    {"process_vm_readv", try_peek},
    {"kill", try_kill},
    {"dup", try_dup},
    {"io_uring", try_io_uring},
    {"sendmsg", try_sendmsg},
};

/* One line each: the call and what came of it. */
static void probe(const char *reader, const bez_model_input *in, struct bez_model_out *out) {
  bez_buf said = {0};
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
    errno = 0;
    long got = attempts[i].go();
    bez_buf_printf(&said, "%s %s\n", got < 0 && errno == EPERM ? "denied" : "ALLOWED", attempts[i].name);
  }
  bez_model_says(out, in->part, reader, said.data, said.len);
  bez_buf_free(&said);
}

#define BEZ_MODEL_READER(symbol)                                                                                       \
  static int sniff_##symbol(const bez_model_input *in) {                                                               \
    return symbol.sniff(in);                                                                                           \
  }                                                                                                                    \
  static void read_##symbol(const bez_model_input *in, struct bez_model_out *out) {                                    \
    symbol.read(in, out);                                                                                              \
    probe("probe " #symbol, in, out);                                                                                  \
  }                                                                                                                    \
  static const bez_model_reader probe_##symbol = {                                                                     \
      .name = #symbol, .title = #symbol, .sniff = sniff_##symbol, .read = read_##symbol};
#include "decode/model_readers.def"
#undef BEZ_MODEL_READER

#define BEZ_MODEL_READER(symbol) &probe_##symbol,
const bez_model_reader *const bez_model_readers[] = {
#include "decode/model_readers.def"
    NULL};
#undef BEZ_MODEL_READER
