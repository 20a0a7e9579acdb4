/* What a command ran on: the program's own digest, its interpreter's, the system, the packages of a Python, and those
 * variables that change what programs do. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "vault/run_child.h"

#define MOST_FACTS 8192u
#define MOST_PACKAGES (1u << 20) /* bytes of their list */

static bez_status add_fact(bez_run_record *run, const char *name, const char *value, bez_error *err) {
  if (run->n_facts == MOST_FACTS) return bez_fail(err, BEZ_LIMIT, name, "too much to say of the environment");
  if (!run->facts) run->facts = bez_arena_array(&run->arena, MOST_FACTS, sizeof *run->facts);
  bez_run_pair pair = {bez_arena_strdup(&run->arena, name), bez_arena_strdup(&run->arena, value)};
  if (!run->facts || !pair.name || !pair.value) return bez_fail_memory(err, MOST_FACTS * sizeof pair);
  run->facts[run->n_facts++] = pair;
  return BEZ_OK;
}

static bool is_program(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0;
}

bez_status bez_run_find(const char *command, const char *folder, char **out, bez_error *err) {
  const char *search = getenv("PATH");
  char path[PATH_MAX];
  *out = NULL;
  if (strchr(command, '/')) {
    int n = command[0] == '/' ? snprintf(path, sizeof path, "%s", command)
                              : snprintf(path, sizeof path, "%s/%s", folder, command);
    if (n > 0 && (size_t)n < sizeof path && is_program(path)) *out = realpath(path, NULL);
  }
  for (const char *p = search && !strchr(command, '/') ? search : ""; *p && !*out;) {
    size_t len = strcspn(p, ":");
    int n = snprintf(path, sizeof path, "%.*s/%s", (int)len, p, command);
    if (len && n > 0 && (size_t)n < sizeof path && is_program(path)) *out = realpath(path, NULL);
    p += len + (p[len] == ':');
  }
  return *out ? BEZ_OK : bez_fail(err, BEZ_USAGE, command, "there is no such command");
}

/* "#!/usr/bin/env python3", "#!/usr/bin/python3 -E": who runs a script. *out NULL: it is none. */
static bez_status find_interpreter(const char *path, char **out, bez_error *err) {
  char line[256] = "";
  *out = NULL;
  FILE *file = fopen(path, "re");
  if (!file) return bez_fail_errno(err, path, "cannot open");
  bool script = fgets(line, sizeof line, file) && !strncmp(line, "#!", 2);
  fclose(file);
  if (!script) return BEZ_OK;
  char *rest = NULL, *word = strtok_r(line + 2, " \t\r\n", &rest);
  const char *base = word ? strrchr(word, '/') : NULL;
  if (base && !strcmp(base, "/env")) word = strtok_r(NULL, " \t\r\n", &rest);
  bez_error unknown = {0};
  if (!word || bez_run_find(word, "/", out, &unknown) != BEZ_OK) *out = NULL;
  return BEZ_OK;
}

static bez_status add_program(bez_run_record *run, const char *what, const char *path, bez_error *err) {
  char sha256[65], name[64];
  bez_status st = bez_sha256_file(path, sha256, NULL, NULL, NULL, err);
  snprintf(name, sizeof name, "%s sha256", what);
  if (st == BEZ_OK) st = add_fact(run, what, path, err);
  return st == BEZ_OK ? add_fact(run, name, sha256, err) : st;
}

static bool is_python(const char *path) {
  const char *slash = strrchr(path, '/');
  return !strncmp(slash ? slash + 1 : path, "python", 6);
}

/* What that Python would import, by the metadata that packages bring along. */
static bez_status add_packages(bez_run_record *run, const char *python, bez_error *err) {
  static const char program[] =
      "import importlib.metadata as m\n"
      "print(*sorted({f\"{d.metadata['Name']}\\t{d.version}\" for d in m.distributions() if d.metadata['Name']}), "
      "sep='\\n')";
  const char *const argv[] = {python, "-c", program, NULL};
  bez_buf list = {0};
  bez_error unknown = {0};
  int code = 1;
  char *rest = NULL;
  bez_status st = bez_child_capture(&(bez_child_plan){.argv = argv}, MOST_PACKAGES, &list, &code, &unknown);
  if (st != BEZ_OK || code != 0) {
    st = add_fact(run, "packages", "unknown: this Python does not tell them", err);
    goto cleanup;
  }
  /* a Python that has no packages prints nothing */
  for (char *line = list.data ? strtok_r(list.data, "\n", &rest) : NULL; line && st == BEZ_OK;
       line = strtok_r(NULL, "\n", &rest)) {
    char *tab = strchr(line, '\t'), name[300];
    if (!tab || !bez_utf8_valid(line, strlen(line))) continue;
    snprintf(name, sizeof name, "package %.*s", (int)(tab - line), line);
    st = add_fact(run, name, tab + 1, err);
  }
cleanup:
  bez_buf_free(&list);
  return st;
}

