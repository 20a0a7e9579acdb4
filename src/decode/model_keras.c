/* What the configuration of a Keras model names: modules, classes, functions and files. Keras follows it without asking
 * (CVE-2024-3660, CVE-2025-1550, -8747, -9905, -12058, -49655): what is no layer of Keras itself is put down. */
#include "decode/model_keras.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/limits.h"
#include "decode/outside.h"

#define MOST_PLACES 256u /* findings whose place is looked for in the text */

typedef struct keras {
  const bez_model_input *in;
  struct bez_model_out *out;
  const uint8_t *text;
  size_t len;
  unsigned places;
  bool revived;
} keras;

static const char *const functions[] = {
#define BEZ_KERAS_FUNCTIONS(words) words,
#define BEZ_KERAS_UNSAFE(words)
#include "decode/keras_names.def"
#undef BEZ_KERAS_FUNCTIONS
#undef BEZ_KERAS_UNSAFE
};
static const char *const unsafe[] = {
#define BEZ_KERAS_FUNCTIONS(words)
#define BEZ_KERAS_UNSAFE(words) words,
#include "decode/keras_names.def"
#undef BEZ_KERAS_FUNCTIONS
#undef BEZ_KERAS_UNSAFE
};

static bool has_word(const char *const *lists, size_t n, const char *word) {
  const size_t len = strlen(word);
  for (size_t i = 0; i < n; i++)
    for (const char *p = lists[i]; len && (p = strstr(p, word)); p += len)
      if ((p == lists[i] || p[-1] == ' ') && (p[len] == ' ' || !p[len])) return true;
  return false;
}

/* Where a string stands in the text: its first mention. */
static uint64_t place(keras *k, const char *what) {
  const uint8_t *from = k->places++ < MOST_PLACES ? memmem(k->text, k->len, what, strlen(what)) : NULL;
  return (uint64_t)((from ? from : k->text) - k->in->bytes);
}

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static bool begins(const char *text, const char *with) {
  return strncmp(text, with, strlen(with)) == 0;
}

/* Packages that Keras itself looks into, and names under which it has been shipped. */
static bool is_keras(const char *module) {
  static const char *const packages[] = {
      "keras",    "keras_hub", "keras_cv",         "keras_nlp",    "keras_core",
      "keras_rs", "tf_keras",  "tensorflow.keras", "keras_engine", "tensorflow.python.keras"};
  for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
    const size_t n = strlen(packages[i]);
    if (!strncmp(module, packages[i], n) && (!module[n] || module[n] == '.')) return true;
  }
  return false;
}

static void say(keras *k, const char *kind, const char *module, const char *name, const char *sentence) {
  char what[256];
  if (k->revived && !strcmp(kind, "keras-custom-object")) return;
  snprintf(what, sizeof what, "%.120s%s%.120s", module, *module ? "." : "", name);
  bez_model_code(k->out, k->in->part, place(k, name), kind, what, "%s %s", what, sentence);
}

/* ---- files --------------------------------------------------------------------------------------------------------
 */

static void judge_file(keras *k, const char *class_name, const char *path) {
  char role[160];
  snprintf(role, sizeof role, "a file that layer %.80s opens", class_name);
  const uint64_t at = place(k, path);
  if (*path && !bez_model_outside(k->out, k->in->part, at, path, strlen(path), role))
    bez_model_code(k->out, k->in->part, at, "keras-file", path, "layer %.80s opens file \"%.120s\" when it is loaded",
                   class_name, path);
}

/* Layers that open files by a path in their configuration. */
static void judge_paths(keras *k, const char *class_name, const json_t *config) {
  static const char *const keys[] = {"vocabulary", "filepath", "idf_weights", "vocabulary_file", "merges", "proto"};
  const bool opens = strstr(class_name, "Lookup") || strstr(class_name, "Vectorization") ||
                     strstr(class_name, "Tokenizer") || strstr(class_name, "TFSMLayer");
  for (size_t i = 0; opens && i < sizeof keys / sizeof *keys; i++) {
    const char *path = text_of(config, keys[i]);
    if (path && strlen(path) < 1024) judge_file(k, class_name, path);
  }
}

/* ---- classes and functions ----------------------------------------------------------------------------------------
 */

/* Python's own classes that Keras writes; the rest of tf's specifications. */
static bool is_own(const char *module, const char *name) {
  static const char *const special[] = {"__tensor__",       "__numpy__", "__bytes__",   "__ellipsis__", "__slice__",
                                        "__keras_tensor__", "slice",     "TensorShape", "DType",        "Ellipsis"};
  for (size_t i = 0; i < sizeof special / sizeof *special; i++)
    if (!strcmp(name, special[i])) return true;
  return !strcmp(name, "__typespec__") && begins(module, "tensorflow.python.");
}

