/* Cells of Arrow arrays (arrow.h). The structures come from a library in the same process, whose pointers have to be
 * trusted; counts, offsets and indices are data and are checked. */
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/arrow.h"
#include "format/celltext.h"

/* Buffers a type needs besides the validity bitmap. */
static int64_t data_buffers(const bez_arrow_type *type) {
  return type->kind == BEZ_ARROW_NULL ? 0 : type->kind == BEZ_ARROW_STRING ? 2 : 1;
}

static bez_status check_values(const struct ArrowArray *a, const bez_arrow_type *type, const char *name,
                               bez_error *err) {
  int64_t need = data_buffers(type);
  if (need == 0 || a->length == 0) return BEZ_OK;
  if (a->n_buffers < 1 + need || !a->buffers) return bez_fail(err, BEZ_FORMAT, name, "an Arrow array lacks a buffer");
  if (!a->buffers[1]) return bez_fail(err, BEZ_FORMAT, name, "an Arrow array lacks its values");
  return BEZ_OK;
}

/* length rows from offset must be within what an array of this kind can address. */
static bool sane(const struct ArrowArray *a) {
  int64_t end;
  return a->length >= 0 && a->offset >= 0 && !__builtin_add_overflow(a->length, a->offset, &end) &&
         end <= (int64_t)BEZ_MAX_ROWS;
}

bez_status bez_arrow_bind(const struct ArrowArray *batch, const bez_arrow_leaf *leaf, bez_arrow_view *out,
                          bez_error *err) {
  const struct ArrowArray *a = batch;
  int64_t rows = batch->length;
  *out = (bez_arrow_view){.leaf = leaf};
  for (unsigned level = 0;; level++) {
    if (!sane(a) || a->length < rows) return bez_fail(err, BEZ_FORMAT, leaf->name, "an Arrow array is too short");
    bool has_valid = a->n_buffers > 0 && a->buffers && a->null_count != 0;
    if (leaf->type.kind == BEZ_ARROW_NULL && !leaf->coded && level == leaf->depth) has_valid = false;
    out->parent[level].valid = has_valid ? a->buffers[0] : NULL;
    out->parent[level].offset = a->offset;
    if (level == leaf->depth) break;
    if (a->n_children <= leaf->step[level] || !a->children || !a->children[leaf->step[level]])
      return bez_fail(err, BEZ_FORMAT, leaf->name, "an Arrow array lacks a child");
    rows += a->offset;
    a = a->children[leaf->step[level]];
  }
  out->n_parents = leaf->depth + 1;
  out->array = a;
  if (!leaf->coded) return check_values(a, &leaf->type, leaf->name, err);
  bez_status st = check_values(a, &leaf->index, leaf->name, err);
  if (st != BEZ_OK || a->length == 0) return st;
  if (!a->dictionary || !sane(a->dictionary))
    return bez_fail(err, BEZ_FORMAT, leaf->name, "an Arrow array lacks its dictionary");
  return check_values(a->dictionary, &leaf->type, leaf->name, err);
}

static bool bit(const uint8_t *bits, int64_t i) {
  return bits[i >> 3] >> (i & 7) & 1;
}

static int64_t load_int(const void *base, unsigned size, bool is_signed, int64_t i) {
  uint64_t bits = 0;
  memcpy(&bits, (const uint8_t *)base + (uint64_t)i * size, size);
  unsigned shift = 64 - 8 * size;
  return is_signed ? (int64_t)(bits << shift) >> shift : (int64_t)bits;
}

static size_t float_text(const void *base, unsigned size, int64_t i, char *out) {
  if (size == 2) return bez_text_half((uint16_t)load_int(base, 2, false, i), out);
  if (size == 4) return bez_text_float(((const float *)base)[i], out);
  return bez_text_double(((const double *)base)[i], out);
}

static bool string_cell(const struct ArrowArray *a, unsigned size, int64_t i, const char **cell, uint32_t *len) {
  int64_t from = load_int(a->buffers[1], size, true, i), to = load_int(a->buffers[1], size, true, i + 1);
  if (from < 0 || to < from || to - from > BEZ_MAX_CELL || (to > from && !a->buffers[2])) return false;
  *cell = to > from ? (const char *)a->buffers[2] + from : "";
  *len = (uint32_t)(to - from);
  return true;
}

