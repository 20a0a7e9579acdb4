/* Rows of fields (content/form.h) as a Parquet file. A Parquet file names and types its columns before its rows, so
 * rows are told twice: once to plan, once to write. pyarrow writes, in a sandbox.
 *
 * The type of a column is the narrowest that keeps the canonical form of each of its values: 64-bit integers, doubles
 * (numbers of at most 15 digits), booleans, else text; digests are text of 64 digits. What has no value is null. */
#ifndef BEZ_CONTENT_PARQUET_OUT_H
#define BEZ_CONTENT_PARQUET_OUT_H

#include "base/file.h"
#include "content/digest_team.h"

typedef struct bez_parquet_out bez_parquet_out;

BEZ_MUST_USE bez_status bez_parquet_out_create(bez_parquet_out **out, bez_error *err);
void bez_parquet_out_free(bez_parquet_out *out); /* NULL is fine; ends the helper */
/* One field of the row that is being told (a bez_field_fn, ctx is the bez_parquet_out); the row ends with _row. */
BEZ_MUST_USE bez_status bez_parquet_out_field(void *out, const char *name, size_t name_len, const char *value,
                                              size_t len, int kind, bez_error *err);
BEZ_MUST_USE bez_status bez_parquet_out_row(bez_parquet_out *out, bez_error *err);
/* Behind the last row of the plan: from here on rows are written, into `to` (borrowed). BEZ_UNSUPPORTED: there is no
 * pyarrow; BEZ_FORMAT: there is no column. path: what errors call the file. */
BEZ_MUST_USE bez_status bez_parquet_out_begin(bez_parquet_out *out, bez_outfile *to, const char *path, bez_error *err);
/* Behind the last row. BEZ_FORMAT, here as at each row: they are not those that were planned. */
BEZ_MUST_USE bez_status bez_parquet_out_finish(bez_parquet_out *out, bez_error *err);

#endif