static bez_status add_variable(bez_run_record *run, const char *name, bez_error *err) {
  const char *value = getenv(name);
  for (size_t i = 0; i < run->n_variables; i++)
    if (!strcmp(run->variables[i].name, name)) return BEZ_OK;
  if (!value) return BEZ_OK;
  if (!bez_utf8_valid(value, strlen(value))) return bez_fail(err, BEZ_USAGE, name, "the variable's value is not UTF-8");
  bez_run_pair pair = {bez_arena_strdup(&run->arena, name), bez_arena_strdup(&run->arena, value)};
  if (!pair.name || !pair.value) return bez_fail_memory(err, strlen(value));
  run->variables[run->n_variables++] = pair;
  return BEZ_OK;
}

static bez_status add_variables(bez_run_record *run, const char *const *more, size_t n, bez_error *err) {
  static const char *const usual[] = {"LANG",
                                      "LC_ALL",
                                      "LD_LIBRARY_PATH",
                                      "LD_PRELOAD",
                                      "OMP_NUM_THREADS",
                                      "MKL_NUM_THREADS",
                                      "CUDA_VISIBLE_DEVICES",
                                      "PYTHONHASHSEED",
                                      "PYTHONPATH",
                                      "SOURCE_DATE_EPOCH",
                                      "TZ"};
  const size_t n_usual = sizeof usual / sizeof *usual;
  run->variables = bez_arena_array(&run->arena, n_usual + n, sizeof *run->variables);
  if (!run->variables) return bez_fail_memory(err, (n_usual + n) * sizeof *run->variables);
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < n_usual && st == BEZ_OK; i++) st = add_variable(run, usual[i], err);
  for (size_t i = 0; i < n && st == BEZ_OK; i++) st = add_variable(run, more[i], err);
  return st;
}

static void digest_environment(bez_run_record *run) {
  bez_sha256_state all;
  uint8_t digest[32];
  bez_sha256_begin(&all);
  for (size_t i = 0; i < run->n_facts + run->n_variables; i++) {
    const bez_run_pair *pair = i < run->n_facts ? &run->facts[i] : &run->variables[i - run->n_facts];
    bez_sha256_add(&all, pair->name, strlen(pair->name));
    bez_sha256_add(&all, "=", 1);
    bez_sha256_add(&all, pair->value, strlen(pair->value));
    bez_sha256_add(&all, "\n", 1);
  }
  bez_sha256_end(&all, digest);
  bez_hex(digest, sizeof digest, run->environment);
}

bez_status bez_run_environment(bez_run_record *run, const char *folder, const char *const *more, size_t n,
                               bez_error *err) {
  struct utsname system;
  char *program = NULL, *interpreter = NULL, text[512];
  bez_status st = BEZ_OK;
  run->n_facts = run->n_variables = 0;
  BEZ_TRY(bez_run_find(run->command[0], folder, &program, err));
  BEZ_TRY(find_interpreter(program, &interpreter, err));
  BEZ_TRY(add_program(run, "program", program, err));
  if (interpreter) BEZ_TRY(add_program(run, "interpreter", interpreter, err));
  if (uname(&system) != 0) BEZ_TRY(bez_fail_errno(err, "uname", "cannot be asked"));
  snprintf(text, sizeof text, "%s %s %s", system.sysname, system.release, system.machine);
  BEZ_TRY(add_fact(run, "system", text, err));
  BEZ_TRY(add_fact(run, "bezoar", BEZ_VERSION_STRING, err));
  const char *python = interpreter ? interpreter : program;
  /* By the name it was called by: a virtual environment is known by that alone. */
  if (is_python(python)) BEZ_TRY(add_packages(run, interpreter ? interpreter : run->command[0], err));
  BEZ_TRY(add_variables(run, more, n, err));
  digest_environment(run);
cleanup:
  free(program);
  free(interpreter);
  return st;
}
