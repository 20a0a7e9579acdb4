/* Starting a helper program that reads hostile bytes: few descriptors, resource limits, no new privileges and a
 * system call filter. The child is exec'ed at once, so that it is safe in a process with threads. Linux. */
#ifndef BEZ_BASE_SPAWN_H
#define BEZ_BASE_SPAWN_H

#include <sys/types.h>

#include "bezoar/base.h"

/* Borrowed for the call. Descriptors: 0 and 2 of the child are /dev/null, 1 is the pipe, 3 is input_fd (or, where feed
 * is asked for, one end of a socket into which bez_child_write puts bytes), and 4 holds the second filter: instructions
 * (struct sock_filter) that the helper puts upon itself once it has loaded what it needs, and that also take exec, new
 * processes and opening files for writing from it. All others are closed. */
typedef struct bez_spawn {
  const char *program;     /* a name is looked for in PATH; absolute and relative paths are taken as they are */
  const char *const *argv; /* NULL-terminated, argv[0] included */
  const char *const *envp; /* NULL-terminated; NULL: this process's environment */
  int input_fd;            /* -1: none */
  bool feed;               /* in place of input_fd */
  uint64_t memory;         /* bytes of address space, 0: no limit */
  uint64_t heap;           /* bytes of private memory, files mapped for reading not counted, 0: no limit */
  unsigned cpu_seconds;    /* 0: no limit */
  unsigned patience;       /* seconds that reading and writing wait for the child, 0: for ever */
  bool unconfined;         /* without filters, because the user said so; resource limits stay */
} bez_spawn;

typedef struct bez_child {
  pid_t pid;
  int out; /* read end of the child's standard output */
  int in;  /* our end of the socket, -1: none */
  unsigned patience;
} bez_child;

/* BEZ_UNSUPPORTED where the program is not found. */
BEZ_MUST_USE bez_status bez_spawn_start(const bez_spawn *plan, bez_child *out, bez_error *err);

/* Exactly len bytes from the child; *ended (BEZ_OK) when it closed the pipe before the first of them. */
BEZ_MUST_USE bez_status bez_child_read(bez_child *child, void *out, size_t len, bool *ended, bez_error *err);

/* All of the bytes to a child that is fed. A child that is gone is BEZ_IO, never a signal. */
BEZ_MUST_USE bez_status bez_child_write(bez_child *child, const void *bytes, size_t len, bez_error *err);

/* Passes an open file to a child that is fed; it comes with one byte of its own. */
BEZ_MUST_USE bez_status bez_child_pass(bez_child *child, int fd, bez_error *err);

/* Ends the child (killed where it still runs) and collects it. Returns its exit code, or 128 + signal. */
int bez_child_finish(bez_child *child, bool kill_it);

#endif
