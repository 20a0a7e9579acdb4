/* TensorFlow's models: saved_model.pb, frozen graphs, .meta files of checkpoints (tensorflow/core/protobuf and
 * core/framework). Operators of every graph and function, constants, assets, Keras's own words about layers. */
#include "decode/model_savedmodel.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "decode/outside.h"

enum { SCHEMA = 1, META_GRAPHS = 2 };                                      /* SavedModel */
enum { META_INFO = 1, META_GRAPH = 2, META_ASSETS = 6, META_OBJECTS = 7 }; /* MetaGraphDef */
enum { INFO_TAGS = 4, INFO_VERSION = 5 };                                  /* MetaInfoDef */
enum { GRAPH_NODE = 1, GRAPH_LIBRARY = 2, FUNCTION = 1 };                  /* GraphDef, FunctionDefLibrary */
enum { FUNCTION_SIGNATURE = 1, FUNCTION_NODE = 3, NODE_NAME = 1, NODE_OP = 2, NODE_ATTRIBUTE = 5 };

typedef enum kind { NOTHING, SAVED_MODEL, META_GRAPH_ALONE, GRAPH_ALONE, FINGERPRINT } kind;

static uint64_t where(const bez_tf *tf, const bez_proto_field *f) {
  return f->bytes ? (uint64_t)(f->bytes - tf->in->bytes) : 0;
}

static void check_end(const bez_tf *tf, const bez_cursor *c, const char *what) {
  if (c->pos < c->len)
    bez_model_unread(tf->out, tf->in->part, "%s is broken at byte %llu", what,
                     (unsigned long long)(c->data + c->pos - tf->in->bytes));
}

/* ---- graphs -------------------------------------------------------------------------------------------------------
 */

static void read_constants(const bez_tf *tf, const char *name, bez_cursor node) {
  bez_proto_field f, value, tensor;
  while (bez_proto_next(&node, &f))
    if (bez_proto_is(&f, NODE_ATTRIBUTE, BEZ_PROTO_BYTES) && bez_proto_find(bez_proto_inside(&f), 2, &value) &&
        bez_proto_find(bez_proto_inside(&value), 8, &tensor))
      bez_tf_constant(tf, name, bez_proto_inside(&tensor));
}

static void read_node(const bez_tf *tf, bez_cursor node) {
  const bez_cursor whole = node;
  bez_proto_field f, op = {0}, name = {0};
  char op_text[256], name_text[512];
  while (bez_proto_next(&node, &f)) {
    if (bez_proto_is(&f, NODE_OP, BEZ_PROTO_BYTES) && bez_proto_last(&op, &f))
      bez_model_odd(tf->out, tf->in->part, where(tf, &f), "duplicate-field", "an operator is named twice");
    if (bez_proto_is(&f, NODE_NAME, BEZ_PROTO_BYTES)) name = f;
  }
  check_end(tf, &node, "an operator");
  bez_tf_operator(tf, where(tf, &op), bez_proto_text(&op, op_text, sizeof op_text), whole);
  if (!strcmp(op_text, "Const")) read_constants(tf, bez_proto_text(&name, name_text, sizeof name_text), whole);
}

static void read_function(const bez_tf *tf, bez_cursor function) {
  bez_proto_field f;
  while (bez_proto_next(&function, &f))
    if (bez_proto_is(&f, FUNCTION_NODE, BEZ_PROTO_BYTES)) read_node(tf, bez_proto_inside(&f));
  check_end(tf, &function, "a function");
}

/* Functions may be called by their names, as operators. */
static void collect_functions(bez_tf *tf, bez_cursor library) {
  bez_proto_field f, signature, name;
  char text[256];
  while (bez_proto_next(&library, &f))
    if (bez_proto_is(&f, FUNCTION, BEZ_PROTO_BYTES) &&
        bez_proto_find(bez_proto_inside(&f), FUNCTION_SIGNATURE, &signature) &&
        bez_proto_find(bez_proto_inside(&signature), 1, &name))
      (void)bez_name_set_add(&tf->functions, bez_proto_text(&name, text, sizeof text));
}

static void read_library(const bez_tf *tf, bez_cursor library) {
  bez_proto_field f;
  while (bez_proto_next(&library, &f))
    if (bez_proto_is(&f, FUNCTION, BEZ_PROTO_BYTES)) read_function(tf, bez_proto_inside(&f));
  check_end(tf, &library, "the library of functions");
}

static void read_graph(bez_tf *tf, bez_cursor graph) {
  bez_cursor again = graph;
  bez_proto_field f;
  while (bez_proto_next(&again, &f))
    if (bez_proto_is(&f, GRAPH_LIBRARY, BEZ_PROTO_BYTES)) collect_functions(tf, bez_proto_inside(&f));
  bez_name_set_sort(&tf->functions);
  while (bez_proto_next(&graph, &f)) {
    if (bez_proto_is(&f, GRAPH_NODE, BEZ_PROTO_BYTES)) read_node(tf, bez_proto_inside(&f));
    if (bez_proto_is(&f, GRAPH_LIBRARY, BEZ_PROTO_BYTES)) read_library(tf, bez_proto_inside(&f));
  }
  check_end(tf, &graph, "a graph");
}

static void read_info(const bez_tf *tf, bez_cursor info) {
  bez_proto_field f;
  char text[80], version[60];
  if (!bez_proto_find(info, INFO_VERSION, &f) || !f.len) return;
  int n = snprintf(text, sizeof text, "tensorflow %s", bez_proto_text(&f, version, sizeof version));
  bez_model_says(tf->out, tf->in->part, "library", text, n > 0 ? strlen(text) : 0);
}

