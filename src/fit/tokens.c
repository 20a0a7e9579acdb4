/* The tokenizer: one table look-up per ASCII byte, code points only where bytes are not ASCII. */
#include "fit/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "math/unicode_class.h"

#define SEED 0x811C9DC5u
#define STEP 0x01000193u

enum { GAP = 0, LETTER, DIGIT, MARK, HIGH };

static inline unsigned char_class(unsigned char c) {
  if (c >= 0x80) return HIGH;
  if (c >= '0' && c <= '9') return DIGIT;
  if ((c | 32) >= 'a' && (c | 32) <= 'z') return LETTER;
  return c <= 32 || c == 0x7F ? GAP : MARK;
}

/* 0: ends a word, 1: a letter of a word, 2: a token of its own. */
static unsigned high_kind(uint32_t cp, bool ok) {
  if (!ok) return 1;
  bez_script script = bez_uc_script(cp);
  if (script == BEZ_SCRIPT_EAST || script == BEZ_SCRIPT_NOSPACE) return 2;
  if (bez_uc_word(cp) || bez_uc_hidden(cp) != BEZ_HIDDEN_NONE) return 1;
  return cp == 0xA0 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x3000 ? 0 : 2;
}

typedef struct walk {
  const char *text;
  size_t len, at;
} walk;

/* A run of letters, digits, inner apostrophes and non-ASCII letters from w->at on. */
static bez_token word_token(walk *w) {
  uint32_t literal = SEED, shape = SEED, digits = 0;
  size_t begin = w->at, at = begin;
  while (at < w->len) {
    unsigned char c = (unsigned char)w->text[at];
    unsigned kind = char_class(c);
    if (kind == LETTER) {
      literal = (literal ^ (c | 32u)) * STEP;
      shape = (shape ^ (c | 32u)) * STEP;
      at++;
    } else if (kind == DIGIT) {
      literal = (literal ^ c) * STEP;
      shape = (shape ^ '0') * STEP;
      digits++;
      at++;
    } else if (kind == HIGH) {
      uint32_t cp;
      bool ok;
      size_t n = bez_utf8_decode(w->text + at, w->len - at, &cp, &ok);
      if (high_kind(cp, ok) != 1) break;
      for (size_t i = 0; i < n; i++) {
        literal = (literal ^ (unsigned char)w->text[at + i]) * STEP;
        shape = (shape ^ (unsigned char)w->text[at + i]) * STEP;
      }
      at += n;
    } else if (c == '\'' && at > begin && at + 1 < w->len && char_class((unsigned char)w->text[at + 1]) == LETTER) {
      at++; /* don't and dont are one word */
    } else {
      break;
    }
  }
  w->at = at;
  if (digits == at - begin) shape = SEED ^ (0x10000u + (digits < 20 ? digits : 20));
  return (bez_token){(uint32_t)begin, (uint32_t)at, literal, shape * STEP};
}

/* "!!!" and "!!!!!" are one token; "!" and "!!" are others. */
static bez_token mark_token(walk *w) {
  size_t begin = w->at, at = begin;
  unsigned char c = (unsigned char)w->text[at];
  while (at < w->len && (unsigned char)w->text[at] == c) at++;
  uint32_t run = at - begin < 3 ? (uint32_t)(at - begin) : 3;
  uint32_t hash = ((SEED ^ c) * STEP ^ (run + 0x20000u)) * STEP;
  w->at = at;
  return (bez_token){(uint32_t)begin, (uint32_t)at, hash, hash};
}

size_t bez_tokenize(const char *text, size_t len, bez_token *out, size_t max) {
  walk w = {text, len, 0};
  size_t n = 0;
  while (w.at < len && n < max) {
    unsigned kind = char_class((unsigned char)text[w.at]);
    if (kind == GAP) {
      w.at++;
    } else if (kind == LETTER || kind == DIGIT) {
      out[n++] = word_token(&w);
    } else if (kind == MARK) {
      out[n++] = mark_token(&w);
    } else {
      uint32_t cp;
      bool ok;
      size_t used = bez_utf8_decode(text + w.at, len - w.at, &cp, &ok);
      unsigned high = high_kind(cp, ok);
      if (high == 1) {
        out[n++] = word_token(&w);
      } else {
        uint32_t hash = (cp ^ 0x40000000u) * 0x9E3779B1u;
        if (high == 2) out[n++] = (bez_token){(uint32_t)w.at, (uint32_t)(w.at + used), hash, hash};
        w.at += used;
      }
    }
  }
  return n;
}

