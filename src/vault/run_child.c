/* Starting commands that the user named, in a folder, and waiting for them. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "vault/run_child.h"

extern char **environ;

/* The environment with the record's variables on top. Owned by the caller, the texts by the arena. */
static char **merge_environment(const bez_run_pair *set, size_t n, bez_arena *arena) {
  size_t have = 0, k = 0;
  while (environ[have]) have++;
  char **out = calloc(have + n + 1, sizeof *out);
  for (size_t i = 0; out && i < have; i++) {
    bool replaced = false;
    for (size_t v = 0; v < n && !replaced; v++) {
      size_t len = strlen(set[v].name);
      replaced = !strncmp(environ[i], set[v].name, len) && environ[i][len] == '=';
    }
    if (!replaced) out[k++] = environ[i];
  }
  for (size_t v = 0; out && v < n; v++) {
    char *text = bez_arena_printf(arena, "%s=%s", set[v].name, set[v].value);
    if (text) out[k++] = text;
  }
  return out;
}

static bez_status wait_for(pid_t pid, const char *name, int *code, bez_error *err) {
  int status;
  pid_t got;
  do {
    got = waitpid(pid, &status, 0);
  } while (got < 0 && errno == EINTR);
  if (got != pid) return bez_fail_errno(err, name, "cannot wait for the command");
  *code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return BEZ_OK;
}

static bez_status start(const bez_child_plan *plan, int out, pid_t *pid, bez_error *err) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  bez_arena arena = {0};
  sigset_t all;
  int code = ENOMEM;
  char **env = merge_environment(plan->set, plan->n_set, &arena);
  (void)sigemptyset(&all);
  (void)sigaddset(&all, SIGPIPE); /* this process ignores it; what it starts must not */
  if (posix_spawn_file_actions_init(&actions) != 0) goto no_actions;
  if (posix_spawnattr_init(&attributes) != 0) goto no_attributes;
  code = 0;
  if (plan->folder) code = posix_spawn_file_actions_addchdir_np(&actions, plan->folder);
  if (!code && out >= 0) code = posix_spawn_file_actions_adddup2(&actions, out, 1);
  if (!code) code = posix_spawnattr_setsigdefault(&attributes, &all);
  if (!code) code = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  if (!code && env) code = posix_spawnp(pid, plan->argv[0], &actions, &attributes, (char *const *)plan->argv, env);
  posix_spawnattr_destroy(&attributes);
no_attributes:
  posix_spawn_file_actions_destroy(&actions);
no_actions:
  free(env);
  bez_arena_free(&arena);
  if (!env) return bez_fail_memory(err, 4096);
  if (!code) return BEZ_OK;
  errno = code;
  return bez_fail_errno(err, plan->argv[0], "cannot start the command");
}

bez_status bez_child_run(const bez_child_plan *plan, int *code, bez_error *err) {
  pid_t pid;
  bez_status st = start(plan, plan->aside ? STDERR_FILENO : -1, &pid, err);
  return st == BEZ_OK ? wait_for(pid, plan->argv[0], code, err) : st;
}

bez_status bez_child_capture(const bez_child_plan *plan, size_t ceiling, bez_buf *out, int *code, bez_error *err) {
  int ends[2];
  pid_t pid;
  char piece[4096];
  ssize_t n = 0;
  if (pipe2(ends, O_CLOEXEC) != 0) return bez_fail_errno(err, plan->argv[0], "cannot make a pipe");
  bez_status st = start(plan, ends[1], &pid, err);
  close(ends[1]);
  out->ceiling = ceiling;
  while (st == BEZ_OK && ((n = read(ends[0], piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR)))
    if (n > 0) bez_buf_write(out, piece, (size_t)n);
  close(ends[0]);
  if (st == BEZ_OK) st = wait_for(pid, plan->argv[0], code, err);
  return st == BEZ_OK ? bez_buf_status(out, err) : st;
}
