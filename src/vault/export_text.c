/* Rows as CSV and as JSON lines. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/limits.h"
#include "content/canonical.h"
#include "crypto/digest.h"
#include "vault/export_rows.h"

#define WINDOW (256u << 10)

static bez_status flush(bez_outfile *file, bez_buf *text, size_t at_least, bez_error *err) {
  bez_status st = bez_buf_status(text, err);
  if (st != BEZ_OK || text->len < at_least || !text->len) return st;
  st = bez_outfile_write(file, text->data, text->len, err);
  bez_buf_clear(text);
  return st;
}

/* ---- JSON lines ---- */

static bez_status jsonl_field(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                              bez_error *err) {
  bez_jsonl_out *out = ctx;
  (void)err;
  char hex[2 * BEZ_DIGEST_MOST + 1];
  if (!out->open) {
    out->json = bez_json_make(&out->text, false);
    bez_json_open(&out->json, '{');
    out->open = true;
  }
  bez_json_strn(&out->json, name, name_len);
  out->json.after_key = true;
  bez_buf_putc(&out->text, ':');
  switch (kind) {
    case BEZ_FIELD_NONE: bez_json_null(&out->json); break;
    case BEZ_FIELD_NUMBER:
    case BEZ_FIELD_WORD:
    case BEZ_FIELD_JSON: bez_json_raw(&out->json, value, len); break;
    case BEZ_FIELD_DIGEST:
      bez_hex((const uint8_t *)value, len < BEZ_DIGEST_MOST ? len : BEZ_DIGEST_MOST, hex);
      bez_json_str(&out->json, hex);
      break;
    default: bez_json_strn(&out->json, value, len);
  }
  return BEZ_OK;
}

static bez_status jsonl_row(void *ctx, bez_error *err) {
  bez_jsonl_out *out = ctx;
  if (!out->open) bez_buf_putc(&out->text, '{');
  bez_buf_puts(&out->text, "}\n");
  out->open = false;
  return flush(out->file, &out->text, WINDOW, err);
}

bez_export_sink bez_jsonl_out_sink(bez_jsonl_out *out) {
  return (bez_export_sink){jsonl_field, jsonl_row, out};
}

bez_status bez_jsonl_out_finish(bez_jsonl_out *out, bez_error *err) {
  return flush(out->file, &out->text, 0, err);
}

/* ---- CSV ---- */

typedef struct column {
  char *name;
  size_t name_len;
  size_t begin, len; /* of this row's value in values, as it is written; len 0: none */
  uint64_t row;      /* that the value is of */
} column;

struct bez_csv_out {
  bez_outfile *file;
  column *columns;
  uint32_t n, next; /* next: where the row's next field is likely to stand */
  uint32_t *table;  /* of 4 × BEZ_MAX_COLUMNS slots: number + 1 */
  bool writing;
  uint64_t row;
  bez_buf values, text, nested;
};

#define SLOTS (4u * BEZ_MAX_COLUMNS)

bez_status bez_csv_out_create(bez_outfile *file, bez_csv_out **out, bez_error *err) {
  *out = calloc(1, sizeof **out);
  if (!*out) return bez_fail_memory(err, sizeof **out);
  (*out)->file = file;
  (*out)->row = 1;
  (*out)->table = calloc(SLOTS, sizeof *(*out)->table);
  (*out)->columns = calloc(BEZ_MAX_COLUMNS, sizeof *(*out)->columns);
  if ((*out)->table && (*out)->columns) return BEZ_OK;
  bez_csv_out_free(*out);
  *out = NULL;
  return bez_fail_memory(err, BEZ_MAX_COLUMNS * sizeof(column));
}

void bez_csv_out_free(bez_csv_out *out) {
  if (!out) return;
  for (uint32_t i = 0; out->columns && i < out->n; i++) free(out->columns[i].name);
  free(out->columns);
  free(out->table);
  bez_buf_free(&out->values);
  bez_buf_free(&out->text);
  bez_buf_free(&out->nested);
  free(out);
}

static bool is_column(const column *c, const char *name, size_t len) {
  return c->name_len == len && !memcmp(c->name, name, len);
}

/* The column of that name: nearly always the one behind the last field's. NULL: memory is out, or there are too many.
 */
