/* Arrow schemas: format strings to types, structs to paths (arrow.h). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/arrow.h"

static const struct {
  const char *format;
  bez_arrow_type type;
} plain[] = {
    {"n", {.kind = BEZ_ARROW_NULL}},
    {"b", {.kind = BEZ_ARROW_BOOL}},
    {"c", {.kind = BEZ_ARROW_INT, .size = 1}},
    {"C", {.kind = BEZ_ARROW_UINT, .size = 1}},
    {"s", {.kind = BEZ_ARROW_INT, .size = 2}},
    {"S", {.kind = BEZ_ARROW_UINT, .size = 2}},
    {"i", {.kind = BEZ_ARROW_INT, .size = 4}},
    {"I", {.kind = BEZ_ARROW_UINT, .size = 4}},
    {"l", {.kind = BEZ_ARROW_INT, .size = 8}},
    {"L", {.kind = BEZ_ARROW_UINT, .size = 8}},
    {"e", {.kind = BEZ_ARROW_FLOAT, .size = 2}},
    {"f", {.kind = BEZ_ARROW_FLOAT, .size = 4}},
    {"g", {.kind = BEZ_ARROW_FLOAT, .size = 8}},
    {"u", {.kind = BEZ_ARROW_STRING, .size = 4}},
    {"U", {.kind = BEZ_ARROW_STRING, .size = 8}},
    {"vu", {.kind = BEZ_ARROW_VIEW, .size = 16}},
    {"tdD", {.kind = BEZ_ARROW_DATE, .size = 4}},
    {"tdm", {.kind = BEZ_ARROW_DATE, .size = 8}},
    {"tts", {.kind = BEZ_ARROW_CLOCK, .size = 4, .per_second = 1}},
    {"ttm", {.kind = BEZ_ARROW_CLOCK, .size = 4, .per_second = 1000}},
    {"ttu", {.kind = BEZ_ARROW_CLOCK, .size = 8, .per_second = 1000000}},
    {"ttn", {.kind = BEZ_ARROW_CLOCK, .size = 8, .per_second = 1000000000}},
    {"tDs", {.kind = BEZ_ARROW_SPAN, .size = 8}},
    {"tDm", {.kind = BEZ_ARROW_SPAN, .size = 8}},
    {"tDu", {.kind = BEZ_ARROW_SPAN, .size = 8}},
    {"tDn", {.kind = BEZ_ARROW_SPAN, .size = 8}},
};

/* "tss:", "tsu:Europe/Berlin": the instant is in UTC and written so. */
static bool timestamp(const char *format, bez_arrow_type *out) {
  static const char units[] = "smun";
  static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
  if (strncmp(format, "ts", 2) != 0 || !format[2] || format[3] != ':') return false;
  const char *unit = strchr(units, format[2]);
  if (!unit) return false;
  *out = (bez_arrow_type){.kind = BEZ_ARROW_TIME, .size = 8, .per_second = per_second[unit - units]};
  return true;
}

/* "d:PRECISION,SCALE" or "d:PRECISION,SCALE,128". */
static bool decimal(const char *format, bez_arrow_type *out) {
  if (strncmp(format, "d:", 2) != 0) return false;
  char *end;
  long precision = strtol(format + 2, &end, 10);
  if (*end != ',' || precision < 1 || precision > 38) return false;
  long scale = strtol(end + 1, &end, 10);
  if (scale < 0 || scale > 38 || (*end && strcmp(end, ",128") != 0)) return false;
  *out = (bez_arrow_type){.kind = BEZ_ARROW_DECIMAL, .size = 16, .scale = (int)scale};
  return true;
}

bool bez_arrow_parse(const char *format, bez_arrow_type *out) {
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (strcmp(format, plain[i].format) == 0) {
      *out = plain[i].type;
      return true;
    }
  return timestamp(format, out) || decimal(format, out);
}

static const char *kind_of_refused(const char *format) {
  switch (format[0]) {
    case 'z':
    case 'Z':
    case 'w': return "binary";
    case '+': return format[1] == 'm' ? "map" : format[1] == 'u' ? "union" : format[1] == 'r' ? "run-end" : "list";
    case 'd': return "decimal";
    case 't': return "interval";
    default: return format[0] == 'v' ? "binary view" : "unknown";
  }
}

