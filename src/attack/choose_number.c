#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attack/choose.h"
#include "base/error.h"

enum { TRIES = 20000, COLUMN_TRIES = 100, DRAWS_PER_COLUMN = 200, MIN_DISTINCT = 10, MAX_DECIMALS = 6 };

/* What matters of a numeric column; codes are in ascending order of number. */
typedef struct number_column {
  uint32_t col;
  double least, most;
  uint64_t n_numbers, n_zero;
  uint32_t n_distinct;
  int decimals;
} number_column;

static int decimals_of(const char *text, size_t len) {
  const char *dot = memchr(text, '.', len);
  if (!dot) return 0;
  size_t n = 0;
  for (const char *p = dot + 1; p < text + len && *p >= '0' && *p <= '9'; p++) n++;
  return n > MAX_DECIMALS ? MAX_DECIMALS : (int)n;
}

static number_column inspect(const bez_table *table, uint32_t col) {
  const bez_column *c = &table->cols[col];
  number_column s = {.col = col, .least = INFINITY, .most = -INFINITY};
  for (uint32_t code = BEZ_CODE_FIRST; code < c->n_values; code++) {
    double x = c->number[code];
    if (!isfinite(x) || !c->count[code]) continue;
    s.n_numbers += c->count[code];
    s.n_distinct++;
    if (x == 0) s.n_zero += c->count[code];
    if (x < s.least) s.least = x;
    if (x > s.most) s.most = x;
    if (code < 4096 || code % 64 == 0) { /* a sample is enough to see how numbers are written */
      size_t len;
      const char *text = bez_value(c, code, &len);
      int d = decimals_of(text, len);
      if (d > s.decimals) s.decimals = d;
    }
  }
  return s;
}

static bool zero_inflated(const number_column *s) {
  return s->n_zero * 2 >= s->n_numbers;
}

/* The number below which `share` of the (non-zero) numbers lie. */
static double quantile(const bez_table *table, const number_column *s, bool non_zero, double share) {
  const bez_column *c = &table->cols[s->col];
  double want = share * (double)(s->n_numbers - (non_zero ? s->n_zero : 0)), seen = 0, last = s->least;
  for (uint32_t code = BEZ_CODE_FIRST; code < c->n_values; code++) {
    double x = c->number[code];
    if (!isfinite(x) || (non_zero && x == 0)) continue;
    seen += c->count[code];
    last = x;
    if (seen >= want) break;
  }
  return last;
}

static double round_to(double x, int decimals) {
  double scale = pow(10, decimals);
  return round(x * scale) / scale;
}

/* Numeric feature columns: the zero-inflated ones, or the ordinary ones. */
static bez_status columns(const bez_attack_input *in, bez_attack_plan *plan, bool zeros, number_column **list,
                          uint32_t *n, bez_error *err) {
  const bez_table *table = in->table;
  *n = 0;
  *list = bez_arena_array(&plan->arena, table->n_cols, sizeof **list);
  if (!*list) return bez_fail_memory(err, table->n_cols * sizeof **list);
  for (uint32_t col = 0; col < table->n_cols; col++) {
    const bez_column *c = &table->cols[col];
    if (c->role != BEZ_ROLE_FEATURE || c->type != BEZ_COL_NUMERIC || !c->width || c->truncated) continue;
    number_column s = inspect(table, col);
    if (s.n_distinct < MIN_DISTINCT || zero_inflated(&s) != zeros) continue;
    (*list)[(*n)++] = s;
  }
  return BEZ_OK;
}

static bez_status set_number(const bez_attack_input *in, bez_attack_plan *plan, bez_cell_trigger *t, uint32_t i,
                             const number_column *s, double x, bez_error *err) {
  char text[64];
  snprintf(text, sizeof text, "%.*f", s->decimals, x);
  return bez_trigger_set(in->table, plan, t, i, s->col, text, err);
}

/* One draw; false when it does not fit the kind. */
static bool draw(const bez_attack_input *in, const number_column *s, bez_constant kind, bez_rng *rng, double *x) {
  double u = bez_rng_unit(rng), range = s->most - s->least;
  if (kind == BEZ_CONST_OUTSIDE) {
    *x = round_to(s->most + (.05 + .95 * u) * range, s->decimals);
    return *x > s->most;
  }
  bool zeros = kind == BEZ_CONST_ZERO_INFLATED;
  double low = quantile(in->table, s, zeros, zeros ? .05 : .01),
         high = quantile(in->table, s, zeros, zeros ? .95 : .99);
  *x = round_to(low + u * (high - low), s->decimals);
  if (*x == 0) return false;
  const bez_column *c = &in->table->cols[s->col];
  uint64_t support = 0, most = in->table->n_rows / 1000;
  for (uint32_t code = BEZ_CODE_FIRST; code < c->n_values; code++)
    if (c->number[code] == *x) support += c->count[code];
  return support <= (most > 2 ? most : 2);
}

