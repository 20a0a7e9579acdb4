/* Columns planned, columns filled, frames sent (parquet_out.h). */
#include "content/parquet_out.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/spawn.h"
#include "base/utf8.h"
#include "content/canonical.h"

#define NO_PYARROW 90
#define MEMORY ((uint64_t)16 << 30) /* address space, of which pyarrow reserves far more than it uses */
#define BATCH_ROWS 65536u
#define BATCH_BYTES (32u << 20)
#define SAFE_DIGITS 15u /* a decimal of so many digits is the shortest one of its double */
#define MAX_INT_DIGITS 18u

enum { MAY_INT = 1, MAY_DOUBLE = 2, MAY_BOOL = 4 };

typedef struct column {
  char *name; /* owned */
  size_t name_len;
  unsigned may;  /* what all values seen so far can be */
  char type;     /* i, d, b, s: as in the frames */
  uint64_t seen; /* rows of which it has a value or a gap; while planning: number of the last row that has it */
  uint64_t n;    /* rows in the batch */
  bez_buf valid, values, chars;
} column;

struct bez_parquet_out {
  const char *path;
  column *columns;
  uint32_t n, cap, hint;
  uint64_t row; /* that is being told, from 1 */
  bool writing;
  uint64_t batch_first, batch_bytes; /* rows before the batch */
  bez_child child;
  bool running;
  bez_outfile *to;
};

bez_status bez_parquet_out_create(bez_parquet_out **out, bez_error *err) {
  bez_parquet_out *o = calloc(1, sizeof *o);
  if (!o) return bez_fail_memory(err, sizeof *o);
  o->row = 1;
  *out = o;
  return BEZ_OK;
}

void bez_parquet_out_free(bez_parquet_out *o) {
  if (!o) return;
  if (o->running) (void)bez_child_finish(&o->child, true);
  for (uint32_t i = 0; i < o->n; i++) {
    free(o->columns[i].name);
    bez_buf_free(&o->columns[i].valid);
    bez_buf_free(&o->columns[i].values);
    bez_buf_free(&o->columns[i].chars);
  }
  free(o->columns);
  free(o);
}

/* The column of that name that the row has not filled yet: rows tell their fields in much the same order. */
static column *find(bez_parquet_out *o, const char *name, size_t len) {
  for (uint32_t i = 0; i < o->n; i++) {
    column *c = &o->columns[(o->hint + i) % o->n];
    if (c->name_len != len || c->seen == o->row || memcmp(c->name, name, len) != 0) continue;
    o->hint = (uint32_t)(c - o->columns + 1) % o->n;
    return c;
  }
  return NULL;
}

