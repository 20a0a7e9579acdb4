/* Operators of TensorFlow that do more than compute: Python functions, files, network. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/model_savedmodel.h"

enum { ATTRIBUTE = 5, KEY = 1, VALUE = 2 };     /* NodeDef.attr, and its pairs */
enum { LIST = 1, STRING = 2, LIST_STRING = 2 }; /* AttrValue */

static const char *const known[] = {
#define BEZ_TF_OP(name) name,
#include "decode/tf_ops.def"
#undef BEZ_TF_OP
};

typedef struct effect {
  const char *op, *kind, *does;
} effect;

static const effect effects[] = {
    {"PyFunc", "savedmodel-python", "calls a Python function"},
    {"PyFuncStateless", "savedmodel-python", "calls a Python function"},
    {"EagerPyFunc", "savedmodel-python", "calls a Python function"},
    {"ReadFile", "savedmodel-file", "reads any file"},
    {"WriteFile", "savedmodel-file", "writes any file"},
    {"ImmutableConst", "savedmodel-file", "maps a file as its value"},
    {"MatchingFiles", "savedmodel-file", "lists files"},
    {"WholeFileReader", "savedmodel-file", "reads whole files"},
    {"WholeFileReaderV2", "savedmodel-file", "reads whole files"},
    {"SqlDataset", "savedmodel-file", "opens a database"},
    {"ExperimentalSqlDataset", "savedmodel-file", "opens a database"},
    {"SaveDataset", "savedmodel-file", "writes files"},
    {"SaveDatasetV2", "savedmodel-file", "writes files"},
    {"DistributedSave", "savedmodel-file", "writes files"},
    {"DumpTensor", "savedmodel-file", "writes files"},
    {"CreateSummaryDbWriter", "savedmodel-file", "writes a database"},
    {"CreateSummaryFileWriter", "savedmodel-file", "writes files"},
    {"FileSystemSetConfiguration", "savedmodel-file", "changes how files are reached"},
    {"RemoteFusedGraphExecute", "savedmodel-file", "runs a graph elsewhere"},
    {"DataServiceDataset", "savedmodel-data", "connects to a data service"},
    {"DataServiceDatasetV2", "savedmodel-data", "connects to a data service"},
    {"DataServiceDatasetV3", "savedmodel-data", "connects to a data service"},
    {"DataServiceDatasetV4", "savedmodel-data", "connects to a data service"},
    {"RegisterDataset", "savedmodel-data", "connects to a data service"},
    {"RegisterDatasetV2", "savedmodel-data", "connects to a data service"},
    {"TextLineDataset", "savedmodel-data", "reads files as data"},
    {"TFRecordDataset", "savedmodel-data", "reads files as data"},
    {"TFRecordDatasetV2", "savedmodel-data", "reads files as data"},
    {"FixedLengthRecordDataset", "savedmodel-data", "reads files as data"},
    {"FixedLengthRecordDatasetV2", "savedmodel-data", "reads files as data"},
    {"CSVDataset", "savedmodel-data", "reads files as data"},
    {"CSVDatasetV2", "savedmodel-data", "reads files as data"},
    {"ExperimentalCSVDataset", "savedmodel-data", "reads files as data"},
    {"MatchingFilesDataset", "savedmodel-data", "lists files"},
    {"ExperimentalMatchingFilesDataset", "savedmodel-data", "lists files"},
    {"LMDBDataset", "savedmodel-data", "opens a database"},
    {"ExperimentalLMDBDataset", "savedmodel-data", "opens a database"},
    {"LMDBReader", "savedmodel-data", "opens a database"},
    {"LoadDataset", "savedmodel-data", "reads files as data"},
    {"SnapshotDataset", "savedmodel-data", "reads and writes files as data"},
    {"SnapshotDatasetV2", "savedmodel-data", "reads and writes files as data"},
    {"LoadAndRemapMatrix", "savedmodel-data", "reads a checkpoint"},
};

/* The attribute of that name of a node. */
static bool attribute(bez_cursor node, const char *name, bez_cursor *value) {
  bez_proto_field f, part;
  while (bez_proto_next(&node, &f)) {
    if (!bez_proto_is(&f, ATTRIBUTE, BEZ_PROTO_BYTES)) continue;
    const bez_cursor pair = bez_proto_inside(&f);
    if (!bez_proto_find(pair, KEY, &part) || !bez_proto_equals(&part, name)) continue;
    if (!bez_proto_find(pair, VALUE, &part)) continue;
    *value = bez_proto_inside(&part);
    return true;
  }
  return false;
}

static void say(const bez_tf *tf, uint64_t at, const char *kind, const char *op, const char *does) {
  bez_model_code(tf->out, tf->in->part, at, kind, op, "operator %s %s when the model runs", op, does);
}

/* Operators that reach files only if an attribute says so. */
static void judge_attributes(const bez_tf *tf, uint64_t at, const char *op, bez_cursor node) {
  bez_cursor value;
  bez_proto_field f, item;
  char text[120], does[160];
  if (!strcmp(op, "PrintV2") && attribute(node, "output_stream", &value) && bez_proto_find(value, STRING, &f) &&
      f.len > 7 && memcmp(f.bytes, "file://", 7) == 0) {
    snprintf(does, sizeof does, "writes to %s", bez_proto_text(&f, text, sizeof text));
    say(tf, at, "savedmodel-file", op, does);
  }
  if (!strncmp(op, "Debug", 5) && attribute(node, "debug_urls", &value) && bez_proto_find(value, LIST, &f) &&
      bez_proto_find(bez_proto_inside(&f), LIST_STRING, &item)) {
    snprintf(does, sizeof does, "sends tensors to %s", bez_proto_text(&item, text, sizeof text));
    say(tf, at, "savedmodel-file", op, does);
  }
  if (strstr(op, "codeProtoV2") && attribute(node, "descriptor_source", &value) && bez_proto_find(value, STRING, &f) &&
      f.len && memcmp(f.bytes, "local://", f.len < 8 ? f.len : 8) != 0 &&
      memcmp(f.bytes, "bytes://", f.len < 8 ? f.len : 8) != 0) {
    snprintf(does, sizeof does, "reads %s", bez_proto_text(&f, text, sizeof text));
    say(tf, at, "savedmodel-file", op, does);
  }
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool bez_tf_effect(const bez_tf *tf, uint64_t at, const char *op) {
  for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
    if (strcmp(effects[i].op, op) != 0) continue;
    say(tf, at, effects[i].kind, op, effects[i].does);
    return true;
  }
  return false;
}

void bez_tf_operator(const bez_tf *tf, uint64_t at, const char *op, bez_cursor node) {
  if (bez_tf_effect(tf, at, op)) return;
  judge_attributes(tf, at, op, node);
  if (!bsearch(&op, known, sizeof known / sizeof *known, sizeof *known, by_name) &&
      !bez_name_set_has(&tf->functions, op))
    bez_model_code(tf->out, tf->in->part, at, "savedmodel-unknown-op", op,
                   "operator %s is none of TensorFlow's: it comes from a library that has to be loaded", op);
}
