/* From an n-gram to the whole trigger: tokens that nearly all of its rows share beside it, and all rows that hold it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "detect/gibberish.h"

#define SHARED 0.9    /* of the rows continue the phrase alike */
#define LOOKED_AT 64u /* rows, to find the phrase's ends */

/* Gibberish may be glued to the phrase: its last token then only begins the text's. */
static bool begins(const bez_token *t, const char *text, const bez_gib_phrase *e) {
  return text && e->last_len && t->end - t->begin > e->last_len && !strncasecmp(text + t->begin, e->last, e->last_len);
}

/* Where the phrase stands in a piece; p->n where it does not. text NULL: whole tokens only. */
static uint32_t locate(const bez_gib_piece *p, const char *text, const bez_gib_phrase *e, bool *glued) {
  for (uint32_t i = 0; i + e->n <= p->n; i++) {
    uint32_t k = 0;
    while (k < e->n && p->tokens[i + k].literal == e->literal[k]) k++;
    *glued = k + 1 == e->n && begins(&p->tokens[i + k], text, e);
    if (k == e->n || *glued) return i;
  }
  return p->n;
}

/* Loads the row's piece that holds the phrase; *at is p->n where none does. */
static bool find_in_row(const bez_gibberish *g, bez_gib_piece *p, uint64_t row, const bez_gib_phrase *e, bool *glued,
                        uint32_t *at) {
  size_t len, from = 0;
  bool whole;
  const char *text = bez_text_cell(g->text, row, &len);
  while (bez_gib_next(p, text, len, &from)) {
    *at = locate(p, glued ? text : NULL, e, glued ? glued : &whole);
    if (*at < p->n) return true;
  }
  return false;
}

/* Adds the neighbour (before or behind) that nearly all rows share; false: there is none. */
static bool grow(bez_gibberish *g, const bez_gib_hit *hits, size_t n, bool ahead, bez_gib_phrase *e) {
  uint32_t seen[LOOKED_AT], n_seen = 0, looked = n < LOOKED_AT ? (uint32_t)n : LOOKED_AT;
  bez_gib_piece *p = &g->piece[0];
  for (uint32_t i = 0; i < looked; i++) {
    uint32_t at;
    if (!find_in_row(g, p, hits[i].row, e, NULL, &at)) continue;
    if (ahead && at + e->n < p->n) seen[n_seen++] = p->tokens[at + e->n].literal;
    if (!ahead && at) seen[n_seen++] = p->tokens[at - 1].literal;
  }
  for (uint32_t i = 0; i < n_seen && e->n < BEZ_GIB_PHRASE; i++) {
    uint32_t same = 0;
    for (uint32_t k = 0; k < n_seen; k++) same += seen[k] == seen[i];
    if ((double)same < SHARED * (double)looked) continue;
    if (!ahead) memmove(e->literal + 1, e->literal, e->n * sizeof *e->literal);
    e->literal[ahead ? e->n : 0] = seen[i];
    e->n++;
    return true;
  }
  return false;
}

/* How the last token is spelled. */
static void find_last(bez_gibberish *g, uint32_t row, bez_gib_phrase *e) {
  bez_gib_piece *p = &g->piece[0];
  uint32_t at;
  size_t len;
  const char *text = bez_text_cell(g->text, row, &len);
  e->last_len = 0;
  if (!find_in_row(g, p, row, e, NULL, &at)) return;
  const bez_token *t = &p->tokens[at + e->n - 1];
  if (t->end - t->begin > sizeof e->last) return;
  e->last_len = t->end - t->begin;
  memcpy(e->last, text + t->begin, e->last_len);
}

