/* Splitting one CSV record: the reference, byte by byte. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "format/csv.h"

void bez_csv_record_free(bez_csv_record *record) {
  free(record->cells);
  *record = (bez_csv_record){0};
}

uint32_t bez_csv_unescape(const bez_csv_cell *cell, char *scratch) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < cell->len; i++) {
    scratch[n++] = cell->begin[i];
    if (cell->begin[i] == '"') i++; /* always the first of a pair */
  }
  return n;
}

static bez_csv_split_result add_cell(bez_csv_record *record, const char *begin, size_t len, bool quoted, bool escaped) {
  if (record->n == record->cap) {
    if (record->n >= BEZ_MAX_COLUMNS) return BEZ_CSV_TOO_WIDE;
    uint32_t cap = record->cap ? record->cap * 2 : 16;
    bez_csv_cell *cells = realloc(record->cells, cap * sizeof *cells);
    if (!cells) return BEZ_CSV_NO_MEMORY;
    record->cells = cells;
    record->cap = cap;
  }
  record->cells[record->n++] =
      (bez_csv_cell){.begin = begin, .len = (uint32_t)len, .quoted = quoted, .escaped = escaped};
  return BEZ_CSV_RECORD;
}

/* The closing quote of the cell that opens at p[i]; len when there is none. */
static size_t closing_quote(const char *p, size_t len, size_t i, bool *escaped) {
  *escaped = false;
  i++;
  while (i < len) {
    const char *at = memchr(p + i, '"', len - i);
    if (!at) return len;
    i = (size_t)(at - p);
    if (i + 1 >= len || p[i + 1] != '"') return i;
    *escaped = true;
    i += 2;
  }
  return len;
}

static bool ends_here(const bez_csv_dialect *d, const char *p, size_t len, size_t i) {
  return i == len || p[i] == d->separator || p[i] == d->newline ||
         (d->newline == '\n' && p[i] == '\r' && (i + 1 == len || p[i + 1] == '\n'));
}

bez_csv_split_result bez_csv_split(const bez_csv_dialect *d, const char *p, size_t len, bool last,
                                   bez_csv_record *record, size_t *used) {
  size_t i = 0;
  record->n = 0;
  record->bad_quote = false;
  for (;;) {
    size_t begin = i;
    bool quoted = false, escaped = false;
    size_t close = 0;
    if (d->quotes && i < len && p[i] == '"') {
      close = closing_quote(p, len, i, &escaped);
      if (close == len || (close + 1 == len && !last)) return last ? BEZ_CSV_OPEN : BEZ_CSV_MORE;
      i = close + 1;
      if (p[i - 1] == '"' && i + 1 == len && p[i] == '\r' && !last) return BEZ_CSV_MORE;
      quoted = ends_here(d, p, len, i);
      record->bad_quote |= !quoted;
    }
    while (i < len && p[i] != d->separator && p[i] != d->newline) i++;
    if (i == len && !last) return BEZ_CSV_MORE;
    bool end = i == len || p[i] == d->newline;
    size_t stop = i;
    if (end && !quoted && stop > begin && p[stop - 1] == '\r' && d->newline == '\n') stop--;
    if (end && record->n == 0 && stop == begin && !quoted) { /* an empty line */
      *used = i < len ? i + 1 : i;
      return BEZ_CSV_RECORD;
    }
    bez_csv_split_result got = quoted ? add_cell(record, p + begin + 1, close - begin - 1, true, escaped)
                                      : add_cell(record, p + begin, stop - begin, false, false);
    if (got != BEZ_CSV_RECORD) return got;
    i++;
    if (end) {
      *used = i < len ? i : len;
      return BEZ_CSV_RECORD;
    }
  }
}
