/* Tensors of ONNX models: within the file, as raw bytes or packed numbers, or in files beside it. */
#include <string.h>

#include "decode/model_onnx.h"
#include "decode/outside.h"

enum { DIMS = 1, DATA_TYPE = 2, NAME = 8, RAW = 9, EXTERNAL = 13, LOCATION = 14 };
enum { FLOATS = 4, DOUBLES = 10 }; /* packed lists that are little-endian arrays; the other lists are varints */

typedef struct data_type {
  const char *name;
  unsigned bits; /* of one item; 0: no numbers */
} data_type;

/* TensorProto.DataType; names as safetensors has them, where it has one. */
static const data_type types[] = {
    {"", 0},     {"F32", 32},   {"U8", 8},      {"I8", 8},      {"U16", 16},      {"I16", 16},    {"I32", 32},
    {"I64", 64}, {"STRING", 0}, {"BOOL", 8},    {"F16", 16},    {"F64", 64},      {"U32", 32},    {"U64", 64},
    {"C64", 64}, {"C128", 128}, {"BF16", 16},   {"F8_E4M3", 8}, {"F8_E4M3UZ", 8}, {"F8_E5M2", 8}, {"F8_E5M2UZ", 8},
    {"U4", 4},   {"I4", 4},     {"F4_E2M1", 4}, {"F8_E8M0", 8}, {"U2", 2},        {"I2", 2}};

typedef struct seen {
  bez_model_tensor tensor;
  uint64_t type;
  bool too_many; /* dimensions */
  bez_proto_field name, raw, list;
  unsigned lists; /* chunks of a packed list: more than one lie apart */
  bez_proto_field where;
  uint64_t offset, length;
} seen;

static void add_dim(seen *s, uint64_t dim) {
  if (s->tensor.n_dims == BEZ_MAX_MODEL_DIMS)
    s->too_many = true;
  else
    s->tensor.shape[s->tensor.n_dims++] = dim;
}

static void take_dims(seen *s, const bez_proto_field *f) {
  bez_cursor packed = bez_proto_inside(f);
  uint64_t dim;
  if (f->wire == BEZ_PROTO_VARINT) add_dim(s, f->value);
  while (f->wire == BEZ_PROTO_BYTES && bez_proto_varint(&packed, &dim)) add_dim(s, dim);
}

static uint64_t decimal(const bez_proto_field *f) {
  uint64_t n = 0;
  for (size_t i = 0; i < f->len; i++) {
    if (f->bytes[i] < '0' || f->bytes[i] > '9' || n > UINT64_MAX / 10 - 9) return UINT64_MAX;
    n = 10 * n + (f->bytes[i] - '0');
  }
  return n;
}

/* One pair of external_data: location, offset, length, checksum. */
static void take_external(const bez_model_input *in, struct bez_model_out *out, seen *s, bez_cursor pair) {
  bez_proto_field f, key = {0}, value = {0};
  while (bez_proto_next(&pair, &f)) {
    if (bez_proto_is(&f, 1, BEZ_PROTO_BYTES)) key = f;
    if (bez_proto_is(&f, 2, BEZ_PROTO_BYTES)) value = f;
  }
  if (bez_proto_equals(&key, "offset")) s->offset = decimal(&value);
  if (bez_proto_equals(&key, "length")) s->length = decimal(&value);
  if (!bez_proto_equals(&key, "location")) return;
  if (bez_proto_last(&s->where, &value)) bez_onnx_twice(in, out, &value, "external data's location");
  if (value.len)
    (void)bez_model_outside(out, in->part, (uint64_t)(value.bytes - in->bytes), (const char *)value.bytes, value.len,
                            "the file of a tensor's numbers");
}

static void take(const bez_model_input *in, struct bez_model_out *out, seen *s, const bez_proto_field *f) {
  if (f->number == DIMS) take_dims(s, f);
  if (bez_proto_is(f, DATA_TYPE, BEZ_PROTO_VARINT)) s->type = f->value;
  if (f->wire == BEZ_PROTO_FIXED32 && f->number == FLOATS) s->lists = 2;
  if (f->wire != BEZ_PROTO_BYTES) return;
  if (f->number == NAME) s->name = *f;
  if (f->number == RAW && bez_proto_last(&s->raw, f)) bez_onnx_twice(in, out, f, "a tensor's numbers");
  if (f->number == FLOATS || f->number == DOUBLES) s->list = *f, s->lists++;
  if (f->number == EXTERNAL) take_external(in, out, s, bez_proto_inside(f));
}

static uint64_t extent(const bez_model_tensor *t, unsigned bits) {
  uint64_t bytes = bits;
  for (uint32_t d = 0; d < t->n_dims; d++)
    if (__builtin_mul_overflow(bytes, t->shape[d], &bytes)) return UINT64_MAX;
  return bytes / 8 + (bytes % 8 != 0);
}

void bez_onnx_tensor(const bez_model_input *in, struct bez_model_out *out, bez_cursor message) {
  seen s = {.length = UINT64_MAX};
  bez_proto_field f;
  char name[512], file[1024];
  while (bez_proto_next(&message, &f)) take(in, out, &s, &f);
  if (message.pos < message.len) bez_model_unread(out, in->part, "a tensor of the graph is broken");
  if (s.too_many || s.type >= sizeof types / sizeof *types) {
    bez_model_unread(out, in->part, "a tensor of %s", s.too_many ? "too many dimensions" : "an unknown type");
    return;
  }
  bez_model_tensor *t = &s.tensor;
  const uint64_t due = extent(t, types[s.type].bits);
  const bool list = !s.raw.number && s.lists == 1 &&
                    ((s.list.number == FLOATS && s.type == 1) || (s.list.number == DOUBLES && s.type == 11));
  const bez_proto_field *data = s.raw.number ? &s.raw : list ? &s.list : NULL;
  t->part = in->part;
  t->name = bez_proto_text(&s.name, name, sizeof name);
  t->dtype = types[s.type].name;
  t->bytes = data ? data->len : due;
  if (s.raw.number && types[s.type].bits && due != s.raw.len)
    bez_model_odd(out, in->part, (uint64_t)(s.raw.bytes - in->bytes), "extent",
                  "tensor \"%.80s\" has %zu bytes of numbers, and another number by its shape", t->name, s.raw.len);
  if (s.where.number) {
    t->file = bez_proto_text(&s.where, file, sizeof file);
    t->at = s.offset;
    if (s.length != UINT64_MAX) t->bytes = s.length;
    data = NULL;
  }
  bez_model_tensor_at(out, t, data ? data->bytes : NULL);
}