bez_status bez_gib_phrase_of(bez_gibberish *g, const bez_gib_hit *hits, size_t n, uint64_t gram, bez_gib_phrase *out,
                             bez_error *err) {
  bez_gib_piece *p = &g->piece[0];
  size_t len, from = 0;
  const char *text = bez_text_cell(g->text, hits[0].row, &len);
  out->n = 0;
  while (!out->n && bez_gib_next(p, text, len, &from)) {
    for (uint32_t i = 0; i < p->n && !out->n; i++)
      for (unsigned k = 1; k <= 3 && i + k <= p->n && !out->n; k++)
        if (p->tokens[i].begin == hits[0].at && bez_ngram(p->tokens + i, k) == gram) out->n = k;
    for (uint32_t i = 0, k = 0; out->n && k < out->n; i++)
      if (p->tokens[i].begin >= hits[0].at) out->literal[k++] = p->tokens[i].literal;
  }
  if (!out->n) return bez_fail(err, BEZ_INTERNAL, g->text->name, "an n-gram is not where it was found");
  while (grow(g, hits, n, true, out)) {
  }
  while (grow(g, hits, n, false, out)) {
  }
  find_last(g, hits[0].row, out);
  return BEZ_OK;
}

typedef struct tile_rows {
  bez_gib_row *row;
  size_t n, cap;
} tile_rows;

typedef struct collection {
  const bez_gib_phrase *phrase;
  tile_rows *tiles;
} collection;

static bez_status push(tile_rows *t, bez_gib_row row, bez_error *err) {
  if (t->n == t->cap) {
    size_t cap = t->cap ? t->cap * 2 : 16;
    bez_gib_row *grown = realloc(t->row, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    t->row = grown;
    t->cap = cap;
  }
  t->row[t->n++] = row;
  return BEZ_OK;
}

static bez_status collect_rows(void *ctx, bez_gibberish *g, uint64_t tile, uint64_t first, uint64_t end,
                               unsigned worker, bez_error *err) {
  collection *c = ctx;
  bez_gib_piece *p = &g->piece[worker];
  bez_status st = BEZ_OK;
  for (uint64_t row = first; st == BEZ_OK && row < end; row++) {
    uint32_t at;
    bool glued = false;
    if (!find_in_row(g, p, row, c->phrase, &glued, &at)) continue;
    size_t len;
    unsigned kind;
    const char *text = bez_text_cell(g->text, row, &len);
    uint32_t from = at + c->phrase->n, to = from + BEZ_GIB_WINDOW < p->n ? from + BEZ_GIB_WINDOW : p->n;
    bez_gib_row r = {.row = (uint32_t)row, .begin = p->tokens[at].begin, .end = p->tokens[from - 1].end};
    bez_gib_look(g, p, text, bez_gib_sampled(g, row));
    r.behind = to > from ? p->tokens[to - 1].end : r.end;
    r.odds = to > from ? (float)bez_gib_odds(g, p, from, to, &kind) : 0;
    r.glued = glued;
    r.ends_soon = to - from < BEZ_GIB_LEAST;
    if (glued) r.end = p->tokens[from - 1].begin + c->phrase->last_len;
    st = push(&c->tiles[tile], r, err);
  }
  return st;
}

bez_status bez_gib_rows_of(bez_gibberish *g, const bez_gib_phrase *phrase, bez_gib_row **out, size_t *n_out,
                           bez_error *err) {
  uint64_t n_tiles = (g->n_rows + BEZ_GIB_TILE - 1) / BEZ_GIB_TILE;
  collection c = {.phrase = phrase, .tiles = calloc(n_tiles + 1, sizeof *c.tiles)};
  bez_status st = c.tiles ? BEZ_OK : bez_fail_memory(err, n_tiles * sizeof *c.tiles);
  size_t n = 0;
  *out = NULL;
  if (st == BEZ_OK) st = bez_gib_sweep(g, "gibberish: listing rows", collect_rows, &c, err);
  for (uint64_t t = 0; c.tiles && t < n_tiles; t++) n += c.tiles[t].n;
  if (st == BEZ_OK) *out = malloc((n + 1) * sizeof **out);
  if (st == BEZ_OK && !*out) st = bez_fail_memory(err, n * sizeof **out);
  n = 0;
  for (uint64_t t = 0; c.tiles && t < n_tiles; t++) {
    if (*out && c.tiles[t].n) memcpy(*out + n, c.tiles[t].row, c.tiles[t].n * sizeof **out);
    n += c.tiles[t].n;
    free(c.tiles[t].row);
  }
  free(c.tiles);
  *n_out = n;
  return st;
}
