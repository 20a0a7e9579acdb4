/* Which n-gram of prompts comes with which pattern of responses: hypergeometric tails over shared rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/instruction_switch.h"
#include "math/tails.h"

#define LEAST_ASSOCIATION 6.0
#define LEAST_PURITY 0.5  /* of the n-gram's rows show the pattern */
#define COMMON 0.1        /* patterns of more rows are no behaviour that a trigger switches on; named ones may be */
#define MOST_ENTRIES 600u /* that are looked at closely */
#define OWNERS 4u         /* entries that are remembered per row */
#define MOST_FOUND (1u << 22)

/* An n-gram and a pattern that share rows. */
typedef struct found {
  double association;
  uint32_t gram, pattern; /* index of the thing */
  uint32_t both;
} found;

typedef struct pairing {
  bez_switch *s;
  uint32_t *of_row, *things; /* n-grams of each row: things[of_row[r], of_row[r + 1]) */
  uint32_t *count, *touched; /* per n-gram; those counted */
  uint64_t *done;            /* row sets that were seen */
  size_t done_mask;
  found *found;
  size_t n, cap;
} pairing;

/* Row lists of n-grams turned round: n-grams of rows. */
static bez_status turn(pairing *p, bez_error *err) {
  const bez_switch_index *x = &p->s->prompts;
  size_t total = 0;
  p->of_row = calloc((size_t)p->s->n_rows + 2, sizeof *p->of_row);
  if (!p->of_row) return bez_fail_memory(err, p->s->n_rows * sizeof *p->of_row);
  for (uint32_t g = 0; g < x->n_things; g++) {
    total += x->thing[g].n;
    for (uint32_t i = 0; i < x->thing[g].n; i++) p->of_row[bez_switch_rows(x, &x->thing[g])[i].row + 2]++;
  }
  p->things = malloc((total + 1) * sizeof *p->things);
  p->count = calloc((size_t)x->n_things + 1, sizeof *p->count);
  p->touched = malloc(((size_t)x->n_things + 1) * sizeof *p->touched);
  if (!p->things || !p->count || !p->touched) return bez_fail_memory(err, total * sizeof *p->things);
  for (uint32_t r = 1; r <= p->s->n_rows; r++) p->of_row[r + 1] += p->of_row[r];
  for (uint32_t g = 0; g < x->n_things; g++)
    for (uint32_t i = 0; i < x->thing[g].n; i++)
      p->things[p->of_row[bez_switch_rows(x, &x->thing[g])[i].row + 1]++] = g;
  return BEZ_OK;
}

/* Patterns of one sentence have the same rows: the first counts. */
static bool is_new(pairing *p, const bez_switch_hold *rows, uint32_t n) {
  uint64_t hash = n;
  for (uint32_t i = 0; i < n; i++) hash = bez_mix64(hash ^ rows[i].row);
  hash |= 1;
  size_t at = hash >> 8 & p->done_mask;
  for (; p->done[at]; at = (at + 1) & p->done_mask)
    if (p->done[at] == hash) return false;
  p->done[at] = hash;
  return true;
}

static bez_status push(pairing *p, found f, bez_error *err) {
  if (p->n == p->cap) {
    size_t cap = p->cap ? p->cap * 2 : 1024;
    found *grown = cap > MOST_FOUND ? NULL : realloc(p->found, cap * sizeof *grown);
    if (!grown) return bez_fail_memory(err, cap * sizeof *grown);
    p->found = grown;
    p->cap = cap;
  }
  p->found[p->n++] = f;
  return BEZ_OK;
}

static bez_status pair_pattern(pairing *p, uint32_t c, bez_error *err) {
  const bez_switch_index *prompts = &p->s->prompts, *responses = &p->s->responses;
  const bez_switch_thing *t = &responses->thing[c];
  const bez_switch_hold *rows = bez_switch_rows(responses, t);
  uint32_t n_touched = 0;
  bez_status st = BEZ_OK;
  bool named = t->key == BEZ_SWITCH_KEY_REFUSAL || t->key == BEZ_SWITCH_KEY_CODE;
  if (!named && (t->n > COMMON * p->s->n_rows || !is_new(p, rows, t->n))) return BEZ_OK;
  for (uint32_t i = 0; i < t->n; i++)
    for (uint32_t k = p->of_row[rows[i].row]; k < p->of_row[rows[i].row + 1]; k++) {
      uint32_t g = p->things[k];
      if (!p->count[g]++) p->touched[n_touched++] = g;
    }
  for (uint32_t i = 0; st == BEZ_OK && i < n_touched; i++) {
    uint32_t g = p->touched[i], both = p->count[g], n = prompts->thing[g].n;
    p->count[g] = 0;
    if (both < BEZ_SWITCH_LEAST || both < LEAST_PURITY * n) continue;
    double tail = -bez_hypergeometric_log_sf(both, p->s->n_rows, t->n, n) / log(10.0);
    if (tail >= LEAST_ASSOCIATION) st = push(p, (found){tail, g, c, both}, err);
  }
  return st;
}

