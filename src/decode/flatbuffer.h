/* FlatBuffers (flatbuffers.dev/internals), walked in place: every offset is checked against the bytes, and how much is
 * looked at has a ceiling, for tables may be shared. */
#ifndef BEZ_DECODE_FLATBUFFER_H
#define BEZ_DECODE_FLATBUFFER_H

#include "bezoar/base.h"

typedef struct bez_flat {
  const uint8_t *bytes;
  size_t len;
  uint64_t budget; /* tables and items that may still be looked at */
  bool broken;     /* an offset led beyond the bytes, or the budget is spent */
} bez_flat;

typedef struct bez_flat_vector {
  uint64_t at; /* of the first item */
  uint32_t n;
} bez_flat_vector;

/* The root table; 0: there is none. */
uint64_t bez_flat_root(bez_flat *f);
/* A field of a table: where it stands; 0: it has its default. */
uint64_t bez_flat_field(bez_flat *f, uint64_t table, unsigned number);
uint64_t bez_flat_number(bez_flat *f, uint64_t table, unsigned number, unsigned bytes, uint64_t otherwise);
/* A vector of items of that size, or a string; n is 0 where there is none. */
bez_flat_vector bez_flat_items(bez_flat *f, uint64_t table, unsigned number, unsigned item_bytes);
/* The table that item i of a vector of tables leads to; 0: none. */
uint64_t bez_flat_table(bez_flat *f, const bez_flat_vector *v, uint32_t i);
uint64_t bez_flat_value(bez_flat *f, uint64_t at, unsigned bytes);
/* A string as text that ends in NUL, cut to what fits. Returns out. */
char *bez_flat_text(bez_flat *f, uint64_t table, unsigned number, char *out, size_t room);

#endif
