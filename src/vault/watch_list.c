/* A list of URLs out of a table of any format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "format/cell.h"
#include "format/table.h"
#include "vault/watch.h"

void bez_watchlist_free(bez_watchlist *list) {
  bez_arena_free(&list->arena);
  free(list->rows);
  *list = (bez_watchlist){0};
}

bez_watched *bez_watchlist_add(bez_watchlist *list, const bez_watched *row) {
  if (list->n == list->cap) {
    uint64_t cap = list->cap ? 2 * list->cap : 1024;
    bez_watched *rows = cap > BEZ_MAX_URLS ? NULL : realloc(list->rows, cap * sizeof *rows);
    if (!rows) return NULL;
    list->rows = rows;
    list->cap = cap;
  }
  const char **cells = bez_arena_array(&list->arena, list->n_columns, sizeof *cells);
  if (!cells) return NULL;
  for (uint32_t c = 0; c < list->n_columns; c++)
    if (!(cells[c] = bez_arena_strdup(&list->arena, row->cells[c]))) return NULL;
  bez_watched *to = &list->rows[list->n++];
  *to = *row;
  to->cells = cells;
  to->url = cells[list->url_column];
  return to;
}

/* The columns that matter; -1: the list has none. */
typedef struct places {
  int url, sha256, sha512, md5, phash;
} places;

static bez_status find(const bez_table *table, const char *path, const char *name, const char *usual, int *out,
                       bez_error *err) {
  *out = name ? bez_table_find(table, name) : -1;
  if (*out >= 0) return BEZ_OK;
  if (name) return bez_fail(err, BEZ_USAGE, path, "has no column \"%.100s\"", name);
  for (uint32_t c = 0; c < table->n_cols && *out < 0; c++)
    if (!strcasecmp(table->cols[c].name, usual)) *out = (int)c;
  return BEZ_OK;
}

static bez_status find_all(const bez_table *table, const char *path, const bez_watch_columns *names, places *out,
                           bez_error *err) {
  bez_status st = find(table, path, names->url, "url", &out->url, err);
  if (st == BEZ_OK && out->url < 0)
    st = bez_fail(err, BEZ_USAGE, path, "has no column \"url\": --url-column names the one that holds the addresses");
  if (st == BEZ_OK) st = find(table, path, names->sha256, "sha256", &out->sha256, err);
  if (st == BEZ_OK) st = find(table, path, names->sha512, "sha512", &out->sha512, err);
  if (st == BEZ_OK) st = find(table, path, names->md5, "md5", &out->md5, err);
  if (st == BEZ_OK) st = find(table, path, NULL, "phash", &out->phash, err);
  return st;
}

/* Twice: cells are kept as they stand only in columns of text, and their names are not known before. */
static bez_status open_as_text(const char *path, bez_table **out, bez_error *err) {
  bez_arena arena = {0};
  bez_read_options options = {0};
  bez_table *first = NULL;
  const char **types = NULL;
  bez_status st;
  BEZ_TRY(bez_table_open(&path, 1, &options, &first, err));
  types = bez_arena_array(&arena, (size_t)first->n_cols + 1, sizeof *types);
  if (!types) BEZ_TRY(bez_fail_memory(err, first->n_cols * sizeof *types));
  for (uint32_t c = 0; c < first->n_cols; c++) {
    types[c] = bez_arena_printf(&arena, "%s=text", first->cols[c].name);
    if (!types[c]) BEZ_TRY(bez_fail_memory(err, BEZ_ERROR_TEXT));
  }
  options.types = types;
  options.n_types = first->n_cols;
  st = bez_table_open(&path, 1, &options, out, err);
cleanup:
  bez_table_destroy(first);
  bez_arena_free(&arena);
  return st;
}

static bez_status take_digest(const char *text, uint8_t *out, size_t n, unsigned bit, const char *path, uint64_t row,
                              unsigned *know, bez_error *err) {
  if (bez_cell_is_missing(text, strlen(text))) return BEZ_OK;
  if (!bez_unhex(text, out, n))
    return bez_fail(err, BEZ_FORMAT, path, "row %llu: \"%.80s\" is no digest of %zu bytes in hexadecimal",
                    (unsigned long long)row + 1, text, n);
  *know |= bit;
  return BEZ_OK;
}

