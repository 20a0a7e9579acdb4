/* Rewriting: with nothing to do every byte comes back; with every row dropped, header and rows part and nothing is
 * lost or made. The first byte picks CSV or JSON Lines and which rows are changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "format/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
  if (!holds) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  char in[64], out[128], bad[128];
  snprintf(in, sizeof in, "/tmp/bez-fuzz-%d.%s", (int)getpid(), data[0] & 1 ? "jsonl" : "csv");
  snprintf(out, sizeof out, "%s.out", in);
  snprintf(bad, sizeof bad, "%s.bad", in);
  bez_error err = {.line = -1, .offset = -1};
  must(bez_file_write(in, data + 1, size - 1, &err) == BEZ_OK);
  bez_rewrite plan = {0};
  bez_rewrite_result result;
  bez_buf kept = {0}, dropped = {0};
  if (bez_rewrite_file(in, &plan, out, NULL, &result, &err) == BEZ_OK) {
    must(bez_file_read(out, 1 << 24, &kept, &err) == BEZ_OK);
    bool packed = size > 3 && ((data[1] == 0x1f && data[2] == 0x8b) || (data[1] == 0x28 && data[2] == 0xb5));
    must(packed || (kept.len == size - 1 && !memcmp(kept.data, data + 1, kept.len)));
    uint64_t row = data[0] >> 1, rows = result.n_rows;
    bez_edit edit = {.row = row, .col = 0, .value = "a,\"b", .len = 4};
    plan = (bez_rewrite){.drop = &row, .n_drop = 1, .copies = &row, .n_copies = 1, .edits = &edit, .n_edits = 1};
    err = (bez_error){0};
    bez_status st = bez_rewrite_file(in, &plan, out, bad, &result, &err);
    if (row >= rows)
      must(st != BEZ_OK);
    else if (st == BEZ_OK)
      must(result.n_rows == rows && result.n_dropped == 1 && result.n_kept == rows - 1);
  } else {
    must(err.message[0] != 0);
  }
  bez_buf_free(&kept);
  bez_buf_free(&dropped);
  unlink(in), unlink(out), unlink(bad);
  return 0;
}
