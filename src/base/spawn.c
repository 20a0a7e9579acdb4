/* Sandboxed helpers (spawn.h). Between fork and exec only what is safe there: everything that allocates — the filters,
 * the search along PATH, the pipes — is done before. */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

#define MAX_FILTER 4096 /* instructions; the kernel's own ceiling */
#define FIRST_FREE_FD 5

extern char **environ;

/* What no reader needs: the network, other processes, the kernel's knobs. */
static const int never[] = {
    SCMP_SYS(socket),
    SCMP_SYS(socketpair),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
    SCMP_SYS(sendto),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(open_by_handle_at),
};

/* Once the helper has loaded its libraries. */
static const int later[] = {
    SCMP_SYS(execve),    SCMP_SYS(execveat), SCMP_SYS(fork),     SCMP_SYS(vfork),     SCMP_SYS(kill),
    SCMP_SYS(tkill),     SCMP_SYS(unlink),   SCMP_SYS(unlinkat), SCMP_SYS(rename),    SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(mkdir),    SCMP_SYS(mkdirat),  SCMP_SYS(chmod),     SCMP_SYS(fchmodat),
    SCMP_SYS(link),      SCMP_SYS(linkat),   SCMP_SYS(symlink),  SCMP_SYS(symlinkat), SCMP_SYS(truncate),
    SCMP_SYS(creat),     SCMP_SYS(openat2),
};

static int deny(scmp_filter_ctx ctx, const int *calls, size_t n) {
  int failed = 0;
  for (size_t i = 0; i < n && !failed; i++) failed = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
  return failed;
}

/* clone() may make threads only; clone3() hides its flags in memory, and glibc falls back when it is missing. */
static int deny_second(scmp_filter_ctx ctx) {
  static const int openers[] = {SCMP_SYS(open), SCMP_SYS(openat)};
  int failed = deny(ctx, later, sizeof later / sizeof *later);
  if (!failed) failed = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (!failed)
    failed =
        seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  for (unsigned i = 0; i < 2; i++)
    for (unsigned flag = O_WRONLY; !failed && flag <= O_RDWR; flag++)
      failed = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), openers[i], 1,
                                i == 0 ? SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE, flag)
                                       : SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE, flag));
  return failed;
}

/* The filter as instructions in a memory file. */
static bez_status make_filter(bool second, int *fd, bez_error *err) {
  scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
  *fd = memfd_create("bezoar-filter", MFD_CLOEXEC);
  int failed = !ctx || *fd < 0 ? -ENOMEM : second ? deny_second(ctx) : deny(ctx, never, sizeof never / sizeof *never);
  if (!failed) failed = seccomp_export_bpf(ctx, *fd);
  if (ctx) seccomp_release(ctx);
  if (!failed) return BEZ_OK;
  if (*fd >= 0) close(*fd);
  *fd = -1;
  return bez_fail(err, BEZ_INTERNAL, "sandbox", "cannot build the system call filter: %s", strerror(-failed));
}

static bez_status find_program(const char *program, char out[4096], bez_error *err) {
  const char *path = getenv("PATH");
  if (strchr(program, '/')) {
    if ((size_t)snprintf(out, 4096, "%s", program) < 4096 && access(out, X_OK) == 0) return BEZ_OK;
    return bez_fail(err, BEZ_UNSUPPORTED, program, "cannot be run");
  }
  for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
    size_t n = strcspn(p, ":");
    struct stat info;
    /* Only absolute folders: the current one may be what is being scanned. */
    if (n > 0 && *p == '/' && (size_t)snprintf(out, 4096, "%.*s/%s", (int)n, p, program) < 4096 &&
        access(out, X_OK) == 0 && stat(out, &info) == 0 && S_ISREG(info.st_mode))
      return BEZ_OK;
    p += n + (p[n] == ':');
  }
  return bez_fail(err, BEZ_UNSUPPORTED, program, "is not installed");
}

/* Everything the child needs, ready before it exists. */
typedef struct launch {
  const bez_spawn *plan;
  char program[4096];
  int null_fd, out_fd, in_fd, filter2_fd;
  struct sock_fprog filter;
} launch;

static void limit(int what, uint64_t value) {
  struct rlimit r = {.rlim_cur = value, .rlim_max = value};
  setrlimit((__rlimit_resource_t)what, &r);
}

/* In the child. The sources may lie where the targets are, so they are moved up first. */
static bool place_descriptors(const launch *l) {
  int from[FIRST_FREE_FD] = {l->null_fd, l->out_fd, l->null_fd, l->in_fd, l->filter2_fd};
  for (int i = 0; i < FIRST_FREE_FD; i++) {
    if (from[i] < 0) from[i] = l->null_fd;
    from[i] = fcntl(from[i], F_DUPFD, 16);
    if (from[i] < 0) return false;
  }
  for (int i = 0; i < FIRST_FREE_FD; i++)
    if (dup2(from[i], i) < 0) return false;
  if (syscall(SYS_close_range, FIRST_FREE_FD, ~0u, 0) == 0) return true;
  for (int fd = FIRST_FREE_FD; fd < 65536; fd++) close(fd); /* kernels before 5.9 */
  return true;
}

static _Noreturn void run_child(const launch *l) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!place_descriptors(l)) _exit(126);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_NOFILE, 256);
  if (l->plan->memory) limit(RLIMIT_AS, l->plan->memory);
  if (l->plan->heap) limit(RLIMIT_DATA, l->plan->heap);
  if (l->plan->cpu_seconds) limit(RLIMIT_CPU, l->plan->cpu_seconds);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(126);
  if (!l->plan->unconfined && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &l->filter) != 0) _exit(126);
  execve(l->program, (char *const *)(uintptr_t)l->plan->argv,
         l->plan->envp ? (char *const *)(uintptr_t)l->plan->envp : environ);
  _exit(127);
}