/* A view: length, then up to 12 bytes in place, or a prefix, a buffer number and an offset. The last buffer holds
 * the sizes of the others. */
static bool view_cell(const struct ArrowArray *a, int64_t i, const char **cell, uint32_t *len) {
  const char *view = (const char *)a->buffers[1] + i * 16;
  int32_t part[4];
  memcpy(part, view, 16);
  if (part[0] < 0 || part[0] > (int32_t)BEZ_MAX_CELL) return false;
  *len = (uint32_t)part[0];
  *cell = view + 4;
  if (part[0] <= 12) return true;
  int64_t n_data = a->n_buffers - 3;
  if (part[2] < 0 || part[2] >= n_data || part[3] < 0) return false;
  const int64_t *sizes = a->buffers[a->n_buffers - 1];
  if (!sizes || sizes[part[2]] < (int64_t)part[3] + part[0] || !a->buffers[2 + part[2]]) return false;
  *cell = (const char *)a->buffers[2 + part[2]] + part[3];
  return true;
}

static size_t number_text(const void *base, const bez_arrow_type *t, int64_t i, char *out) {
  switch (t->kind) {
    case BEZ_ARROW_UINT: return bez_text_uint((uint64_t)load_int(base, t->size, false, i), out);
    case BEZ_ARROW_FLOAT: return float_text(base, t->size, i, out);
    case BEZ_ARROW_DECIMAL:
      return bez_text_decimal((uint64_t)load_int(base, 8, false, i * 2), load_int(base, 8, true, i * 2 + 1), t->scale,
                              out);
    default: break;
  }
  int64_t value = load_int(base, t->size, true, i);
  switch (t->kind) {
    case BEZ_ARROW_DATE: return t->size == 4 ? bez_text_date(value, out) : bez_text_time(value, 1000, out);
    case BEZ_ARROW_CLOCK: return bez_text_clock(value, t->per_second, out);
    case BEZ_ARROW_TIME: return bez_text_time(value, t->per_second, out);
    default: return bez_text_int(value, out);
  }
}

/* Item i, offset included, of an array that is known to be valid there. */
static bool value_cell(const struct ArrowArray *a, const bez_arrow_type *t, int64_t i, char *out, const char **cell,
                       uint32_t *len) {
  *cell = out;
  switch (t->kind) {
    case BEZ_ARROW_NULL:
      *cell = NULL;
      *len = 0;
      return true;
    case BEZ_ARROW_STRING: return string_cell(a, t->size, i, cell, len);
    case BEZ_ARROW_VIEW: return view_cell(a, i, cell, len);
    case BEZ_ARROW_BOOL: {
      bool yes = bit(a->buffers[1], i);
      *cell = yes ? "true" : "false";
      *len = yes ? 4 : 5;
      return true;
    }
    default: *len = (uint32_t)number_text(a->buffers[1], t, i, out); return true;
  }
}

bool bez_arrow_cell(const bez_arrow_view *v, int64_t row, char *out, const char **cell, uint32_t *len) {
  int64_t i = row;
  for (unsigned level = 0; level < v->n_parents; level++) {
    i += v->parent[level].offset;
    if (v->parent[level].valid && !bit(v->parent[level].valid, i)) {
      *cell = NULL;
      *len = 0;
      return true;
    }
  }
  const struct ArrowArray *a = v->array;
  if (!v->leaf->coded) return value_cell(a, &v->leaf->type, i, out, cell, len);
  const struct ArrowArray *d = a->dictionary;
  int64_t code = load_int(a->buffers[1], v->leaf->index.size, v->leaf->index.kind == BEZ_ARROW_INT, i);
  if (code < 0 || code >= d->length) return false;
  code += d->offset;
  if (d->n_buffers > 0 && d->null_count != 0 && d->buffers[0] && v->leaf->type.kind != BEZ_ARROW_NULL &&
      !bit(d->buffers[0], code)) {
    *cell = NULL;
    *len = 0;
    return true;
  }
  return value_cell(d, &v->leaf->type, code, out, cell, len);
}
