/* Kept texts: one growing block of tokens and one of features per tile, and where each row's begin. */
#include "fit/kept_docs.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

typedef struct tile {
  bez_token *tokens;
  bez_feature *features;
  size_t n_tokens, cap_tokens, n_features, cap_features;
  uint32_t n; /* rows */
} tile;

typedef struct start {
  uint32_t token, feature; /* in the row's tile */
  uint32_t n_tokens, n_features;
} start;

struct bez_kept_docs {
  uint32_t tile_rows;
  uint64_t n_tiles;
  tile *tiles;
  start *starts; /* per row */
};

bez_status bez_kept_docs_create(uint64_t n_rows, uint32_t tile_rows, bez_kept_docs **out, bez_error *err) {
  bez_kept_docs *k = calloc(1, sizeof *k);
  *out = NULL;
  if (!k) return bez_fail_memory(err, sizeof *k);
  k->tile_rows = tile_rows;
  k->n_tiles = (n_rows + tile_rows - 1) / tile_rows;
  k->tiles = calloc((size_t)k->n_tiles + 1, sizeof *k->tiles);
  k->starts = calloc((size_t)n_rows + 1, sizeof *k->starts);
  if (!k->tiles || !k->starts) {
    bez_kept_docs_destroy(k);
    return bez_fail_memory(err, (size_t)n_rows * sizeof *k->starts);
  }
  *out = k;
  return BEZ_OK;
}

void bez_kept_docs_destroy(bez_kept_docs *k) {
  if (!k) return;
  for (uint64_t t = 0; k->tiles && t < k->n_tiles; t++) {
    free(k->tiles[t].tokens);
    free(k->tiles[t].features);
  }
  free(k->tiles);
  free(k->starts);
  free(k);
}

static bez_status make_room(tile *t, const bez_doc *doc, bez_error *err) {
  if (t->n_tokens + doc->n_tokens > t->cap_tokens) {
    size_t cap = (t->n_tokens + doc->n_tokens) * 3 / 2;
    bez_token *grown = realloc(t->tokens, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    t->tokens = grown;
    t->cap_tokens = cap;
  }
  if (t->n_features + doc->n_features > t->cap_features) {
    size_t cap = (t->n_features + doc->n_features) * 3 / 2;
    bez_feature *grown = realloc(t->features, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    t->features = grown;
    t->cap_features = cap;
  }
  if (t->n_features + doc->n_features > UINT32_MAX || t->n_tokens + doc->n_tokens > UINT32_MAX)
    return bez_fail(err, BEZ_LIMIT, NULL, "too much text to keep");
  return BEZ_OK;
}

bez_status bez_kept_docs_add(bez_kept_docs *k, uint64_t at, const bez_doc *doc, bez_error *err) {
  tile *t = &k->tiles[at];
  bez_status st = make_room(t, doc, err);
  if (st != BEZ_OK) return st;
  k->starts[at * k->tile_rows + t->n++] =
      (start){(uint32_t)t->n_tokens, (uint32_t)t->n_features, (uint32_t)doc->n_tokens, (uint32_t)doc->n_features};
  if (doc->n_tokens) memcpy(t->tokens + t->n_tokens, doc->tokens, doc->n_tokens * sizeof *t->tokens);
  if (doc->n_features) memcpy(t->features + t->n_features, doc->features, doc->n_features * sizeof *t->features);
  t->n_tokens += doc->n_tokens;
  t->n_features += doc->n_features;
  return BEZ_OK;
}

bez_status bez_kept_docs_tokens(const bez_kept_docs *k, uint64_t row, bez_doc *doc, bez_error *err) {
  const start *s = &k->starts[row];
  bez_status st = bez_doc_room(doc, s->n_tokens, s->n_features, err);
  if (st != BEZ_OK) return st;
  if (s->n_tokens)
    memcpy(doc->tokens, k->tiles[row / k->tile_rows].tokens + s->token, s->n_tokens * sizeof *doc->tokens);
  doc->n_tokens = s->n_tokens;
  return BEZ_OK;
}

bez_status bez_kept_docs_load(const bez_kept_docs *k, uint64_t row, bez_doc *doc, bez_error *err) {
  const start *s = &k->starts[row];
  bez_status st = bez_kept_docs_tokens(k, row, doc, err);
  if (st != BEZ_OK) return st;
  if (s->n_features)
    memcpy(doc->features, k->tiles[row / k->tile_rows].features + s->feature, s->n_features * sizeof *doc->features);
  doc->n_features = s->n_features;
  return BEZ_OK;
}
