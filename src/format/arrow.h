/* Arrow columns as cells: what a schema holds, and one cell of it as text. */
#ifndef BEZ_FORMAT_ARROW_H
#define BEZ_FORMAT_ARROW_H

#include "base/arena.h"
#include "bezoar/arrow.h"
#include "format/builder.h"

#define BEZ_ARROW_DEPTH 8u /* structs within structs */

typedef enum bez_arrow_kind {
  BEZ_ARROW_NULL,
  BEZ_ARROW_BOOL,
  BEZ_ARROW_INT,
  BEZ_ARROW_UINT,
  BEZ_ARROW_FLOAT,
  BEZ_ARROW_STRING, /* offsets of `size` bytes */
  BEZ_ARROW_VIEW,   /* 16-byte views */
  BEZ_ARROW_DATE,   /* days (size 4) or milliseconds (size 8) */
  BEZ_ARROW_CLOCK,  /* ticks since midnight */
  BEZ_ARROW_TIME,   /* ticks since 1970 */
  BEZ_ARROW_SPAN,   /* a number of ticks */
  BEZ_ARROW_DECIMAL /* 128 bits */
} bez_arrow_kind;

typedef struct bez_arrow_type {
  bez_arrow_kind kind;
  unsigned size; /* bytes of an item or of an offset */
  int64_t per_second;
  int scale;
} bez_arrow_type;

/* A column: the way to it through structs, and its type. */
typedef struct bez_arrow_leaf {
  const char *name; /* "a.b" for field b of struct a */
  unsigned depth;   /* steps from the batch; 0: the batch itself is the column */
  uint32_t step[BEZ_ARROW_DEPTH];
  bez_arrow_type type; /* of the values, or of the dictionary's values … */
  bool coded;          /* … where the column holds indices into one … */
  bez_arrow_type index;
} bez_arrow_leaf;

typedef struct bez_arrow_leaves {
  bez_arrow_leaf *items;
  uint32_t n, cap;
} bez_arrow_leaves;

/* A format string as a type; false for what is no cell. */
bool bez_arrow_parse(const char *format, bez_arrow_type *out);

/* The columns of a schema. A type that is no cell is BEZ_UNSUPPORTED and named; in a column that the builder does not
 * want it is let pass, and its cells are not looked at (builder NULL: all are wanted). Names live in the arena. */
BEZ_MUST_USE bez_status bez_arrow_columns(const struct ArrowSchema *schema, const bez_builder *builder,
                                          bez_arena *arena, bez_arrow_leaves *out, bez_error *err);

/* A column of one batch, checked: every buffer its cells need is there. */
typedef struct bez_arrow_view {
  const bez_arrow_leaf *leaf;
  unsigned n_parents;
  struct {
    const uint8_t *valid; /* bitmap, NULL: all valid */
    int64_t offset;
  } parent[BEZ_ARROW_DEPTH + 1]; /* the batch, the structs, last the column itself */
  const struct ArrowArray *array;
} bez_arrow_view;

BEZ_MUST_USE bez_status bez_arrow_bind(const struct ArrowArray *batch, const bez_arrow_leaf *leaf, bez_arrow_view *out,
                                       bez_error *err);

/* The cell in a row of the batch: *cell points into the batch or at `out` (BEZ_CELLTEXT_MAX bytes), NULL where it is
 * missing. Returns false where offsets or indices are out of order. */
bool bez_arrow_cell(const bez_arrow_view *view, int64_t row, char *out, const char **cell, uint32_t *len);

/* A column that holds one value in every row: what a folder named key=value says. value NULL: missing. */
typedef struct bez_arrow_constant {
  const char *name, *value;
} bez_arrow_constant;

/* Pushes a stream as one file of the data set; the stream is not released. A constant whose name is a column of the
 * stream is left out. */
typedef struct bez_arrow_import {
  struct ArrowArrayStream *stream;
  const char *path, *format;
  uint64_t bytes;
  const bez_arrow_constant *constants;
  uint32_t n_constants;
} bez_arrow_import;
BEZ_MUST_USE bez_status bez_arrow_push(const bez_arrow_import *what, bez_builder *builder, bez_error *err);

#endif