static bez_status add_column(bez_parquet_out *o, const char *name, size_t len, column **out, bez_error *err) {
  if (o->n == BEZ_MAX_COLUMNS) return bez_fail(err, BEZ_LIMIT, NULL, "more than %u columns", BEZ_MAX_COLUMNS);
  if (o->n == o->cap) {
    uint32_t cap = o->cap ? 2 * o->cap : 32;
    column *grown = realloc(o->columns, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    o->columns = grown;
    o->cap = cap;
  }
  column *c = &o->columns[o->n];
  *c = (column){.name = malloc(len + 1), .name_len = len, .may = MAY_INT | MAY_DOUBLE | MAY_BOOL};
  if (!c->name) return bez_fail_memory(err, len);
  memcpy(c->name, name, len);
  c->name[len] = 0;
  o->n++;
  *out = c;
  return BEZ_OK;
}

/* What a number's one form can be stored as without becoming another. */
static unsigned number_may(const char *text, size_t len, char *room) {
  size_t n = bez_canonical_number(text, len, room), digits = 0;
  bool point = false;
  if (!n) return 0;
  for (size_t i = 0; i < n; i++) {
    if (room[i] == 'e' || room[i] == 'E') return 0;
    point |= room[i] == '.';
    digits += room[i] >= '0' && room[i] <= '9';
  }
  unsigned may = digits <= SAFE_DIGITS ? MAY_DOUBLE : 0;
  return !point && digits <= MAX_INT_DIGITS ? may | MAY_INT : may;
}

static unsigned value_may(const char *value, size_t len, int kind) {
  char room[MAX_INT_DIGITS * 2 + BEZ_NUMBER_ROOM];
  if (kind == BEZ_FIELD_WORD) return MAY_BOOL;
  return kind == BEZ_FIELD_NUMBER && len <= (size_t)MAX_INT_DIGITS * 2 ? number_may(value, len, room) : 0;
}

static bool is_gap(const char **value, size_t *len, int kind) {
  if (kind == BEZ_FIELD_NONE) return true;
  if (kind == BEZ_FIELD_NUMBER || kind == BEZ_FIELD_WORD) bez_trim(value, len);
  return *len == 0;
}

static void put_bit(bez_buf *bits, uint64_t at, bool set) {
  if (at % 8 == 0) bez_buf_putc(bits, 0);
  if (set && bits->failed == BEZ_OK) bits->data[at / 8] = (char)(bits->data[at / 8] | 1 << at % 8);
}

static void put_gap(column *c) {
  put_bit(&c->valid, c->n, false);
  if (c->type == 'b')
    put_bit(&c->values, c->n, false);
  else if (c->type == 's')
    bez_put_le64(&c->values, c->chars.len);
  else
    bez_put_le64(&c->values, 0);
  c->n++;
}

static bez_status put_text(bez_parquet_out *o, column *c, const char *value, size_t len, int kind, bez_error *err) {
  static const char hex[] = "0123456789abcdef";
  if (kind == BEZ_FIELD_DIGEST) {
    for (size_t i = 0; i < len; i++) {
      bez_buf_putc(&c->chars, hex[(uint8_t)value[i] >> 4]);
      bez_buf_putc(&c->chars, hex[(uint8_t)value[i] & 15]);
    }
  } else if (!bez_utf8_valid(value, len)) {
    return bez_fail(err, BEZ_UNSUPPORTED, o->path,
                    "row %llu, column \"%.100s\": bytes that are no UTF-8 cannot stand in "
                    "Parquet: export as csv",
                    (unsigned long long)o->row, c->name);
  } else {
    bez_buf_write(&c->chars, value, len);
  }
  bez_put_le64(&c->values, c->chars.len);
  return BEZ_OK;
}

static bez_status put_value(bez_parquet_out *o, column *c, const char *value, size_t len, int kind, bez_error *err) {
  char room[MAX_INT_DIGITS * 2 + BEZ_NUMBER_ROOM];
  unsigned may = value_may(value, len, kind);
  bool fits = c->type == 'i'   ? may & MAY_INT
              : c->type == 'd' ? may & MAY_DOUBLE
              : c->type == 'b' ? may & MAY_BOOL
                               : true;
  if (!fits) return bez_fail(err, BEZ_FORMAT, o->path, "row %llu is not what it was", (unsigned long long)o->row);
  bez_status st = BEZ_OK;
  if (c->type == 's') st = put_text(o, c, value, len, kind, err);
  if (c->type == 'b') put_bit(&c->values, c->n, len == 4);
  if (c->type == 'i' || c->type == 'd') room[bez_canonical_number(value, len, room)] = 0;
  if (c->type == 'i') bez_put_le64(&c->values, (uint64_t)strtoll(room, NULL, 10));
  if (c->type == 'd') bez_put_f64(&c->values, strtod(room, NULL));
  put_bit(&c->valid, c->n, true);
  c->n++;
  o->batch_bytes += 16 + (c->type == 's' ? len : 0);
  return st;
}

bez_status bez_parquet_out_field(void *out, const char *name, size_t name_len, const char *value, size_t len, int kind,
                                 bez_error *err) {
  bez_parquet_out *o = out;
  column *c = find(o, name, name_len);
  bez_status st = BEZ_OK;
  if (!c && o->writing)
    return bez_fail(err, BEZ_FORMAT, o->path, "row %llu is not what it was", (unsigned long long)o->row);
  if (!c) st = add_column(o, name, name_len, &c, err);
  if (st != BEZ_OK) return st;
  c->seen = o->row;
  if (is_gap(&value, &len, kind)) return BEZ_OK;
  if (!o->writing) {
    c->may &= value_may(value, len, kind);
    return BEZ_OK;
  }
  while (o->batch_first + c->n + 1 < o->row) put_gap(c);
  return put_value(o, c, value, len, kind, err);
}

static bez_status put_sized(bez_parquet_out *o, const bez_buf *bytes, bez_error *err) {
  uint8_t size[8];
  bez_status st = bez_buf_status(bytes, err);
  for (unsigned i = 0; i < 8; i++) size[i] = (uint8_t)((uint64_t)bytes->len >> 8 * i);
  if (st == BEZ_OK) st = bez_child_write(&o->child, size, sizeof size, err);
  return st == BEZ_OK && bytes->len ? bez_child_write(&o->child, bytes->data, bytes->len, err) : st;
}

static void clear_column(column *c) {
  bez_buf_clear(&c->valid);
  bez_buf_clear(&c->values);
  bez_buf_clear(&c->chars);
  if (c->type == 's') bez_put_le64(&c->values, 0);
  c->n = 0;
}

/* A tag, a number. */
static bez_status send_head(bez_parquet_out *o, char tag, uint64_t number, bez_error *err) {
  uint8_t head[9] = {(uint8_t)tag};
  for (unsigned i = 0; i < 8; i++) head[1 + i] = (uint8_t)(number >> 8 * i);
  return bez_child_write(&o->child, head, sizeof head, err);
}

static bez_status send_batch(bez_parquet_out *o, bez_error *err) {
  uint64_t rows = o->row - 1 - o->batch_first;
  bez_status st = send_head(o, 'B', rows, err);
  for (uint32_t i = 0; i < o->n && st == BEZ_OK; i++) {
    column *c = &o->columns[i];
    while (c->n < rows) put_gap(c);
    st = put_sized(o, &c->valid, err);
    if (st == BEZ_OK) st = put_sized(o, &c->values, err);
    if (st == BEZ_OK && c->type == 's') st = put_sized(o, &c->chars, err);
    clear_column(c);
  }
  o->batch_first += rows;
  o->batch_bytes = 0;
  return st;
}

/* The helper says what is wrong. */
static bez_status refused(bez_parquet_out *o, bez_error *err) {
  uint32_t len = 0;
  char text[401] = "";
  bool ended = false;
  bez_status st = bez_child_read(&o->child, &len, sizeof len, &ended, err);
  if (st == BEZ_OK && !ended && len < sizeof text) st = bez_child_read(&o->child, text, len, &ended, err);
  for (char *p = text; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = ' ';
  return st == BEZ_OK ? bez_fail(err, BEZ_IO, o->path, "cannot be written: %s", text) : st;
}

/* The answer to a frame: more bytes of the file. */
static bez_status take_bytes(bez_parquet_out *o, bez_error *err) {
  uint8_t tag = 0;
  uint64_t left = 0;
  bool ended = false;
  char piece[65536];
  bez_status st = bez_child_read(&o->child, &tag, 1, &ended, err);
  if (st == BEZ_OK && !ended && tag == 'X') return refused(o, err);
  if (st == BEZ_OK && !ended && tag == 'D') st = bez_child_read(&o->child, &left, sizeof left, &ended, err);
  if (st == BEZ_OK && (ended || tag != 'D'))
    return bez_fail(err, BEZ_IO, o->path, "cannot be written: the helper ended unexpectedly");
  while (st == BEZ_OK && left) {
    size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
    st = bez_child_read(&o->child, piece, n, &ended, err);
    if (st == BEZ_OK && ended) return bez_fail(err, BEZ_IO, o->path, "cannot be written: the helper ended");
    if (st == BEZ_OK) st = bez_outfile_write(o->to, piece, n, err);
    left -= n;
  }
  return st;
}

/* After a frame was sent, or was not because the helper is gone: then it may have said why. */
static bez_status answered(bez_parquet_out *o, bez_status sent, const bez_error *why, bez_error *err) {
  bez_error said = {0};
  if (sent == BEZ_OK) return take_bytes(o, err);
  bool spoke = take_bytes(o, &said) != BEZ_OK && strcmp(said.subject, o->path) == 0;
  return bez_fail(err, sent, o->path, "%s", spoke ? said.message : why->message);
}

bez_status bez_parquet_out_row(bez_parquet_out *o, bez_error *err) {
  bez_error why = {0};
  o->row++;
  o->hint = 0;
  if (!o->writing || (o->batch_bytes < BATCH_BYTES && o->row - 1 - o->batch_first < BATCH_ROWS)) return BEZ_OK;
  return answered(o, send_batch(o, &why), &why, err);
}

static bez_status start_helper(bez_parquet_out *o, bez_error *err) {
  const char *python = getenv("BEZOAR_PYTHON");
  if (!python || !*python) python = "python3";
  const char *const argv[] = {python, "-P", "-B", "-m", "bezoar.parquet_writer", NULL};
  bez_spawn plan = {
      .program = python, .argv = argv, .input_fd = -1, .feed = true, .memory = MEMORY, .cpu_seconds = 24 * 3600};
  uint8_t hello[8];
  bool ended = false;
  bez_error why = {0};
  bez_status st = bez_spawn_start(&plan, &o->child, &why);
  o->running = st == BEZ_OK;
  if (st == BEZ_OK) st = bez_child_read(&o->child, hello, sizeof hello, &ended, &why);
  if (st == BEZ_OK && !ended && !memcmp(hello, "BZPW\1\0\0\0", 8)) return BEZ_OK;
  const char *lack = "lacks the bezoar package, or it cannot start";
  if (o->running && bez_child_finish(&o->child, !ended) == NO_PYARROW) lack = "lacks pyarrow";
  o->running = false;
  return bez_fail(err, BEZ_UNSUPPORTED, o->path, "writing Parquet needs pyarrow (pip install 'bezoar[parquet]'; %s %s)",
                  python, why.message[0] ? why.message : lack);
}

static char type_of(const column *c) {
  return c->may & MAY_INT ? 'i' : c->may & MAY_DOUBLE ? 'd' : c->may & MAY_BOOL ? 'b' : 's';
}

static bez_status send_schema(bez_parquet_out *o, bez_error *err) {
  bez_buf frame = {0};
  bez_buf_putc(&frame, 'S');
  bez_put_le32(&frame, o->n);
  for (uint32_t i = 0; i < o->n; i++) {
    column *c = &o->columns[i];
    /* A column without a single value is text. */
    c->type = c->may == (MAY_INT | MAY_DOUBLE | MAY_BOOL) ? 's' : type_of(c);
    c->seen = 0;
    clear_column(c);
    bez_buf_putc(&frame, c->type);
    bez_put_le32(&frame, (uint32_t)c->name_len);
    bez_buf_write(&frame, c->name, c->name_len);
  }
  bez_status st = bez_buf_status(&frame, err);
  if (st == BEZ_OK) st = bez_child_write(&o->child, frame.data, frame.len, err);
  bez_buf_free(&frame);
  return st;
}

bez_status bez_parquet_out_begin(bez_parquet_out *o, bez_outfile *to, const char *path, bez_error *err) {
  bez_error why = {0};
  o->path = path;
  o->to = to;
  o->writing = true;
  o->row = 1;
  o->hint = 0;
  if (!o->n) return bez_fail(err, BEZ_FORMAT, path, "there are no columns to write");
  bez_status st = start_helper(o, err);
  return st == BEZ_OK ? answered(o, send_schema(o, &why), &why, err) : st;
}

bez_status bez_parquet_out_finish(bez_parquet_out *o, bez_error *err) {
  bez_error why = {0};
  bez_status st = BEZ_OK;
  if (o->row - 1 > o->batch_first) st = answered(o, send_batch(o, &why), &why, err);
  if (st == BEZ_OK) st = answered(o, send_head(o, 'E', o->row - 1, &why), &why, err);
  (void)bez_child_finish(&o->child, true);
  o->running = false;
  return st;
}