static column *find_column(bez_csv_out *out, const char *name, size_t len) {
  if (out->next < out->n && is_column(&out->columns[out->next], name, len)) return &out->columns[out->next++];
  uint32_t at = (uint32_t)bez_hash64(name, len, 0) % SLOTS;
  for (; out->table[at]; at = (at + 1) % SLOTS)
    if (is_column(&out->columns[out->table[at] - 1], name, len)) {
      out->next = out->table[at];
      return &out->columns[out->table[at] - 1];
    }
  if (out->n == BEZ_MAX_COLUMNS) return NULL;
  column *c = &out->columns[out->n];
  *c = (column){.name = malloc(len + 1), .name_len = len};
  if (!c->name) return NULL;
  memcpy(c->name, name, len);
  out->table[at] = ++out->n;
  out->next = out->n;
  return c;
}

/* Quoted where a reader would else see another value: separators, quotes, line ends, blanks at an end, nothing at all.
 */
static void put_cell(bez_buf *out, const char *text, size_t len) {
  bool quoted = !len || bez_is_blank(text[0]) || bez_is_blank(text[len - 1]);
  for (size_t i = 0; i < len && !quoted; i++)
    quoted = text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r';
  if (!quoted) {
    bez_buf_write(out, text, len);
    return;
  }
  bez_buf_putc(out, '"');
  for (size_t begin = 0; begin < len || !len;) {
    const char *quote = len ? memchr(text + begin, '"', len - begin) : NULL;
    size_t end = quote ? (size_t)(quote - text) + 1 : len;
    bez_buf_write(out, text + begin, end - begin);
    if (quote) bez_buf_putc(out, '"');
    begin = end;
    if (!len) break;
  }
  bez_buf_putc(out, '"');
}

static bez_status csv_field(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                            bez_error *err) {
  bez_csv_out *out = ctx;
  char hex[2 * BEZ_DIGEST_MOST + 1];
  column *c = find_column(out, name, name_len);
  if (!c) return bez_fail(err, BEZ_LIMIT, NULL, "more than %u columns (or memory is out)", BEZ_MAX_COLUMNS);
  if (!out->writing || kind == BEZ_FIELD_NONE) return BEZ_OK;
  if (kind == BEZ_FIELD_DIGEST) {
    bez_hex((const uint8_t *)value, len < BEZ_DIGEST_MOST ? len : BEZ_DIGEST_MOST, hex);
    value = hex;
    len = strlen(hex);
  } else if (kind == BEZ_FIELD_JSON) { /* in its one form: the cell is text, and the row must stay the same row */
    bez_buf_clear(&out->nested);
    if (bez_canonical_json(value, len, &out->nested)) value = out->nested.data, len = out->nested.len;
  }
  c->begin = out->values.len;
  put_cell(&out->values, value, len);
  c->len = out->values.len - c->begin;
  c->row = out->row;
  return BEZ_OK;
}

static bez_status csv_row(void *ctx, bez_error *err) {
  bez_csv_out *out = ctx;
  out->next = 0;
  if (!out->writing) return BEZ_OK;
  bez_status st = bez_buf_status(&out->values, err);
  if (st != BEZ_OK) return st;
  for (uint32_t i = 0; i < out->n; i++) {
    const column *c = &out->columns[i];
    if (i) bez_buf_putc(&out->text, ',');
    if (c->row == out->row)
      bez_buf_write(&out->text, out->values.data + c->begin, c->len);
    else if (out->n == 1)
      bez_buf_puts(&out->text, "\"\""); /* a line of nothing would be no row */
  }
  bez_buf_putc(&out->text, '\n');
  bez_buf_clear(&out->values);
  out->row++;
  return flush(out->file, &out->text, WINDOW, err);
}

bez_export_sink bez_csv_out_sink(bez_csv_out *out) {
  return (bez_export_sink){csv_field, csv_row, out};
}

bez_status bez_csv_out_begin(bez_csv_out *out, bez_error *err) {
  out->writing = true;
  out->next = 0;
  for (uint32_t i = 0; i < out->n; i++) {
    if (i) bez_buf_putc(&out->text, ',');
    put_cell(&out->text, out->columns[i].name, out->columns[i].name_len);
  }
  if (out->n) bez_buf_putc(&out->text, '\n');
  return bez_buf_status(&out->text, err);
}

bez_status bez_csv_out_finish(bez_csv_out *out, bez_error *err) {
  return flush(out->file, &out->text, 0, err);
}
