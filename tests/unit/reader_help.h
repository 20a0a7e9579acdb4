/* For tests of readers: bytes into a temporary file, the file into a table, cells out. */
#ifndef READER_HELP_H
#define READER_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/table.h"

/* Writes bytes to a fresh file NAME.EXTENSION; the path stays good until the next call. */
static inline const char *temp_file(const char *extension, const void *bytes, size_t len) {
  static char path[4096];
  const char *dir = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/bezoar-test-XXXXXX.%s", dir ? dir : "/tmp", extension);
  int fd = mkstemps(path, (int)strlen(extension) + 1);
  assert_true(fd >= 0);
  FILE *f = fdopen(fd, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, len, f), len);
  assert_int_equal(fclose(f), 0);
  return path;
}

/* Every column categorical, so that all cells are kept and comparable; threads 0: one. */
static inline bez_status open_bytes(const char *extension, const void *bytes, size_t len, unsigned threads,
                                    const char *const *types, size_t n_types, bez_table **out, bez_error *err) {
  const char *path = temp_file(extension, bytes, len);
  bez_read_options options = {.threads = threads ? threads : 1, .types = types, .n_types = n_types};
  memset(err, 0, sizeof *err);
  bez_status st = bez_table_open(&path, 1, &options, out, err);
  unlink(path);
  return st;
}

/* One thread; fails the test where the text is refused. */
static inline bez_table *open_good(const char *extension, const char *text, const char *const *types, size_t n_types) {
  bez_table *t = NULL;
  bez_error err;
  if (open_bytes(extension, text, strlen(text), 1, types, n_types, &t, &err) != BEZ_OK)
    fail_msg("%s:%lld: %s", err.subject, (long long)err.line, err.message);
  return t;
}

static inline void assert_cell(const bez_table *t, uint32_t col, uint64_t row, const char *want) {
  size_t len;
  const char *cell = bez_cell(t, col, row, &len);
  if (len != strlen(want) || memcmp(cell, want, len) != 0)
    fail_msg("cell (%u, %llu): \"%.*s\", not \"%s\"", col, (unsigned long long)row, (int)len, cell, want);
}

static inline const bez_table_remark *find_remark(const bez_table *t, const char *rule) {
  for (const bez_table_remark *r = t->remarks; r; r = r->next)
    if (strcmp(r->rule, rule) == 0) return r;
  return NULL;
}

#endif
