/* Test helpers: a bez_table from CSV text, and temporary files. Each fails the running test when it cannot. */
#ifndef BEZ_TEST_TABLE_HELPERS_H
#define BEZ_TEST_TABLE_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/table.h"

/* Writes bytes to a fresh file NAME-XXXXXX + suffix in TMPDIR (or /tmp); path receives its name (≥ 256 bytes). */
static inline void temp_file(const char *suffix, const void *bytes, size_t len, char path[256]) {
  const char *dir = getenv("TMPDIR");
  snprintf(path, 256, "%.200s/bez-test-XXXXXX%.20s", dir && *dir ? dir : "/tmp", suffix);
  int fd = mkstemps(path, (int)strlen(suffix));
  assert_true(fd >= 0);
  FILE *f = fdopen(fd, "wb");
  assert_non_null(f);
  if (len) assert_int_equal(fwrite(bytes, 1, len, f), len);
  assert_int_equal(fclose(f), 0);
}

static inline bez_table *open_table(const char *path, const bez_read_options *options) {
  bez_error err = {0};
  bez_table *table = NULL;
  const char *paths[] = {path};
  bez_status st = bez_table_open(paths, 1, options, &table, &err);
  if (st != BEZ_OK) fail_msg("%s: %s", err.subject, err.message);
  return table;
}

/* The table of a CSV text; options may be NULL. Destroy it with bez_table_destroy. */
static inline bez_table *table_from_csv_bytes(const char *csv, size_t len, const bez_read_options *options) {
  char path[256];
  temp_file(".csv", csv, len, path);
  bez_table *table = open_table(path, options);
  unlink(path);
  return table;
}

static inline bez_table *table_from_csv(const char *csv, const bez_read_options *options) {
  return table_from_csv_bytes(csv, strlen(csv), options);
}

/* A cell as a C string in a buffer of the caller. */
static inline const char *cell_text(const bez_table *table, uint32_t col, uint64_t row, char *out, size_t cap) {
  size_t len;
  const char *p = bez_cell(table, col, row, &len);
  if (len >= cap) len = cap - 1;
  memcpy(out, p, len);
  out[len] = 0;
  return out;
}

static inline void assert_cell(const bez_table *table, uint32_t col, uint64_t row, const char *want) {
  char text[4096];
  assert_string_equal(cell_text(table, col, row, text, sizeof text), want);
}

#endif
