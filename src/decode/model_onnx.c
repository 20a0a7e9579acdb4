/* ONNX models (onnx.proto3 of the ONNX repository): operators of every graph, subgraph and function, tensors, and files
 * that they name. */
#include "decode/model_onnx.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "decode/name_set.h"
#include "decode/outside.h"

enum { IR_VERSION = 1, PRODUCER = 2, PRODUCER_VERSION = 3, GRAPH = 7, OPSETS = 8, PROPERTIES = 14 };
enum { TRAINING = 20, FUNCTIONS = 25 };                                /* the rest of ModelProto */
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, INITIALIZER = 5, SPARSE = 15 }; /* GraphProto */
enum { FUNCTION_NAME = 1, FUNCTION_NODE = 7, FUNCTION_DOMAIN = 10 };
enum { OP_TYPE = 4, ATTRIBUTE = 5, DOMAIN = 7 }; /* NodeProto */
enum { ATTRIBUTE_NAME = 1, STRING = 4, TENSOR = 5, SUBGRAPH = 6, TENSORS = 10, SUBGRAPHS = 11 };
enum { SPARSE_ATTRIBUTE = 22, SPARSE_ATTRIBUTES = 23 };

#define NAME_ROOM 240u

typedef struct onnx {
  const bez_model_input *in;
  struct bez_model_out *out;
  bez_name_set functions; /* "domain::name" of those that the model itself defines */
} onnx;

static uint64_t where(const onnx *o, const bez_proto_field *f) {
  return f->bytes ? (uint64_t)(f->bytes - o->in->bytes) : 0;
}

static void check_end(const onnx *o, const bez_cursor *c, const char *what) {
  if (c->pos < c->len)
    bez_model_unread(o->out, o->in->part, "%s is broken at byte %llu", what,
                     (unsigned long long)(c->data + c->pos - o->in->bytes));
}

void bez_onnx_twice(const bez_model_input *in, struct bez_model_out *out, const bez_proto_field *field,
                    const char *which) {
  bez_model_odd(out, in->part, field->bytes ? (uint64_t)(field->bytes - in->bytes) : 0, "duplicate-field",
                "%s stands there twice and differs: parsers may take one or the other", which);
}

/* ---- operators ----------------------------------------------------------------------------------------------------
 */

static bool is_one_of(const char *text, const char *const *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(text, list[i])) return true;
  return false;
}

#define IS_ONE_OF(text, list) is_one_of(text, list, sizeof(list) / sizeof *(list))

static void judge_operator(const onnx *o, uint64_t at, const char *domain, const char *type) {
  /* Operators of the standard and of ONNX Runtime: they compute. */
  static const char *const standard[] = {"",
                                         "ai.onnx",
                                         "ai.onnx.ml",
                                         "ai.onnx.training",
                                         "ai.onnx.preview",
                                         "ai.onnx.preview.training",
                                         "com.microsoft",
                                         "com.microsoft.nchwc",
                                         "com.microsoft.experimental",
                                         "com.ms.internal.nhwc"};
  /* They call Python functions: ONNX Runtime's training and extensions, skl2onnx. */
  static const char *const python[] = {"PyOp", "PythonOp", "PythonOpGrad", "PyCustomOp", "PyFunc", "PyFuncOp"};
  char what[2 * NAME_ROOM + 4];
  snprintf(what, sizeof what, "%s::%s", domain, type);
  if (IS_ONE_OF(type, python) || !strcasecmp(domain, "pyop")) /* also where the model has a function of that name */
    bez_model_code(o->out, o->in->part, at, "onnx-python-op", what, "operator %s calls a Python function", what);
  else if (!IS_ONE_OF(domain, standard) && !bez_name_set_has(&o->functions, what))
    bez_model_code(o->out, o->in->part, at, "onnx-custom-op", what,
                   "operator %s comes from a library that has to be loaded with the model", what);
}

/* com.microsoft::EPContext: what an accelerator's compiler made of a graph, here or in a file beside it. */
static void read_engine(const onnx *o, bez_cursor node) {
  bez_proto_field f, name, context = {0};
  bool within = true;
  while (bez_proto_next(&node, &f)) {
    if (!bez_proto_is(&f, ATTRIBUTE, BEZ_PROTO_BYTES)) continue;
    bez_cursor attribute = bez_proto_inside(&f), again = attribute;
    if (!bez_proto_find(attribute, ATTRIBUTE_NAME, &name)) continue;
    if (bez_proto_equals(&name, "ep_cache_context") && !bez_proto_find(attribute, STRING, &context))
      context = (bez_proto_field){0};
    while (bez_proto_equals(&name, "embed_mode") && bez_proto_next(&again, &f))
      if (bez_proto_is(&f, 3, BEZ_PROTO_VARINT)) within = f.value != 0;
  }
  if (!within && context.len)
    (void)bez_model_outside(o->out, o->in->part, where(o, &context), (const char *)context.bytes, context.len,
                            "the file of a compiled engine");
  bez_model_code(o->out, o->in->part, where(o, &context), "onnx-engine", "com.microsoft::EPContext",
                 "operator com.microsoft::EPContext runs what a compiler made for an accelerator");
}

