/* Inside rewriting: a format splits the source into records and edits one; rewrite.c routes them. */
#ifndef BEZ_FORMAT_REWRITE_INTERNAL_H
#define BEZ_FORMAT_REWRITE_INTERNAL_H

#include "base/buf.h"
#include "format/rewrite.h"
#include "format/source.h"

typedef struct bez_record_view {
  const char *raw; /* line end included; valid until the next one */
  size_t len;
  bool is_row; /* false: header, empty line */
  bool header;
  bool done;
} bez_record_view;

typedef struct bez_record_kind {
  const char *reader; /* name of the reader whose files these are */
  bez_status (*open)(const bez_source *source, void **state, bez_error *err);
  bez_status (*next)(void *state, bez_record_view *out, bez_error *err);
  /* Puts the record with n edits (ascending by col) into out, which is empty. row is for errors. */
  bez_status (*edit)(void *state, const char *raw, size_t len, const bez_edit *edits, size_t n, uint64_t row,
                     bez_buf *out, bez_error *err);
  const char *(*line_end)(void *state); /* "\n", "\r\n" */
  void (*close)(void *state);           /* NULL is fine */
} bez_record_kind;

extern const bez_record_kind bez_records_csv;
extern const bez_record_kind bez_records_jsonl;

/* Tells the caller how far it is and asks whether to go on: BEZ_CANCELLED when not. */
BEZ_MUST_USE bez_status bez_rewrite_step(const bez_rewrite *plan, uint64_t row, bez_error *err);

/* Arrays of fixed-size items; reader: "npy" or "idx". */
BEZ_MUST_USE bez_status bez_rewrite_array(const bez_source *source, const char *reader, const bez_rewrite *plan,
                                          const char *out_path, const char *quarantine_path, bez_rewrite_result *result,
                                          bez_error *err);

#endif
