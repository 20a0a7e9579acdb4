/* Finding, starting and stopping the sandboxed helper (helper.h). */
#include "format/helper.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNLIMITED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNLIMITED 1
#endif
#endif
#ifndef UNLIMITED
#define UNLIMITED 0
#endif

/* The file this code was loaded from: a library or extension module by its name, the program by the kernel's word. */
static bool own_file(char out[4096]) {
  Dl_info info;
  struct link_map *map = NULL;
  ssize_t n;
  if (dladdr1((const void *)(uintptr_t)&bez_helper_path, &info, (void **)&map, RTLD_DL_LINKMAP) && map && map->l_name &&
      map->l_name[0] == '/')
    return (size_t)snprintf(out, 4096, "%s", map->l_name) < 4096;
  n = readlink("/proc/self/exe", out, 4095);
  if (n <= 0) return false;
  out[n] = 0;
  return true;
}

bool bez_helper_path(char out[4096]) {
  static const char *const places[] = {"", "bin/", "../libexec/bezoar/"};
  char own[4096];
  char *slash = own_file(own) ? strrchr(own, '/') : NULL;
  for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++)
    if ((size_t)snprintf(out, 4096, "%.*s/%s" BEZ_HELPER_NAME, (int)(slash - own), own, places[i]) < 4096 &&
        access(out, X_OK) == 0)
      return true;
  snprintf(out, 4096, BEZ_LIBEXEC "/" BEZ_HELPER_NAME);
  return access(out, X_OK) == 0;
}

bez_status bez_helper_start(bez_helper *h, const char *mode, const bez_helper_limits *limits, const char *what,
                            bez_error *err) {
  const char *const argv[] = {BEZ_HELPER_NAME, mode, NULL};
  static const char *const envp[] = {"LC_ALL=C", NULL};
  char path[4096];
  if (!bez_helper_path(path))
    return bez_fail(err, BEZ_UNSUPPORTED, NULL, "%s by " BEZ_HELPER_NAME ", which is not installed", what);
  bez_spawn plan = {.program = path,
                    .argv = argv,
                    .envp = envp,
                    .input_fd = -1,
                    .feed = true,
                    .memory = UNLIMITED ? 0 : limits->memory,
                    .heap = UNLIMITED ? 0 : limits->heap,
                    .cpu_seconds = limits->cpu_seconds,
                    .patience = limits->patience,
                    .unconfined = h->unconfined};
  bez_status st = bez_spawn_start(&plan, &h->child, err);
  h->running = st == BEZ_OK;
  h->served = 0;
  return st;
}

int bez_helper_stop(bez_helper *h) {
  int code = h->running ? bez_child_finish(&h->child, true) : 0;
  h->running = false;
  return code;
}
