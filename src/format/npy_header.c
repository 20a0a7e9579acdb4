/* The .npy header (NumPy Enhancement Proposal 1 and its version 2.0, 3.0 amendments): magic, version, length, then a
 * Python dictionary literal with 'descr', 'fortran_order' and 'shape'. The literal is parsed, never evaluated. */
#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/array.h"

#define MAX_DIMS BEZ_NPY_MAX_DIMS

typedef struct parser {
  const char *begin, *at, *end;
  size_t base; /* file offset of begin */
  bool latin1; /* versions 1.0 and 2.0 */
  const char *subject;
  bez_arena *arena;
  bez_error *err;
  bez_array *array;
  uint32_t cap;
  uint64_t row_bytes;
} parser;

typedef struct shape {
  uint64_t dim[MAX_DIMS];
  unsigned n;
} shape;

static bez_status bad(parser *p, const char *what) {
  return bez_fail_at(p->err, BEZ_FORMAT, p->subject, -1, (int64_t)(p->base + (size_t)(p->at - p->begin)),
                     "npy header: %s", what);
}

static char peek(parser *p) {
  while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t')) p->at++;
  return p->at < p->end ? *p->at : 0;
}

static bool eat(parser *p, char c) {
  if (peek(p) != c || c == 0) return false;
  p->at++;
  return true;
}

/* A string literal in either kind of quotes; only the escapes that repr() writes. The result is UTF-8. */
static bez_status literal(parser *p, const char **out) {
  char quote = peek(p);
  if (quote != '\'' && quote != '"') return bad(p, "a string is expected");
  p->at++;
  const char *start = p->at;
  while (p->at < p->end && *p->at != quote) p->at += *p->at == '\\' ? 2 : 1;
  if (p->at >= p->end) return bad(p, "a string does not end");
  size_t len = (size_t)(p->at - start), n = 0;
  p->at++;
  if (len > BEZ_MAX_NAME) return bad(p, "a name is too long");
  char *text = bez_arena_alloc(p->arena, len * 2 + 1);
  if (!text) return bez_fail_memory(p->err, len * 2 + 1);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)start[i];
    if (c == '\\') {
      c = (unsigned char)start[++i];
      if (c != '\\' && c != '\'' && c != '"') return bad(p, "an escape that is not understood");
    }
    if (c == 0) return bad(p, "a NUL in a string");
    n += p->latin1 ? bez_utf8_encode(c, text + n) : (text[n] = (char)c, (size_t)1);
  }
  text[n] = 0;
  if (!bez_utf8_valid(text, n)) return bad(p, "a name is not UTF-8");
  *out = text;
  return BEZ_OK;
}

static bez_status natural(parser *p, uint64_t *out) {
  char c = peek(p);
  if (c < '0' || c > '9') return bad(p, "a number is expected");
  uint64_t value = 0;
  for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++)
    if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, (uint64_t)(*p->at - '0'), &value))
      return bad(p, "a number is too large");
  if (p->at < p->end && *p->at == 'L') p->at++; /* Python 2 wrote 3L */
  *out = value;
  return BEZ_OK;
}

/* "(3, 4)", "(3,)", "()"; a sub-array of a field may be written "3". */
static bez_status tuple(parser *p, shape *out) {
  out->n = 0;
  if (!eat(p, '(')) {
    out->n = 1;
    return natural(p, &out->dim[0]);
  }
  while (!eat(p, ')')) {
    if (out->n == MAX_DIMS) return bad(p, "too many dimensions");
    bez_status st = natural(p, &out->dim[out->n++]);
    if (st != BEZ_OK) return st;
    if (!eat(p, ',') && peek(p) != ')') return bad(p, "a comma is expected");
  }
  return BEZ_OK;
}

/* ---- types ---- */

