/* CSV as a form: what its files share. */
#ifndef BEZ_CONTENT_FORM_CSV_H
#define BEZ_CONTENT_FORM_CSV_H

#include "base/arena.h"
#include "content/canonical.h"

typedef struct bez_csv_column {
  const char *name;   /* "" for a column without one; trimmed, UTF-8, no NUL */
  const char *called; /* name, or "#1" */
  const char *key;    /* varint length || what it is called, as it is hashed; BEZ_COPY bytes behind it may be read */
  uint32_t key_len;
} bez_csv_column;

typedef struct bez_csv_form {
  char separator, newline;
  bool quotes;
  uint32_t n_cols;
  bez_csv_column *columns;
  uint32_t *order;  /* columns in ascending order of their names */
  size_t key_bytes; /* of all keys */
  bez_arena arena;  /* of all that */
  /* For cutting: */
  uint32_t skip;       /* bytes before the first record that are not cut yet */
  bool header_to_come; /* the first record names the columns */
  uint64_t plain_to;   /* place in the file up to which no quote follows what is cut */
} bez_csv_form;

typedef struct bez_csv_value {
  const char *text;
  size_t len;
  bool escaped; /* holds "" for " */
} bez_csv_value;

/* The cells of one record, line end taken off, from *at on; false: there is none left. */
bool bez_csv_next_cell(const bez_csv_form *form, const char *row, size_t len, size_t *at, bez_csv_value *out);
/* Takes the line end off a row. */
size_t bez_csv_row_len(const bez_csv_form *form, const char *row, size_t len);

/* form_csv_cut.c */
bez_status bez_csv_form_cut(void *state, const char *bytes, size_t len, bool last, uint64_t at, bez_span *spans,
                            size_t cap, size_t *n, size_t *used, bez_error *err);
/* form_csv_rows.c */
bez_status bez_csv_form_canonical(const void *state, const bez_item *row, bez_canonical *c, uint8_t out[32],
                                  bez_error *err);
bez_status bez_csv_form_fields(const void *state, const bez_item *row, bez_buf *scratch,
                               bez_status (*fn)(void *ctx, const char *name, size_t name_len, const char *value,
                                                size_t len, int kind, bez_error *err),
                               void *ctx, bez_error *err);

#endif
