/* YAML through libyaml's event parser: recursion with a depth ceiling builds the tree. */
#include "base/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"

typedef struct reader {
  yaml_parser_t parser;
  const char *subject;
  bez_arena *arena;
  bez_error *err;
} reader;

/* A collection while it grows; its arrays move to the arena when it is complete. */
typedef struct growing {
  const bez_yaml **items;
  const char **keys;
  int64_t *lines;
  size_t n, cap;
} growing;

static bez_status read_node(reader *r, const yaml_event_t *event, unsigned depth, const bez_yaml **out);

static bez_status fail_syntax(reader *r) {
  int64_t line = (int64_t)r->parser.problem_mark.line + 1;
  if (r->parser.error == YAML_MEMORY_ERROR) return bez_fail_memory(r->err, 0);
  const char *problem = r->parser.problem ? r->parser.problem : "malformed YAML";
  return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line, (int64_t)r->parser.problem_mark.index, "%s", problem);
}

static int64_t line_of(const yaml_event_t *event) {
  return (int64_t)event->start_mark.line + 1;
}

static bez_status next_event(reader *r, yaml_event_t *event) {
  return yaml_parser_parse(&r->parser, event) ? BEZ_OK : fail_syntax(r);
}

/* Anchors and tags could make one document mean more than what stands there. */
static bez_status refuse_extras(reader *r, const yaml_event_t *event) {
  const yaml_char_t *anchor = NULL, *tag = NULL;
  switch (event->type) {
    case YAML_SCALAR_EVENT: anchor = event->data.scalar.anchor, tag = event->data.scalar.tag; break;
    case YAML_SEQUENCE_START_EVENT:
      anchor = event->data.sequence_start.anchor, tag = event->data.sequence_start.tag;
      break;
    case YAML_MAPPING_START_EVENT:
      anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
      break;
    case YAML_ALIAS_EVENT:
      return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line_of(event), -1, "aliases (*name) are refused");
    default: break;
  }
  if (anchor) return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line_of(event), -1, "anchors (&name) are refused");
  if (tag) return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line_of(event), -1, "tags (!name) are refused");
  return BEZ_OK;
}

static bez_status copy_scalar(reader *r, const yaml_event_t *event, const char **out) {
  const char *text = (const char *)event->data.scalar.value;
  size_t len = event->data.scalar.length;
  if (memchr(text, 0, len))
    return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line_of(event), -1, "a scalar holds a NUL character");
  *out = bez_arena_strndup(r->arena, text, len);
  return *out ? BEZ_OK : bez_fail_memory(r->err, len + 1);
}

static bool is_null(const yaml_event_t *event, const char *text) {
  if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  return !*text || !strcmp(text, "~") || !strcmp(text, "null");
}

static bez_status grow(reader *r, growing *g) {
  if (g->n < g->cap) return BEZ_OK;
  size_t cap = g->cap ? 2 * g->cap : 8;
  const bez_yaml **items = realloc(g->items, cap * sizeof *items);
  if (items) g->items = items;
  const char **keys = realloc(g->keys, cap * sizeof *keys);
  if (keys) g->keys = keys;
  int64_t *lines = realloc(g->lines, cap * sizeof *lines);
  if (lines) g->lines = lines;
  if (!items || !keys || !lines) return bez_fail_memory(r->err, cap * sizeof *items);
  g->cap = cap;
  return BEZ_OK;
}

static bez_status settle(reader *r, const growing *g, bool map, bez_yaml *node) {
  const bez_yaml **items = bez_arena_array(r->arena, g->n + 1, sizeof *items);
  const char **keys = map ? bez_arena_array(r->arena, g->n + 1, sizeof *keys) : NULL;
  int64_t *lines = map ? bez_arena_array(r->arena, g->n + 1, sizeof *lines) : NULL;
  if (!items || (map && (!keys || !lines))) return bez_fail_memory(r->err, g->n * sizeof *items);
  if (g->n) memcpy(items, g->items, g->n * sizeof *items);
  if (map && g->n) memcpy(keys, g->keys, g->n * sizeof *keys);
  if (map && g->n) memcpy(lines, g->lines, g->n * sizeof *lines);
  node->items = items;
  node->keys = keys;
  node->key_lines = lines;
  node->n_items = g->n;
  return BEZ_OK;
}

static int compare_keys(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorting keeps a file full of keys from costing quadratic time. */
static bez_status refuse_duplicates(reader *r, const growing *g) {
  if (g->n < 2) return BEZ_OK;
  const char **sorted = malloc(g->n * sizeof *sorted);
  if (!sorted) return bez_fail_memory(r->err, g->n * sizeof *sorted);
  memcpy(sorted, g->keys, g->n * sizeof *sorted);
  qsort(sorted, g->n, sizeof *sorted, compare_keys);
  const char *twice = NULL;
  for (size_t i = 1; i < g->n && !twice; i++)
    if (!strcmp(sorted[i - 1], sorted[i])) twice = sorted[i];
  free(sorted);
  if (!twice) return BEZ_OK;
  int64_t line = -1;
  for (size_t i = 0; i < g->n; i++)
    if (!strcmp(g->keys[i], twice)) line = g->lines[i];
  return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line, -1, "the key \"%s\" stands there twice", twice);
}