/* The unit of a datetime64 or timedelta64: "[ns]", "[25s]" (counts above one are refused: nobody writes them). */
static bool time_unit(const char *text, bez_field *f) {
  static const struct {
    const char *text;
    char unit;
    int64_t per_second, seconds_per;
  } units[] = {{"[Y]", 'Y', 0, 0},        {"[M]", 'M', 0, 0},          {"[W]", 's', 0, 604800}, {"[D]", 'D', 0, 86400},
               {"[h]", 's', 0, 3600},     {"[m]", 's', 0, 60},         {"[s]", 's', 1, 0},      {"[ms]", 's', 1000, 0},
               {"[us]", 's', 1000000, 0}, {"[ns]", 's', 1000000000, 0}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strcmp(text, units[i].text) != 0) continue;
    f->unit = units[i].unit;
    f->per_second = units[i].per_second;
    f->seconds_per = units[i].seconds_per;
    return true;
  }
  return false;
}

static bool number_size(char kind, uint64_t size) {
  if (kind == 'b') return size == 1;
  if (kind == 'f') return size == 2 || size == 4 || size == 8;
  return size == 1 || size == 2 || size == 4 || size == 8;
}

/* "<f8", "|S12", "<M8[ns]" … *padding: bytes without a name ("|V4"). */
static bez_status scalar_type(parser *p, const char *text, bez_field *f, bool *padding) {
  const char *t = text, *digits;
  *padding = false;
  if (*t == '>') f->swap = true;
  if (*t && strchr("<>=|", *t)) t++;
  char kind = *t ? *t++ : 0;
  for (digits = t; *t >= '0' && *t <= '9' && t - digits < 10; t++) f->size = f->size * 10 + (uint64_t)(*t - '0');
  if (kind == 'O')
    return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject,
                    "an array of Python objects: reading it would run what it holds, so it is refused");
  switch (kind) {
    case 'b': f->kind = BEZ_ITEM_BOOL; break;
    case 'i': f->kind = BEZ_ITEM_INT; break;
    case 'u': f->kind = BEZ_ITEM_UINT; break;
    case 'f': f->kind = BEZ_ITEM_FLOAT; break;
    case 'S':
    case 'a': f->kind = BEZ_ITEM_BYTES; break;
    case 'U':
      f->kind = BEZ_ITEM_UCS4;
      f->size *= 4;
      break;
    case 'M': f->kind = BEZ_ITEM_TIME; break;
    case 'm': f->kind = BEZ_ITEM_SPAN; break;
    case 'V': *padding = true; break;
    default: return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "items of type \"%s\" are not read", text);
  }
  bool timed = kind == 'M' || kind == 'm', plain = strchr("biuf", kind) != NULL;
  if (timed ? f->size != 8 || (!time_unit(t, f) && kind == 'M') : *t != 0 || (plain && !number_size(kind, f->size)))
    return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "items of type \"%s\" are not read", text);
  if (f->size > BEZ_MAX_CELL)
    return bez_fail(p->err, BEZ_LIMIT, p->subject, "items of more than %u bytes", BEZ_MAX_CELL);
  return BEZ_OK;
}

static bez_status add_field(parser *p, const bez_field *field) {
  bez_array *a = p->array;
  if (a->n_fields == BEZ_MAX_COLUMNS)
    return bez_fail(p->err, BEZ_LIMIT, p->subject, "more than %u columns", BEZ_MAX_COLUMNS);
  if (a->n_fields == p->cap) {
    uint32_t cap = p->cap ? p->cap * 2 : 16;
    bez_field *grown = bez_arena_array(p->arena, cap, sizeof *grown);
    if (!grown) return bez_fail_memory(p->err, cap * sizeof *grown);
    if (a->n_fields) memcpy(grown, a->fields, a->n_fields * sizeof *grown);
    a->fields = grown;
    p->cap = cap;
  }
  a->fields[a->n_fields++] = *field;
  return BEZ_OK;
}