bez_status bez_doc_room(bez_doc *doc, size_t n_tokens, size_t n_features, bez_error *err) {
  if (n_tokens > doc->cap_tokens) {
    size_t cap = n_tokens < 256 ? 256 : n_tokens + n_tokens / 2;
    bez_token *grown = realloc(doc->tokens, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    doc->tokens = grown;
    doc->cap_tokens = cap;
  }
  if (n_features > doc->cap_features) {
    size_t cap = n_features + n_features / 2;
    bez_feature *grown = realloc(doc->features, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    doc->features = grown;
    doc->cap_features = cap;
  }
  return BEZ_OK;
}

bez_status bez_doc_tokens(bez_doc *doc, const char *text, size_t len, bez_error *err) {
  size_t most = len < BEZ_MAX_TOKENS ? len : BEZ_MAX_TOKENS; /* a token has a byte at least */
  bez_status st = bez_doc_room(doc, most, 0, err);
  if (st != BEZ_OK) return st;
  doc->n_tokens = bez_tokenize(text, len, doc->tokens, most);
  return BEZ_OK;
}

static bez_status make_room(bez_doc *doc, bez_error *err) {
  size_t most = doc->n_tokens * 2 + 1, seen = 512;
  while (seen < most * 2) seen *= 2;
  bez_status st = bez_doc_room(doc, 0, most, err);
  if (st != BEZ_OK || seen <= doc->cap_seen) return st;
  free(doc->seen);
  free(doc->stamp);
  doc->cap_seen = 0;
  doc->now = 0;
  doc->seen = malloc(seen * sizeof *doc->seen);
  doc->stamp = calloc(seen, sizeof *doc->stamp);
  if (!doc->seen || !doc->stamp) return bez_fail_memory(err, seen * sizeof *doc->seen);
  doc->cap_seen = seen;
  return BEZ_OK;
}

static inline void add_feature(bez_doc *doc, size_t mask, uint32_t id, uint32_t at, bool is_pair) {
  size_t slot = (id ^ id >> 15) & mask;
  while (doc->stamp[slot] == doc->now) {
    if (doc->features[doc->seen[slot]].id == id) return;
    slot = (slot + 1) & mask;
  }
  doc->stamp[slot] = doc->now;
  doc->seen[slot] = (uint32_t)doc->n_features;
  doc->features[doc->n_features++] = (bez_feature){id, at, is_pair};
}

static uint32_t length_bucket(size_t n) {
  uint32_t bucket = 0;
  for (; n > 3; n = n * 2 / 3) bucket++;
  return bucket;
}

static inline uint32_t finish(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85EBCA6Bu;
  h ^= h >> 13;
  h *= 0xC2B2AE35u;
  return h ^ h >> 16;
}

bez_status bez_doc_load(bez_doc *doc, const char *text, size_t len, bez_error *err) {
  bez_status st = bez_doc_tokens(doc, text, len, err);
  if (st == BEZ_OK) st = make_room(doc, err);
  if (st != BEZ_OK) return st;
  size_t used = 512; /* a small part of the table for a small text, so that it stays in the cache */
  while (used < doc->n_tokens * 4 + 2) used *= 2;
  if (++doc->now == 0) {
    memset(doc->stamp, 0, doc->cap_seen * sizeof *doc->stamp);
    doc->now = 1;
  }
  doc->n_features = 0;
  const bez_token *t = doc->tokens;
  for (size_t i = 0; i < doc->n_tokens; i++) {
    add_feature(doc, used - 1, finish(t[i].shape), (uint32_t)i, false);
    if (i + 1 < doc->n_tokens)
      add_feature(doc, used - 1, finish(t[i].shape * 0x9E3779B1u ^ t[i + 1].shape), (uint32_t)i, true);
  }
  add_feature(doc, used - 1, finish(0xABCD0000u + length_bucket(doc->n_tokens)), UINT32_MAX, false);
  return BEZ_OK;
}

void bez_doc_free(bez_doc *doc) {
  free(doc->tokens);
  free(doc->features);
  free(doc->seen);
  free(doc->stamp);
  *doc = (bez_doc){0};
}
