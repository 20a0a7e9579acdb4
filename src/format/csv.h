/* CSV and its dialects: what separates, what quotes, where records end.
 *
 * A quote counts only as the first byte of a cell, where the dialect has quotes at all; inside a quoted cell "" is
 * one quote, and separators and line ends are ordinary. A cell with bytes behind its closing quote is taken as it
 * stands, quotes included, and remarked. A carriage return before the line end belongs to the line end. Lines of no
 * bytes are skipped. A first line "sep=;" (which Excel reads) names the separator and is no record. The splitter here
 * is the reference that the fast scanners (csv_scan.h) are tested against. */
#ifndef BEZ_FORMAT_CSV_H
#define BEZ_FORMAT_CSV_H

#include "bezoar/base.h"

typedef struct bez_csv_dialect {
  char separator;  /* ',', '\t', ';' or '|' */
  char newline;    /* '\n' (also behind "\r"), or '\r' where a file has no '\n' */
  bool quotes;     /* '"' quotes cells; false: an ordinary byte */
  bool header;     /* the first record names the columns */
  uint32_t n_cols; /* cells of the first record */
  uint32_t skip;   /* bytes before the first record: the byte order mark, and the line "sep=;" */
  uint32_t told;   /* bytes of that line, its end included; 0: the separator was guessed */
  bool crlf;       /* the first line end is "\r\n" */
  bool doubtful;   /* read as one column, though the first record and most others hold a separator */
} bez_csv_dialect;

typedef struct bez_csv_cell {
  const char *begin;
  uint32_t len;
  bool quoted;  /* begin and len leave the quotes out */
  bool escaped; /* holds "" for " */
} bez_csv_cell;

typedef struct bez_csv_record {
  bez_csv_cell *cells; /* owned; free with bez_csv_record_free */
  uint32_t n, cap;
  bool bad_quote; /* bytes behind a closing quote */
} bez_csv_record;

typedef enum bez_csv_split_result {
  BEZ_CSV_RECORD,   /* one record; *used bytes, line end included */
  BEZ_CSV_MORE,     /* the record does not end here, and last was false */
  BEZ_CSV_OPEN,     /* last was true and a quoted cell never closed */
  BEZ_CSV_TOO_WIDE, /* more than BEZ_MAX_COLUMNS cells */
  BEZ_CSV_NO_MEMORY
} bez_csv_split_result;

/* Splits the record at p. last: no bytes follow p + len. An empty line is a record of no cells. */
bez_csv_split_result bez_csv_split(const bez_csv_dialect *dialect, const char *p, size_t len, bool last,
                                   bez_csv_record *record, size_t *used);
void bez_csv_record_free(bez_csv_record *record);

/* The cell's value with "" made "; scratch must hold cell->len bytes. Returns its length. */
uint32_t bez_csv_unescape(const bez_csv_cell *cell, char *scratch);

/* Finds the dialect from the first bytes of a file. BEZ_FORMAT for what is no text (UTF-16, nothing at all). */
BEZ_MUST_USE bez_status bez_csv_sniff(const char *head, size_t len, bool whole, const char *path, bez_csv_dialect *out,
                                      bez_error *err);

#endif
