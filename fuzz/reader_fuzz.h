/* What the fuzz targets of readers share: one input as the content of one file, read to the finished table. */
#ifndef READER_FUZZ_H
#define READER_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "format/reader.h"

static inline void fuzz_reader(const bez_reader *reader, const char *path, const uint8_t *data, size_t size) {
  bez_read_options options = {.threads = 1};
  bez_error err = {0};
  bez_builder *builder = NULL;
  bez_table *table = NULL;
  bez_source source = {.path = path, .size = size, .fd = -1, .bytes = data, .packing = ""};
  if (bez_builder_create(&options, &builder, &err) != BEZ_OK) return;
  (void)reader->sniff(data, size, "x");
  bez_status st = reader->read(&source, builder, &err);
  if (st == BEZ_OK)
    st = bez_builder_finish(builder, &table, &err);
  else
    bez_builder_destroy(builder);
  if ((st == BEZ_OK) != (table != NULL) || (st != BEZ_OK && (err.code != st || !err.message[0]))) abort();
  bez_table_destroy(table);
}

#endif