static void judge_function(keras *k, const char *module, const char *name) {
  const bool own = is_keras(module) || !*module || !strcmp(module, "builtins");
  if (has_word(unsafe, sizeof unsafe / sizeof *unsafe, name) && own)
    say(k, "keras-unsafe-function", module, name,
        "is no function of a model: it reaches files, other models or settings");
  else if (!own && strcmp(module, "__main__") != 0)
    say(k, "keras-foreign-module", module, name, "is a function of a module that loading the model imports");
  else if (!is_keras(module) && !has_word(functions, sizeof functions / sizeof *functions, name))
    say(k, "keras-custom-object", "", name, "is a function that the model's publisher must supply");
}

static void judge_class(keras *k, const char *module, const char *name, const char *registered) {
  const bool computes = !*module || is_keras(module);
  const char *mark = registered ? strchr(registered, '>') : strchr(name, '>');
  char package[80] = "";
  if (registered && mark && (size_t)(mark - registered) < sizeof package)
    memcpy(package, registered, (size_t)(mark - registered));
  if (is_own(module, name)) return;
  if (*module && islower((unsigned char)*name) && is_keras(module))
    judge_function(k, module, name);
  else if (!computes && strcmp(module, "__main__") != 0)
    say(k, "keras-foreign-module", module, name, "is a class of a module that loading the model imports");
  else if (!computes || (mark && !is_keras(package)))
    say(k, "keras-custom-object", "", mark && registered ? registered : name,
        "is a class that the model's publisher must supply");
}

static void judge_lambda(keras *k, const json_t *config) {
  const json_t *function = json_object_get(config, "function");
  const char *type = text_of(config, "function_type"), *name = json_string_value(function);
  if (json_is_array(function) || (type && !strcmp(type, "lambda")))
    bez_model_code(k->out, k->in->part, place(k, "Lambda"), "keras-lambda", "Lambda",
                   "a Lambda layer holds Python bytecode");
  else if (name)
    say(k, "keras-custom-object", "", name, "is a function, called by a Lambda layer, that must be supplied");
}

/* A module of PyTorch as base64, saved by torch.save: examined like any such file. */
static void judge_torch(keras *k, const char *name, const char *text) {
  const uint64_t at = place(k, name);
  const size_t len = text ? strlen(text) : 0;
  size_t size = 0;
  bez_model_code(k->out, k->in->part, at, "keras-torch-module", name,
                 "%s holds a pickled PyTorch module that is unpickled when the model is loaded", name);
  if (!len || !bez_base64_size(text, len, &size) || !size || !bez_model_may_unpack(k->out, k->in->part, size)) return;
  uint8_t *bytes = malloc(size);
  if (bytes && bez_base64_get(text, len, bytes, size))
    (void)bez_model_examine(k->out, k->in->part, k->in->depth + 1, name, at, bytes, size);
  else
    bez_model_unread(k->out, k->in->part, "the PyTorch module in it cannot be read");
  free(bytes);
}

/* An object that names a class. */
static void judge(keras *k, const json_t *object, const char *name) {
  const json_t *config = json_object_get(object, "config");
  const char *module = text_of(object, "module"), *registered = text_of(object, "registered_name");
  const char *spec = text_of(object, "spec_name");
  if (!module) module = "";
  if (!strcmp(name, "__lambda__"))
    bez_model_code(k->out, k->in->part, place(k, name), "keras-lambda", name, "a function is held as Python bytecode");
  else if (!strcmp(name, "function") && json_is_string(config))
    judge_function(k, module, json_string_value(config));
  else
    judge_class(k, module, !strcmp(name, "__typespec__") && spec && !begins(module, "tensorflow.") ? spec : name,
                registered);
  if (!strcmp(name, "Lambda")) judge_lambda(k, config);
  if (!strcmp(name, "TorchModuleWrapper")) judge_torch(k, name, text_of(config, "module"));
  judge_paths(k, name, config);
}

static void walk(keras *k, const json_t *value, unsigned depth) {
  const char *name = text_of(value, "class_name"), *key;
  size_t i;
  json_t *item;
  if (depth > BEZ_MAX_JSON_DEPTH) {
    bez_model_unread(k->out, k->in->part, "a configuration nested deeper than %u", BEZ_MAX_JSON_DEPTH);
    return;
  }
  if (name) judge(k, value, name);
  if (json_is_object(value)) {
    json_object_foreach((json_t *)value, key, item) walk(k, item, depth + 1);
  } else {
    json_array_foreach(value, i, item) walk(k, item, depth + 1);
  }
}

void bez_keras_examine(const bez_model_input *in, struct bez_model_out *out, json_t *config, const uint8_t *text,
                       size_t len, bool revived) {
  keras k = {.in = in, .out = out, .text = text, .len = len, .revived = revived};
  const char *name = text_of(config, "class_name");
  if (name && !revived) bez_model_says(out, in->part, "architecture", name, strlen(name));
  walk(&k, config, 0);
}
