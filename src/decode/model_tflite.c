/* TensorFlow Lite models (tensorflow/compiler/mlir/lite/schema/schema.fbs): operators that are not built in,
 * TensorFlow's operators that the Flex delegate would run, tensors. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "decode/flatbuffer.h"
#include "decode/model_savedmodel.h"

#define MOST_BUDGET (256u << 20) /* tables and items looked at */

enum { CODES = 1, SUBGRAPHS = 2, DESCRIPTION = 3, BUFFERS = 4 }; /* Model */
enum { OLD_CODE = 0, CUSTOM_CODE = 1, CODE = 3, CUSTOM = 32 };   /* OperatorCode */
enum { TENSORS = 0, OPERATORS = 3, CUSTOM_OPTIONS = 5 };         /* SubGraph, Operator */
enum { SHAPE = 0, TYPE = 1, BUFFER = 2, NAME = 3 };              /* Tensor */
enum { DATA = 0, DATA_AT = 1, DATA_SIZE = 2 };                   /* Buffer */

typedef struct tflite {
  bez_flat f;
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_flat_vector buffers;
} tflite;

/* Operators of the runtime's own kernels that are named like a publisher's. */
static bool is_known(const char *code) {
  static const char *const known[] = {"TFLite_Detection_PostProcess",
                                      "Convolution2DTransposeBias",
                                      "MaxPoolingWithArgmax2D",
                                      "MaxUnpooling2D",
                                      "TransformTensorBilinear",
                                      "TransformLandmarks",
                                      "Landmarks2TransformMatrix",
                                      "Landmarks2TransformMatrixV2",
                                      "TransformTensor",
                                      "AudioSpectrogram",
                                      "Mfcc",
                                      "NumericVerify",
                                      "edgetpu-custom-op",
                                      "RandomStandardNormal",
                                      "RandomUniform",
                                      "Multinomial",
                                      "AtanCustom",
                                      "Sign",
                                      "CumSum"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i], code)) return true;
  return false;
}

static void read_code(tflite *t, uint64_t code) {
  const bez_tf tf = {.in = t->in, .out = t->out};
  char name[256];
  const uint64_t old = bez_flat_number(&t->f, code, OLD_CODE, 1, 0), now = bez_flat_number(&t->f, code, CODE, 4, 0);
  if ((old > now ? old : now) != CUSTOM) return;
  bez_flat_text(&t->f, code, CUSTOM_CODE, name, sizeof name);
  if (!strncmp(name, "Flex", 4))
    bez_tf_operator(&tf, code, name + 4, (bez_cursor){0});
  else if (!is_known(name))
    bez_model_code(t->out, t->in->part, code, "tflite-custom-op", name,
                   "operator %s is not built in: it comes from a library that has to be loaded", name);
}

/* What the Flex delegate runs stands as a NodeDef among the operator's options, whatever its code says: its second
 * field is the operator. */
static void read_options(tflite *t, uint64_t op) {
  const bez_flat_vector v = bez_flat_items(&t->f, op, CUSTOM_OPTIONS, 1);
  const bez_tf tf = {.in = t->in, .out = t->out};
  char name[128];
  if (v.n > t->f.budget) {
    t->f.broken = true;
    return;
  }
  t->f.budget -= v.n;
  for (uint32_t i = 0; i + 2 < v.n; i++) {
    const uint8_t *p = t->f.bytes + v.at + i;
    const size_t n = p[1];
    if (p[0] != 0x12 || n < 3 || n >= sizeof name || n > v.n - i - 2 || !isupper(p[2])) continue;
    memcpy(name, p + 2, n);
    name[n] = 0;
    (void)bez_tf_effect(&tf, v.at + i + 2, name);
  }
}

static const char *type_name(uint64_t type) {
  static const char *const names[] = {"F32", "F16",  "I32", "U8",       "I64",     "STRING", "BOOL", "I16", "C64", "I8",
                                      "F64", "C128", "U64", "RESOURCE", "VARIANT", "U32",    "U16",  "I4",  "BF16"};
  return type < sizeof names / sizeof *names ? names[type] : "";
}

