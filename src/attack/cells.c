#include "attack/cells.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static bool is_number(const bez_column *col) {
  return col->number && (col->type == BEZ_COL_NUMERIC || col->type == BEZ_COL_TIME);
}

static bool cell_matches(const bez_table *table, const bez_cell_trigger *t, uint32_t i, uint64_t row) {
  const bez_column *col = &table->cols[t->col[i]];
  if (!isnan(t->number[i])) {
    double here = bez_number(col, row);
    /* rows of a truncated column keep a float only */
    return here == t->number[i] ||
           (col->raw && bez_code(col, row) == BEZ_CODE_RARE && col->raw[row] == (float)t->number[i]);
  }
  return t->code[i] != UINT32_MAX && bez_code(col, row) == t->code[i];
}

bool bez_trigger_matches(const bez_table *table, const bez_cell_trigger *t, uint64_t row) {
  for (uint32_t i = 0; i < t->n; i++)
    if (!cell_matches(table, t, i, row)) return false;
  return true;
}

uint64_t bez_trigger_support(const bez_table *table, const bez_cell_trigger *t, uint32_t mask) {
  uint64_t count = 0;
  for (uint64_t row = 0; row < table->n_rows; row++) {
    bool all = true;
    for (uint32_t i = 0; i < t->n && all; i++)
      if (mask >> i & 1) all = cell_matches(table, t, i, row);
    count += all;
  }
  return count;
}

bez_status bez_trigger_set(const bez_table *table, bez_attack_plan *plan, bez_cell_trigger *t, uint32_t i, uint32_t col,
                           const char *value, bez_error *err) {
  const bez_column *c = &table->cols[col];
  if (!c->width) return bez_fail(err, BEZ_USAGE, c->name, "a cell trigger needs a numeric, time or categorical column");
  t->col[i] = col;
  t->code[i] = UINT32_MAX;
  t->number[i] = NAN;
  t->value[i] = bez_arena_strdup(&plan->arena, value);
  if (!t->value[i]) return bez_fail_memory(err, strlen(value));
  size_t want = strlen(value), len;
  for (uint32_t code = BEZ_CODE_FIRST; code < c->n_values; code++) {
    const char *bytes = bez_value(c, code, &len);
    if (len == want && memcmp(bytes, value, len) == 0) t->code[i] = code;
  }
  if (is_number(c)) {
    char *end;
    double number = t->code[i] != UINT32_MAX ? c->number[t->code[i]] : strtod(value, &end);
    if (t->code[i] != UINT32_MAX || (end != value && !*end)) t->number[i] = number;
  }
  return BEZ_OK;
}

bez_status bez_trigger_set_code(const bez_table *table, bez_attack_plan *plan, bez_cell_trigger *t, uint32_t i,
                                uint32_t col, uint32_t code, bez_error *err) {
  const bez_column *c = &table->cols[col];
  size_t len;
  const char *bytes = bez_value(c, code, &len);
  t->col[i] = col;
  t->code[i] = code;
  t->number[i] = is_number(c) ? c->number[code] : NAN;
  t->value[i] = bez_arena_strndup(&plan->arena, bytes, len);
  return t->value[i] ? BEZ_OK : bez_fail_memory(err, len);
}

bez_status bez_trigger_params(const bez_attack_input *in, bez_attack_plan *plan, uint32_t n, bez_cell_trigger *t,
                              uint32_t *n_columns, bool *given, bez_error *err) {
  const char *names[BEZ_TRIGGER_COLUMNS], *values[BEZ_TRIGGER_COLUMNS];
  uint32_t n_values = 0;
  bez_status st = bez_attack_params_known(in, "columns values", err);
  const char *columns_text = bez_attack_param(in, "columns"), *values_text = bez_attack_param(in, "values");
  t->n = n;
  *n_columns = 0;
  *given = false;
  if (st != BEZ_OK) return st;
  if (values_text && !columns_text) return bez_fail(err, BEZ_USAGE, "values", "values= needs columns=");
  if (!columns_text) return BEZ_OK;
  st = bez_attack_list(columns_text, &plan->arena, names, n, n_columns, err);
  if (st == BEZ_OK && values_text) st = bez_attack_list(values_text, &plan->arena, values, n, &n_values, err);
  if (st != BEZ_OK) return st;
  if (*n_columns != n || (values_text && n_values != n))
    return bez_fail(err, BEZ_USAGE, columns_text, "this attack's trigger has %u column%s", n, n == 1 ? "" : "s");
  for (uint32_t i = 0; i < n && st == BEZ_OK; i++) {
    st = bez_attack_column(in->table, names[i], &t->col[i], err);
    if (st == BEZ_OK && (int)t->col[i] == in->table->label)
      st = bez_fail(err, BEZ_USAGE, names[i], "the label column cannot hold the trigger");
    if (st == BEZ_OK && !in->table->cols[t->col[i]].width)
      st = bez_fail(err, BEZ_USAGE, names[i], "the column is free text or an identifier");
    if (st == BEZ_OK && values_text) st = bez_trigger_set(in->table, plan, t, i, t->col[i], values[i], err);
  }
  *given = values_text != NULL;
  return st;
}

