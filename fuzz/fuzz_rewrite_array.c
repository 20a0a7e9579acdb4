/* Rewriting npy and IDX arrays: with nothing to do every byte comes back; with painted pictures, changed items and
 * copied or dropped rows the result is an array of the same kind with so many more or fewer rows, and only what was to
 * change has changed. The first byte says what is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "bezoar/format.h"
#include "format/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

static bez_status invert_first(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err) {
  (void)ctx, (void)row, (void)err;
  pixels[0] = (uint8_t)~pixels[0];
  return BEZ_OK;
}

static uint64_t rows_of(const char *path) {
  bez_table *table = NULL;
  bez_error err = {0};
  bez_read_options options = {.threads = 1};
  must(bez_table_open(&path, 1, &options, &table, &err) == BEZ_OK);
  uint64_t rows = bez_table_rows(table);
  bez_table_destroy(table);
  return rows;
}

static void change(const char *in, const char *out, unsigned flags, uint64_t n_rows) {
  uint64_t copies[] = {0, 0};
  bez_edit edit = {.row = 0, .col = flags >> 4, .value = "1", .len = 1};
  bez_rewrite plan = {.copies = copies, .n_copies = flags & 3 ? (flags & 3) - 1 : 0};
  bez_rewrite_result result;
  bez_error err = {0};
  if (flags & 4) plan.painting = (bez_painting){.every = true, .paint = invert_first};
  if (flags & 8) plan.edits = plan.copy_edits = &edit, plan.n_edits = 1, plan.n_copy_edits = plan.n_copies > 0;
  const uint64_t first = 0;
  char gone[160];
  snprintf(gone, sizeof gone, "%s.gone", out);
  if (flags & 128 && n_rows > 1) plan.drop = &first, plan.n_drop = 1;
  if (bez_rewrite_file(in, &plan, out, plan.n_drop ? gone : NULL, &result, &err) != BEZ_OK) {
    must(err.message[0] != 0);
    return;
  }
  must(result.n_rows == n_rows && result.n_kept + result.n_dropped == n_rows);
  must(rows_of(out) == n_rows + plan.n_copies - plan.n_drop);
  if (plan.n_drop) must(rows_of(gone) == 1);
  unlink(gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2 || size > 1 << 16) return 0;
  if (memcmp(data + 1, "\x93NUM", size < 5 ? size - 1 : 4) != 0 && data[1] != 0) return 0; /* other fuzzers' work */
  char in[64], out[128];
  snprintf(in, sizeof in, "/tmp/bez-fuzz-array-%d.npy", (int)getpid());
  snprintf(out, sizeof out, "%s.out", in);
  bez_error err = {.line = -1, .offset = -1};
  must(bez_file_write(in, data + 1, size - 1, &err) == BEZ_OK);
  bez_rewrite plan = {0};
  bez_rewrite_result result;
  bez_buf kept = {0};
  if (bez_rewrite_file(in, &plan, out, NULL, &result, &err) == BEZ_OK) {
    must(bez_file_read(out, 1 << 24, &kept, &err) == BEZ_OK);
    must(kept.len == size - 1 && !memcmp(kept.data, data + 1, kept.len));
    bez_table *table = NULL;
    const char *path = in;
    bez_read_options options = {.threads = 1};
    err = (bez_error){0};
    if (bez_table_open(&path, 1, &options, &table, &err) == BEZ_OK) change(in, out, data[0], result.n_rows);
    bez_table_destroy(table);
  } else {
    must(err.message[0] != 0);
  }
  bez_buf_free(&kept);
  unlink(in), unlink(out);
  return 0;
}