/* `count` items of one type under a name: "x", or "x.0", "x.1" … where there are several. */
static bez_status add_items(parser *p, const char *name, const bez_field *type, bool padding, const shape *dims) {
  uint64_t count = 1;
  for (unsigned i = 0; i < dims->n; i++)
    if (__builtin_mul_overflow(count, dims->dim[i], &count)) return bad(p, "a field is too large");
  uint64_t bytes;
  if (__builtin_mul_overflow(count, type->size, &bytes) || __builtin_add_overflow(p->row_bytes, bytes, &bytes))
    return bad(p, "a field is too large");
  if (padding) {
    if (*name) return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "field \"%s\" holds raw bytes", name);
    p->row_bytes = bytes;
    return BEZ_OK;
  }
  if (count > BEZ_MAX_COLUMNS) return bez_fail(p->err, BEZ_LIMIT, p->subject, "more than %u columns", BEZ_MAX_COLUMNS);
  for (uint64_t i = 0; i < count; i++) {
    bez_field f = *type;
    f.name = dims->n ? bez_arena_printf(p->arena, "%s.%llu", name, (unsigned long long)i) : name;
    if (!f.name) return bez_fail_memory(p->err, strlen(name) + 20);
    f.offset = p->row_bytes + i * f.size;
    bez_status st = add_field(p, &f);
    if (st != BEZ_OK) return st;
  }
  p->row_bytes = bytes;
  return BEZ_OK;
}

/* [('name', type), ('name', type, shape), (('title', 'name'), type) …]; a type may be such a list itself. */
static bez_status record_type(parser *p, const char *prefix, unsigned depth) {
  bez_status st;
  if (depth > 8) return bad(p, "types are nested too deeply");
  if (!eat(p, '[')) return bad(p, "a list of fields is expected");
  while (!eat(p, ']')) {
    const char *name, *title, *text;
    shape dims = {.n = 0};
    if (!eat(p, '(')) return bad(p, "a field is expected");
    if (eat(p, '(')) {
      if ((st = literal(p, &title)) != BEZ_OK) return st;
      if (!eat(p, ',')) return bad(p, "a comma is expected");
      if ((st = literal(p, &name)) != BEZ_OK) return st;
      if (!eat(p, ')')) return bad(p, "a bracket is expected");
    } else if ((st = literal(p, &name)) != BEZ_OK) {
      return st;
    }
    if (!eat(p, ',')) return bad(p, "a comma is expected");
    if (*prefix && !(name = bez_arena_printf(p->arena, "%s.%s", prefix, name))) return bez_fail_memory(p->err, 64);
    if (strlen(name) > BEZ_MAX_NAME) return bad(p, "a name is too long");
    if (peek(p) == '[') {
      if ((st = record_type(p, name, depth + 1)) != BEZ_OK) return st;
      if (eat(p, ',') && peek(p) != ')')
        return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "field \"%s\" is an array of records", name);
    } else {
      bez_field type = {0};
      bool padding;
      if ((st = literal(p, &text)) != BEZ_OK || (st = scalar_type(p, text, &type, &padding)) != BEZ_OK) return st;
      if (eat(p, ',') && peek(p) != ')' && (st = tuple(p, &dims)) != BEZ_OK) return st;
      if ((st = add_items(p, name, &type, padding, &dims)) != BEZ_OK) return st;
    }
    if (!eat(p, ')')) return bad(p, "a bracket is expected");
    if (!eat(p, ',') && peek(p) != ']') return bad(p, "a comma is expected");
  }
  return BEZ_OK;
}

/* ---- the header ---- */

typedef struct header {
  const char *descr_at; /* where the type begins: it is read once the shape is known */
  bool fortran, has_fortran;
  shape shape;
  bool has_shape;
} header;

/* Steps over a string or a bracketed list. */
static bez_status skip_descr(parser *p) {
  unsigned depth = 0;
  do {
    const char *ignored;
    char c = peek(p);
    if (c == '\'' || c == '"') {
      bez_status st = literal(p, &ignored);
      if (st != BEZ_OK) return st;
    } else if (c == 0) {
      return bad(p, "the type does not end");
    } else {
      depth += c == '[' || c == '(';
      depth -= (c == ']' || c == ')') && depth > 0;
      p->at++;
    }
  } while (depth > 0);
  return BEZ_OK;
}

