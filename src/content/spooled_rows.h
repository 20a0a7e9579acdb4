/* Rows of files whose rows are not stored one by one (packed and columnar ones): the file is put together again, and
 * its form reads it beside the digests that stand for its rows. */
#ifndef BEZ_CONTENT_SPOOLED_ROWS_H
#define BEZ_CONTENT_SPOOLED_ROWS_H

#include "content/digest_team.h"

typedef struct bez_spooled_rows {
  int fd; /* of a temporary file with the bytes of the file, -1 none */
  const bez_form *form;
  void *rows;       /* being read; NULL: not yet */
} bez_spooled_rows; /* fd -1, else zero; release with bez_spooled_rows_end */

/* An item that is no row, of a file of that form. */
BEZ_MUST_USE bez_status bez_spooled_rows_take(bez_spooled_rows *spooled, const bez_form_use *form, const bez_item *item,
                                              bez_error *err);
/* The fields of the next row. BEZ_FORMAT: it is not what its digest says. fn is told of it before that is known. */
BEZ_MUST_USE bez_status bez_spooled_rows_next(bez_spooled_rows *spooled, const bez_form_use *form,
                                              const bez_item *digest, bez_canonical *c, bez_field_fn fn, void *ctx,
                                              bez_error *err);
void bez_spooled_rows_end(bez_spooled_rows *spooled);

#endif
