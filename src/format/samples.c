/* Grouping the members of an archive into samples (samples.h). */
#include "format/samples.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "format/image_wire.h"

#define MAX_LABEL_FILE (1u << 20)

typedef struct grouping {
  const bez_source *source;
  bez_builder *builder;
  bez_samples *out;
  bez_sample now;   /* the sample being put together */
  const char *key;  /* its name up to the first dot of its base name … */
  size_t key_len;   /* … and the length of that; 0: none yet */
  uint64_t *hashes; /* of all names and of all keys, to see what comes twice */
  size_t n_hashes, cap_hashes;
  uint64_t unsafe, odd;
  const char *first_unsafe, *first_odd, *why_odd;
} grouping;

size_t bez_sample_key(const char *name) {
  const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name, *dot = strchr(base, '.');
  return dot ? (size_t)(dot - name) : strlen(name);
}

static const char *extension(const char *name) {
  const char *dot = strrchr(name + bez_sample_key(name), '.');
  return dot ? dot + 1 : "";
}

static bez_status add_hash(grouping *g, const char *text, size_t len, uint64_t kind, bez_error *err) {
  if (g->n_hashes == g->cap_hashes) {
    size_t cap = g->cap_hashes ? g->cap_hashes * 2 : 1024;
    uint64_t *grown = realloc(g->hashes, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    g->hashes = grown;
    g->cap_hashes = cap;
  }
  g->hashes[g->n_hashes++] = bez_hash64(text, len, kind);
  return BEZ_OK;
}

static void odd(grouping *g, const char *name, const char *why) {
  if (!g->odd++) g->first_odd = name, g->why_odd = why;
}

/* The sample is complete. */
static bez_status finish(grouping *g, bez_error *err) {
  bez_samples *s = g->out;
  if (!g->key_len) return BEZ_OK;
  bez_status st = add_hash(g, g->key, g->key_len, 2, err);
  if (st != BEZ_OK) return st;
  if (!g->now.picture.name) {
    odd(g, g->key, "no picture");
    return BEZ_OK;
  }
  if (s->n == s->cap) {
    size_t cap = s->cap ? s->cap * 2 : 256;
    bez_sample *grown = realloc(s->items, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    s->items = grown;
    s->cap = cap;
  }
  s->items[s->n++] = g->now;
  s->any_label |= g->now.label.name != NULL;
  return BEZ_OK;
}

static bez_status sort_in(grouping *g, const bez_tar_entry *e, bez_error *err) {
  const char *ext = extension(e->name);
  uint8_t head[64];
  size_t got = 0;
  if (!strcasecmp(ext, "cls") || !strcasecmp(ext, "json")) {
    bool cls = !strcasecmp(ext, "cls"); /* it says nothing but the class: it wins */
    if (!g->now.label.name || cls) g->now.label = *e;
    return BEZ_OK;
  }
  bez_status st =
      bez_source_read(g->source, e->at, head, e->size < sizeof head ? (size_t)e->size : sizeof head, &got, err);
  if (st != BEZ_OK || bez_picture_sniff(head, got) == BEZ_PICTURE_NONE) return st;
  if (g->now.picture.name)
    odd(g, e->name, "several pictures; the first was taken");
  else
    g->now.picture = *e;
  return BEZ_OK;
}

static bez_status add(grouping *g, const bez_tar_entry *e, bez_error *err) {
  size_t n = bez_sample_key(e->name);
  if (bez_tar_unsafe(e->name) && !g->unsafe++) g->first_unsafe = e->name;
  bez_status st = add_hash(g, e->name, strlen(e->name), 1, err);
  if (st == BEZ_OK &&
      (n == 0 || e->name[n - 1] == '/')) { /* belongs to no sample, as programs that read these see it */
    odd(g, e->name, "a name that begins with a dot");
    return BEZ_OK;
  }
  if (st == BEZ_OK && (n != g->key_len || memcmp(e->name, g->key, n) != 0)) {
    st = finish(g, err);
    g->now = (bez_sample){0};
    g->key = e->name;
    g->key_len = n;
  }
  return st == BEZ_OK ? sort_in(g, e, err) : st;
}

static uint64_t count_twice(grouping *g) {
  uint64_t n = 0;
  if (g->n_hashes) qsort(g->hashes, g->n_hashes, sizeof *g->hashes, bez_compare_u64);
  for (size_t i = 1; i < g->n_hashes; i++) n += g->hashes[i] == g->hashes[i - 1];
  return n;
}

static void remark(grouping *g, const bez_tar *t, bez_arena *arena) {
  const char *path = g->source->path;
  uint64_t twice = count_twice(g);
  if (twice) bez_builder_remark(g->builder, "duplicate-member", path, twice, -1, "names or samples that come again");
  if (g->unsafe + t->others) {
    const char *example = g->unsafe ? g->first_unsafe : "links or devices";
    bez_builder_remark(g->builder, "unsafe-member", path, g->unsafe + t->others, -1, example);
  }
  if (g->odd) {
    const char *text = bez_arena_printf(arena, "%s: %s", g->first_odd, g->why_odd);
    bez_builder_remark(g->builder, "odd-sample", path, g->odd, -1, text ? text : g->why_odd);
  }
  if (t->trailing)
    bez_builder_remark(g->builder, "trailing-bytes", path, t->trailing, -1, "bytes behind the end of the archive");
  if (t->open_end) bez_builder_remark(g->builder, "open-end", path, 1, -1, "no closing blocks");
}

bez_status bez_samples_read(const bez_source *source, bez_arena *arena, bez_builder *builder, bez_samples *out,
                            bez_error *err) {
  bez_status st = BEZ_OK;
  grouping g = {.source = source, .builder = builder, .out = out};
  bez_tar tar = {.source = source, .arena = arena};
  bool end = false;
  for (;;) {
    bez_tar_entry e;
    BEZ_TRY(bez_tar_next(&tar, &e, &end, err));
    if (end) break;
    BEZ_TRY(add(&g, &e, err));
  }
  BEZ_TRY(finish(&g, err));
  remark(&g, &tar, arena);
cleanup:
  free(g.hashes);
  return st;
}

void bez_samples_free(bez_samples *s) {
  free(s->items);
  *s = (bez_samples){0};
}

/* A scalar of a JSON document as text. */
static const char *scalar(const json_t *value, bez_arena *arena) {
  if (json_is_string(value)) return bez_arena_strndup(arena, json_string_value(value), json_string_length(value));
  if (json_is_integer(value)) return bez_arena_printf(arena, "%lld", (long long)json_integer_value(value));
  if (json_is_true(value)) return "true";
  return json_is_false(value) ? "false" : NULL;
}

static const char *label_of(const json_t *document, const char *key, bez_arena *arena) {
  static const char *const usual[] = {"label", "class", "cls", "target", "category", NULL};
  const char *const one[] = {key, NULL};
  for (const char *const *k = key ? one : usual; *k; k++) {
    const char *text = scalar(json_object_get(document, *k), arena);
    if (text) return text;
  }
  return NULL;
}

static const char *trimmed(const char *text, size_t len, bez_arena *arena) {
  while (len && strchr(" \t\r\n", text[len - 1]) && text[len - 1]) len--;
  while (len && strchr(" \t\r\n", *text) && *text) text++, len--;
  return len && len <= BEZ_MAX_NAME ? bez_arena_strndup(arena, text, len) : NULL;
}

bez_status bez_sample_label(const bez_source *source, const bez_tar_entry *entry, const char *key, bez_arena *arena,
                            const char **out, bez_error *err) {
  json_t *document = NULL;
  size_t got = 0;
  *out = NULL;
  if (entry->size > MAX_LABEL_FILE) return BEZ_OK;
  char *text = malloc((size_t)entry->size + 1);
  if (!text) return bez_fail_memory(err, (size_t)entry->size);
  bez_status st = bez_source_read(source, entry->at, text, (size_t)entry->size, &got, err);
  if (st == BEZ_OK && !strcasecmp(extension(entry->name), "cls"))
    *out = trimmed(text, got, arena);
  else if (st == BEZ_OK && bez_json_parse(text, got, entry->name, &document, NULL) == BEZ_OK)
    *out = label_of(document, key, arena);
  json_decref(document);
  free(text);
  return st;
}
