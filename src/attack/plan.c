#include "attack/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/compare.h"
#include "base/error.h"
#include "base/hash.h"

/* Streams far apart from each other; one per row lies above 2^32. */
enum { STREAM_TRIGGER = 101, STREAM_ROWS = 102 };

bez_rng bez_attack_trigger_rng(const bez_attack_input *in) {
  return bez_rng_make(in->seed, STREAM_TRIGGER);
}

bez_rng bez_attack_row_rng(const bez_attack_input *in, uint64_t row) {
  return bez_rng_make(in->seed, (row + 1) << 32);
}

static size_t key_length(const char *param) {
  const char *eq = strchr(param, '=');
  return eq ? (size_t)(eq - param) : strlen(param);
}

const char *bez_attack_param(const bez_attack_input *in, const char *key) {
  for (size_t i = 0; i < in->n_params; i++) {
    const char *p = in->params[i];
    size_t len = key_length(p);
    if (p[len] == '=' && strlen(key) == len && memcmp(p, key, len) == 0) return p + len + 1;
  }
  return NULL;
}

static bool listed(const char *known, const char *key, size_t len) {
  for (const char *p = known; *p;) {
    size_t n = strcspn(p, " ");
    if (n == len && memcmp(p, key, len) == 0) return true;
    p += n + (p[n] == ' ');
  }
  return false;
}

bez_status bez_attack_params_known(const bez_attack_input *in, const char *known, bez_error *err) {
  for (size_t i = 0; i < in->n_params; i++) {
    const char *p = in->params[i];
    size_t len = key_length(p);
    if (p[len] != '=' || len == 0) return bez_fail(err, BEZ_USAGE, p, "a parameter has the form key=value");
    if (!listed(known, p, len))
      return bez_fail(err, BEZ_USAGE, p, "this attack takes %s%s", *known ? "the parameters: " : "no parameters",
                      known);
  }
  return BEZ_OK;
}

bez_status bez_attack_number(const bez_attack_input *in, const char *key, double low, double high, double *value,
                             bez_error *err) {
  const char *text = bez_attack_param(in, key);
  char *end;
  if (!text) return BEZ_OK;
  double given = strtod(text, &end);
  if (end == text || *end || !(given >= low && given <= high))
    return bez_fail(err, BEZ_USAGE, text, "%s= is a number from %g to %g", key, low, high);
  *value = given;
  return BEZ_OK;
}

bez_status bez_attack_choice(const bez_attack_input *in, const char *key, const char *known, uint32_t *chosen,
                             bez_error *err) {
  const char *text = bez_attack_param(in, key);
  uint32_t index = 0;
  if (!text) return BEZ_OK;
  for (const char *p = known; *p; index++) {
    size_t n = strcspn(p, " ");
    if (n == strlen(text) && memcmp(p, text, n) == 0) {
      *chosen = index;
      return BEZ_OK;
    }
    p += n + (p[n] == ' ');
  }
  return bez_fail(err, BEZ_USAGE, text, "%s= is one of: %s", key, known);
}

bez_status bez_attack_list(const char *text, bez_arena *arena, const char **items, uint32_t max, uint32_t *n,
                           bez_error *err) {
  *n = 0;
  for (const char *p = text;; p++) {
    size_t len = strcspn(p, ",");
    if (*n == max) return bez_fail(err, BEZ_USAGE, text, "at most %u items, separated by commas", max);
    items[*n] = bez_arena_strndup(arena, p, len);
    if (!items[*n]) return bez_fail_memory(err, len);
    ++*n;
    p += len;
    if (!*p) return BEZ_OK;
  }
}

bez_status bez_attack_column(const bez_table *table, const char *name, uint32_t *col, bez_error *err) {
  int found = bez_table_find(table, name);
  if (found < 0) return bez_fail(err, BEZ_USAGE, name, "there is no such column");
  *col = (uint32_t)found;
  return BEZ_OK;
}

