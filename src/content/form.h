/* Forms: how files become rows. One file form_*.c that ends in one `const bez_form`, one row in forms.def.
 *
 * A form is opened from the beginning of a file, or from what a FILE item says of it (JSON, deterministic): the same
 * rows and the same canonical digests come out for ever, whatever the file's later versions look like.
 *
 * The canonical digest of a row is SHA-256 over its fields in ascending order of their names (bytewise; equal names in
 * the order of the row), each as varint length || name || varint length || value. Fields without a value (empty cell,
 * null, absent) are left out, so that a row is the same row in CSV, JSONL, Parquet and Arrow. A value is its text
 * (UTF-8, quoting and escapes undone); blanks (space, tab, CR, LF) at both ends are not part of it, nor of a name. Text
 * that is a decimal number as JSON writes them (also with a leading "+") is written in one way: no sign for zero, no
 * leading or trailing zeros, no exponent while it has at most 40 digits so. Nested JSON is written without blanks, keys
 * sorted; true and false are those words. A column without a name is called by its place, "#1" the first. (Tell row A
 * from row A' where it matters with the raw digest.) Byte by byte: docs/vault/rows.md.
 */
#ifndef BEZ_CONTENT_FORM_H
#define BEZ_CONTENT_FORM_H

#include "base/json.h"
#include "content/item.h"

typedef struct bez_form bez_form;
typedef struct bez_canonical bez_canonical;

/* A stretch of a file and what it is. */
typedef struct bez_span {
  size_t begin, len;
  bez_item_type type; /* ROW or BYTES */
} bez_span;

struct bez_form {
  const char *name;    /* "csv": in FILE items */
  const char *summary; /* what a row is, one sentence */
  bool file_row;       /* the whole file is one FILE_ROW item (bez_file_row_head); there is no FILE item, no state */
  /* How sure the form is that it reads this file, 0 to 100. head: its first bytes. */
  int (*sniff)(const char *path, const uint8_t *head, size_t len, bool whole);
  /* A state from the beginning of a file (head: its first bytes, up to 1 MiB), or from JSON. Errors name path. */
  bez_status (*open)(const char *path, const char *head, size_t len, bool whole, void **state, bez_error *err);
  bez_status (*open_json)(const json_t *params, void **state, bez_error *err); /* hostile */
  void (*close)(void *state);
  void (*params)(const void *state, bez_json *j); /* writes the members of an object, keys in fixed order */
  /* Cuts bytes [0, len), which begin where a span begins, into spans that follow each other without gaps; *used: where
   * the next one begins (what does not end here is left for later unless last). at: place in the file. first: nothing
   * was cut before. Sequential; fast. Must find at least one span when last is set and len > 0; *n 0 without last: the
   * span does not end within these bytes, more are wanted (up to BEZ_MAX_RECORD). NULL: the form is not cut from bytes:
   * they are cut by content (content/chunk.h) into BYTES items, and rows, where there are any, come from `digests`. */
  bez_status (*cut)(void *state, const char *bytes, size_t len, bool last, uint64_t at, bez_span *spans, size_t cap,
                    size_t *n, size_t *used, bez_error *err);
  /* The canonical digest of one row; thread safe. c: the thread's own, kept from row to row. */
  bez_status (*canonical)(const void *state, const bez_item *row, bez_canonical *c, uint8_t out[32], bez_error *err);
  /* Fields of one row, for `blame --where`, `export` and Croissant: calls fn for each, in the order of the file. */
  bez_status (*fields)(const void *state, const bez_item *row, bez_buf *scratch,
                       bez_status (*fn)(void *ctx, const char *name, size_t name_len, const char *value, size_t len,
                                        int kind /* bez_field_kind */, bez_error *err),
                       void *ctx, bez_error *err);
  /* Packed and columnar files: canonical digests of the rows of the file at path, in order. NULL: the file has no rows.
   */
  bez_status (*digests)(const void *state, const char *path,
                        bez_status (*fn)(void *ctx, const uint8_t (*canonical)[32], size_t n, bez_error *err),
                        void *ctx, bez_error *err);
  /* Their rows again, one after another, with their fields: *end where there is none left. NULL with `digests`. */
  bez_status (*rows_open)(const void *state, const char *path, void **rows, bez_error *err);
  bez_status (*rows_next)(void *rows,
                          bez_status (*fn)(void *ctx, const char *name, size_t name_len, const char *value, size_t len,
                                           int kind, bez_error *err),
                          void *ctx, bool *end, bez_error *err);
  void (*rows_close)(void *rows); /* NULL is fine */
};

typedef enum bez_field_kind {
  BEZ_FIELD_NONE, /* no value */
  BEZ_FIELD_TEXT,
  BEZ_FIELD_NUMBER, /* text that is a JSON number */
  BEZ_FIELD_WORD,   /* true, false */
  BEZ_FIELD_JSON,   /* an object or array */
  BEZ_FIELD_DIGEST  /* 32 bytes: SHA-256 of a file's content */
} bez_field_kind;

#define BEZ_FORM(symbol) extern const bez_form symbol;
#include "content/forms.def"
#undef BEZ_FORM
extern const bez_form *const bez_forms[];         /* NULL-terminated */
const bez_form *bez_form_named(const char *name); /* NULL: none */

/* An open form: what a FILE item says. */
typedef struct bez_form_use {
  const bez_form *form;
  void *state;
} bez_form_use;
/* From the body of a FILE item: {"form":"csv", …}. Hostile. */
BEZ_MUST_USE bez_status bez_form_open_json(const char *json, size_t len, bez_form_use *out, bez_error *err);
void bez_form_close(bez_form_use *use);

/* canonical.c: what all forms write canonical rows with; one per thread. Between begin and finish the fields of a row
 * are told in any order (also those without a value: a field whose name is empty is called by its place); finish sorts.
 */
BEZ_MUST_USE bez_status bez_canonical_create(bez_canonical **out, bez_error *err);
void bez_canonical_free(bez_canonical *c); /* NULL is fine */
void bez_canonical_begin(bez_canonical *c);
/* A buffer for text that had to be decoded, emptied by begin. */
bez_buf *bez_canonical_scratch(bez_canonical *c);
/* name and value are copied. A digest's value is its 64 hexadecimal digits. */
void bez_canonical_field(bez_canonical *c, const char *name, size_t name_len, const char *value, size_t len,
                         bez_field_kind kind);
BEZ_MUST_USE bez_status bez_canonical_finish(bez_canonical *c, uint8_t out[32], bez_error *err);

#endif
