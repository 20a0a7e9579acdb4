/* Rewriting JSON Lines: one line is one row; a changed field is spelled anew, all other bytes of its line stay. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "format/builder_internal.h"
#include "format/jsonscan.h"
#include "format/reader.h"
#include "format/rewrite_internal.h"

#define WINDOW (1u << 20)

typedef struct jsonl_state {
  const bez_source *source;
  char *buf;
  size_t len, cap, next;
  uint64_t offset;      /* of buf in the source */
  bez_builder *builder; /* read once for the names of the columns, at the first edit */
  bez_buf path, scratch, line;
} jsonl_state;

static void close_jsonl(void *state) {
  jsonl_state *s = state;
  if (!s) return;
  bez_builder_destroy(s->builder);
  bez_buf_free(&s->path);
  bez_buf_free(&s->scratch);
  bez_buf_free(&s->line);
  free(s->buf);
  free(s);
}

static bez_status open_jsonl(const bez_source *source, void **state, bez_error *err) {
  jsonl_state *s = calloc(1, sizeof *s);
  char mark[3];
  size_t got;
  *state = s;
  if (!s) return bez_fail_memory(err, sizeof *s);
  s->source = source;
  bez_status st = bez_source_read(source, 0, mark, sizeof mark, &got, err);
  if (st == BEZ_OK && got == 3 && !memcmp(mark, "\xef\xbb\xbf", 3)) s->offset = 3;
  return st;
}

static bez_status refill(jsonl_state *s, bez_error *err) {
  size_t left = s->len - s->next, got;
  if (left) memmove(s->buf, s->buf + s->next, left);
  s->offset += s->next;
  s->next = 0;
  s->len = left;
  if (left > BEZ_MAX_RECORD)
    return bez_fail_at(err, BEZ_LIMIT, s->source->path, -1, (int64_t)s->offset, "a line of more than %u bytes",
                       BEZ_MAX_RECORD);
  if (left == s->cap) {
    size_t cap = s->cap ? s->cap * 2 : WINDOW;
    char *buf = realloc(s->buf, cap);
    if (!buf) return bez_fail_memory(err, cap);
    s->buf = buf;
    s->cap = cap;
  }
  bez_status st = bez_source_read(s->source, s->offset + left, s->buf + left, s->cap - left, &got, err);
  s->len += got;
  return st;
}

static bool is_blank(const char *p, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n') return false;
  return true;
}

static bez_status next_jsonl(void *state, bez_record_view *out, bez_error *err) {
  jsonl_state *s = state;
  *out = (bez_record_view){0};
  for (;;) {
    bool last = s->offset + s->len == s->source->size;
    const char *p = s->buf + s->next, *end = s->next < s->len ? memchr(p, '\n', s->len - s->next) : NULL;
    if (end || (last && s->next < s->len)) {
      out->raw = p;
      out->len = end ? (size_t)(end - p) + 1 : s->len - s->next;
      out->is_row = !is_blank(p, out->len);
      s->next += out->len;
      return BEZ_OK;
    }
    if (last) {
      out->done = true;
      return BEZ_OK;
    }
    bez_status st = refill(s, err);
    if (st != BEZ_OK) return st;
  }
}

static const char *line_end_jsonl(void *state) {
  (void)state;
  return "\n";
}

/* The names of the columns are those that the reader finds: it is asked. */
static bez_status find_names(jsonl_state *s, bez_error *err) {
  if (s->builder) return BEZ_OK;
  const bez_reader *reader;
  bez_source source = *s->source;
  bez_read_options options = {.threads = 1};
  bez_status st;
  BEZ_TRY(bez_reader_find(&source, &reader, err));
  BEZ_TRY(bez_builder_create(&options, &s->builder, err));
  st = reader->read(&source, s->builder, err);
cleanup:
  return st;
}

/* Where a field's value stands in its line. */
typedef struct place {
  const char *value;
  size_t len;
  bez_json_kind kind;
  const char *close; /* the bracket that ends the outermost object */
  bool empty;        /* that object has no field */
} place;

/* The last field of that path counts, as in reading. */
static bool find_field(jsonl_state *s, bez_jsonscan *scan, const char *name, unsigned depth, place *out) {
  size_t prefix = s->path.len;
  if (depth > BEZ_MAX_JSON_DEPTH || !bez_jsonscan_eat(scan, '{')) return false;
  for (bool first = true; !bez_jsonscan_eat(scan, '}'); first = false) {
    const char *key, *text;
    size_t key_len, len;
    if (depth == 1) out->empty = false;
    if ((!first && !bez_jsonscan_eat(scan, ',')) || bez_jsonscan_kind(scan) != BEZ_JSON_STRING) return false;
    if (!bez_jsonscan_string(scan, &s->scratch, &key, &key_len) || !bez_jsonscan_eat(scan, ':')) return false;
    bez_buf_write(&s->path, key, key_len);
    bez_json_kind kind = bez_jsonscan_kind(scan);
    if (kind == BEZ_JSON_OBJECT) {
      bez_buf_putc(&s->path, '.');
      if (!find_field(s, scan, name, depth + 1, out)) return false;
    } else {
      if (!bez_jsonscan_skip(scan, depth, &text, &len)) return false;
      if (s->path.len == strlen(name) && s->path.data && !memcmp(s->path.data, name, s->path.len))
        *out = (place){.value = text, .len = len, .kind = kind, .empty = out->empty};
    }
    s->path.len = prefix;
  }
  if (depth == 1) out->close = scan->at - 1;
  return true;
}

