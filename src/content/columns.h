/* Rows of Parquet and Arrow files, batch by batch, with the fields as text (content/form.h). */
#ifndef BEZ_CONTENT_COLUMNS_H
#define BEZ_CONTENT_COLUMNS_H

#include "content/digest_team.h"

typedef struct bez_columns bez_columns;

/* path: a regular file. BEZ_UNSUPPORTED where nothing on this machine reads it. */
BEZ_MUST_USE bez_status bez_columns_open(const char *path, bez_columns **out, bez_error *err);
void bez_columns_close(bez_columns *columns); /* NULL is fine */
/* The next batch and how many rows it has; *rows 0: there is none. */
BEZ_MUST_USE bez_status bez_columns_next(bez_columns *columns, uint64_t *rows, bez_error *err);
/* The fields of one row of the batch, in the order of the columns. Any thread. */
BEZ_MUST_USE bez_status bez_columns_row(const bez_columns *columns, uint64_t row, bez_field_fn fn, void *ctx,
                                        bez_error *err);

#endif
