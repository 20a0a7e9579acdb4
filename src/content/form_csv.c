/* CSV: a row is a record, its line end included. What is no record (byte order mark, "sep=;", header, blank lines) is
 * kept as bytes. */
#include "content/form_csv.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/csv.h"
#include "format/csv_read.h"

#define SNIFF_BYTES (64u << 10)

static bool promises_cells(const char *path) {
  static const char *const ends[] = {".csv", ".tsv", ".tab"};
  size_t n = strlen(path);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    if (n > 4 && !strcasecmp(path + n - 4, ends[i])) return true;
  return false;
}

/* Whether all records of the sample have as many cells as the first, two at least. */
static bool is_regular(const bez_csv_dialect *d, const char *p, size_t len, bool whole) {
  bez_csv_record record = {0};
  size_t used;
  unsigned n = 0;
  bool regular = d->n_cols >= 2;
  for (size_t at = d->skip; regular && at < len; at += used) {
    if (bez_csv_split(d, p + at, len - at, whole, &record, &used) != BEZ_CSV_RECORD) break;
    if (!record.n) continue;
    regular = record.n == d->n_cols && !record.bad_quote;
    n++;
  }
  bez_csv_record_free(&record);
  return regular && n >= 2;
}

static int csv_sniff(const char *path, const uint8_t *head, size_t len, bool whole) {
  bez_csv_dialect d;
  bez_error ignored = {0};
  const char *text = (const char *)head;
  if (len > SNIFF_BYTES) len = SNIFF_BYTES, whole = false;
  size_t odd = 0;
  for (size_t i = 0; i < len; i++) odd += head[i] < 32 && head[i] != '\t' && head[i] != '\n' && head[i] != '\r';
  bool named = promises_cells(path);
  if (!len || odd * 10 > len || (odd && !named)) return 0;
  if (bez_csv_sniff(text, len, whole, path, &d, &ignored) != BEZ_OK) return 0;
  if (named) return 60;
  return is_regular(&d, text, len, whole) ? 40 : 0;
}

/* Text that JSON can say: what is not UTF-8, and NUL, become U+FFFD. Blanks at both ends are not part of a name. */
static char *clean_name(bez_arena *arena, const char *text, size_t len) {
  bez_trim(&text, &len);
  char *out = bez_arena_alloc(arena, 3 * len + 1);
  if (!out) return NULL;
  size_t n = 0;
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    at += bez_utf8_decode(text + at, len - at, &cp, NULL);
    n += bez_utf8_encode(cp ? cp : 0xFFFD, out + n);
  }
  out[n] = 0;
  return out;
}

typedef struct named {
  const char *called;
  uint32_t column;
} named;

/* Equal names stay in their order. */
static int by_name(const void *a, const void *b) {
  const named *x = a, *y = b;
  int d = strcmp(x->called, y->called);
  return d ? d : x->column < y->column ? -1 : x->column > y->column;
}

static bool sort_columns(bez_csv_form *form) {
  named *names = calloc(form->n_cols ? form->n_cols : 1, sizeof *names);
  if (!names) return false;
  for (uint32_t i = 0; i < form->n_cols; i++) names[i] = (named){form->columns[i].called, i};
  qsort(names, form->n_cols, sizeof *names, by_name);
  for (uint32_t i = 0; i < form->n_cols; i++) form->order[i] = names[i].column;
  free(names);
  return true;
}

/* What each column is called, and the order of columns by that. */
static bez_status finish_columns(bez_csv_form *form, bez_error *err) {
  bez_buf key = {0};
  uint32_t *order = bez_arena_array(&form->arena, form->n_cols ? form->n_cols : 1, sizeof *order);
  bool good = order != NULL;
  for (uint32_t i = 0; i < form->n_cols && good; i++) {
    bez_csv_column *column = &form->columns[i];
    column->called = *column->name ? column->name : bez_arena_printf(&form->arena, "#%u", i + 1);
    good = column->called != NULL;
    if (!good) break;
    size_t len = strlen(column->called);
    bez_buf_clear(&key);
    bez_put_varint(&key, len);
    bez_buf_write(&key, column->called, len);
    char *copy = key.data ? bez_arena_alloc(&form->arena, key.len + BEZ_COPY) : NULL;
    if (copy) memset((char *)memcpy(copy, key.data, key.len) + key.len, 0, BEZ_COPY);
    column->key = copy;
    column->key_len = (uint32_t)key.len;
    form->key_bytes += key.len;
    good = copy != NULL;
  }
  form->order = order;
  bez_buf_free(&key);
  if (good) good = sort_columns(form);
  return good ? BEZ_OK : bez_fail_memory(err, form->n_cols * sizeof *order);
}

static bez_status make_columns(bez_csv_form *form, uint32_t n, bez_error *err) {
  form->n_cols = n;
  form->columns = bez_arena_array(&form->arena, n ? n : 1, sizeof *form->columns);
  if (!form->columns) return bez_fail_memory(err, n * sizeof *form->columns);
  for (uint32_t i = 0; i < n; i++) form->columns[i] = (bez_csv_column){.name = ""};
  return BEZ_OK;
}