static bez_status load_filter(launch *l, struct sock_filter *code, bez_error *err) {
  int fd = -1;
  bez_status st = make_filter(false, &fd, err);
  if (st != BEZ_OK) return st;
  ssize_t got = pread(fd, code, MAX_FILTER * sizeof *code, 0);
  close(fd);
  if (got <= 0) return bez_fail(err, BEZ_INTERNAL, "sandbox", "an empty system call filter");
  l->filter = (struct sock_fprog){.len = (unsigned short)((size_t)got / sizeof *code), .filter = code};
  st = make_filter(true, &l->filter2_fd, err);
  if (st == BEZ_OK && lseek(l->filter2_fd, 0, SEEK_SET) != 0)
    return bez_fail_errno(err, "sandbox", "cannot rewind the filter");
  return st;
}

bez_status bez_spawn_start(const bez_spawn *plan, bez_child *out, bez_error *err) {
  bez_status st = BEZ_OK;
  launch l = {.plan = plan, .null_fd = -1, .out_fd = -1, .in_fd = plan->input_fd, .filter2_fd = -1};
  int ends[2] = {-1, -1}, feed[2] = {-1, -1};
  *out = (bez_child){.pid = -1, .out = -1, .in = -1, .patience = plan->patience};
  struct sock_filter *code = calloc(MAX_FILTER, sizeof *code);
  if (!code) return bez_fail_memory(err, MAX_FILTER * sizeof *code);
  BEZ_TRY(find_program(plan->program, l.program, err));
  if (!plan->unconfined) BEZ_TRY(load_filter(&l, code, err));
  l.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (l.null_fd < 0 || pipe2(ends, O_CLOEXEC) < 0) BEZ_TRY(bez_fail_errno(err, plan->program, "cannot start"));
  l.out_fd = ends[1];
  if (plan->feed && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, feed) < 0)
    BEZ_TRY(bez_fail_errno(err, plan->program, "cannot start"));
  if (plan->feed) l.in_fd = feed[1];
  out->pid = fork();
  if (out->pid == 0) run_child(&l);
  if (out->pid < 0) BEZ_TRY(bez_fail_errno(err, plan->program, "cannot start"));
  out->out = ends[0];
  ends[0] = -1;
  out->in = feed[0];
  feed[0] = -1;
cleanup:
  if (feed[0] >= 0) close(feed[0]);
  if (feed[1] >= 0) close(feed[1]);
  if (ends[0] >= 0) close(ends[0]);
  if (ends[1] >= 0) close(ends[1]);
  if (l.null_fd >= 0) close(l.null_fd);
  if (l.filter2_fd >= 0) close(l.filter2_fd);
  free(code);
  return st;
}

/* Waits until the descriptor is ready for `events`, no longer than the child's patience. */
static bez_status wait_for(const bez_child *child, int fd, short events, bez_error *err) {
  struct pollfd p = {.fd = fd, .events = events};
  int n;
  if (!child->patience) return BEZ_OK;
  do n = poll(&p, 1, child->patience < 1u << 20 ? (int)child->patience * 1000 : -1);
  while (n < 0 && errno == EINTR);
  if (n > 0) return BEZ_OK;
  if (n < 0) return bez_fail_errno(err, "helper", "cannot wait for it");
  return bez_fail(err, BEZ_IO, "helper", "did not answer within %u seconds", child->patience);
}

bez_status bez_child_write(bez_child *child, const void *bytes, size_t len, bez_error *err) {
  size_t done = 0;
  while (done < len) {
    bez_status st = wait_for(child, child->in, POLLOUT, err);
    if (st != BEZ_OK) return st;
    ssize_t n =
        send(child->in, (const char *)bytes + done, len - done, MSG_NOSIGNAL | (child->patience ? MSG_DONTWAIT : 0));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return bez_fail_errno(err, "helper", "cannot write to it");
    done += (size_t)n;
  }
  return BEZ_OK;
}

bez_status bez_child_pass(bez_child *child, int fd, bez_error *err) {
  char byte = 0;
  struct iovec one = {.iov_base = &byte, .iov_len = 1};
  _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof fd)] = {0};
  struct msghdr message = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
  for (;;) {
    bez_status st = wait_for(child, child->in, POLLOUT, err);
    if (st != BEZ_OK) return st;
    if (sendmsg(child->in, &message, MSG_NOSIGNAL) == 1) return BEZ_OK;
    if (errno != EINTR && errno != EAGAIN) return bez_fail_errno(err, "helper", "cannot pass a file to it");
  }
}

bez_status bez_child_read(bez_child *child, void *out, size_t len, bool *ended, bez_error *err) {
  size_t have = 0;
  *ended = false;
  while (have < len) {
    bez_status st = wait_for(child, child->out, POLLIN, err);
    if (st != BEZ_OK) return st;
    ssize_t got = read(child->out, (char *)out + have, len - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return bez_fail_errno(err, "helper", "cannot read from it");
    if (got == 0 && have == 0) {
      *ended = true;
      return BEZ_OK;
    }
    if (got == 0) return bez_fail(err, BEZ_IO, "helper", "ended in the middle of what it sent");
    have += (size_t)got;
  }
  return BEZ_OK;
}

int bez_child_finish(bez_child *child, bool kill_it) {
  int status = 0;
  if (child->out >= 0) close(child->out);
  if (child->in >= 0) close(child->in);
  child->out = child->in = -1;
  if (child->pid <= 0) return 127;
  if (kill_it) kill(child->pid, SIGKILL);
  pid_t got;
  do {
    got = waitpid(child->pid, &status, 0);
  } while (got < 0 && errno == EINTR);
  child->pid = -1;
  if (got < 0) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
