/* Canonical rows: fields in, one digest out. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/sha256.h"
#include "vault/canonical.h"

typedef struct field {
  const char *name;
  uint32_t name_len, place; /* place: 1-based, names a field without a name */
  size_t value, value_len;  /* in values: varint length || value */
} field;

struct bez_canonical {
  field *fields;
  uint32_t *order;
  uint32_t n, cap, n_order; /* order: of the row before, tried first: rows of one file are alike */
  uint32_t place;
  bez_buf scratch, values, numbers, out; /* numbers: names of fields that have none */
  bool no_memory;
};

bez_status bez_canonical_create(bez_canonical **out, bez_error *err) {
  *out = calloc(1, sizeof **out);
  return *out ? BEZ_OK : bez_fail_memory(err, sizeof **out);
}

void bez_canonical_free(bez_canonical *c) {
  if (!c) return;
  free(c->fields);
  free(c->order);
  bez_buf_free(&c->scratch);
  bez_buf_free(&c->values);
  bez_buf_free(&c->numbers);
  bez_buf_free(&c->out);
  free(c);
}

void bez_canonical_begin(bez_canonical *c) {
  c->n = c->place = 0;
  c->no_memory = false;
  bez_buf_clear(&c->scratch);
  bez_buf_clear(&c->values);
  bez_buf_clear(&c->out);
}

bez_buf *bez_canonical_scratch(bez_canonical *c) {
  return &c->scratch;
}

/* value and its length behind what is in out: trimmed, numbers in their one form. Nothing where nothing is left. */
static void put_text(bez_buf *out, const char *value, size_t len) {
  if (!bez_buf_reserve(out, len + BEZ_NUMBER_ROOM)) return;
  char *at = out->data + out->len + 1;
  size_t n = 0;
  if ((*value >= '0' && *value <= '9') || *value == '-' || *value == '+') n = bez_canonical_number(value, len, at);
  if (n && n < 0x80) {
    at[-1] = (char)n;
    out->len += 1 + n;
  } else if (n) { /* longer than a byte of length can say: once more, behind it */
    size_t before = out->len;
    bez_put_varint(out, n);
    if (bez_buf_reserve(out, len + BEZ_NUMBER_ROOM))
      out->len += bez_canonical_number(value, len, out->data + out->len);
    else
      out->len = before;
  } else if (len < 0x80) {
    at[-1] = (char)len;
    memcpy(at, value, len);
    out->len += 1 + len;
  } else {
    bez_put_varint(out, len);
    bez_buf_write(out, value, len);
  }
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
  bez_buf_clear(&c->out); /* not in use before finish */
  if (!bez_canonical_json(value, len, &c->out)) return false;
  bez_put_varint(&c->values, c->out.len);
  bez_buf_write(&c->values, c->out.data, c->out.len);
  bez_buf_clear(&c->out);
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
  *f = (field){.name = name, .name_len = (uint32_t)name_len, .place = c->place, .value = c->values.len};
  if (kind == BEZ_FIELD_DIGEST)
    put_digest(&c->values, value, len);
  else if (kind != BEZ_FIELD_JSON || !put_json(c, value, len))
    put_text(&c->values, value, len);
  f->value_len = c->values.len - f->value;
}

void bez_canonical_next(bez_canonical *c, const char *key, size_t key_len, const char *value, size_t len) {
  bez_trim(&value, &len);
  if (!len) return;
  bez_buf_write(&c->out, key, key_len);
  put_text(&c->out, value, len);
}

/* Fields without a name are called by their place. */
static bool name_the_nameless(bez_canonical *c) {
  enum { ROOM = 12 };
  size_t n = 0;
  for (uint32_t i = 0; i < c->n; i++) n += c->fields[i].name_len == 0;
  if (!n) return true;
  bez_buf_clear(&c->numbers);
  if (!bez_buf_reserve(&c->numbers, n * ROOM)) return false;
  for (uint32_t i = 0; i < c->n; i++) {
    field *f = &c->fields[i];
    if (f->name_len) continue;
    size_t begin = c->numbers.len;
    bez_buf_printf(&c->numbers, "#%u", f->place);
    f->name = c->numbers.data + begin;
    f->name_len = (uint32_t)(c->numbers.len - begin);
  }
  return c->numbers.failed == BEZ_OK;
}

static int by_name(const field *a, const field *b) {
  size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
  int d = memcmp(a->name, b->name, n);
  if (d) return d;
  if (a->name_len != b->name_len) return a->name_len < b->name_len ? -1 : 1;
  return a->place < b->place ? -1 : 1;
}

static bool in_order(const bez_canonical *c) {
  for (uint32_t i = 1; i < c->n; i++)
    if (by_name(&c->fields[c->order[i - 1]], &c->fields[c->order[i]]) > 0) return false;
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
        to[at] =
            i < mid && (k == high || by_name(&c->fields[from[i]], &c->fields[from[k]]) < 0) ? from[i++] : from[k++];
    }
    uint32_t *other = from;
    from = to;
    to = other;
  }
  if (from != c->order) memcpy(c->order, from, c->n * sizeof *from);
  free(spare);
  return true;
}

static void assemble(bez_canonical *c) {
  for (uint32_t i = 0; i < c->n; i++) {
    const field *f = &c->fields[c->order[i]];
    bez_put_varint(&c->out, f->name_len);
    bez_buf_write(&c->out, f->name, f->name_len);
    bez_buf_write(&c->out, c->values.data + f->value, f->value_len);
  }
}

bez_status bez_canonical_finish(bez_canonical *c, uint8_t out[32], bez_error *err) {
  if (c->no_memory || !name_the_nameless(c) || !sort_fields(c)) {
    c->n_order = 0;
    return bez_fail_memory(err, c->values.len);
  }
  assemble(c);
  bez_status st = bez_buf_status(&c->values, err);
  if (st == BEZ_OK) st = bez_buf_status(&c->out, err);
  if (st == BEZ_OK) bez_sha256(c->out.data, c->out.len, out);
  return st;
}