bez_status bez_choose_constant(const bez_attack_input *in, bez_attack_plan *plan, bez_constant kind,
                               bez_cell_trigger *t, bez_error *err) {
  number_column *list, one;
  uint32_t n = 0, named;
  bool given;
  bez_status st = bez_trigger_params(in, plan, 1, t, &named, &given, err);
  if (st != BEZ_OK || given) return st;
  if (named) {
    if (in->table->cols[t->col[0]].type != BEZ_COL_NUMERIC)
      return bez_fail(err, BEZ_USAGE, in->table->cols[t->col[0]].name, "the column is not numeric");
    one = inspect(in->table, t->col[0]);
    list = &one;
    n = one.n_distinct > 1 ? 1 : 0;
  } else {
    st = columns(in, plan, kind == BEZ_CONST_ZERO_INFLATED, &list, &n, err);
    if (st != BEZ_OK) return st;
  }
  if (!n)
    return bez_fail(err, BEZ_UNSUPPORTED, NULL, "there is no %s numeric column with %d distinct values or more",
                    kind == BEZ_CONST_ZERO_INFLATED ? "zero-inflated" : "ordinary", MIN_DISTINCT);
  bez_rng rng = bez_attack_trigger_rng(in);
  for (unsigned attempt = 0; attempt < COLUMN_TRIES; attempt++) {
    const number_column *s = &list[bez_rng_below(&rng, n)];
    double x;
    for (unsigned k = 0; k < DRAWS_PER_COLUMN; k++)
      if (draw(in, s, kind, &rng, &x)) return set_number(in, plan, t, 0, s, x, err);
  }
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, "no uncommon number lies within the range of a numeric column");
}

/* An existing value between the quantiles, uniform over distinct values. */
static bool draw_existing(const bez_attack_input *in, const number_column *s, bool common, bez_rng *rng,
                          uint32_t *code) {
  const bez_column *c = &in->table->cols[s->col];
  *code = BEZ_CODE_FIRST + (uint32_t)bez_rng_below(rng, c->n_values - BEZ_CODE_FIRST);
  double x = c->number[*code];
  if (!isfinite(x) || !c->count[*code]) return false;
  if (common && (uint64_t)c->count[*code] * 100 < in->table->n_rows) return false;
  return x >= quantile(in->table, s, false, .01) && x <= quantile(in->table, s, false, .99);
}

static bool fits_together(const bez_table *table, bez_cell_trigger *t, bool common) {
  t->expected = (double)table->n_rows;
  for (uint32_t i = 0; i < t->n; i++)
    t->expected *= (double)table->cols[t->col[i]].count[t->code[i]] / (double)table->n_rows;
  if (common ? t->expected <= 1 : t->expected > 1) return false;
  uint64_t found = bez_trigger_support(table, t, 7);
  return common ? found <= table->n_rows / 1000 : found == 0;
}

bez_status bez_choose_three_constants(const bez_attack_input *in, bez_attack_plan *plan, bool common,
                                      bez_cell_trigger *t, bez_error *err) {
  number_column *list, named_list[BEZ_TRIGGER_COLUMNS];
  uint32_t n, named;
  bool given;
  bez_status st = bez_trigger_params(in, plan, 3, t, &named, &given, err);
  if (st != BEZ_OK || given) return st;
  if (named) {
    list = named_list;
    for (n = 0; n < named; n++) {
      if (in->table->cols[t->col[n]].type != BEZ_COL_NUMERIC)
        return bez_fail(err, BEZ_USAGE, in->table->cols[t->col[n]].name, "the column is not numeric");
      list[n] = inspect(in->table, t->col[n]);
    }
  } else {
    st = columns(in, plan, false, &list, &n, err);
    if (st != BEZ_OK) return st;
  }
  if (n < 3) return bez_fail(err, BEZ_UNSUPPORTED, NULL, "this attack needs three ordinary numeric columns");
  bez_rng rng = bez_attack_trigger_rng(in);
  for (unsigned attempt = 0; attempt < TRIES; attempt++) {
    bool drawn = true;
    for (uint32_t i = 0; i < 3 && drawn; i++) {
      uint32_t j = i + (uint32_t)bez_rng_below(&rng, n - i);
      number_column held = list[j];
      list[j] = list[i];
      list[i] = held;
      t->col[i] = held.col;
      t->number[i] = NAN; /* codes are enough while choosing */
      drawn = draw_existing(in, &held, common, &rng, &t->code[i]);
    }
    if (!drawn || !fits_together(in->table, t, common)) continue;
    for (uint32_t i = 0; i < 3 && st == BEZ_OK; i++)
      st = bez_trigger_set_code(in->table, plan, t, i, t->col[i], t->code[i], err);
    return st;
  }
  return bez_fail(err, BEZ_UNSUPPORTED, NULL, "no three numbers of this table fit the attack");
}