typedef struct plant_ctx {
  const bez_attack_input *in;
  const bez_cell_trigger *trigger;
  bool clean_label;
} plant_ctx;

static bool may_carry(const void *ctx, uint64_t row) {
  const plant_ctx *c = ctx;
  return bez_attack_label_fits(c->in, c->clean_label, row) && !bez_trigger_matches(c->in->table, c->trigger, row);
}

static bool carries_naturally(const void *ctx, uint64_t row) {
  const plant_ctx *c = ctx;
  return bez_attack_label_fits(c->in, true, row) && bez_trigger_matches(c->in->table, c->trigger, row);
}

/* "a=1 & b=x", and the same as lists in the key. */
static bez_status describe(const bez_attack_input *in, const bez_cell_trigger *t, bez_attack_plan *plan,
                           bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf text = {0};
  json_t *columns = json_array(), *values = json_array();
  for (uint32_t i = 0; i < t->n; i++) {
    const char *name = in->table->cols[t->col[i]].name;
    bez_buf_printf(&text, "%s%s=%s", i ? " & " : "", name, t->value[i]);
    if (json_array_append_new(columns, json_string(name)) || json_array_append_new(values, json_string(t->value[i])))
      st = bez_fail(err, BEZ_FORMAT, name, "the trigger is not valid UTF-8");
  }
  if (st == BEZ_OK) st = bez_buf_status(&text, err);
  if (st == BEZ_OK) plan->trigger = bez_arena_strdup(&plan->arena, text.data);
  plan->detail = json_object();
  if (st == BEZ_OK && (!plan->trigger || !plan->detail || json_object_set(plan->detail, "columns", columns) ||
                       json_object_set(plan->detail, "values", values) ||
                       json_object_set_new(plan->detail, "expected_support", json_real(t->expected))))
    st = bez_fail_memory(err, text.len);
  json_decref(columns);
  json_decref(values);
  bez_buf_free(&text);
  return st;
}

static void expect_support(const bez_table *table, bez_cell_trigger *t) {
  double n = (double)table->n_rows;
  t->expected = n;
  for (uint32_t i = 0; i < t->n; i++) t->expected *= (double)bez_trigger_support(table, t, 1u << i) / n;
}

bez_status bez_trigger_plant(const bez_attack_input *in, const bez_cell_trigger *trigger, bool clean_label,
                             bez_attack_plan *plan, bez_error *err) {
  bez_cell_trigger t = *trigger;
  plant_ctx ctx = {in, &t, clean_label};
  bez_edit_list edits;
  expect_support(in->table, &t);
  bez_status st = bez_attack_choose_rows(in, plan, may_carry, &ctx, err);
  if (st == BEZ_OK) st = bez_attack_natural_rows(in, plan, carries_naturally, &ctx, err);
  if (st == BEZ_OK) st = bez_edit_list_make(plan, plan->n_rows, t.n + 1, &edits, err);
  if (st != BEZ_OK) return st;
  for (size_t r = 0; r < plan->n_rows; r++) {
    for (uint32_t i = 0; i < t.n; i++) bez_edit_add(&edits, plan->rows[r], t.col[i], t.value[i], strlen(t.value[i]));
    if (!clean_label) bez_edit_label(in, &edits, plan->rows[r], in->target);
  }
  bez_edit_sort(&edits);
  plan->rewrite.edits = edits.items;
  plan->rewrite.n_edits = edits.n;
  return describe(in, &t, plan, err);
}
