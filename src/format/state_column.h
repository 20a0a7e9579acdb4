/* Inside the format room: one column of a saved tile into a builder's lane. */
#ifndef BEZ_FORMAT_STATE_COLUMN_H
#define BEZ_FORMAT_STATE_COLUMN_H

#include "format/builder_internal.h"
#include "format/state.h"

/* The values of one column of a body, by saved code. */
typedef struct bez_saved_values {
  bez_buf bytes;
  bez_buf rows;    /* the codes or numbers of the tile at hand, aligned */
  uint64_t *end;   /* of each value in bytes */
  uint32_t *lane1; /* code in the lane's dictionary + 1; 0: not put there yet */
  uint32_t n, cap;
} bez_saved_values; /* zero-initialise; free with bez_saved_values_free */

void bez_saved_values_free(bez_saved_values *values);

/* A saved column, as its bytes say. */
typedef struct bez_saved_column {
  uint8_t mode, width;
  bez_form form;
  uint64_t missing;
  const uint8_t *data; /* codes or numbers of all rows; TEXT: ends */
  const uint8_t *text; /* TEXT */
} bez_saved_column;

/* Parses the next column of a tile of n_rows; its new values join the others. false: malformed, or memory is out. */
BEZ_MUST_USE bez_status bez_saved_column_read(bez_cursor *c, uint32_t n_rows, bez_saved_values *values,
                                              const char *path, bez_saved_column *out, bez_error *err);
/* Whether the column was taken in as the plan says, or can be taken in again from its values. */
bool bez_saved_column_fits(const bez_saved_column *col, bez_column_plan plan);
/* The rows of an open tile; first_row: the number of its first in the data set. */
BEZ_MUST_USE bez_status bez_saved_column_take(const bez_saved_column *col, uint32_t n_rows, uint64_t first_row,
                                              bez_saved_values *values, bez_lane *lane, bez_column_plan plan,
                                              const char *path, bez_error *err);

#endif