static void read_asset(const bez_tf *tf, bez_cursor asset) {
  bez_proto_field f;
  if (bez_proto_find(asset, 2, &f) && f.len)
    (void)bez_model_outside(tf->out, tf->in->part, where(tf, &f), (const char *)f.bytes, f.len, "an asset");
}

static void read_meta(bez_tf *tf, bez_cursor meta) {
  bez_proto_field f;
  while (bez_proto_next(&meta, &f)) {
    if (f.wire != BEZ_PROTO_BYTES) continue;
    if (f.number == META_INFO) read_info(tf, bez_proto_inside(&f));
    if (f.number == META_GRAPH) read_graph(tf, bez_proto_inside(&f));
    if (f.number == META_ASSETS) read_asset(tf, bez_proto_inside(&f));
    if (f.number == META_OBJECTS) bez_tf_objects(tf, bez_proto_inside(&f));
  }
  check_end(tf, &meta, "a graph with its signatures");
}

static void read_saved(bez_tf *tf, bez_cursor saved) {
  bez_proto_field f;
  while (bez_proto_next(&saved, &f))
    if (bez_proto_is(&f, META_GRAPHS, BEZ_PROTO_BYTES)) read_meta(tf, bez_proto_inside(&f));
  check_end(tf, &saved, "the saved model");
}

/* ---- which of them it is ------------------------------------------------------------------------------------------
 */

static bool is_node(bez_cursor node) {
  bez_proto_field f;
  if (!bez_proto_whole(node) || !bez_proto_find(node, NODE_OP, &f) || !f.len || f.len > 256) return false;
  for (size_t i = 0; i < f.len; i++)
    if (!isalnum(f.bytes[i]) && !strchr("_>.-/", f.bytes[i])) return false;
  return isalpha(f.bytes[0]) || f.bytes[0] == '_';
}

static bool is_library(bez_cursor library) {
  bez_proto_field f, signature;
  return bez_proto_whole(library) && bez_proto_find(library, FUNCTION, &f) && bez_proto_whole(bez_proto_inside(&f)) &&
         bez_proto_find(bez_proto_inside(&f), FUNCTION_SIGNATURE, &signature) &&
         bez_proto_whole(bez_proto_inside(&signature));
}

static bool is_graph(bez_cursor graph) {
  const bez_cursor whole = graph;
  bez_proto_field f;
  if (!bez_proto_whole(whole)) return false;
  while (bez_proto_next(&graph, &f)) {
    if (bez_proto_is(&f, GRAPH_NODE, BEZ_PROTO_BYTES) && is_node(bez_proto_inside(&f))) return true;
    if (bez_proto_is(&f, GRAPH_LIBRARY, BEZ_PROTO_BYTES) && is_library(bez_proto_inside(&f))) return true;
  }
  return false;
}

static bool is_meta(bez_cursor meta) {
  bez_proto_field f;
  bool graph = false;
  if (!bez_proto_whole(meta)) return false;
  while (bez_proto_next(&meta, &f)) {
    if (f.number == META_INFO && (f.wire != BEZ_PROTO_BYTES || is_node(bez_proto_inside(&f)))) return false;
    graph |= bez_proto_is(&f, META_GRAPH, BEZ_PROTO_BYTES) && is_graph(bez_proto_inside(&f));
  }
  return graph;
}

/* Numbers and a version: written beside every saved model. */
static bool is_fingerprint(bez_cursor c) {
  bez_proto_field f;
  unsigned numbers = 0;
  while (bez_proto_next(&c, &f)) {
    numbers += f.wire == BEZ_PROTO_VARINT || f.wire == BEZ_PROTO_FIXED64;
    if (f.number > 7 || (f.wire == BEZ_PROTO_BYTES && f.len > 64)) return false;
  }
  return numbers >= 2 && c.pos == c.len;
}

static kind kind_of(const bez_model_input *in) {
  const bez_cursor whole = {.data = in->bytes, .len = in->len};
  const char *slash = strrchr(in->name, '/'), *name = slash ? slash + 1 : in->name;
  bez_cursor c = whole;
  bez_proto_field f;
  bool saved = false;
  if (!strcmp(name, "fingerprint.pb") && is_fingerprint(whole)) return FINGERPRINT;
  while (bez_proto_next(&c, &f))
    saved |= bez_proto_is(&f, META_GRAPHS, BEZ_PROTO_BYTES) && is_meta(bez_proto_inside(&f));
  if (c.pos < c.len) return !strcmp(name, "saved_model.pb") && in->len ? SAVED_MODEL : NOTHING;
  if (saved) return SAVED_MODEL;
  if (is_graph(whole)) return GRAPH_ALONE;
  return is_meta(whole) ? META_GRAPH_ALONE : NOTHING;
}

static int sniff(const bez_model_input *in) {
  return kind_of(in) == NOTHING ? 0 : 80;
}

static void read_tensorflow(const bez_model_input *in, struct bez_model_out *out) {
  bez_tf tf = {.in = in, .out = out};
  const bez_cursor whole = {.data = in->bytes, .len = in->len};
  switch (kind_of(in)) {
    case SAVED_MODEL: read_saved(&tf, whole); break;
    case META_GRAPH_ALONE: read_meta(&tf, whole); break;
    case GRAPH_ALONE: read_graph(&tf, whole); break;
    case FINGERPRINT:
    case NOTHING: break;
  }
  bez_name_set_free(&tf.functions);
}

const bez_model_reader bez_model_reader_tensorflow = {
    .name = "tensorflow",
    .title = "TensorFlow graph",
    .summary = "Saved models, frozen graphs and .meta files: operators of every graph and function that call Python, "
               "reach files or are not TensorFlow's own; constants, assets, Keras's metadata.",
    .sniff = sniff,
    .read = read_tensorflow};
