/* YAML in: configuration and suppression files as a small tree that remembers lines. libyaml behind our ceilings.
 *
 * A strict subset on purpose: one document, block or flow collections, scalars kept as the text that stands there
 * (no implicit typing: `no` is the word "no"; the consumer decides what a scalar means). Anchors, aliases, explicit
 * tags, merge keys, duplicate keys and keys that are no scalars are refused; size and depth have ceilings
 * (base/limits.h). YAML 1.1, https://yaml.org/spec/1.1/. */
#ifndef BEZ_BASE_YAML_H
#define BEZ_BASE_YAML_H

#include "base/arena.h"
#include "bezoar/base.h"

typedef enum bez_yaml_kind { BEZ_YAML_NULL, BEZ_YAML_SCALAR, BEZ_YAML_LIST, BEZ_YAML_MAP } bez_yaml_kind;

/* Everything lives in the arena given to the parser. */
typedef struct bez_yaml {
  bez_yaml_kind kind;
  int64_t line;     /* 1-based */
  const char *text; /* SCALAR: NUL-terminated UTF-8 without NUL inside */
  size_t n_items;   /* LIST, MAP */
  const struct bez_yaml **items;
  const char **keys;        /* MAP: n_items keys, in the order of the file */
  const int64_t *key_lines; /* MAP: 1-based line of each key */
} bez_yaml;

/* subject names the document in errors. An empty document gives a NULL node (kind BEZ_YAML_NULL). */
BEZ_MUST_USE bez_status bez_yaml_parse(const char *bytes, size_t len, const char *subject, bez_arena *arena,
                                       const bez_yaml **out, bez_error *err);
BEZ_MUST_USE bez_status bez_yaml_read_file(const char *path, bez_arena *arena, const bez_yaml **out, bez_error *err);

/* The value under a key of a map; NULL where there is none (or node is no map). */
const bez_yaml *bez_yaml_get(const bez_yaml *node, const char *key);

#endif