static bool word(parser *p, const char *text) {
  size_t n = strlen(text);
  peek(p);
  if ((size_t)(p->end - p->at) < n || memcmp(p->at, text, n) != 0) return false;
  p->at += n;
  return true;
}

static bez_status dictionary(parser *p, header *h) {
  bez_status st = BEZ_OK;
  if (!eat(p, '{')) return bad(p, "a dictionary is expected");
  while (!eat(p, '}')) {
    const char *key;
    if ((st = literal(p, &key)) != BEZ_OK) return st;
    if (!eat(p, ':')) return bad(p, "a colon is expected");
    peek(p);
    if (strcmp(key, "descr") == 0 && !h->descr_at) {
      h->descr_at = p->at;
      st = skip_descr(p);
    } else if (strcmp(key, "fortran_order") == 0 && !h->has_fortran) {
      h->has_fortran = true;
      h->fortran = word(p, "True");
      if (!h->fortran && !word(p, "False")) return bad(p, "fortran_order is neither True nor False");
    } else if (strcmp(key, "shape") == 0 && !h->has_shape) {
      h->has_shape = true;
      st = tuple(p, &h->shape);
    } else {
      return bad(p, "a key that is unknown or comes twice");
    }
    if (st != BEZ_OK) return st;
    if (!eat(p, ',') && peek(p) != '}') return bad(p, "a comma is expected");
  }
  if (peek(p) != 0 || p->at != p->end) return bad(p, "something follows the dictionary");
  if (!h->descr_at || !h->has_fortran || !h->has_shape) return bad(p, "a key is missing");
  return BEZ_OK;
}

/* A plain type under a shape of one or two dimensions: its columns. */
static bez_status plain_columns(parser *p, const header *h, const char *text, const char *name) {
  bez_field type = {0};
  bool padding;
  bez_status st = scalar_type(p, text, &type, &padding);
  if (st != BEZ_OK) return st;
  if (padding) return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "items of type \"%s\" are not read", text);
  if (h->shape.n == 1) return add_items(p, name ? name : "value", &type, false, &(shape){.n = 0});
  uint32_t first = p->array->n_fields;
  st = add_items(p, name ? name : "c", &type, false, &(shape){.n = 1, .dim = {h->shape.dim[1]}});
  for (uint32_t i = first; st == BEZ_OK && !name && i < p->array->n_fields; i++) {
    p->array->fields[i].name = bez_arena_printf(p->arena, "c%u", (unsigned)(i - first));
    if (!p->array->fields[i].name) st = bez_fail_memory(p->err, 16);
  }
  return st;
}

/* More than two dimensions (pictures, tensors): one plain type, a row holds dim[1] × dim[2] … items. */
static bez_status tensor(parser *p, const header *h, const char *name) {
  const char *text;
  bez_field type = {.name = name ? name : "value"};
  bool padding;
  bez_status st;
  if (h->shape.n > BEZ_ARRAY_MAX_DIMS)
    return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "an array of %u dimensions is neither a table nor pictures",
                    h->shape.n);
  p->at = h->descr_at;
  if (peek(p) == '[')
    return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "an array of records in %u dimensions is not read",
                    h->shape.n);
  if ((st = literal(p, &text)) != BEZ_OK || (st = scalar_type(p, text, &type, &padding)) != BEZ_OK) return st;
  if (padding || h->fortran)
    return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject,
                    padding ? "raw bytes are not read" : "pictures in Fortran order are not read: save a C order copy");
  p->row_bytes = type.size;
  for (unsigned i = 1; i < h->shape.n; i++)
    if (__builtin_mul_overflow(p->row_bytes, h->shape.dim[i], &p->row_bytes)) return bad(p, "a row is too large");
  return add_field(p, &type);
}