bez_status bez_attack_draw_rows(const bez_attack_input *in, bez_arena *arena, uint64_t want, bez_row_test test,
                                const void *ctx, uint64_t **rows, bez_error *err) {
  bez_status st = BEZ_OK;
  uint64_t n = in->table->n_rows, found = 0;
  uint64_t *pool = malloc((size_t)(n ? n : 1) * sizeof *pool);
  if (!pool) return bez_fail_memory(err, (size_t)n * sizeof *pool);
  for (uint64_t row = 0; row < n; row++)
    if (test(ctx, row)) pool[found++] = row;
  if (found < want)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, NULL, "%llu rows are needed, and only %llu of %llu can carry this attack",
                     (unsigned long long)want, (unsigned long long)found, (unsigned long long)n));
  *rows = bez_arena_array(arena, (size_t)want, sizeof **rows);
  if (!*rows) BEZ_TRY(bez_fail_memory(err, (size_t)want * sizeof **rows));
  /* Fisher-Yates from the front: the first K choices are the same however many follow. */
  bez_rng rng = bez_rng_make(in->seed, STREAM_ROWS);
  for (uint64_t i = 0; i < want; i++) {
    uint64_t j = i + bez_rng_below(&rng, found - i);
    (*rows)[i] = pool[j];
    pool[j] = pool[i];
  }
cleanup:
  free(pool);
  return st;
}

bez_status bez_attack_choose_rows(const bez_attack_input *in, bez_attack_plan *plan, bez_row_test test, const void *ctx,
                                  bez_error *err) {
  bez_status st = bez_attack_draw_rows(in, &plan->arena, in->rows, test, ctx, &plan->rows, err);
  if (st != BEZ_OK) return st;
  plan->n_rows = (size_t)in->rows;
  qsort(plan->rows, plan->n_rows, sizeof *plan->rows, bez_compare_u64);
  return BEZ_OK;
}

bez_status bez_attack_natural_rows(const bez_attack_input *in, bez_attack_plan *plan, bez_row_test test,
                                   const void *ctx, bez_error *err) {
  for (int pass = 0; pass < 2; pass++) { /* count, then fill */
    size_t count = 0, next = 0;
    for (uint64_t row = 0; row < in->table->n_rows; row++) {
      while (next < plan->n_rows && plan->rows[next] < row) next++;
      if (next < plan->n_rows && plan->rows[next] == row) continue;
      if (!test(ctx, row)) continue;
      if (pass) plan->natural[count] = row;
      count++;
    }
    if (pass) continue;
    plan->n_natural = count;
    plan->natural = bez_arena_array(&plan->arena, count, sizeof *plan->natural);
    if (!plan->natural) return bez_fail_memory(err, count * sizeof *plan->natural);
  }
  return BEZ_OK;
}

bool bez_attack_label_fits(const bez_attack_input *in, bool clean_label, uint64_t row) {
  uint32_t code = bez_code(&in->table->cols[in->table->label], row);
  if (clean_label) return code == in->target;
  return in->source_given ? code == in->source : code >= BEZ_CODE_FIRST && code != in->target;
}

bez_status bez_edit_list_make(bez_attack_plan *plan, uint64_t rows, uint32_t per_row, bez_edit_list *list,
                              bez_error *err) {
  if (rows > SIZE_MAX / sizeof *list->items / per_row) return bez_fail_memory(err, SIZE_MAX);
  list->n = 0;
  list->cap = (size_t)rows * per_row;
  list->items = bez_arena_array(&plan->arena, list->cap, sizeof *list->items);
  return list->items ? BEZ_OK : bez_fail_memory(err, list->cap * sizeof *list->items);
}

void bez_edit_add(bez_edit_list *list, uint64_t row, uint32_t col, const char *value, size_t len) {
  if (list->n < list->cap) list->items[list->n++] = (bez_edit){.row = row, .col = col, .value = value, .len = len};
}

static int by_row_then_column(const void *a, const void *b) {
  const bez_edit *x = a, *y = b;
  if (x->row != y->row) return x->row < y->row ? -1 : 1;
  return (x->col > y->col) - (x->col < y->col);
}

void bez_edit_sort(bez_edit_list *list) {
  qsort(list->items, list->n, sizeof *list->items, by_row_then_column);
}

void bez_edit_label(const bez_attack_input *in, bez_edit_list *list, uint64_t row, uint32_t label_code) {
  size_t len;
  const char *value = bez_value(&in->table->cols[in->table->label], label_code, &len);
  bez_edit_add(list, row, (uint32_t)in->table->label, value, len);
}