static void read_graph(const onnx *o, bez_cursor graph, unsigned depth);

static void read_sparse(const onnx *o, bez_cursor sparse) {
  bez_proto_field f;
  while (bez_proto_next(&sparse, &f))
    if (f.wire == BEZ_PROTO_BYTES && f.number <= 2) bez_onnx_tensor(o->in, o->out, bez_proto_inside(&f));
}

static void read_attribute(const onnx *o, bez_cursor attribute, unsigned depth) {
  bez_proto_field f;
  while (bez_proto_next(&attribute, &f)) {
    if (f.wire != BEZ_PROTO_BYTES) continue;
    if (f.number == SUBGRAPH || f.number == SUBGRAPHS) read_graph(o, bez_proto_inside(&f), depth + 1);
    if (f.number == TENSOR || f.number == TENSORS) bez_onnx_tensor(o->in, o->out, bez_proto_inside(&f));
    if (f.number == SPARSE_ATTRIBUTE || f.number == SPARSE_ATTRIBUTES) read_sparse(o, bez_proto_inside(&f));
  }
  check_end(o, &attribute, "an operator's attribute");
}

static void read_node(const onnx *o, bez_cursor node, unsigned depth) {
  const bez_cursor whole = node;
  bez_proto_field f, type = {0}, domain = {0};
  char type_text[NAME_ROOM], domain_text[NAME_ROOM];
  while (bez_proto_next(&node, &f)) {
    if (f.wire != BEZ_PROTO_BYTES) continue;
    if (f.number == OP_TYPE && bez_proto_last(&type, &f)) bez_onnx_twice(o->in, o->out, &f, "an operator's type");
    if (f.number == DOMAIN && bez_proto_last(&domain, &f)) bez_onnx_twice(o->in, o->out, &f, "an operator's domain");
    if (f.number == ATTRIBUTE) read_attribute(o, bez_proto_inside(&f), depth);
  }
  check_end(o, &node, "an operator");
  bez_proto_text(&type, type_text, sizeof type_text);
  bez_proto_text(&domain, domain_text, sizeof domain_text);
  judge_operator(o, where(o, &type), domain_text, type_text);
  if (!strcmp(type_text, "EPContext")) read_engine(o, whole);
}

static void read_graph(const onnx *o, bez_cursor graph, unsigned depth) {
  bez_proto_field f;
  if (depth > BEZ_PROTO_DEPTH) {
    bez_model_unread(o->out, o->in->part, "graphs within graphs, more than %u deep", BEZ_PROTO_DEPTH);
    return;
  }
  while (bez_proto_next(&graph, &f)) {
    if (f.wire != BEZ_PROTO_BYTES) continue;
    if (f.number == GRAPH_NODE) read_node(o, bez_proto_inside(&f), depth);
    if (f.number == GRAPH_NAME && depth == 0) bez_model_says(o->out, o->in->part, "name", (const char *)f.bytes, f.len);
    if (f.number == INITIALIZER) bez_onnx_tensor(o->in, o->out, bez_proto_inside(&f));
    if (f.number == SPARSE) read_sparse(o, bez_proto_inside(&f));
  }
  check_end(o, &graph, "a graph");
}

/* ---- functions ----------------------------------------------------------------------------------------------------
 */

static bool add_function(onnx *o, bez_cursor function) {
  bez_proto_field f, name = {0}, domain = {0};
  char name_text[NAME_ROOM], domain_text[NAME_ROOM], both[2 * NAME_ROOM + 4];
  while (bez_proto_next(&function, &f)) {
    if (bez_proto_is(&f, FUNCTION_NAME, BEZ_PROTO_BYTES)) name = f;
    if (bez_proto_is(&f, FUNCTION_DOMAIN, BEZ_PROTO_BYTES)) domain = f;
  }
  snprintf(both, sizeof both, "%s::%s", bez_proto_text(&domain, domain_text, sizeof domain_text),
           bez_proto_text(&name, name_text, sizeof name_text));
  return bez_name_set_add(&o->functions, both);
}