/* Columns from type and shape; row_bytes is known then. */
static bez_status columns(parser *p, const header *h, const char *name) {
  const char *text;
  bez_status st;
  if (h->shape.n == 0) return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "an array of 0 dimensions is not a table");
  if (h->shape.n > 2) return tensor(p, h, name);
  p->at = h->descr_at;
  if (peek(p) == '[') {
    if (h->shape.n != 1) return bez_fail(p->err, BEZ_UNSUPPORTED, p->subject, "a 2-D array of records is not a table");
    st = record_type(p, name ? name : "", 1);
  } else {
    if ((st = literal(p, &text)) != BEZ_OK) return st;
    st = plain_columns(p, h, text, name);
  }
  if (st == BEZ_OK && (p->array->n_fields == 0 || p->row_bytes == 0)) return bad(p, "the array has no columns");
  return st;
}

/* Where the items lie, and that they lie within the file. */
static bez_status layout(parser *p, const header *h, uint64_t data_at, uint64_t total) {
  bez_array *a = p->array;
  a->n_rows = h->shape.dim[0];
  a->n_dims = h->shape.n;
  memcpy(a->dim, h->shape.dim, (a->n_dims < BEZ_ARRAY_MAX_DIMS ? a->n_dims : BEZ_ARRAY_MAX_DIMS) * sizeof *a->dim);
  a->data_at = data_at;
  a->stride = p->row_bytes;
  if (a->n_rows > BEZ_MAX_ROWS || __builtin_mul_overflow(a->n_rows, p->row_bytes, &a->data_size))
    return bez_fail(p->err, BEZ_LIMIT, p->subject, "too many rows");
  if (a->data_size > total - data_at)
    return bez_fail_at(p->err, BEZ_FORMAT, p->subject, -1, (int64_t)total,
                       "the shape needs %llu bytes of data, %llu are there", (unsigned long long)a->data_size,
                       (unsigned long long)(total - data_at));
  a->fortran = h->fortran && h->shape.n == 2;
  if (!a->fortran) return BEZ_OK;
  a->stride = a->fields[0].size;
  for (uint32_t i = 0; i < a->n_fields; i++) a->fields[i].offset = i * a->n_rows * a->fields[i].size;
  return BEZ_OK;
}

/* Magic, version and length; the parser stands at the dictionary. *end: where the items begin. */
static bez_status begin(const uint8_t *bytes, size_t len, const char *subject, bez_arena *arena, bez_array *array,
                        parser *out, uint64_t *end, bez_error *err) {
  bez_cursor c = {.data = bytes, .len = len};
  const uint8_t *magic, *text;
  uint32_t size = 0;
  uint16_t size16 = 0;
  if (!bez_cursor_take(&c, 8, &magic) || memcmp(magic, "\x93NUMPY", 6) != 0)
    return bez_fail_at(err, BEZ_FORMAT, subject, -1, 0, "not an npy file");
  if (magic[6] < 1 || magic[6] > 3 || magic[7] != 0)
    return bez_fail_at(err, BEZ_UNSUPPORTED, subject, -1, 6, "npy format %u.%u is unknown", magic[6], magic[7]);
  bool sized = magic[6] == 1 ? bez_cursor_le16(&c, &size16) : bez_cursor_le32(&c, &size);
  if (magic[6] == 1) size = size16;
  if (size > BEZ_MAX_NPY_HEADER) return bez_fail(err, BEZ_LIMIT, subject, "an npy header of %u bytes", size);
  size_t at = c.pos;
  if (!sized || !bez_cursor_take(&c, size, &text))
    return bez_fail_at(err, BEZ_FORMAT, subject, -1, (int64_t)c.pos, "the npy header is cut off");
  *out = (parser){.begin = (const char *)text,
                  .at = (const char *)text,
                  .end = (const char *)text + size,
                  .base = at,
                  .latin1 = magic[6] < 3,
                  .subject = subject,
                  .arena = arena,
                  .err = err,
                  .array = array};
  *end = at + size;
  return BEZ_OK;
}

