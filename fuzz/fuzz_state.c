/* A saved state as hostile input, to the finished table. Checksums would keep a fuzzer out, so that by the first byte
 * the rest is either a file as it stands, or the raw bytes of an index (its length first, 32 bits) and of one chunk of
 * records, which are packed here. Two bodies: the same bytes are also shard 2 of 2. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/hash.h"
#include "format/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Raw length, packed length, hash, packed bytes; narrow: lengths of 32 bits. */
static void put_frame(bez_buf *out, const uint8_t *bytes, size_t len, int narrow) {
  size_t room = ZSTD_compressBound(len);
  char *packed = malloc(room + 1);
  if (!packed) abort();
  size_t n = ZSTD_compress(packed, room, bytes, len, 1);
  if (ZSTD_isError(n)) abort();
  if (narrow) {
    bez_put_le32(out, (uint32_t)len);
    bez_put_le32(out, (uint32_t)n);
  } else {
    bez_put_le64(out, len);
    bez_put_le64(out, n);
  }
  bez_put_le64(out, bez_hash64(packed, n, 0));
  bez_buf_write(out, packed, n);
  free(packed);
}

/* The digest is that of the parameters, which begin the index: as many pairs as it says, where they are whole. */
static uint64_t params_digest(const uint8_t *index, size_t len) {
  bez_cursor c = {.data = index, .len = len};
  uint32_t n = 0, text;
  if (!bez_cursor_le32(&c, &n)) return 0;
  for (uint64_t i = 0; i < 2 * (uint64_t)n; i++)
    if (!bez_cursor_le32(&c, &text) || !bez_cursor_skip(&c, text)) return 0;
  return bez_hash64(index + 4, c.pos - 4, BEZ_STATE_VERSION);
}

static void put_body(bez_buf *out, const uint8_t *index, size_t n_index, const uint8_t *chunk, size_t n_chunk,
                     uint32_t shard, uint32_t n_shards) {
  bez_put_le32(out, shard);
  bez_put_le32(out, n_shards);
  bez_put_le64(out, params_digest(index, n_index));
  put_frame(out, index, n_index, 0);
  if (n_chunk) put_frame(out, chunk, n_chunk, 1);
  bez_put_le64(out, 0);
  bez_put_le64(out, 0);
}

static void wrap(bez_buf *out, const uint8_t *data, size_t size, uint32_t n_shards) {
  bez_cursor c = {.data = data, .len = size};
  uint32_t n_index = 0;
  const uint8_t *index = data, *chunk;
  if (!bez_cursor_le32(&c, &n_index) || n_index > bez_cursor_left(&c)) n_index = (uint32_t)bez_cursor_left(&c);
  if (!bez_cursor_take(&c, n_index, &index) || !bez_cursor_take(&c, bez_cursor_left(&c), &chunk)) return;
  bez_buf_write(out, "BEZSTATE", 8);
  bez_put_le32(out, BEZ_STATE_VERSION);
  bez_put_le32(out, n_shards);
  for (uint32_t i = 0; i < n_shards; i++)
    put_body(out, index, n_index, chunk, (size_t)(data + size - chunk), i, n_shards);
}

static void read_state(const char *path) {
  bez_read_options options = {.threads = 1};
  bez_error err = {0};
  bez_state_use use = {0};
  bez_table *table = NULL;
  bez_status st = bez_state_open(path, &use.state, &err);
  if (st == BEZ_OK) st = bez_state_complete(use.state, &err);
  if (st == BEZ_OK) st = bez_state_adopt(use.state, &options, &err);
  if (st == BEZ_OK) st = bez_table_open_with(NULL, 0, &options, &use, &table, &err);
  if ((st == BEZ_OK) != (table != NULL) || (st != BEZ_OK && (err.code != st || !err.message[0]))) abort();
  bez_table_destroy(table);
  bez_state_close(use.state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bez_buf bytes = {0};
  char path[64];
  if (size < 2) return 0;
  if (data[0] & 1)
    bez_buf_write(&bytes, data + 1, size - 1);
  else
    wrap(&bytes, data + 1, size - 1, data[0] & 2 ? 2 : 1);
  int fd = memfd_create("state", MFD_CLOEXEC);
  if (fd < 0 || bytes.failed != BEZ_OK || write(fd, bytes.data ? bytes.data : "", bytes.len) != (ssize_t)bytes.len)
    abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  read_state(path);
  close(fd);
  bez_buf_free(&bytes);
  return 0;
}
