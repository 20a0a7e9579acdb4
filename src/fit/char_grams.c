#include "fit/char_grams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MAP (1u << 17) /* > 2 · 3 · BEZ_GRAMS_TEXT */

static bez_status make(bez_grams *g, bez_error *err) {
  if (g->folded) return BEZ_OK;
  g->grams = malloc(3 * BEZ_GRAMS_TEXT * sizeof *g->grams);
  g->key = malloc(MAP * sizeof *g->key);
  g->at = malloc(MAP * sizeof *g->at);
  g->stamp = calloc(MAP, sizeof *g->stamp);
  g->folded = malloc(BEZ_GRAMS_TEXT + 2);
  if (g->grams && g->key && g->at && g->stamp && g->folded) return BEZ_OK;
  bez_grams_free(g);
  return bez_fail_memory(err, MAP * 3 * sizeof *g->key);
}

/* " text text " */
static size_t fold(const char *text, size_t len, char *out) {
  size_t n = 0;
  bool space = true;
  out[n++] = ' ';
  if (len > BEZ_GRAMS_TEXT - 2) len = BEZ_GRAMS_TEXT - 2;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    bool white = c == ' ' || (c >= 9 && c <= 13);
    if (white && space) continue;
    out[n++] = white ? ' ' : (char)(c >= 'A' && c <= 'Z' ? c | 32 : c);
    space = white;
  }
  if (!space) out[n++] = ' ';
  return n;
}

/* mask: of the part of the map in use, small for small texts so that it stays in the cache. */
static inline void count(bez_grams *g, uint32_t slot, uint32_t mask) {
  uint32_t at = (slot * 0x9E3779B1u >> 11) & mask;
  while (g->stamp[at] == g->now && g->key[at] != slot) at = (at + 1) & mask;
  if (g->stamp[at] == g->now) {
    g->grams[g->at[at]].value += 1.0f;
    return;
  }
  g->stamp[at] = g->now;
  g->key[at] = slot;
  g->at[at] = g->n;
  g->grams[g->n++] = (bez_gram){slot, 1.0f};
}

static inline uint32_t hash(uint32_t bytes, uint32_t n) {
  uint32_t h = (bytes ^ n * 0x85EBCA6Bu) * 0x9E3779B1u;
  h ^= h >> 15;
  h *= 0xC2B2AE35u;
  return h ^ h >> 13;
}

bez_status bez_grams_load(bez_grams *g, const char *text, size_t len, uint32_t slots, bez_error *err) {
  bez_status st = make(g, err);
  if (st != BEZ_OK) return st;
  size_t n = fold(text, len, g->folded);
  uint32_t map = 1024, last = 0;
  while (map < 6 * n && map < MAP) map *= 2;
  if (++g->now == 0) {
    memset(g->stamp, 0, MAP * sizeof *g->stamp);
    g->now = 1;
  }
  g->n = 0;
  for (size_t i = 0; i < n; i++) {
    last = last << 8 | (unsigned char)g->folded[i];
    if (i >= 1) count(g, hash(last & 0xFFFF, 2) & (slots - 1), map - 1);
    if (i >= 2) count(g, hash(last & 0xFFFFFF, 3) & (slots - 1), map - 1);
    if (i >= 3) count(g, hash(last, 4) & (slots - 1), map - 1);
  }
  return BEZ_OK;
}

void bez_grams_weigh(bez_grams *g, const float *idf) {
  double sum = 0;
  for (uint32_t i = 0; i < g->n; i++) {
    float tf = g->grams[i].value;
    float value = (tf > 1.0f ? 1.0f + logf(tf) : 1.0f) * idf[g->grams[i].slot];
    g->grams[i].value = value;
    sum += (double)value * value;
  }
  float scale = sum > 0 ? (float)(1.0 / sqrt(sum)) : 0.0f;
  for (uint32_t i = 0; i < g->n; i++) g->grams[i].value *= scale;
}

void bez_grams_free(bez_grams *g) {
  free(g->grams);
  free(g->key);
  free(g->at);
  free(g->stamp);
  free(g->folded);
  *g = (bez_grams){0};
}
