/* Arrays of fixed-size items as tables: what .npy files and .npz members hold. */
#ifndef BEZ_FORMAT_ARRAY_H
#define BEZ_FORMAT_ARRAY_H

#include "base/arena.h"
#include "format/builder.h"
#include "format/source.h"

typedef enum bez_item_kind {
  BEZ_ITEM_BOOL,
  BEZ_ITEM_INT,
  BEZ_ITEM_UINT,
  BEZ_ITEM_FLOAT, /* 2, 4 or 8 bytes */
  BEZ_ITEM_BYTES, /* text, zero padded */
  BEZ_ITEM_UCS4,  /* text of 4-byte code points, zero padded */
  BEZ_ITEM_TIME,  /* datetime64: ticks since 1970 in the field's unit; INT64_MIN is missing */
  BEZ_ITEM_SPAN   /* timedelta64: a number of units; INT64_MIN is missing */
} bez_item_kind;

#define BEZ_ARRAY_MAX_DIMS 4u /* more are refused */

/* One column. */
typedef struct bez_field {
  const char *name;
  bez_item_kind kind;
  bool swap;           /* the other byte order */
  char unit;           /* TIME: Y M W D, or 's' with per_second */
  int64_t per_second;  /* ticks of a second, 0 where ticks are longer than a second … */
  int64_t seconds_per; /* … then the seconds of a tick */
  uint64_t size;       /* bytes of an item */
  uint64_t offset;     /* of the item in its row (C order) or of the column in the data (Fortran order) */
} bez_field;

typedef struct bez_array {
  bez_field *fields;
  uint32_t n_fields;
  uint64_t n_rows;
  uint64_t stride;      /* bytes from a row to the next, as far as one field is concerned */
  bool fortran;         /* columns one after another */
  uint64_t data_at;     /* where the items begin in the source, or … */
  const uint8_t *bytes; /* … the items themselves, when not NULL */
  uint64_t data_size;
  uint32_t n_dims; /* as the file states it; above 2 there is one field and a row holds many items … */
  uint64_t dim[BEZ_ARRAY_MAX_DIMS]; /* … dim[1] × dim[2] … of them */
} bez_array;

/* Reads a .npy header (format versions 1.0 to 3.0) from the first bytes of a file of `total` bytes; data_at is set,
 * and the items are known to lie within total. name NULL: a lone file, whose columns are "value" (1-D) or "c0", "c1" …;
 * else a member, "name" or "name.0" …. Names live in the arena. Arrays of Python objects are refused: reading them
 * means running what they hold. */
BEZ_MUST_USE bez_status bez_npy_header(const uint8_t *bytes, size_t len, uint64_t total, const char *subject,
                                       const char *name, bez_arena *arena, bez_array *out, bez_error *err);

#define BEZ_NPY_MAX_DIMS 32u

/* An array of any number of dimensions, not as a table. */
typedef struct bez_npy_tensor {
  bez_field type; /* kind, size, swap */
  uint32_t n_dims;
  uint64_t dim[BEZ_NPY_MAX_DIMS];
  bool fortran;
  uint64_t data_at, data_size; /* known to lie within the file */
} bez_npy_tensor;

/* As bez_npy_header. */
BEZ_MUST_USE bez_status bez_npy_tensor_header(const uint8_t *bytes, size_t len, uint64_t total, const char *subject,
                                              bez_arena *arena, bez_npy_tensor *out, bez_error *err);

/* What a .npy header says of any array, be it of Python objects: nothing of them is read. */
typedef struct bez_npy_outline {
  const char *type; /* "<f4"; NULL: records */
  bool objects;     /* the items, or fields of them, are Python objects: a pickle follows the header */
  bool fortran;
  uint32_t n_dims;
  uint64_t dim[BEZ_NPY_MAX_DIMS];
  uint64_t data_at; /* set even where the rest is not understood, 0 where no header ends */
} bez_npy_outline;

BEZ_MUST_USE bez_status bez_npy_outline_read(const uint8_t *bytes, size_t len, const char *subject, bez_arena *arena,
                                             bez_npy_outline *out, bez_error *err);

/* Pushes arrays of equal n_rows side by side as one file of the data set. */
BEZ_MUST_USE bez_status bez_arrays_push(const bez_source *source, const char *format, const bez_array *arrays, size_t n,
                                        bez_builder *builder, bez_error *err);

/* One item as the text of a cell: *cell points into the item or at `out`, which has room for bez_array_cell_room()
 * bytes. Returns the bytes of `out` used. */
size_t bez_array_cell(const bez_field *field, const uint8_t *item, char *out, const char **cell, uint32_t *len);
size_t bez_array_cell_room(const bez_field *field);

/* The number in an item of a plain number type (BOOL … FLOAT). */
double bez_array_number(const bez_field *field, const uint8_t *item);
/* The way back: the nearest value that an item of a plain number type can hold. */
void bez_array_set_number(const bez_field *field, double value, uint8_t *item);
/* The text of a cell as an item; BEZ_USAGE when it does not fit, BEZ_UNSUPPORTED for times. */
BEZ_MUST_USE bez_status bez_array_set_text(const bez_field *field, const char *text, size_t len, uint8_t *item,
                                           bez_error *err);

/* Reads an IDX header from the first bytes of a file of `total` bytes; data_at is set, and the items are known to lie
 * within total. field: room for the one field. */
BEZ_MUST_USE bez_status bez_idx_header(const uint8_t *bytes, size_t len, uint64_t total, const char *subject,
                                       bez_field *field, bez_array *out, bez_error *err);
#define BEZ_IDX_HEADER_MAX (4 + 4 * BEZ_ARRAY_MAX_DIMS)

#endif