/* Where a buffer's bytes are; behind the tables in files above 2 GiB. */
static const uint8_t *find_data(tflite *t, uint64_t number, uint64_t *len) {
  const uint64_t buffer = number < t->buffers.n ? bez_flat_table(&t->f, &t->buffers, (uint32_t)number) : 0;
  const uint64_t at = bez_flat_number(&t->f, buffer, DATA_AT, 8, 0);
  *len = 0;
  if (!buffer) return NULL;
  if (at > 1) {
    *len = bez_flat_number(&t->f, buffer, DATA_SIZE, 8, 0);
    return at <= t->f.len ? t->f.bytes + at : NULL;
  }
  const bez_flat_vector v = bez_flat_items(&t->f, buffer, DATA, 1);
  *len = v.n;
  return v.n ? t->f.bytes + v.at : NULL;
}

static void read_tensor(tflite *t, uint64_t table) {
  bez_model_tensor tensor = {.part = t->in->part};
  char name[512];
  const bez_flat_vector shape = bez_flat_items(&t->f, table, SHAPE, 4);
  const uint8_t *data = find_data(t, bez_flat_number(&t->f, table, BUFFER, 4, 0), &tensor.bytes);
  if (!data) return; /* computed, not kept */
  if (shape.n > BEZ_MAX_MODEL_DIMS) {
    bez_model_unread(t->out, t->in->part, "a tensor of %u dimensions", (unsigned)shape.n);
    return;
  }
  tensor.name = bez_flat_text(&t->f, table, NAME, name, sizeof name);
  tensor.dtype = type_name(bez_flat_number(&t->f, table, TYPE, 1, 0));
  tensor.n_dims = shape.n;
  for (uint32_t d = 0; d < shape.n; d++) tensor.shape[d] = bez_flat_value(&t->f, shape.at + 4 * (uint64_t)d, 4);
  bez_model_tensor_at(t->out, &tensor, data);
}

static void read_subgraph(tflite *t, uint64_t graph) {
  const bez_flat_vector tensors = bez_flat_items(&t->f, graph, TENSORS, 4);
  const bez_flat_vector operators = bez_flat_items(&t->f, graph, OPERATORS, 4);
  for (uint32_t i = 0; i < tensors.n && !t->f.broken; i++) read_tensor(t, bez_flat_table(&t->f, &tensors, i));
  for (uint32_t i = 0; i < operators.n && !t->f.broken; i++) read_options(t, bez_flat_table(&t->f, &operators, i));
}

static int sniff(const bez_model_input *in) {
  return in->len >= 16 && memcmp(in->bytes + 4, "TFL3", 4) == 0 ? 90 : 0;
}

static void read_tflite(const bez_model_input *in, struct bez_model_out *out) {
  tflite t = {.f = {.bytes = in->bytes, .len = in->len}, .in = in, .out = out};
  t.f.budget = in->len < MOST_BUDGET / 4 ? 4 * (uint64_t)in->len + 65536 : MOST_BUDGET;
  const uint64_t model = bez_flat_root(&t.f);
  const bez_flat_vector codes = bez_flat_items(&t.f, model, CODES, 4),
                        graphs = bez_flat_items(&t.f, model, SUBGRAPHS, 4);
  t.buffers = bez_flat_items(&t.f, model, BUFFERS, 4);
  for (uint32_t i = 0; i < codes.n && !t.f.broken; i++) read_code(&t, bez_flat_table(&t.f, &codes, i));
  for (uint32_t i = 0; i < graphs.n && !t.f.broken; i++) read_subgraph(&t, bez_flat_table(&t.f, &graphs, i));
  if (t.f.broken || !model)
    bez_model_unread(out, in->part, "its tables lead beyond the end of the file, or are shared too often");
}

const bez_model_reader bez_model_reader_tflite = {
    .name = "tflite",
    .title = "TensorFlow Lite model",
    .summary =
        "Operators that are not built in, TensorFlow's operators that the Flex delegate runs, tensors that are kept "
        "in the file.",
    .carries = "zip", /* labels and words, behind the tables: the format's metadata */
    .sniff = sniff,
    .read = read_tflite};
