/* Rewriting CSV: which bytes are a row, and a row with some cells replaced. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "format/csv_walk.h"
#include "format/rewrite_internal.h"

typedef struct csv_state {
  bez_csv_walk walk;
  bez_csv_record record; /* of the row being edited */
  bool past_told, past_first;
  char told[16]; /* the line "sep=;" */
} csv_state;

static void close_csv(void *state) {
  csv_state *s = state;
  if (!s) return;
  bez_csv_walk_close(&s->walk);
  bez_csv_record_free(&s->record);
  free(s);
}

static bez_status open_csv(const bez_source *source, void **state, bez_error *err) {
  csv_state *s = calloc(1, sizeof *s);
  *state = s;
  return s ? bez_csv_walk_open(source, &s->walk, err) : bez_fail_memory(err, sizeof *s);
}

/* The line that names the separator stays in front of both outputs. */
static bez_status view_told(csv_state *s, bez_record_view *out, bez_error *err) {
  size_t len = s->walk.dialect.told, got = 0;
  if (len > sizeof s->told)
    return bez_fail(err, BEZ_INTERNAL, s->walk.source->path, "a separator line of %zu bytes", len);
  s->past_told = true;
  *out = (bez_record_view){.raw = s->told, .len = len, .header = true};
  return bez_source_read(s->walk.source, s->walk.dialect.skip - len, s->told, len, &got, err);
}

static bez_status next_csv(void *state, bez_record_view *out, bez_error *err) {
  csv_state *s = state;
  if (s->walk.dialect.told && !s->past_told) return view_told(s, out, err);
  bez_status st = bez_csv_walk_next(&s->walk, err);
  if (st != BEZ_OK) return st;
  *out = (bez_record_view){.raw = s->walk.raw, .len = s->walk.raw_len, .done = s->walk.done};
  if (out->done || s->walk.record.n == 0) return BEZ_OK;
  out->header = !s->past_first && s->walk.dialect.header;
  out->is_row = !out->header;
  s->past_first = true;
  return BEZ_OK;
}

static const char *line_end_csv(void *state) {
  const bez_csv_dialect *d = &((csv_state *)state)->walk.dialect;
  return d->crlf ? "\r\n" : d->newline == '\r' ? "\r" : "\n";
}

static bez_status put_value(const bez_csv_dialect *d, const bez_edit *edit, bool quoted, uint64_t row, bez_buf *out,
                            bez_error *err) {
  const char *v = edit->value;
  size_t len = edit->len;
  bool special = memchr(v, d->separator, len) || memchr(v, '\n', len) || memchr(v, '\r', len);
  if (!d->quotes) {
    if (special)
      return bez_fail(err, BEZ_USAGE, NULL,
                      "row %llu: the new value holds a separator or a line end, and this file knows no quotes",
                      (unsigned long long)row);
    bez_buf_write(out, v, len);
    return BEZ_OK;
  }
  if (!quoted && !special && !(len && v[0] == '"') && !(len == 0 && d->n_cols == 1)) {
    bez_buf_write(out, v, len);
    return BEZ_OK;
  }
  bez_buf_putc(out, '"');
  for (size_t i = 0; i < len; i++) {
    if (v[i] == '"') bez_buf_putc(out, '"');
    bez_buf_putc(out, v[i]);
  }
  bez_buf_putc(out, '"');
  return BEZ_OK;
}

static bez_status edit_csv(void *state, const char *raw, size_t len, const bez_edit *edits, size_t n, uint64_t row,
                           bez_buf *out, bez_error *err) {
  csv_state *s = state;
  const bez_csv_dialect *d = &s->walk.dialect;
  size_t used;
  bez_csv_split_result got = bez_csv_split(d, raw, len, true, &s->record, &used);
  if (got != BEZ_CSV_RECORD) return bez_csv_split_error(got, s->walk.source->path, -1, 0, err);
  const char *at = raw;
  for (size_t k = 0; k < n; k++) {
    if (edits[k].col >= s->record.n)
      return bez_fail(err, BEZ_FORMAT, s->walk.source->path, "row %llu has %u cells: no cell %u to change",
                      (unsigned long long)row, s->record.n, edits[k].col + 1);
    const bez_csv_cell *cell = &s->record.cells[edits[k].col];
    const char *begin = cell->begin - cell->quoted, *end = cell->begin + cell->len + cell->quoted;
    bez_buf_write(out, at, (size_t)(begin - at));
    bez_status st = put_value(d, &edits[k], cell->quoted, row, out, err);
    if (st != BEZ_OK) return st;
    at = end;
  }
  bez_buf_write(out, at, (size_t)(raw + len - at));
  return bez_buf_status(out, err);
}

const bez_record_kind bez_records_csv = {.reader = "csv",
                                         .open = open_csv,
                                         .next = next_csv,
                                         .edit = edit_csv,
                                         .line_end = line_end_csv,
                                         .close = close_csv};