static bez_status read_key(reader *r, const yaml_event_t *event, growing *g) {
  bez_status st = refuse_extras(r, event);
  if (st != BEZ_OK) return st;
  if (event->type != YAML_SCALAR_EVENT)
    return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line_of(event), -1, "a key must be a scalar");
  g->lines[g->n] = line_of(event);
  st = copy_scalar(r, event, &g->keys[g->n]);
  if (st == BEZ_OK && !strcmp(g->keys[g->n], "<<"))
    return bez_fail_at(r->err, BEZ_FORMAT, r->subject, line_of(event), -1, "merge keys (<<) are refused");
  return st;
}

static bez_status read_collection(reader *r, bool map, unsigned depth, bez_yaml *node) {
  growing g = {0};
  yaml_event_t event = {0};
  bez_status st = BEZ_OK;
  for (;;) {
    BEZ_TRY(next_event(r, &event));
    if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT) break;
    BEZ_TRY(grow(r, &g));
    if (map) {
      BEZ_TRY(read_key(r, &event, &g));
      yaml_event_delete(&event);
      memset(&event, 0, sizeof event);
      BEZ_TRY(next_event(r, &event));
    }
    BEZ_TRY(read_node(r, &event, depth + 1, &g.items[g.n]));
    g.n++;
    yaml_event_delete(&event);
    memset(&event, 0, sizeof event);
  }
  if (map) BEZ_TRY(refuse_duplicates(r, &g));
  BEZ_TRY(settle(r, &g, map, node));
cleanup:
  yaml_event_delete(&event);
  free(g.items);
  free(g.keys);
  free(g.lines);
  return st;
}

static bez_status read_node(reader *r, const yaml_event_t *event, unsigned depth, const bez_yaml **out) {
  bez_status st = refuse_extras(r, event);
  if (st != BEZ_OK) return st;
  if (depth > BEZ_MAX_YAML_DEPTH)
    return bez_fail_at(r->err, BEZ_LIMIT, r->subject, line_of(event), -1, "nested deeper than %u levels",
                       BEZ_MAX_YAML_DEPTH);
  bez_yaml *node = bez_arena_alloc(r->arena, sizeof *node);
  if (!node) return bez_fail_memory(r->err, sizeof *node);
  node->line = line_of(event);
  *out = node;
  switch (event->type) {
    case YAML_SCALAR_EVENT:
      st = copy_scalar(r, event, &node->text);
      node->kind = st == BEZ_OK && is_null(event, node->text) ? BEZ_YAML_NULL : BEZ_YAML_SCALAR;
      return st;
    case YAML_SEQUENCE_START_EVENT: node->kind = BEZ_YAML_LIST; return read_collection(r, false, depth, node);
    case YAML_MAPPING_START_EVENT: node->kind = BEZ_YAML_MAP; return read_collection(r, true, depth, node);
    default: return bez_fail_at(r->err, BEZ_FORMAT, r->subject, node->line, -1, "unexpected YAML structure");
  }
}

/* Walks the stream: start, at most one document, end. */
static bez_status read_stream(reader *r, const bez_yaml **out) {
  yaml_event_t event = {0};
  bez_status st = BEZ_OK;
  unsigned documents = 0;
  for (bool done = false; !done;) {
    BEZ_TRY(next_event(r, &event));
    switch (event.type) {
      case YAML_STREAM_START_EVENT:
      case YAML_DOCUMENT_END_EVENT: break;
      case YAML_STREAM_END_EVENT: done = true; break;
      case YAML_DOCUMENT_START_EVENT:
        if (documents++)
          BEZ_TRY(bez_fail_at(r->err, BEZ_FORMAT, r->subject, line_of(&event), -1, "more than one document"));
        break;
      default: BEZ_TRY(read_node(r, &event, 1, out));
    }
    yaml_event_delete(&event);
    memset(&event, 0, sizeof event);
  }
cleanup:
  yaml_event_delete(&event);
  return st;
}

bez_status bez_yaml_parse(const char *bytes, size_t len, const char *subject, bez_arena *arena, const bez_yaml **out,
                          bez_error *err) {
  *out = NULL;
  if (len > BEZ_MAX_YAML_BYTES) return bez_fail(err, BEZ_LIMIT, subject, "larger than %u bytes", BEZ_MAX_YAML_BYTES);
  reader r = {.subject = subject, .arena = arena, .err = err};
  bez_yaml *empty = bez_arena_alloc(arena, sizeof *empty);
  if (!empty) return bez_fail_memory(err, sizeof *empty);
  empty->line = 1;
  if (!yaml_parser_initialize(&r.parser)) return bez_fail_memory(err, 0);
  yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, len);
  yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
  const bez_yaml *root = empty;
  bez_status st = read_stream(&r, &root);
  yaml_parser_delete(&r.parser);
  if (st == BEZ_OK) *out = root;
  return st;
}

bez_status bez_yaml_read_file(const char *path, bez_arena *arena, const bez_yaml **out, bez_error *err) {
  bez_buf buf = {0};
  *out = NULL;
  bez_status st = bez_file_read(path, BEZ_MAX_YAML_BYTES, &buf, err);
  if (st == BEZ_OK) st = bez_yaml_parse(buf.data ? buf.data : "", buf.len, path, arena, out, err);
  bez_buf_free(&buf);
  return st;
}

const bez_yaml *bez_yaml_get(const bez_yaml *node, const char *key) {
  if (!node || node->kind != BEZ_YAML_MAP) return NULL;
  for (size_t i = 0; i < node->n_items; i++)
    if (!strcmp(node->keys[i], key)) return node->items[i];
  return NULL;
}