static bez_status put_leaf(const bez_arrow_leaf *leaf, bez_arrow_leaves *out, bez_error *err) {
  if (out->n == BEZ_MAX_COLUMNS) return bez_fail(err, BEZ_LIMIT, NULL, "more than %u columns", BEZ_MAX_COLUMNS);
  if (out->n == out->cap) {
    uint32_t cap = out->cap ? out->cap * 2 : 32;
    bez_arrow_leaf *items = realloc(out->items, cap * sizeof *items);
    if (!items) return bez_fail_memory(err, cap * sizeof *items);
    out->items = items;
    out->cap = cap;
  }
  out->items[out->n++] = *leaf;
  return BEZ_OK;
}

static bez_status add_leaf(const struct ArrowSchema *schema, const bez_builder *builder, const bez_arrow_leaf *way,
                           bez_arrow_leaves *out, bez_error *err) {
  bez_arrow_leaf leaf = *way;
  if (builder && !bez_builder_wants(builder, leaf.name, strlen(leaf.name))) {
    leaf.type = (bez_arrow_type){.kind = BEZ_ARROW_NULL};
    return put_leaf(&leaf, out, err);
  }
  const char *format = schema->format ? schema->format : "";
  if (schema->dictionary) {
    leaf.coded = true;
    if (!bez_arrow_parse(format, &leaf.index) ||
        (leaf.index.kind != BEZ_ARROW_INT && leaf.index.kind != BEZ_ARROW_UINT))
      return bez_fail(err, BEZ_FORMAT, leaf.name, "Arrow dictionary indices of type \"%.40s\"", format);
    format = schema->dictionary->format ? schema->dictionary->format : "";
  }
  if (!bez_arrow_parse(format, &leaf.type) || (schema->dictionary && schema->dictionary->dictionary))
    return bez_fail(err, BEZ_UNSUPPORTED, leaf.name,
                    "a column of Arrow type \"%.40s\" (%s) is not read: leave it out or turn it into text", format,
                    kind_of_refused(format));
  return put_leaf(&leaf, out, err);
}

static bez_status walk(const struct ArrowSchema *schema, const bez_builder *builder, const bez_arrow_leaf *way,
                       bez_arena *arena, bez_arrow_leaves *out, bez_error *err) {
  if (!schema->format || strcmp(schema->format, "+s") != 0) return add_leaf(schema, builder, way, out, err);
  if (way->depth == BEZ_ARROW_DEPTH)
    return bez_fail(err, BEZ_LIMIT, way->name, "structs nested more than %u deep", BEZ_ARROW_DEPTH);
  if (schema->n_children < 0 || schema->n_children > BEZ_MAX_COLUMNS)
    return bez_fail(err, BEZ_LIMIT, way->name, "more than %u columns", BEZ_MAX_COLUMNS);
  for (int64_t i = 0; i < schema->n_children; i++) {
    const struct ArrowSchema *child = schema->children ? schema->children[i] : NULL;
    if (!child) return bez_fail(err, BEZ_FORMAT, way->name, "an Arrow schema lacks a child");
    bez_arrow_leaf next = *way;
    const char *name = child->name ? child->name : "";
    next.step[next.depth++] = (uint32_t)i;
    next.name = way->depth == 0 ? bez_arena_strdup(arena, name) : bez_arena_printf(arena, "%s.%s", way->name, name);
    if (!next.name) return bez_fail_memory(err, strlen(name) + 1);
    bez_status st = walk(child, builder, &next, arena, out, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

bez_status bez_arrow_columns(const struct ArrowSchema *schema, const bez_builder *builder, bez_arena *arena,
                             bez_arrow_leaves *out, bez_error *err) {
  bez_arrow_leaf top = {.name = schema->name && *schema->name ? schema->name : "value"};
  top.name = bez_arena_strdup(arena, top.name);
  if (!top.name) return bez_fail_memory(err, 1);
  bez_status st = walk(schema, builder, &top, arena, out, err);
  if (st == BEZ_OK && out->n == 0) return bez_fail(err, BEZ_FORMAT, NULL, "the Arrow schema has no columns");
  return st;
}
