/* For tests that read folders: one fresh folder per program or test, and files put into it. */
#ifndef FOLDER_HELP_H
#define FOLDER_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static char folder[512];

/* The setup and teardown of a group; 0 when done. */
static inline int make_folder(void **state) {
  (void)state;
  const char *dir = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/bezoar-folder-XXXXXX", dir && *dir ? dir : "/tmp");
  return mkdtemp(folder) ? 0 : 1;
}

static inline int remove_folder(void **state) {
  char command[600];
  (void)state;
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  return system(command);
}

/* A file of the folder; the folders in its name are made. */
static inline void put(const char *name, const void *bytes, size_t len) {
  char path[1024];
  bez_error err = {0};
  snprintf(path, sizeof path, "%s/%s", folder, name);
  for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')) != NULL; p++) {
    *p = 0;
    (void)mkdir(path, 0777);
    *p = '/';
  }
  if (bez_file_write(path, bytes, len, &err) != BEZ_OK) fail_msg("%s: %s", path, err.message);
}

static inline void put_text(const char *name, const char *text) {
  put(name, text, strlen(text));
}

#endif
