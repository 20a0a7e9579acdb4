/* Reading CSV into the builder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/csv.h"
#include "format/reader.h"

static int sniff(const uint8_t *head, size_t len, const char *extension) {
  if (len == 0) return 1;
  bool named = !strcmp(extension, "csv") || !strcmp(extension, "tsv") || !strcmp(extension, "tab");
  size_t odd = 0;
  for (size_t i = 0; i < len; i++) odd += head[i] < 32 && head[i] != '\t' && head[i] != '\n' && head[i] != '\r';
  if (odd * 10 > len) return 0;
  if (odd) return named ? 20 : 0;
  return named ? 50 : 30;
}

bez_status bez_csv_read_names(const bez_csv_dialect *d, bez_csv_record *record, bez_builder *builder, const char *path,
                              bez_error *err);

/* Names of the columns from the first record: empty ones and repeated ones get a number. */
static bez_status declare(const bez_csv_dialect *d, const bez_csv_record *first, bez_builder *builder, const char *path,
                          bez_error *err) {
  uint32_t n = first->n;
  bez_arena arena = {0};
  const char **names = bez_arena_array(&arena, n, sizeof *names);
  bez_status st = names ? BEZ_OK : bez_fail_memory(err, n * sizeof *names);
  uint32_t repeated = 0;
  for (uint32_t c = 0; st == BEZ_OK && c < n; c++) {
    const bez_csv_cell *cell = &first->cells[c];
    if (!d->header || cell->len == 0) {
      names[c] = bez_arena_printf(&arena, "col%u", c + 1);
    } else {
      char *name = bez_arena_strndup(&arena, cell->begin, cell->len);
      if (name && cell->escaped) name[bez_csv_unescape(cell, name)] = 0;
      names[c] = name;
    }
    for (uint32_t i = 0; names[c] && i < c; i++)
      if (!strcmp(names[i], names[c])) {
        names[c] = bez_arena_printf(&arena, "%s_%u", names[c], c + 1);
        repeated++;
        break;
      }
    if (!names[c]) st = bez_fail_memory(err, cell->len);
  }
  if (st == BEZ_OK) st = bez_builder_columns(builder, path, names, NULL, n, err);
  if (st == BEZ_OK && repeated) bez_builder_remark(builder, "duplicate-column", path, repeated, 1, "");
  bez_arena_free(&arena);
  return st;
}

static bez_status split_failed(bez_csv_split_result got, const char *path, int64_t line, size_t at, bez_error *err) {
  switch (got) {
    case BEZ_CSV_OPEN:
      return bez_fail_at(err, BEZ_FORMAT, path, line, (int64_t)at,
                         "a quoted cell that begins in this record never ends");
    case BEZ_CSV_TOO_WIDE:
      return bez_fail_at(err, BEZ_LIMIT, path, line, (int64_t)at, "more than %u columns", BEZ_MAX_COLUMNS);
    default: return bez_fail_memory(err, 0);
  }
}

static bez_status read_rows(const bez_csv_dialect *d, const char *p, size_t len, bez_builder *builder, const char *path,
                            bez_error *err) {
  bez_csv_record record = {0};
  bez_status st = BEZ_OK;
  const char **cells = NULL;
  uint32_t *lens = NULL;
  bez_tile *tile = NULL;
  char *scratch = NULL;
  size_t used, at = d->skip;
  bool first = true;
  int64_t line = 1;
  uint64_t ragged = 0;
  int64_t ragged_line = -1;
  for (; at < len; at += used) {
    bez_csv_split_result got = bez_csv_split(d, p + at, len - at, true, &record, &used);
    if (got != BEZ_CSV_RECORD) {
      st = split_failed(got, path, line, at, err);
      goto cleanup;
    }
    int64_t this_line = line;
    for (size_t i = 0; i < used; i++) line += p[at + i] == d->newline;
    if (record.n == 0) continue;
    if (first) {
      BEZ_TRY(declare(d, &record, builder, path, err));
      BEZ_TRY(bez_builder_tile(builder, 0, 0, &tile, err));
      cells = calloc(BEZ_MAX_COLUMNS, sizeof *cells);
      lens = calloc(BEZ_MAX_COLUMNS, sizeof *lens);
      scratch = malloc(len + 1);
      if (!cells || !lens || !scratch) {
        st = bez_fail_memory(err, len);
        goto cleanup;
      }
      first = false;
      if (d->header) continue;
    }
    size_t in_scratch = 0;
    for (uint32_t c = 0; c < record.n; c++) {
      cells[c] = record.cells[c].begin;
      lens[c] = record.cells[c].len;
      if (record.cells[c].escaped) {
        lens[c] = bez_csv_unescape(&record.cells[c], scratch + in_scratch);
        cells[c] = scratch + in_scratch;
        in_scratch += lens[c];
      }
    }
    if (record.n != d->n_cols) {
      ragged++;
      if (ragged_line < 0) ragged_line = this_line;
    }
    BEZ_TRY(bez_tile_row(tile, cells, lens, record.n, err));
  }
  if (ragged) bez_builder_remark(builder, "ragged", path, ragged, ragged_line, "");
  if (tile) BEZ_TRY(bez_tile_end(tile, err));
  BEZ_TRY(bez_builder_end_file(builder, tile ? 1 : 0, err));
cleanup:
  bez_csv_record_free(&record);
  free(cells);
  free(lens);
  free(scratch);
  return st;
}

static bez_status read_csv(bez_source *source, bez_builder *builder, bez_error *err) {
  bez_store all = {.fd = -1};
  bez_csv_dialect dialect;
  size_t got;
  bez_store_init(&all, bez_builder_budget(builder));
  bez_status st;
  BEZ_TRY(bez_store_grow(&all, source->size + 1, err));
  BEZ_TRY(bez_source_read(source, 0, all.data, source->size, &got, err));
  size_t head = got < 1u << 20 ? got : 1u << 20;
  BEZ_TRY(bez_csv_sniff(all.data, head, head == got, source->path, &dialect, err));
  BEZ_TRY(bez_builder_begin_file(builder, source->path, "csv", source->size, err));
  BEZ_TRY(read_rows(&dialect, all.data, got, builder, source->path, err));
cleanup:
  bez_store_free(&all);
  return st;
}

const bez_reader bez_reader_csv = {
    .name = "csv",
    .title = "Comma- or tab-separated values",
    .extensions = "csv tsv tab txt",
    .summary =
        "RFC 4180 and its dialects: comma, tab, semicolon or pipe; quotes or none; LF, CRLF or CR; header or none. "
        "Ragged lines are read and remarked. UTF-16 is refused.",
    .sniff = sniff,
    .read = read_csv,
};
