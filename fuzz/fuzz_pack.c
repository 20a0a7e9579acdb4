/* A pack as hostile input: its footer and directory, then every object it claims to hold. With the first byte odd, the
 * digests of directory and footer are made to fit first, so that what lies behind them is reached. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "content/pack.h"
#include "crypto/sha256.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void make_fit(uint8_t *bytes, size_t size) {
  bez_pack_shape shape;
  if (size < BEZ_PACK_MAGIC_BYTES + BEZ_PACK_FOOTER) return;
  if (!bez_get_footer(bytes + size - BEZ_PACK_FOOTER, size, &shape)) return;
  uint8_t *dir = bytes + shape.dir_offset;
  uint64_t len = bez_pack_dir_len(&shape), pages = bez_pack_pages(&shape);
  for (uint64_t i = 0; i < pages; i++) {
    uint64_t left = len - i * BEZ_PACK_PAGE;
    bez_sha256(dir + i * BEZ_PACK_PAGE, left < BEZ_PACK_PAGE ? left : BEZ_PACK_PAGE, dir + len + i * 32);
  }
  bez_sha256(dir + len, pages * 32 + BEZ_PACK_FOOTER - 32, bytes + size - 32);
}

static void read_objects(const bez_pack_file *file) {
  bez_block_cache *cache = NULL;
  bez_buf got = {.ceiling = 16u << 20};
  if (bez_block_cache_create(&cache, NULL) != BEZ_OK) return;
  for (uint64_t i = 0; i < file->shape.objects && i < 64; i++) {
    bez_error err = {0};
    bez_object_record object, found;
    if (!bez_pack_file_object(file, i, &object)) continue;
    (void)bez_pack_file_find(file, &object.id, &found);
    if (object.block == BEZ_PACK_REFERRED) continue; /* would read any file that the input names */
    bez_block_record block;
    if (bez_pack_file_block(file, object.block, &block) && block.raw > 16u << 20) continue;
    bez_buf_clear(&got);
    bez_status st = bez_pack_file_read(cache, file, &object, &got, &err);
    if (st == BEZ_OK) st = bez_object_check(file->path, 0, &object, &got, &err);
    if (st != BEZ_OK && (err.code != st || !err.message[0])) abort();
  }
  bez_buf_free(&got);
  bez_block_cache_free(cache);
}

static void read_frame(const uint8_t *data, size_t size) {
  bez_buf out = {0};
  bez_error err = {0};
  bez_status st = bez_refer_read("/dev/null", 0, 0, data, size, &out, &err);
  if (st != BEZ_OK && !err.message[0]) abort();
  bez_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1) return 0;
  read_frame(data + 1, size - 1);
  uint8_t *bytes = malloc(size);
  char path[64];
  bez_error err = {0};
  bez_pack_file *file = NULL;
  int fd = memfd_create("pack", MFD_CLOEXEC);
  if (!bytes || fd < 0) abort();
  memcpy(bytes, data + 1, size - 1);
  if (data[0] & 1) make_fit(bytes, size - 1);
  if (write(fd, bytes, size - 1) != (ssize_t)(size - 1)) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (bez_pack_file_open(path, 0, false, &file, &err) == BEZ_OK)
    read_objects(file);
  else if (!err.message[0])
    abort();
  bez_pack_file_close(file);
  close(fd);
  free(bytes);
  return 0;
}
