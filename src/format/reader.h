/* One reader per format: recognises its bytes, turns a file into cells, hands them to the builder.
 *
 * A reader is one file that ends in one const struct, and one row in readers.def. */
#ifndef BEZ_FORMAT_READER_H
#define BEZ_FORMAT_READER_H

#include "format/builder.h"
#include "format/source.h"

typedef struct bez_reader {
  const char *name;       /* "csv" */
  const char *title;      /* "Comma- or tab-separated values" */
  const char *extensions; /* "csv tsv tab txt": used to break ties only; the content decides */
  const char *summary;    /* what is read, what is refused */
  /* 0 (not mine) … 100 (certain) from the first bytes of the decompressed content. */
  int (*sniff)(const uint8_t *head, size_t len, const char *extension);
  /* Appends every row of the source to the builder. */
  bez_status (*read)(bez_source *source, bez_builder *builder, bez_error *err);
  bool parts; /* a shard may read a part of a file: read asks bez_builder_part */
} bez_reader;

#define BEZ_READER(symbol) extern const bez_reader symbol;
#include "format/readers.def"
#undef BEZ_READER

/* The reader that knows the source's bytes best; BEZ_UNSUPPORTED when none does. */
BEZ_MUST_USE bez_status bez_reader_find(const bez_source *source, const bez_reader **out, bez_error *err);

extern const bez_reader *const bez_readers[]; /* NULL-terminated, order of readers.def */

#endif
