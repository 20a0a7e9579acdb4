/* Reading data sets: CSV/TSV, JSONL, npy/npz, Parquet, Arrow; gz and zstd around them; a folder or a glob of like
 * files is one data set.
 *
 * Memory bound of opening: 4 bytes per cell of dictionary columns at the most (1 or 2 where a column has fewer
 * values), the text of text columns, 64 MiB of buffers per thread; what passes bez_read_options.memory lives in
 * an unlinked temporary file. */
#ifndef BEZOAR_FORMAT_H
#define BEZOAR_FORMAT_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bez_column_type {
  BEZ_COL_NUMERIC = 0,
  BEZ_COL_CATEGORICAL,
  BEZ_COL_TEXT,       /* free text: several words, mostly distinct */
  BEZ_COL_IDENTIFIER, /* (nearly) one value per row and no text: left out of detection */
  BEZ_COL_TIME        /* ISO 8601 dates and times */
} bez_column_type;

typedef enum bez_column_role {
  BEZ_ROLE_FEATURE = 0,
  BEZ_ROLE_LABEL,
  BEZ_ROLE_TEXT,
  BEZ_ROLE_SOURCE,
  BEZ_ROLE_ID,
  BEZ_ROLE_IGNORED
} bez_column_role;

BEZ_API const char *bez_column_type_text(bez_column_type type); /* "numeric", … */
BEZ_API const char *bez_column_role_text(bez_column_role role); /* "feature", … */

/* Zero-initialise for the defaults. Strings are borrowed for the call. */
typedef struct bez_read_options {
  const char *label, *source, *id; /* column names, NULL: label guessed unless no_guess, others none */
  const char *const *text;         /* names of text columns */
  size_t n_text;
  const char *const *types; /* "col=numeric", … */
  size_t n_types;
  const char *labels_file; /* labels of pictures or vectors, one per row: npy, idx, CSV … (column `label`, or its only
                            * one); NULL none */
  const char *embeddings;  /* 2-D npy, one vector per row; NULL none */
  const char *const *columns; /* read these columns and those named above, no others; none given: all. A name that is
                               * in no file is BEZ_USAGE */
  size_t n_columns;
  const char *const *exclude; /* globs of paths to leave out of folders */
  size_t n_exclude;
  uint32_t picture_height, picture_width, picture_channels; /* picture files are kept in this size; 0: chosen from the
                                                             * files (most frequent, at most 256 pixels a side) */
  bool no_guess;                                            /* a label that would be guessed is BEZ_USAGE (CI=true) */
  uint64_t sample;                                          /* keep this many rows (seeded, uniform), 0: all */
  uint64_t memory;                                          /* ceiling for anonymous memory in bytes, 0: 2 GiB */
  uint64_t seed;
  unsigned threads;         /* 0: all processors */
  uint64_t max_download;    /* bytes that may be fetched of remote paths, 0: 64 GiB */
  double net_timeout;       /* seconds without a byte after which a connection counts as dropped, 0: 60 */
  bez_progress_fn progress; /* may be NULL */
  void *progress_ctx;
} bez_read_options;

typedef struct bez_table bez_table;

/* Whether a path is a URL that is fetched: https, http, s3, gs, hf (docs/remote.md). */
BEZ_API bool bez_path_is_remote(const char *path);

/* Opens paths (files, folders, globs, URLs) as one data set and reads it whole. *out is owned by the caller. Nothing is
 * fetched unless a path is a URL. */
BEZ_API BEZ_MUST_USE bez_status bez_table_open(const char *const *paths, size_t n_paths,
                                               const bez_read_options *options, bez_table **out, bez_error *err);
BEZ_API void bez_table_destroy(bez_table *table); /* NULL is fine */
BEZ_API uint64_t bez_table_rows(const bez_table *table);
BEZ_API uint32_t bez_table_columns(const bez_table *table);
BEZ_API const char *bez_table_column_name(const bez_table *table, uint32_t col);
BEZ_API bez_column_type bez_table_column_type(const bez_table *table, uint32_t col);

/* One Arrow C stream (https://arrow.apache.org/docs/format/CStreamInterface.html) as a data set named `name`.
 * The stream is consumed and released, also on failure. */
struct ArrowArrayStream;
BEZ_API BEZ_MUST_USE bez_status bez_table_from_arrow(struct ArrowArrayStream *stream, const char *name,
                                                     const bez_read_options *options, bez_table **out, bez_error *err);

/* The catalogue of formats. */
typedef struct bez_format_info {
  const char *name, *title, *extensions, *summary;
} bez_format_info;
BEZ_API size_t bez_format_count(void);
BEZ_API bez_format_info bez_format_get(size_t index);

#ifdef __cplusplus
}
#endif
#endif