static bool reads_as_scalar(const char *p, size_t len) {
  bez_jsonscan scan = {.begin = p, .at = p, .end = p + len};
  const char *text;
  size_t n;
  bez_json_kind kind = bez_jsonscan_kind(&scan);
  return (kind == BEZ_JSON_NUMBER || kind == BEZ_JSON_WORD) && bez_jsonscan_scalar(&scan, &text, &n) && n == len;
}

/* Strings stay strings; a number or word in place of one stays bare where the new value reads as such. */
static void put_value(const place *old, const bez_edit *edit, bez_buf *out) {
  bez_json json = bez_json_make(out, false);
  if (old->kind != BEZ_JSON_STRING && reads_as_scalar(edit->value, edit->len))
    bez_buf_write(out, edit->value, edit->len);
  else
    bez_json_strn(&json, edit->value, edit->len);
}

/* A column that was read from the turns of a chat: they are not put together again. */
static bool from_chat(jsonl_state *s, const char *raw, size_t len, const char *name) {
  static const char *const keys[] = {"messages", "conversations", "conversation"};
  const char *dot = strrchr(name, '.'), *last = dot ? dot + 1 : name;
  if (strcmp(last, "prompt") && strcmp(last, "response")) return false;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    bez_jsonscan scan = {.begin = raw, .at = raw, .end = raw + len};
    place at = {.empty = true};
    bez_buf_clear(&s->path);
    if (find_field(s, &scan, keys[i], 1, &at) && at.value && at.kind == BEZ_JSON_ARRAY) return true;
  }
  return false;
}

static bez_status apply(jsonl_state *s, const char *raw, size_t len, const bez_edit *edit, uint64_t row, bez_buf *out,
                        bez_error *err) {
  if (edit->col >= s->builder->n_cols) return bez_fail(err, BEZ_USAGE, s->source->path, "no column %u", edit->col + 1);
  const char *name = s->builder->names[edit->col];
  bez_jsonscan scan = {.begin = raw, .at = raw, .end = raw + len};
  place at = {.empty = true};
  bez_buf_clear(&s->path);
  bez_buf_clear(&s->scratch);
  if (!bez_buf_reserve(&s->scratch, len + 1)) return bez_buf_status(&s->scratch, err);
  if (!find_field(s, &scan, name, 1, &at) || !at.close)
    return bez_fail(err, BEZ_FORMAT, s->source->path, "row %llu is no object that can be changed",
                    (unsigned long long)row);
  if (!at.value && from_chat(s, raw, len, name))
    return bez_fail(err, BEZ_UNSUPPORTED, s->source->path,
                    "row %llu is a chat: its turns are not rewritten (save the data as prompt and response first)",
                    (unsigned long long)row);
  const char *begin = at.value ? at.value : at.close, *end = at.value ? at.value + at.len : at.close;
  bez_buf_write(out, raw, (size_t)(begin - raw));
  if (!at.value) {
    bez_json json = bez_json_make(out, false);
    bez_buf_puts(out, at.empty ? "" : ", ");
    bez_json_strn(&json, name, strlen(name));
    bez_buf_puts(out, ": ");
  }
  put_value(&at, edit, out);
  bez_buf_write(out, end, (size_t)(raw + len - end));
  return bez_buf_status(out, err);
}

static bez_status edit_jsonl(void *state, const char *raw, size_t len, const bez_edit *edits, size_t n, uint64_t row,
                             bez_buf *out, bez_error *err) {
  jsonl_state *s = state;
  if (n == 0) {
    bez_buf_write(out, raw, len);
    return bez_buf_status(out, err);
  }
  bez_status st = find_names(s, err);
  for (size_t k = 0; st == BEZ_OK && k < n; k++) {
    bez_buf_clear(&s->line);
    if (k) bez_buf_write(&s->line, out->data, out->len); /* the line as the edit before left it */
    const char *from = k ? s->line.data : raw;
    size_t from_len = k ? s->line.len : len;
    bez_buf_clear(out);
    st = bez_buf_status(&s->line, err);
    if (st == BEZ_OK) st = apply(s, from, from_len, &edits[k], row, out, err);
  }
  return st;
}

const bez_record_kind bez_records_jsonl = {.reader = "jsonl",
                                           .open = open_jsonl,
                                           .next = next_jsonl,
                                           .edit = edit_jsonl,
                                           .line_end = line_end_jsonl,
                                           .close = close_jsonl};