static bez_status take_row(bez_watchlist *list, const places *at, const char *path, const char **cells,
                           bez_error *err) {
  bez_watched row = {.cells = cells};
  uint8_t phash[8] = {0};
  size_t len = strlen(cells[at->url]);
  if (!len || len > BEZ_MAX_URL)
    return bez_fail(err, BEZ_FORMAT, path, "row %llu: %s", (unsigned long long)list->n + 1,
                    len ? "a URL of more than 8192 bytes" : "no URL");
  bez_status st = BEZ_OK;
  if (at->sha256 >= 0)
    st = take_digest(cells[at->sha256], row.sha256, 32, BEZ_KNOW_SHA256, path, list->n, &row.know, err);
  if (st == BEZ_OK && at->sha512 >= 0)
    st = take_digest(cells[at->sha512], row.sha512, 64, BEZ_KNOW_SHA512, path, list->n, &row.know, err);
  if (st == BEZ_OK && at->md5 >= 0)
    st = take_digest(cells[at->md5], row.md5, 16, BEZ_KNOW_MD5, path, list->n, &row.know, err);
  if (st == BEZ_OK && at->phash >= 0)
    st = take_digest(cells[at->phash], phash, 8, BEZ_KNOW_PHASH, path, list->n, &row.know, err);
  for (unsigned i = 0; i < 8; i++) row.phash = row.phash << 8 | phash[i];
  if (st == BEZ_OK && !bez_watchlist_add(list, &row)) st = bez_fail_memory(err, len);
  return st;
}

/* One row's cells as texts; borrowed from `room`. A cell that holds a NUL is none of a list. */
static bez_status cells_of(const bez_table *table, uint64_t row, const char *path, bez_buf *room, const char **cells,
                           bez_error *err) {
  size_t *at = calloc((size_t)table->n_cols + 1, sizeof *at);
  bez_status st = at ? BEZ_OK : bez_fail_memory(err, table->n_cols * sizeof *at);
  bez_buf_clear(room);
  for (uint32_t c = 0; st == BEZ_OK && c < table->n_cols; c++) {
    size_t len;
    const char *cell = bez_cell(table, c, row, &len);
    at[c] = room->len;
    if (len && memchr(cell, 0, len))
      st = bez_fail(err, BEZ_FORMAT, path, "row %llu holds a NUL byte", (unsigned long long)row + 1);
    bez_buf_write(room, cell, len);
    bez_buf_putc(room, '\0');
  }
  if (st == BEZ_OK) st = bez_buf_status(room, err);
  for (uint32_t c = 0; st == BEZ_OK && c < table->n_cols; c++) cells[c] = room->data + at[c];
  free(at);
  return st;
}

bez_status bez_watchlist_read(const char *path, const bez_watch_columns *names, bez_watchlist *out, bez_error *err) {
  bez_table *table = NULL;
  bez_buf room = {0};
  const char **cells = NULL;
  places at = {-1, -1, -1, -1, -1};
  bez_status st;
  *out = (bez_watchlist){0};
  BEZ_TRY(open_as_text(path, &table, err));
  BEZ_TRY(find_all(table, path, names, &at, err));
  if (table->n_rows > BEZ_MAX_URLS) BEZ_TRY(bez_fail(err, BEZ_LIMIT, path, "more than %u URLs", BEZ_MAX_URLS));
  out->n_columns = table->n_cols;
  out->url_column = (uint32_t)at.url;
  out->columns = bez_arena_array(&out->arena, (size_t)table->n_cols + 1, sizeof *out->columns);
  cells = calloc((size_t)table->n_cols + 1, sizeof *cells);
  if (!out->columns || !cells) BEZ_TRY(bez_fail_memory(err, table->n_cols * sizeof *cells));
  for (uint32_t c = 0; c < table->n_cols; c++)
    if (!(out->columns[c] = bez_arena_strdup(&out->arena, table->cols[c].name))) BEZ_TRY(bez_fail_memory(err, 1));
  for (uint64_t row = 0; row < table->n_rows; row++) {
    BEZ_TRY(cells_of(table, row, path, &room, cells, err));
    BEZ_TRY(take_row(out, &at, path, cells, err));
  }
cleanup:
  free(cells);
  bez_buf_free(&room);
  bez_table_destroy(table);
  if (st != BEZ_OK) bez_watchlist_free(out);
  return st;
}
