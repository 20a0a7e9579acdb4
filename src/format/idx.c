/* IDX, the format of MNIST (Y. LeCun, "The MNIST database of handwritten digits", file formats): two zero bytes, a
 * type, the number of dimensions, the sizes as big-endian 32-bit numbers, then the items, big-endian. */
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/limits.h"
#include "format/pixels.h"
#include "format/reader.h"

typedef struct idx_type {
  uint8_t code, size;
  bez_item_kind kind;
} idx_type;

static const idx_type types[] = {{0x08, 1, BEZ_ITEM_UINT}, {0x09, 1, BEZ_ITEM_INT},   {0x0B, 2, BEZ_ITEM_INT},
                                 {0x0C, 4, BEZ_ITEM_INT},  {0x0D, 4, BEZ_ITEM_FLOAT}, {0x0E, 8, BEZ_ITEM_FLOAT}};

static const idx_type *find_type(uint8_t code) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].code == code) return &types[i];
  return NULL;
}

static bool be32(bez_cursor *c, uint64_t *out) {
  const uint8_t *b;
  if (!bez_cursor_take(c, 4, &b)) return false;
  *out = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
  return true;
}

bez_status bez_idx_header(const uint8_t *head, size_t len, uint64_t total, const char *subject, bez_field *field,
                          bez_array *out, bez_error *err) {
  bez_cursor c = {.data = head, .len = len, .pos = 4};
  const idx_type *type = len >= 4 ? find_type(head[2]) : NULL;
  if (!type || head[0] || head[1]) return bez_fail_at(err, BEZ_FORMAT, subject, -1, 0, "not an IDX file");
  *field = (bez_field){.name = "value", .kind = type->kind, .size = type->size, .swap = type->size > 1};
  *out = (bez_array){.fields = field, .n_fields = 1, .n_dims = head[3], .stride = type->size};
  if (out->n_dims == 0 || out->n_dims > BEZ_ARRAY_MAX_DIMS)
    return bez_fail_at(err, BEZ_UNSUPPORTED, subject, -1, 3, "an IDX array of %u dimensions", out->n_dims);
  for (uint32_t i = 0; i < out->n_dims; i++) {
    if (!be32(&c, &out->dim[i]))
      return bez_fail_at(err, BEZ_FORMAT, subject, -1, (int64_t)c.pos, "the header is cut off");
    if (i && __builtin_mul_overflow(out->stride, out->dim[i], &out->stride))
      return bez_fail(err, BEZ_LIMIT, subject, "a row is too large");
  }
  out->n_rows = out->dim[0];
  out->data_at = c.pos;
  if (out->stride == 0) return bez_fail(err, BEZ_FORMAT, subject, "the rows are empty");
  if (__builtin_mul_overflow(out->n_rows, out->stride, &out->data_size) || out->data_size > total - c.pos)
    return bez_fail_at(err, BEZ_FORMAT, subject, -1, (int64_t)total,
                       "%llu rows of %llu bytes are announced, %llu bytes are there", (unsigned long long)out->n_rows,
                       (unsigned long long)out->stride, (unsigned long long)(total - c.pos));
  return BEZ_OK;
}

static bez_status idx_read(bez_source *source, bez_builder *builder, bez_error *err) {
  uint8_t head[BEZ_IDX_HEADER_MAX];
  size_t got = 0;
  bez_field field;
  bez_array array;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_source_read(source, 0, head, sizeof head, &got, err));
  BEZ_TRY(bez_idx_header(head, got, source->size, source->path, &field, &array, err));
  if (array.data_at + array.data_size < source->size && bez_builder_at_start(builder))
    bez_builder_remark(builder, "trailing-bytes", source->path, source->size - array.data_at - array.data_size, -1,
                       "bytes behind the array's data");
  if (array.n_dims == 2)
    BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, source->path, "an IDX matrix is neither labels nor pictures"));
  if (array.n_dims == 1) return bez_arrays_push(source, "idx", &array, 1, builder, err);
  BEZ_TRY(bez_pixels_push(source, &array, builder, err));
  BEZ_TRY(bez_image_rows_push(builder, source->path, "idx", source->size, array.n_rows, NULL, err));
cleanup:
  return st;
}

static int idx_sniff(const uint8_t *head, size_t len, const char *extension) {
  (void)extension;
  if (len < 8 || head[0] || head[1] || !find_type(head[2]) || !head[3] || head[3] > BEZ_ARRAY_MAX_DIMS) return 0;
  return 90;
}

const bez_reader bez_reader_idx = {
    .name = "idx",
    .title = "IDX array",
    .extensions = "idx idx1-ubyte idx3-ubyte ubyte",
    .summary = "The format of MNIST: one dimension is a column of labels (for --labels-file), three or four are "
               "pictures.",
    .sniff = idx_sniff,
    .read = idx_read,
    .parts = true,
};
