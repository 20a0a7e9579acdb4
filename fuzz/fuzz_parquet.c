/* What a captured Parquet helper could send: the input as the frames behind its greeting. (The Parquet bytes
 * themselves are only seen by the helper.) */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "format/arrow.h"
#include "format/parquet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const bez_arrow_constant folder = {"x", "1"};
  bez_child child = {.pid = -1, .in = -1, .out = memfd_create("frames", MFD_CLOEXEC)};
  if (child.out < 0 || write(child.out, data, size) != (ssize_t)size || lseek(child.out, 0, SEEK_SET) != 0) abort();
  bez_read_options options = {.threads = 1};
  bez_error err = {0};
  bez_builder *builder = NULL;
  bez_table *table = NULL;
  struct ArrowArrayStream stream;
  if (bez_parquet_frames(child, &stream, &err) != BEZ_OK) return 0;
  bez_arrow_import what = {
      .stream = &stream, .path = "x.parquet", .format = "parquet", .constants = &folder, .n_constants = 1};
  bez_status st = bez_builder_create(&options, &builder, &err);
  if (st == BEZ_OK) st = bez_arrow_push(&what, builder, &err);
  stream.release(&stream);
  if (st == BEZ_OK)
    st = bez_builder_finish(builder, &table, &err);
  else
    bez_builder_destroy(builder);
  if ((st == BEZ_OK) != (table != NULL)) abort();
  bez_table_destroy(table);
  return 0;
}
