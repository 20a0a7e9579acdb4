/* One row of a version, found by its number. */
#ifndef BEZ_VAULT_ROW_H
#define BEZ_VAULT_ROW_H

#include "content/form.h"
#include "content/tree.h"

typedef struct bez_row {
  bez_buf leaf, file; /* hold what item and the form's parameters point to */
  bez_item item;
  uint64_t row, item_number;
  bez_form_use form; /* of the file that it is in */
  char *name;        /* of that file, "" for a data set of one file; owned */
  uint8_t raw[32], canonical[32];
} bez_row; /* zero-initialise; release with bez_row_free */

/* BEZ_USAGE: there is no such row. n_files: of the data set; 1 saves looking for the file's beginning. */
BEZ_MUST_USE bez_status bez_row_read(const bez_objects *objects, const bez_tree *rows, uint64_t n_files, uint64_t row,
                                     bez_row *out, bez_error *err);
void bez_row_free(bez_row *row);

/* The form of items of type FILE_ROW. */
bez_form_use bez_file_row_form(void);

/* Every row of a version in order, with its form. fn's failure ends it. */
typedef bez_status (*bez_row_fn)(void *ctx, uint64_t row, const bez_form_use *form, const bez_item *item,
                                 bez_error *err);
BEZ_MUST_USE bez_status bez_rows_each(const bez_objects *objects, const bez_tree *rows, bez_row_fn fn, void *ctx,
                                      bez_error *err);

/* The same, and `other` is told what is no row: FILE (form: its own) and BYTES. NULL: not wanted. */
typedef bez_status (*bez_other_fn)(void *ctx, const bez_form_use *form, const bez_item *item, bez_error *err);
BEZ_MUST_USE bez_status bez_items_each(const bez_objects *objects, const bez_tree *rows, bez_row_fn fn,
                                       bez_other_fn other, void *ctx, bez_error *err);

/* The canonical digest; c: the thread's own. */
BEZ_MUST_USE bez_status bez_row_canonical(const bez_form_use *form, const bez_item *item, bez_canonical *c,
                                          uint8_t out[32], bez_error *err);

#endif