/* Names from the header; "a" a second time, in column 3, is "a#3", as everywhere in Bezoar. */
static bez_status take_header(bez_csv_form *form, const bez_csv_record *header, bez_error *err) {
  uint32_t repeated;
  const char **names = bez_arena_array(&form->arena, header->n, sizeof *names);
  if (!names) return bez_fail_memory(err, header->n * sizeof *names);
  for (uint32_t i = 0; i < header->n; i++) {
    const bez_csv_cell *cell = &header->cells[i];
    char *plain = bez_arena_strndup(&form->arena, cell->begin, cell->len);
    size_t len = cell->len;
    if (plain && cell->escaped) len = bez_csv_unescape(cell, plain);
    names[i] = plain ? clean_name(&form->arena, plain, len) : NULL;
    if (!names[i]) return bez_fail_memory(err, cell->len);
  }
  bez_status st = bez_csv_number_repeated(&form->arena, names, header->n, &repeated, err);
  for (uint32_t i = 0; i < header->n && st == BEZ_OK; i++) form->columns[i].name = names[i];
  return st;
}

/* The first record, header or not: how many columns there are, and their names. */
static bez_status read_first(bez_csv_form *form, const bez_csv_dialect *d, const char *path, const char *head,
                             size_t len, bool whole, bez_error *err) {
  bez_csv_record first = {0};
  bez_csv_split_result got = BEZ_CSV_MORE;
  bez_status st = BEZ_OK;
  for (size_t at = d->skip, used; at < len && !first.n; at += used) {
    got = bez_csv_split(d, head + at, len - at, whole, &first, &used);
    if (got != BEZ_CSV_RECORD) break;
  }
  if (got == BEZ_CSV_NO_MEMORY)
    st = bez_fail_memory(err, len);
  else if (got != BEZ_CSV_RECORD || !first.n)
    st = bez_fail_at(err, BEZ_FORMAT, path, 1, 0, "no first record is found in the first %zu bytes", len);
  if (st == BEZ_OK) st = make_columns(form, first.n, err);
  if (st == BEZ_OK && d->header) st = take_header(form, &first, err);
  bez_csv_record_free(&first);
  return st;
}

static void csv_close(void *state) {
  bez_csv_form *form = state;
  if (!form) return;
  bez_arena_free(&form->arena);
  free(form);
}

static bez_status csv_open(const char *path, const char *head, size_t len, bool whole, void **state, bez_error *err) {
  bez_csv_dialect d;
  *state = NULL;
  bez_status st = bez_csv_sniff(head, len, whole, path, &d, err);
  if (st != BEZ_OK) return st;
  bez_csv_form *form = calloc(1, sizeof *form);
  if (!form) return bez_fail_memory(err, sizeof *form);
  form->separator = d.separator;
  form->newline = d.newline;
  form->quotes = d.quotes;
  form->skip = d.skip;
  form->header_to_come = d.header;
  st = read_first(form, &d, path, head, len, whole, err);
  if (st == BEZ_OK) st = finish_columns(form, err);
  if (st == BEZ_OK)
    *state = form;
  else
    csv_close(form);
  return st;
}

static bez_status bad_params(const char *what, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, "form", "a CSV file's %s is not what it can be", what);
}

static bez_status take_names(bez_csv_form *form, const json_t *names, bez_error *err) {
  if (!json_is_array(names) || json_array_size(names) > BEZ_MAX_COLUMNS) return bad_params("list of columns", err);
  bez_status st = make_columns(form, (uint32_t)json_array_size(names), err);
  for (uint32_t i = 0; i < form->n_cols && st == BEZ_OK; i++) {
    const char *text = json_string_value(json_array_get(names, i));
    char *name = text ? clean_name(&form->arena, text, strlen(text)) : NULL;
    if (!text)
      st = bad_params("list of columns", err);
    else if (!name)
      st = bez_fail_memory(err, strlen(text));
    form->columns[i].name = name ? name : "";
  }
  return st == BEZ_OK ? finish_columns(form, err) : st;
}

static bool one_of(const json_t *value, const char *allowed, char *out) {
  const char *text = json_string_value(value);
  if (!text || !text[0] || text[1] || !strchr(allowed, text[0])) return false;
  *out = text[0];
  return true;
}

static bez_status csv_open_json(const json_t *params, void **state, bez_error *err) {
  const json_t *quotes = json_object_get(params, "quotes");
  *state = NULL;
  bez_csv_form *form = calloc(1, sizeof *form);
  if (!form) return bez_fail_memory(err, sizeof *form);
  bez_status st = BEZ_OK;
  if (!one_of(json_object_get(params, "separator"), ",\t;|", &form->separator))
    st = bad_params("separator", err);
  else if (!one_of(json_object_get(params, "newline"), "\n\r", &form->newline))
    st = bad_params("line end", err);
  else if (!json_is_boolean(quotes))
    st = bad_params("quoting", err);
  form->quotes = json_is_true(quotes);
  if (st == BEZ_OK) st = take_names(form, json_object_get(params, "columns"), err);
  if (st == BEZ_OK)
    *state = form;
  else
    csv_close(form);
  return st;
}

static void csv_params(const void *state, bez_json *j) {
  const bez_csv_form *form = state;
  bez_json_key(j, "separator");
  bez_json_strn(j, &form->separator, 1);
  bez_json_key(j, "newline");
  bez_json_strn(j, &form->newline, 1);
  bez_json_kbool(j, "quotes", form->quotes);
  bez_json_key(j, "columns");
  bez_json_open(j, '[');
  for (uint32_t i = 0; i < form->n_cols; i++) bez_json_str(j, form->columns[i].name);
  bez_json_close(j, ']');
}

const bez_form bez_form_csv = {
    .name = "csv",
    .summary = "A row is a record, its line end included; byte order mark, \"sep=;\", header and blank lines are none.",
    .sniff = csv_sniff,
    .open = csv_open,
    .open_json = csv_open_json,
    .close = csv_close,
    .params = csv_params,
    .cut = bez_csv_form_cut,
    .canonical = bez_csv_form_canonical,
    .fields = bez_csv_form_fields,
};
