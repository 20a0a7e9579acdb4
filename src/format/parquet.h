/* The two ways to Parquet, both as an Arrow C stream. */
#ifndef BEZ_FORMAT_PARQUET_H
#define BEZ_FORMAT_PARQUET_H

#include "base/spawn.h"
#include "bezoar/arrow.h"

/* What is to be read of which file. Columns that are not wanted may still stand in the stream, as nulls. */
typedef struct bez_parquet_file {
  const char *path;           /* what errors call it */
  const char *at;             /* where the library in this process finds it */
  int fd;                     /* open for reading */
  const char *const *columns; /* "a", "a.b" for field b of struct a; names that are not there do no harm … */
  size_t n_columns;           /* … 0: all columns */
  bool whole;                 /* see bez_parquet_rows */
} bez_parquet_file;

/* Through libduckdb, opened at run time: the library named by the environment variable BEZOAR_DUCKDB, else (unless
 * named_only) the system's libduckdb.so. *out->release is NULL (BEZ_OK) where there is none. */
BEZ_MUST_USE bez_status bez_parquet_duckdb(const bez_parquet_file *file, bool named_only, struct ArrowArrayStream *out,
                                           bez_error *err);

/* Through the Python package: a sandboxed `python3 -P -m bezoar.parquet_worker` (BEZOAR_PYTHON names another
 * interpreter). BEZ_UNSUPPORTED where interpreter, package or pyarrow are missing. */
BEZ_MUST_USE bez_status bez_parquet_worker(const bez_parquet_file *file, struct ArrowArrayStream *out, bez_error *err);

/* The whole of a Parquet or Arrow file (IPC file or stream), nothing laid flat: a worker of its own sends lists,
 * structs and maps as JSON text and bytes as their SHA-256, and puts a letter before each column's name: "j" JSON, "d"
 * digest, "p" plain. *marked: it does so; not through DuckDB, which reads Parquet alone and whose nested columns stay
 * nested. */
BEZ_MUST_USE bez_status bez_parquet_rows(const char *path, int fd, struct ArrowArrayStream *out, bool *marked,
                                         bez_error *err);

/* The frames of a helper behind its greeting, as a stream that takes the child over (also on failure). */
BEZ_MUST_USE bez_status bez_parquet_frames(bez_child child, struct ArrowArrayStream *out, bez_error *err);

#endif