/* Operators that the model itself defines are no library's: what they consist of is read like any graph. */
static void collect_functions(onnx *o) {
  bez_cursor model = {.data = o->in->bytes, .len = o->in->len};
  bez_proto_field f;
  bool room = true;
  while (room && bez_proto_next(&model, &f))
    if (bez_proto_is(&f, FUNCTIONS, BEZ_PROTO_BYTES)) room = add_function(o, bez_proto_inside(&f));
  bez_name_set_sort(&o->functions);
}

static void read_function(const onnx *o, bez_cursor function) {
  bez_proto_field f;
  while (bez_proto_next(&function, &f))
    if (bez_proto_is(&f, FUNCTION_NODE, BEZ_PROTO_BYTES)) read_node(o, bez_proto_inside(&f), 1);
  check_end(o, &function, "a function");
}

/* ---- the model ----------------------------------------------------------------------------------------------------
 */

static void read_property(const onnx *o, bez_cursor pair) {
  static const char *const keys[] = {"base_model", "license", "model_type", "architecture", "quantization"};
  bez_proto_field f, key = {0}, value = {0};
  char name[NAME_ROOM];
  while (bez_proto_next(&pair, &f)) {
    if (bez_proto_is(&f, 1, BEZ_PROTO_BYTES)) key = f;
    if (bez_proto_is(&f, 2, BEZ_PROTO_BYTES)) value = f;
  }
  if (IS_ONE_OF(bez_proto_text(&key, name, sizeof name), keys) && value.len)
    bez_model_says(o->out, o->in->part, name, (const char *)value.bytes, value.len);
}

static void read_training(const onnx *o, bez_cursor training) {
  bez_proto_field f;
  while (bez_proto_next(&training, &f))
    if (f.wire == BEZ_PROTO_BYTES && f.number <= 2) read_graph(o, bez_proto_inside(&f), 1);
  check_end(o, &training, "what says how to train it");
}

static void say_producer(const onnx *o, const bez_proto_field *name, const bez_proto_field *version) {
  char text[2 * NAME_ROOM], name_text[NAME_ROOM], version_text[NAME_ROOM];
  int n = snprintf(text, sizeof text, "%s %s", bez_proto_text(name, name_text, sizeof name_text),
                   bez_proto_text(version, version_text, sizeof version_text));
  if (name->len && n > 0) bez_model_says(o->out, o->in->part, "library", text, strlen(text));
}

static void read_onnx(const bez_model_input *in, struct bez_model_out *out) {
  onnx o = {.in = in, .out = out};
  bez_cursor model = {.data = in->bytes, .len = in->len};
  bez_proto_field f, producer = {0}, version = {0};
  unsigned graphs = 0;
  collect_functions(&o);
  while (bez_proto_next(&model, &f)) {
    if (f.wire != BEZ_PROTO_BYTES) continue;
    if (f.number == PRODUCER) producer = f;
    if (f.number == PRODUCER_VERSION) version = f;
    if (f.number == GRAPH) read_graph(&o, bez_proto_inside(&f), 0);
    if (f.number == GRAPH && graphs++ == 1)
      bez_model_odd(out, in->part, where(&o, &f), "duplicate-field",
                    "a second graph: parsers merge it with the first, or take one of them");
    if (f.number == PROPERTIES) read_property(&o, bez_proto_inside(&f));
    if (f.number == TRAINING) read_training(&o, bez_proto_inside(&f));
    if (f.number == FUNCTIONS) read_function(&o, bez_proto_inside(&f));
  }
  check_end(&o, &model, "the model");
  say_producer(&o, &producer, &version);
  bez_name_set_free(&o.functions);
}

/* A graph, and the version of the format or the operators it needs; whole, unless the name says what it is meant to be.
 */
static int sniff(const bez_model_input *in) {
  bez_cursor model = {.data = in->bytes, .len = in->len};
  bez_proto_field f;
  bool graph = false, version = false;
  const char *dot = strrchr(in->name, '.');
  while (bez_proto_next(&model, &f)) {
    graph |= bez_proto_is(&f, GRAPH, BEZ_PROTO_BYTES) && bez_proto_whole(bez_proto_inside(&f));
    version |= (bez_proto_is(&f, IR_VERSION, BEZ_PROTO_VARINT) && f.value < 1000) ||
               (bez_proto_is(&f, OPSETS, BEZ_PROTO_BYTES) && bez_proto_whole(bez_proto_inside(&f)));
  }
  const bool named = dot && (!strcasecmp(dot, ".onnx") || !strcasecmp(dot, ".ort"));
  if (graph && version && model.pos == model.len) return 85;
  return named && (graph || version) ? 40 : 0;
}

const bez_model_reader bez_model_reader_onnx = {
    .name = "onnx",
    .title = "ONNX model",
    .summary = "Operators of every graph, subgraph and function, tensors within the file and beside it, and the paths "
               "of the files that they lie in.",
    .sniff = sniff,
    .read = read_onnx};