bez_status bez_npy_header(const uint8_t *bytes, size_t len, uint64_t total, const char *subject, const char *name,
                          bez_arena *arena, bez_array *out, bez_error *err) {
  parser p;
  header h = {0};
  uint64_t data_at = 0;
  *out = (bez_array){0};
  bez_status st = begin(bytes, len, subject, arena, out, &p, &data_at, err);
  if (st == BEZ_OK) st = dictionary(&p, &h);
  if (st == BEZ_OK) st = columns(&p, &h, name);
  return st == BEZ_OK ? layout(&p, &h, data_at, total) : st;
}

bez_status bez_npy_tensor_header(const uint8_t *bytes, size_t len, uint64_t total, const char *subject,
                                 bez_arena *arena, bez_npy_tensor *out, bez_error *err) {
  parser p;
  header h = {0};
  bez_array unused = {0};
  bool padding = false;
  const char *text;
  *out = (bez_npy_tensor){0};
  bez_status st = begin(bytes, len, subject, arena, &unused, &p, &out->data_at, err);
  if (st == BEZ_OK) st = dictionary(&p, &h);
  if (st != BEZ_OK) return st;
  p.at = h.descr_at;
  if (peek(&p) == '[') return bez_fail(err, BEZ_UNSUPPORTED, subject, "an array of records is no tensor");
  if ((st = literal(&p, &text)) != BEZ_OK || (st = scalar_type(&p, text, &out->type, &padding)) != BEZ_OK) return st;
  if (padding) return bez_fail(err, BEZ_UNSUPPORTED, subject, "raw bytes are not read");
  out->n_dims = h.shape.n;
  out->fortran = h.fortran;
  memcpy(out->dim, h.shape.dim, sizeof out->dim);
  out->data_size = out->type.size;
  for (unsigned i = 0; i < h.shape.n; i++)
    if (__builtin_mul_overflow(out->data_size, h.shape.dim[i], &out->data_size))
      return bad(&p, "the array is too large");
  if (out->data_size > total - out->data_at)
    return bez_fail_at(err, BEZ_FORMAT, subject, -1, (int64_t)total,
                       "the shape needs %llu bytes of data, %llu are there", (unsigned long long)out->data_size,
                       (unsigned long long)(total - out->data_at));
  return BEZ_OK;
}

/* "O", "|O", "<O8" */
static bool is_object_type(const char *text) {
  if (*text && strchr("<>=|", *text)) text++;
  if (*text++ != 'O') return false;
  return text[strspn(text, "0123456789")] == 0;
}

/* Whether the type at the parser, which was stepped over before, is one of objects anywhere. */
static bez_status find_objects(parser *p, bool *objects) {
  unsigned depth = 0;
  do {
    const char *text, c = peek(p);
    bez_status st;
    if (c == '\'' || c == '"') {
      if ((st = literal(p, &text)) != BEZ_OK) return st;
      *objects |= is_object_type(text);
      continue;
    }
    if (c == 0) return bad(p, "the type does not end");
    depth += c == '[' || c == '(';
    depth -= (c == ']' || c == ')') && depth > 0;
    p->at++;
  } while (depth > 0);
  return BEZ_OK;
}

bez_status bez_npy_outline_read(const uint8_t *bytes, size_t len, const char *subject, bez_arena *arena,
                                bez_npy_outline *out, bez_error *err) {
  parser p;
  header h = {0};
  bez_array unused = {0};
  *out = (bez_npy_outline){0};
  bez_status st = begin(bytes, len, subject, arena, &unused, &p, &out->data_at, err);
  if (st == BEZ_OK) st = dictionary(&p, &h);
  if (st != BEZ_OK) return st;
  out->fortran = h.fortran;
  out->n_dims = h.shape.n;
  memcpy(out->dim, h.shape.dim, sizeof out->dim);
  p.at = h.descr_at;
  if ((st = find_objects(&p, &out->objects)) != BEZ_OK) return st;
  p.at = h.descr_at;
  return peek(&p) == '[' || peek(&p) == '(' ? BEZ_OK : literal(&p, &out->type);
}
