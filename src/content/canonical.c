/* Canonical rows: fields in, one digest out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/error.h"
#include "content/canonical.h"
#include "crypto/sha256_many.h"

typedef struct field {
  size_t begin, len; /* in values: varint length || name || varint length || value */
  size_t name;
  uint32_t name_len, place; /* place: 1-based */
} field;

/* A row that waits for its digest. */
typedef struct held {
  size_t begin, len; /* in out */
  uint8_t *digest;
} held;

struct bez_canonical {
  field *fields;
  uint32_t *order;
  uint32_t n, cap, n_order; /* order: of the row before, tried first: rows of one file are alike */
  uint32_t place, cpu;
  bez_buf scratch, values, nested;
  bez_buf out; /* rows as they are hashed; the one in the making begins at row */
  size_t row;
  held *held;
  bez_sha256_job *jobs;
  size_t n_held, cap_held;
  bool holding, no_memory;
};

bez_status bez_canonical_create(bez_canonical **out, bez_error *err) {
  *out = calloc(1, sizeof **out);
  if (!*out) return bez_fail_memory(err, sizeof **out);
  (*out)->cpu = bez_cpu_features();
  return BEZ_OK;
}

void bez_canonical_free(bez_canonical *c) {
  if (!c) return;
  free(c->fields);
  free(c->order);
  free(c->held);
  free(c->jobs);
  bez_buf_free(&c->scratch);
  bez_buf_free(&c->values);
  bez_buf_free(&c->nested);
  bez_buf_free(&c->out);
  free(c);
}

void bez_canonical_begin(bez_canonical *c) {
  c->n = c->place = 0;
  c->no_memory = false;
  c->out.len = c->row; /* what a row that was given up left behind */
  bez_buf_clear(&c->scratch);
  bez_buf_clear(&c->values);
}

uint32_t bez_canonical_cpu(const bez_canonical *c) {
  return c->cpu;
}

bez_buf *bez_canonical_scratch(bez_canonical *c) {
  return &c->scratch;
}

/* ---- digests, now or later ---- */

void bez_canonical_hold(bez_canonical *c) {
  bez_buf_clear(&c->out);
  c->row = c->n_held = 0;
  c->holding = true;
}

bez_status bez_canonical_release(bez_canonical *c, bez_error *err) {
  bez_status st = bez_buf_status(&c->out, err);
  for (size_t i = 0; i < c->n_held && st == BEZ_OK; i++)
    c->jobs[i] = (bez_sha256_job){c->out.data + c->held[i].begin, c->held[i].len, c->held[i].digest};
  if (st == BEZ_OK) bez_sha256_many(c->cpu, c->jobs, c->n_held);
  bez_buf_clear(&c->out);
  c->row = c->n_held = 0;
  c->holding = false;
  return st;
}

static bool hold_row(bez_canonical *c, uint8_t *digest) {
  if (c->n_held == c->cap_held) {
    size_t cap = c->cap_held ? c->cap_held * 2 : 64;
    held *rows = realloc(c->held, cap * sizeof *rows);
    if (rows) c->held = rows;
    bez_sha256_job *jobs = realloc(c->jobs, cap * sizeof *jobs);
    if (jobs) c->jobs = jobs;
    if (!rows || !jobs) return false;
    c->cap_held = cap;
  }
  c->held[c->n_held++] = (held){c->row, c->out.len - c->row, digest};
  c->row = c->out.len;
  return true;
}

static bez_status finish_row(bez_canonical *c, uint8_t *digest, bez_error *err) {
  bez_status st = bez_buf_status(&c->out, err);
  if (st != BEZ_OK) return st;
  if (c->holding) return hold_row(c, digest) ? BEZ_OK : bez_fail_memory(err, c->n_held * sizeof *c->held);
  bez_sha256(c->out.data ? c->out.data : "", c->out.len, digest);
  return BEZ_OK;
}

/* ---- fields ---- */

static char *put_varint(char *to, size_t value) {
  for (; value >= 0x80; value >>= 7) *to++ = (char)(value | 0x80);
  *to++ = (char)value;
  return to;
}

char *bez_canonical_long(char *to, const char *value, size_t len) {
  char c = *value;
  size_t n = 0;
  if ((c >= '0' && c <= '9') || c == '-' || c == '+') n = bez_canonical_number(value, len, to + 1);
  if (n && n < 0x80) {
    *to = (char)n;
    return to + 1 + n;
  }
  if (n) { /* longer than a byte of length can say: once more, behind it */
    to = put_varint(to, n);
    return to + bez_canonical_number(value, len, to);
  }
  to = put_varint(to, len);
  memcpy(to, value, len);
  return to + len;
}

char *bez_canonical_room(bez_canonical *c, size_t bytes) {
  return bez_buf_reserve(&c->out, bytes) ? c->out.data + c->out.len : NULL;
}

void bez_canonical_end(bez_canonical *c, const char *end) {
  c->out.len = (size_t)(end - c->out.data);
}

/* value and its length behind what is in out. */
static void put_text(bez_buf *out, const char *value, size_t len) {
  if (!bez_buf_reserve(out, len + BEZ_FIELD_ROOM)) return;
  out->len = (size_t)(bez_canonical_value(out->data + out->len, value, len, len) - out->data);
}

