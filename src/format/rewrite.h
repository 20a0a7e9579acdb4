/* Rewriting a data set row by row: drop, divert, change or append records while every other byte stays.
 * Serves `clean` (drop and divert) and `poison` (change and append). CSV/TSV and JSONL, plain or packed; npy and IDX
 * arrays of C order, where pictures can be painted on. */
#ifndef BEZ_FORMAT_REWRITE_H
#define BEZ_FORMAT_REWRITE_H

#include "bezoar/base.h"

typedef struct bez_edit {
  uint64_t row;      /* 0-based data row of the file */
  uint32_t col;      /* column index in table order */
  const char *value; /* new cell; quoted or escaped as the dialect needs */
  size_t len;
} bez_edit;

/* Pictures that change. Seen as the table holds them: height × width × channels bytes; items whose pixel does not
 * change keep their bytes, whatever their type and layout. */
typedef struct bez_painting {
  const uint64_t *rows; /* ascending; the copy with index i is row (rows of the file) + i */
  size_t n_rows;
  bool every; /* all pictures, not only those of rows */
  bez_status (*paint)(const void *ctx, uint64_t row, uint8_t *pixels, bez_error *err); /* NULL: none */
  const void *ctx;
} bez_painting;

typedef struct bez_rewrite {
  const bez_edit *edits; /* ascending by row, then col */
  size_t n_edits;
  const uint64_t *drop; /* ascending rows that leave `out` */
  size_t n_drop;
  const uint64_t *copies; /* rows whose (edited) record is appended once more at the end, in this order */
  size_t n_copies;
  const bez_edit *copy_edits; /* row = index into copies; ascending */
  size_t n_copy_edits;
  bez_painting painting;
  /* The file the rows were counted in: another is refused (BEZ_USAGE) before an output appears. 0: not known. */
  uint64_t digest, n_rows;
  bez_progress_fn progress; /* may be NULL; false: BEZ_CANCELLED, no output is left behind */
  void *progress_ctx;
} bez_rewrite;

typedef struct bez_rewrite_result {
  uint64_t n_rows;            /* data rows read */
  uint64_t n_kept, n_dropped; /* rows written to out, and to quarantine */
} bez_rewrite_result;

/* quarantine_path may be NULL (dropped rows are then lost on purpose); the header is repeated in it. Both files
 * appear whole or not at all; out may not be the input. */
BEZ_MUST_USE bez_status bez_rewrite_file(const char *path, const bez_rewrite *plan, const char *out_path,
                                         const char *quarantine_path, bez_rewrite_result *result, bez_error *err);

#endif