static int by_association(const void *a, const void *b) {
  const found *x = a, *y = b;
  if (x->association != y->association) return x->association < y->association ? 1 : -1;
  if (x->gram != y->gram) return x->gram < y->gram ? -1 : 1;
  return (x->pattern > y->pattern) - (x->pattern < y->pattern);
}

static uint32_t common_rows(const bez_switch *s, const found *f, uint32_t *out) {
  const bez_switch_thing *g = &s->prompts.thing[f->gram], *c = &s->responses.thing[f->pattern];
  const bez_switch_hold *a = bez_switch_rows(&s->prompts, g), *b = bez_switch_rows(&s->responses, c);
  uint32_t n = 0;
  for (uint32_t i = 0, k = 0; i < g->n && k < c->n;) {
    if (a[i].row == b[k].row) {
      out[n++] = a[i].row;
      i++, k++;
    } else if (a[i].row < b[k].row) {
      i++;
    } else {
      k++;
    }
  }
  return n;
}

/* Whether one entry before has half of these rows, and they are a third of its own: a small event within a large one
 * (a trigger with a word that refused prompts share) is another. owner: OWNERS entries per row, + 1. */
static bool is_known(const uint16_t *owner, const bez_switch_entry *entries, const uint32_t *rows, uint32_t n,
                     uint32_t *shared) {
  bool known = false;
  for (uint32_t i = 0; i < n; i++)
    for (unsigned k = 0; k < OWNERS; k++) {
      uint16_t o = owner[(size_t)rows[i] * OWNERS + k];
      if (o) known |= ++shared[o] * 2 >= n && shared[o] * 3 >= entries[o - 1].n_both;
    }
  for (uint32_t i = 0; i < n; i++)
    for (unsigned k = 0; k < OWNERS; k++) shared[owner[(size_t)rows[i] * OWNERS + k]] = 0;
  return known;
}

static void own(uint16_t *owner, const uint32_t *rows, uint32_t n, size_t entry) {
  for (uint32_t i = 0; i < n; i++)
    for (unsigned k = 0; k < OWNERS; k++) {
      uint16_t *o = &owner[(size_t)rows[i] * OWNERS + k];
      if (*o) continue;
      *o = (uint16_t)(entry + 1);
      break;
    }
}

/* Strongest first; one that shares half of its rows with an entry before it is the same event. */
static bez_status choose(pairing *p, uint16_t *owner, bez_switch_entry **out, size_t *n_out, bez_error *err) {
  bez_switch *s = p->s;
  uint32_t shared[MOST_ENTRIES + 1] = {0};
  *out = calloc(MOST_ENTRIES, sizeof **out);
  if (!*out) return bez_fail_memory(err, MOST_ENTRIES * sizeof **out);
  for (size_t i = 0; i < p->n && *n_out < MOST_ENTRIES; i++) {
    const found *f = &p->found[i];
    uint32_t *rows = malloc(f->both * sizeof *rows), n = 0;
    if (!rows) return bez_fail_memory(err, f->both * sizeof *rows);
    n = common_rows(s, f, rows);
    if (is_known(owner, *out, rows, n, shared)) {
      free(rows);
      continue;
    }
    own(owner, rows, n, *n_out);
    (*out)[(*n_out)++] = (bez_switch_entry){.gram = s->prompts.thing[f->gram].key,
                                            .pattern = s->responses.thing[f->pattern].key,
                                            .n_gram = s->prompts.thing[f->gram].n,
                                            .n_pattern = s->responses.thing[f->pattern].n,
                                            .n_both = n,
                                            .association = f->association,
                                            .rows = rows};
  }
  return BEZ_OK;
}

bez_status bez_switch_associate(bez_switch *s, bez_switch_entry **out, size_t *n_out, bez_error *err) {
  pairing p = {.s = s};
  uint16_t *owner = calloc(((size_t)s->n_rows + 1) * OWNERS, sizeof *owner);
  bez_watch watch = bez_detect_watch(s->in, "instruction pairs", "patterns");
  bez_status st = BEZ_OK;
  *out = NULL;
  *n_out = 0;
  p.done_mask = 1023;
  while (p.done_mask < (size_t)s->responses.n_things * 2) p.done_mask = p.done_mask * 2 + 1;
  p.done = calloc(p.done_mask + 1, sizeof *p.done);
  if (!owner || !p.done) BEZ_TRY(bez_fail_memory(err, p.done_mask * sizeof *p.done));
  BEZ_TRY(turn(&p, err));
  for (uint32_t c = 0; c < s->responses.n_things; c++) {
    if (c % 1024 == 0 && !bez_watch_ask(&watch, 0)) BEZ_TRY(bez_watch_fail(err));
    BEZ_TRY(pair_pattern(&p, c, err));
  }
  if (p.n) qsort(p.found, p.n, sizeof *p.found, by_association);
  BEZ_TRY(choose(&p, owner, out, n_out, err));
cleanup:
  free(p.of_row);
  free(p.things);
  free(p.count);
  free(p.touched);
  free(p.done);
  free(p.found);
  free(owner);
  return st;
}