static void put_digest(bez_buf *out, const char *value, size_t len) {
  static const char digits[] = "0123456789abcdef";
  bez_put_varint(out, 2 * len);
  for (size_t i = 0; i < len; i++) {
    bez_buf_putc(out, digits[(unsigned char)value[i] >> 4]);
    bez_buf_putc(out, digits[value[i] & 15]);
  }
}

static bool put_json(bez_canonical *c, const char *value, size_t len) {
  bez_buf_clear(&c->nested);
  if (!bez_canonical_json(value, len, &c->nested)) return false;
  bez_put_varint(&c->values, c->nested.len);
  bez_buf_write(&c->values, c->nested.data, c->nested.len);
  return true;
}

static bool make_room(bez_canonical *c) {
  if (c->n < c->cap) return true;
  uint32_t cap = c->cap ? c->cap * 2 : 64;
  field *fields = realloc(c->fields, cap * sizeof *fields);
  if (fields) c->fields = fields;
  uint32_t *order = realloc(c->order, cap * sizeof *order);
  if (order) c->order = order;
  if (!fields || !order) return false;
  c->cap = cap;
  return true;
}

/* A field begins; one without a name is called by its place. */
static void put_name(bez_canonical *c, field *f, const char *name, size_t len) {
  char number[16];
  if (!len) {
    len = (size_t)snprintf(number, sizeof number, "#%u", c->place);
    name = number;
  }
  *f = (field){.begin = c->values.len, .name = c->values.len, .place = c->place};
  if (!bez_buf_reserve(&c->values, len + BEZ_FIELD_ROOM)) return; /* the buffer remembers */
  char *to = put_varint(c->values.data + c->values.len, len);
  bez_copy_short(to, name, len, len);
  f->name = (size_t)(to - c->values.data);
  f->name_len = (uint32_t)len;
  c->values.len = f->name + len;
}

void bez_canonical_field(bez_canonical *c, const char *name, size_t name_len, const char *value, size_t len,
                         bez_field_kind kind) {
  c->place++;
  if (kind == BEZ_FIELD_NONE || c->no_memory) return;
  if (kind != BEZ_FIELD_DIGEST) bez_trim(&value, &len);
  if (!len) return;
  bez_trim(&name, &name_len);
  if (!make_room(c) || name_len > UINT32_MAX) {
    c->no_memory = true;
    return;
  }
  field *f = &c->fields[c->n++];
  put_name(c, f, name, name_len);
  if (kind == BEZ_FIELD_DIGEST)
    put_digest(&c->values, value, len);
  else if (kind != BEZ_FIELD_JSON || !put_json(c, value, len))
    put_text(&c->values, value, len);
  f->len = c->values.len - f->begin;
}

static int by_name(const char *names, const field *a, const field *b) {
  size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
  int d = memcmp(names + a->name, names + b->name, n);
  if (d) return d;
  if (a->name_len != b->name_len) return a->name_len < b->name_len ? -1 : 1;
  return a->place < b->place ? -1 : 1;
}

static bool in_order(const bez_canonical *c) {
  for (uint32_t i = 1; i < c->n; i++)
    if (by_name(c->values.data, &c->fields[c->order[i - 1]], &c->fields[c->order[i]]) > 0) return false;
  return true;
}

/* A sort by merging, of indices: qsort knows no context. Rows that are sorted like the one before cost one pass. */
static bool sort_fields(bez_canonical *c) {
  if (c->n_order == c->n && in_order(c)) return true;
  for (uint32_t i = 0; i < c->n; i++) c->order[i] = i;
  c->n_order = c->n;
  if (in_order(c)) return true;
  uint32_t *from = c->order, *spare = malloc(c->n * sizeof *spare), *to = spare;
  if (!spare) return false;
  for (uint32_t width = 1; width < c->n; width *= 2) {
    for (uint32_t low = 0; low < c->n; low += 2 * width) {
      uint32_t mid = low + width < c->n ? low + width : c->n, high = mid + width < c->n ? mid + width : c->n;
      for (uint32_t i = low, k = mid, at = low; at < high; at++)
        to[at] = i < mid && (k == high || by_name(c->values.data, &c->fields[from[i]], &c->fields[from[k]]) < 0)
                     ? from[i++]
                     : from[k++];
    }
    uint32_t *other = from;
    from = to;
    to = other;
  }
  if (from != c->order) memcpy(c->order, from, c->n * sizeof *from);
  free(spare);
  return true;
}

static bool assemble(bez_canonical *c) {
  char *to = bez_canonical_room(c, c->values.len + BEZ_COPY);
  if (!to) return false;
  for (uint32_t i = 0; i < c->n; i++) {
    const field *f = &c->fields[c->order[i]];
    memcpy(to, c->values.data + f->begin, f->len);
    to += f->len;
  }
  bez_canonical_end(c, to);
  return true;
}

bez_status bez_canonical_finish(bez_canonical *c, uint8_t out[32], bez_error *err) {
  if (!c->n && !c->no_memory) return finish_row(c, out, err); /* put in order by the caller, or empty */
  bez_status st = c->no_memory ? bez_fail_memory(err, c->values.len) : bez_buf_status(&c->values, err);
  if (st != BEZ_OK) return st;
  if (!sort_fields(c)) {
    c->n_order = 0;
    return bez_fail_memory(err, c->n * sizeof *c->order);
  }
  if (!assemble(c)) st = bez_buf_status(&c->out, err);
  return st == BEZ_OK ? finish_row(c, out, err) : st;
}
