/* Constants of TensorFlow graphs (tensor.proto): those whose numbers lie together. */
#include "decode/model_savedmodel.h"

enum { DTYPE = 1, SHAPE = 2, CONTENT = 4, DIM = 2, SIZE = 1 };

const char *bez_tf_type_name(uint64_t type) {
  static const char *const names[] = {"",     "F32",  "F64", "I32", "U8",  "I16",  "I8",      "STRING", "C64",
                                      "I64",  "BOOL", "",    "",    "",    "BF16", "",        "",       "U16",
                                      "C128", "F16",  "",    "",    "U32", "U64",  "F8_E5M2", "F8_E4M3"};
  return type < sizeof names / sizeof *names ? names[type] : "";
}

bool bez_tf_shape(bez_model_tensor *t, bez_cursor shape) {
  bez_proto_field f, size;
  while (bez_proto_next(&shape, &f)) {
    if (!bez_proto_is(&f, DIM, BEZ_PROTO_BYTES)) continue;
    if (t->n_dims == BEZ_MAX_MODEL_DIMS) return false;
    bez_cursor dim = bez_proto_inside(&f);
    uint64_t n = 0;
    while (bez_proto_next(&dim, &size))
      if (bez_proto_is(&size, SIZE, BEZ_PROTO_VARINT)) n = size.value;
    t->shape[t->n_dims++] = n;
  }
  return true;
}

void bez_tf_constant(const bez_tf *tf, const char *name, bez_cursor message) {
  bez_model_tensor t = {.part = tf->in->part, .name = name, .dtype = ""};
  bez_proto_field f, content = {0};
  bool fits = true;
  while (bez_proto_next(&message, &f)) {
    if (bez_proto_is(&f, DTYPE, BEZ_PROTO_VARINT)) t.dtype = bez_tf_type_name(f.value);
    if (bez_proto_is(&f, SHAPE, BEZ_PROTO_BYTES)) fits = fits && bez_tf_shape(&t, bez_proto_inside(&f));
    if (bez_proto_is(&f, CONTENT, BEZ_PROTO_BYTES)) content = f;
  }
  if (!fits) bez_model_unread(tf->out, tf->in->part, "a constant of more than %u dimensions", BEZ_MAX_MODEL_DIMS);
  if (!fits || !content.len || !*t.dtype) return;
  t.bytes = content.len;
  bez_model_tensor_at(tf->out, &t, content.bytes);
}
