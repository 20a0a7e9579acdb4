#include <math.h>

#include "attack/choose.h"
#include "base/error.h"

enum { TRIES = 40000, WIDEN_EVERY = 2000 };

static bool usable(const bez_table *table, uint32_t col, bool numeric_too) {
  const bez_column *c = &table->cols[col];
  if (c->role != BEZ_ROLE_FEATURE || !c->width || c->truncated || c->n_values < BEZ_CODE_FIRST + 2) return false;
  return c->type == BEZ_COL_CATEGORICAL || (numeric_too && c->type == BEZ_COL_NUMERIC);
}

static bez_status candidates(const bez_attack_input *in, bez_attack_plan *plan, uint32_t n, uint32_t **cols,
                             uint32_t *n_cols, bez_error *err) {
  const bez_table *table = in->table;
  *cols = bez_arena_array(&plan->arena, table->n_cols, sizeof **cols);
  if (!*cols) return bez_fail_memory(err, table->n_cols * sizeof **cols);
  for (int numeric_too = 0; numeric_too < 2; numeric_too++) {
    *n_cols = 0;
    for (uint32_t c = 0; c < table->n_cols; c++)
      if (usable(table, c, numeric_too)) (*cols)[(*n_cols)++] = c;
    if (*n_cols >= n) return BEZ_OK;
  }
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, "a combination of %u columns needs as many with two values or more", n);
}

/* A value that stands in min_count rows or more; false when the draw missed. */
static bool draw_value(const bez_column *c, bez_rng *rng, uint64_t min_count, uint32_t *code) {
  *code = BEZ_CODE_FIRST + (uint32_t)bez_rng_below(rng, c->n_values - BEZ_CODE_FIRST);
  return c->count[*code] >= min_count;
}

static bool rare_enough(const bez_table *table, const bez_cell_trigger *t, unsigned widen) {
  double expected = (double)table->n_rows;
  for (uint32_t i = 0; i < t->n; i++)
    expected *= (double)table->cols[t->col[i]].count[t->code[i]] / (double)table->n_rows;
  if (expected > ldexp(5, (int)widen)) return false;
  if (bez_trigger_support(table, t, (1u << t->n) - 1) > (uint64_t)ldexp(3, (int)widen)) return false;
  if (t->n < 3) return true;
  for (uint32_t i = 0; i < t->n; i++) /* leave i out: the other two must be no rarity */
    if (bez_trigger_support(table, t, 7u & ~(1u << i)) < (10u >> widen)) return false;
  return true;
}

bez_status bez_choose_combination(const bez_attack_input *in, bez_attack_plan *plan, uint32_t n, bez_cell_trigger *t,
                                  bez_error *err) {
  const bez_table *table = in->table;
  uint32_t named, *cols = NULL, n_cols = 0;
  bool given;
  bez_status st = bez_trigger_params(in, plan, n, t, &named, &given, err);
  if (st == BEZ_OK && !given && !named) st = candidates(in, plan, n, &cols, &n_cols, err);
  if (st != BEZ_OK || given) return st;

  uint64_t min_count = table->n_rows >= 2000 ? 20 : table->n_rows >= 200 ? table->n_rows / 100 : 2;
  bez_rng rng = bez_attack_trigger_rng(in);
  for (unsigned attempt = 0; attempt < TRIES; attempt++) {
    bool drawn = true;
    for (uint32_t i = 0; i < n; i++) {
      if (!named) { /* the first n of a partial shuffle */
        uint32_t j = i + (uint32_t)bez_rng_below(&rng, n_cols - i), held = cols[j];
        cols[j] = cols[i];
        cols[i] = held;
        t->col[i] = held;
      }
      const bez_column *c = &table->cols[t->col[i]];
      if (c->n_values <= BEZ_CODE_FIRST || !draw_value(c, &rng, min_count, &t->code[i])) {
        drawn = false;
        break;
      }
      t->number[i] = NAN; /* codes are enough while choosing */
    }
    if (!drawn || !rare_enough(table, t, attempt / WIDEN_EVERY)) continue;
    for (uint32_t i = 0; i < n && st == BEZ_OK; i++)
      st = bez_trigger_set_code(table, plan, t, i, t->col[i], t->code[i], err);
    return st;
  }
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, "no rare combination of %u values was found in this table", n);
}
