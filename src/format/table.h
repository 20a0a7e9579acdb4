/* The table: what every reader makes of rows, and all that detectors see. Column oriented, dictionary encoded.
 *
 * A column of few distinct values holds one small code per row and each distinct value once, as the bytes that
 * stood in the file (quotes removed). Codes are ranks: 0 missing, 1 rare, then the values in ascending order
 * (by number for numeric and time columns, ties and everything else by bytes), so that the same rows give the
 * same codes whatever the number of threads. A table is immutable once built and may be read from any thread. */
#ifndef BEZ_FORMAT_TABLE_H
#define BEZ_FORMAT_TABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/store.h"
#include "bezoar/format.h"

#define BEZ_CODE_MISSING 0u /* an empty cell, or a missing marker (NA, NaN, null, ? …) */
#define BEZ_CODE_RARE 1u    /* only in a truncated column: a value that was not kept because it is too rare */
#define BEZ_CODE_FIRST 2u   /* the first real value */

typedef struct bez_column {
  const char *name;
  bez_column_type type;
  bez_column_role role;
  bool type_given, role_given;
  bool truncated;           /* more than BEZ_MAX_DICT values: those seen fewer than 4 times are BEZ_CODE_RARE */
  uint8_t width;            /* bytes per code: 1, 2, 4; 0 for TEXT and IDENTIFIER columns (no codes) */
  const void *codes;        /* n_rows codes */
  uint32_t n_values;        /* codes in use, the two reserved ones included; 0 without codes */
  const uint64_t *value_at; /* n_values + 1 offsets into value_bytes */
  const char *value_bytes;
  const double *number;    /* NUMERIC, TIME (seconds since 1970): per code; NaN where the cell is no number */
  const uint32_t *count;   /* rows per code */
  const float *raw;        /* truncated NUMERIC columns: the number per row; else NULL */
  const uint64_t *text_at; /* TEXT: n_rows + 1 offsets into text_bytes */
  const char *text_bytes;  /* TEXT: the cells, quotes removed, bytes as they stood */
  uint64_t n_missing;
  uint64_t n_distinct; /* exact unless truncated, then a lower bound */
} bez_column;

typedef struct bez_table_file {
  const char *path;
  const char *format; /* "csv", "jsonl", "npy", … */
  uint64_t first_row, n_rows, bytes;
  uint64_t digest; /* of the content (bez_source_digest); 0 where there is none */
} bez_table_file;

/* Something odd that reading met and survived: becomes a finding of the format room. */
typedef struct bez_table_remark {
  const char *rule; /* "ragged", "nul-bytes", "duplicate-key" … : a row of src/format/remarks.def */
  const char *path;
  uint64_t count;      /* how often */
  int64_t first_line;  /* 1-based, -1 unknown */
  const char *example; /* short and printable */
  struct bez_table_remark *next;
} bez_table_remark;

/* A file of the data set that could not be read while the others could. */
typedef struct bez_table_unread {
  const char *path, *why;
  bool requested; /* somebody wants it examined: exit code 3 */
  struct bez_table_unread *next;
} bez_table_unread;

typedef struct bez_images bez_images; /* format/images.h */
typedef struct bez_vectors bez_vectors;

struct bez_table {
  bez_arena arena;
  bez_budget budget;
  uint64_t n_rows;
  uint64_t n_rows_seen; /* before --sample */
  uint32_t n_cols;
  bez_column *cols;
  size_t n_files;
  bez_table_file *files;
  const uint64_t *sampled_row; /* with --sample: the global row each kept row had; else NULL */
  bez_table_remark *remarks;
  bez_table_unread *unread;
  int label, source, id; /* column index, -1 none */
  bool label_guessed;
  const bez_images *images;   /* a picture per row; NULL: none */
  const bez_vectors *vectors; /* an embedding per row; NULL: none */
  uint64_t bytes_read;
  void *owned; /* the builder's stores, released by bez_table_destroy */
  void (*release)(void *owned);
};

static inline uint32_t bez_code(const bez_column *col, uint64_t row) {
  switch (col->width) {
    case 1: return ((const uint8_t *)col->codes)[row];
    case 2: return ((const uint16_t *)col->codes)[row];
    default: return ((const uint32_t *)col->codes)[row];
  }
}

/* The bytes of a code's value, not NUL-terminated. The reserved codes give "" and "(rare)". */
static inline const char *bez_value(const bez_column *col, uint32_t code, size_t *len) {
  *len = (size_t)(col->value_at[code + 1] - col->value_at[code]);
  return col->value_bytes + col->value_at[code];
}

static inline const char *bez_text_cell(const bez_column *col, uint64_t row, size_t *len) {
  *len = (size_t)(col->text_at[row + 1] - col->text_at[row]);
  return col->text_bytes + col->text_at[row];
}

/* The number in a cell, NaN where missing. */
static inline double bez_number(const bez_column *col, uint64_t row) {
  uint32_t code = bez_code(col, row);
  if (code == BEZ_CODE_RARE && col->raw) return (double)col->raw[row];
  return col->number[code];
}

/* A printable cell for exhibits: decoded from codes or text. IDENTIFIER columns are not kept: "". */
const char *bez_cell(const bez_table *table, uint32_t col, uint64_t row, size_t *len);

/* Global row of the data set for a row of the table (differs only with --sample). */
static inline uint64_t bez_global_row(const bez_table *table, uint64_t row) {
  return table->sampled_row ? table->sampled_row[row] : row;
}

int bez_table_find(const bez_table *table, const char *name); /* column index, -1 none */

#endif
