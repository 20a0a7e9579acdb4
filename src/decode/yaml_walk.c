/* YAML as a stream of values (yaml_walk.h). */
#include "decode/yaml_walk.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/limits.h"

#define ANCHORS 256u
#define MOST_TEXT (16u << 20) /* bytes of keys and anchored scalars */

typedef struct level {
  bool map, value; /* value: a key stands before what comes */
  const char *key;
} level;

typedef struct walker {
  void (*on_value)(void *ctx, const bez_yaml_event *e);
  void *ctx;
  bez_arena arena;
  level levels[BEZ_YAML_DEPTH + 1];
  unsigned depth;
  struct {
    const char *name, *text;
  } anchors[ANCHORS];
  unsigned n_anchors;
  const char *why;
} walker;

static const char *keep(walker *w, const char *text) {
  const char *copy = w->arena.total < MOST_TEXT ? bez_arena_strdup(&w->arena, text) : NULL;
  if (!copy) w->why = "it holds too much text";
  return copy ? copy : "";
}

static void tell(walker *w, const char *text, const char *tag, size_t at) {
  const bez_yaml_event e = {
      .key = w->depth ? w->levels[w->depth].key : "", .depth = w->depth, .text = text, .tag = tag, .at = at};
  w->on_value(w->ctx, &e);
}

/* A scalar, or what an alias stands for: a key, or a value under one. */
static void scalar(walker *w, const char *text, const char *tag, size_t at) {
  level *l = &w->levels[w->depth];
  if (w->depth && l->map && !l->value) {
    l->key = keep(w, text);
    l->value = true;
    if (tag) tell(w, text, tag, at);
    return;
  }
  tell(w, text, tag, at);
  l->value = false;
}

static void anchor(walker *w, const char *name, const char *text) {
  if (!name) return;
  if (w->n_anchors == ANCHORS) {
    w->why = "it has too many anchors";
    return;
  }
  w->anchors[w->n_anchors].name = keep(w, name);
  w->anchors[w->n_anchors++].text = keep(w, text);
}

static void alias(walker *w, const char *name, size_t at) {
  for (unsigned i = w->n_anchors; i-- > 0;)
    if (!strcmp(w->anchors[i].name, name)) return scalar(w, w->anchors[i].text, NULL, at);
  scalar(w, "", NULL, at); /* a collection, which was seen where it stands */
}

static void begin(walker *w, bool map, const char *tag, size_t at) {
  level *outer = &w->levels[w->depth];
  const char *key = w->depth && outer->key ? outer->key : "";
  tell(w, NULL, tag, at);
  if (w->depth && outer->map) outer->value = !outer->value; /* as a key it is odd, and without a name */
  if (w->depth == BEZ_YAML_DEPTH) {
    w->why = "it is nested too deep";
    return;
  }
  w->levels[++w->depth] = (level){.map = map, .key = map ? "" : key};
}

static void take(walker *w, const yaml_event_t *e) {
  const size_t at = e->start_mark.index;
  switch (e->type) {
    case YAML_SCALAR_EVENT:
      anchor(w, (const char *)e->data.scalar.anchor, (const char *)e->data.scalar.value);
      scalar(w, (const char *)e->data.scalar.value, (const char *)e->data.scalar.tag, at);
      return;
    case YAML_ALIAS_EVENT: alias(w, (const char *)e->data.alias.anchor, at); return;
    case YAML_SEQUENCE_START_EVENT: begin(w, false, (const char *)e->data.sequence_start.tag, at); return;
    case YAML_MAPPING_START_EVENT: begin(w, true, (const char *)e->data.mapping_start.tag, at); return;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      if (w->depth) w->depth--;
      return;
    default: return;
  }
}

const char *bez_yaml_walk(const char *bytes, size_t len, void (*on_value)(void *ctx, const bez_yaml_event *e),
                          void *ctx, size_t *where) {
  yaml_parser_t parser;
  walker *w = calloc(1, sizeof *w);
  *where = 0;
  if (len > BEZ_MAX_YAML_BYTES) {
    free(w);
    return "it is larger than 4 MiB";
  }
  if (!w || !yaml_parser_initialize(&parser)) {
    free(w);
    return "memory is out";
  }
  w->on_value = on_value;
  w->ctx = ctx;
  w->levels[0].key = "";
  yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, len);
  for (bool done = false; !done && !w->why;) {
    yaml_event_t e;
    if (!yaml_parser_parse(&parser, &e)) {
      w->why = "it is malformed";
      *where = parser.problem_mark.index;
      break;
    }
    *where = e.start_mark.index;
    take(w, &e);
    done = e.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&e);
  }
  const char *why = w->why;
  yaml_parser_delete(&parser);
  bez_arena_free(&w->arena);
  free(w);
  return why;
}
