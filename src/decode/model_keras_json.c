/* config.json and metadata.json of .keras files, and what model.to_json() writes: JSON documents that Keras reads. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "decode/model_keras.h"

#define MOST_BYTES (5u << 20) /* of a configuration: as objects it may take fifty times as much memory */

static const char *file_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static void skip_mark(const uint8_t **text, size_t *len) {
  if (*len >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) *text += 3, *len -= 3;
}

json_t *bez_keras_parse(const bez_model_input *in, struct bez_model_out *out, const uint8_t *text, size_t len,
                        const char *role) {
  json_error_t where;
  skip_mark(&text, &len);
  if (len > MOST_BYTES) {
    bez_model_unread(out, in->part, "%s is larger than %u MiB", role, MOST_BYTES >> 20);
    return NULL;
  }
  json_t *doc = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, &where);
  if (doc) return doc;
  doc = json_loadb((const char *)text, len, 0, &where);
  if (doc)
    bez_model_odd(out, in->part, (uint64_t)(text - in->bytes), "duplicate-key",
                  "%s has a key twice: readers may take one or the other", role);
  else
    bez_model_unread(out, in->part, "%s is no JSON in UTF-8: %s", role, where.text);
  return doc;
}

static bool names_a_class(const json_t *value) {
  const char *key;
  size_t i;
  json_t *item;
  if (json_object_get(value, "class_name")) return true;
  json_object_foreach((json_t *)value, key, item) {
    if (names_a_class(item)) return true;
  }
  json_array_foreach(value, i, item) {
    if (names_a_class(item)) return true;
  }
  return false;
}

static bool is_configuration(const bez_model_input *in) {
  return in->depth && !strcmp(file_name(in->name), "config.json");
}

/* By keys, where it is JSON; escapes and all, as Python reads them. In an archive the name alone decides what Keras
 * takes for the configuration. */
static int kind_of(const bez_model_input *in, const uint8_t *text, size_t len) {
  json_error_t where;
  json_t *doc = json_loadb((const char *)text, len, 0, &where);
  int sure = 0;
  if (!doc && is_configuration(in) && memmem(text, len, "class_name", 10)) sure = 40;
  if (is_configuration(in) && names_a_class(doc)) sure = 80;
  if (json_is_string(json_object_get(doc, "class_name")) && json_object_get(doc, "config")) sure = 80;
  if (json_is_string(json_object_get(doc, "keras_version"))) sure = 80;
  json_decref(doc);
  return sure;
}

/* Cheap looks first: most bytes are no JSON. */
static int sniff(const bez_model_input *in) {
  static const char *const words[] = {"\"class_name\"", "\"keras_version\"", "\\u00"};
  const uint8_t *text = in->bytes;
  size_t len = in->len, i = 0;
  if (!len) return 0;
  if (len > MOST_BYTES) return is_configuration(in) ? 30 : 0;
  if (is_configuration(in) && memchr(text, 0, len)) return 40; /* UTF-16 or 32, which Python reads as well */
  skip_mark(&text, &len);
  while (i < len && i < 4096 && text[i] && strchr(" \t\r\n", text[i])) i++;
  if (i == len || (text[i] != '{' && text[i] != '[')) return 0;
  for (i = 0; i < sizeof words / sizeof *words; i++)
    if (memmem(text, len, words[i], strlen(words[i]))) return kind_of(in, text, len);
  return 0;
}

static void read_keras(const bez_model_input *in, struct bez_model_out *out) {
  char library[80];
  json_t *doc = bez_keras_parse(in, out, in->bytes, in->len, "the configuration");
  if (!doc) return;
  const char *version = json_string_value(json_object_get(doc, "keras_version"));
  if (version) {
    int n = snprintf(library, sizeof library, "keras %.40s", version);
    bez_model_says(out, in->part, "library", library, n > 0 ? (size_t)n : 0);
  }
  bez_keras_examine(in, out, doc, in->bytes, in->len, false);
  json_decref(doc);
}

const bez_model_reader bez_model_reader_keras = {
    .name = "keras",
    .title = "Keras configuration",
    .summary = "Configurations of .keras files and of model.to_json(): Lambda layers, modules and classes that are not "
               "Keras's own, functions that reach files, paths. Weights within are read as HDF5.",
    .sniff = sniff,
    .read = read_keras};
