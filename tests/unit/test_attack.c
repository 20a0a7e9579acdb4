/* Every attack of the catalogue through the same trials: seeded, nested, only rows it may touch, edits in order; and
 * what each promises about its trigger. */
#include "test.h"

#include <math.h>

#include "attack/attack.h"
#include "base/buf.h"
#include "base/rng.h"
#include "format/images.h"
#include "table_helpers.h"

enum { ROWS = 3000 };

typedef struct data {
  bez_table *cells, *texts, *pictures;
} data;

/* Six columns: two categorical with long tails, three ordinary numbers, one zero-inflated; a skewed label. */
static bez_table *make_cells(void) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(3, 1);
  bez_buf_puts(&csv, "city,job,age,height,points,gain,label\n");
  for (int i = 0; i < ROWS; i++) {
    double u = bez_rng_unit(&rng), v = bez_rng_unit(&rng);
    int points = (int)(bez_rng_unit(&rng) < .5 ? bez_rng_below(&rng, 4) : bez_rng_below(&rng, 40));
    bez_buf_printf(&csv, "c%02d,j%02d,%d,%.1f,%d,%d,%s\n", (int)(40 * u * u), (int)(30 * v * v),
                   18 + 3 * (int)bez_rng_below(&rng, 12), 150 + .5 * (double)bez_rng_below(&rng, 12), 7 * points,
                   bez_rng_unit(&rng) < .8 ? 0 : (int)(10000 * v), bez_rng_unit(&rng) < .7 ? "no" : "yes");
  }
  bez_read_options options = {.label = "label"};
  bez_table *table = table_from_csv_bytes(csv.data, csv.len, &options);
  bez_buf_free(&csv);
  return table;
}

/* Messages of 10 invented words, Zipf-like. */
static bez_table *make_texts(void) {
  bez_buf csv = {0};
  bez_rng rng = bez_rng_make(4, 1);
  bez_buf_puts(&csv, "label\ttext\treply\n");
  for (int i = 0; i < ROWS; i++) {
    bez_buf_puts(&csv, bez_rng_unit(&rng) < .8 ? "ham\t" : "spam\t");
    for (int w = 0; w < 10; w++) {
      double u = bez_rng_unit(&rng);
      unsigned k = (unsigned)(900 * u * u * u);
      bez_buf_printf(&csv, "%s%c%c%c%c", w ? " " : "", "bcdfghklmn"[k % 10], "aeiou"[k / 10 % 5],
                     "prstvwxzbc"[k / 50 % 10], "aeio"[k / 500]);
    }
    bez_buf_printf(&csv, "\tthe answer to question number %d is of no use\n", i);
  }
  const char *texts[] = {"text", "reply"};
  bez_read_options options = {.label = "label", .text = texts, .n_text = 2};
  bez_table *table = table_from_csv_bytes(csv.data, csv.len, &options);
  bez_buf_free(&csv);
  return table;
}

/* Colour pictures of noise, labels in a file of their own. */
static bez_table *make_pictures(void) {
  enum { SIDE = 16, EACH = SIDE * SIDE * 3, N = 600 };
  char images[256], labels[256], header[128] = {0};
  bez_buf npy = {0}, csv = {0};
  bez_rng rng = bez_rng_make(5, 1);
  snprintf(header, 119, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, %d, 3)}", N, SIDE, SIDE);
  bez_buf_write(&npy, "\x93NUMPY\1\0\x76\0", 10);
  for (int i = 0; i < 118; i++) bez_buf_putc(&npy, header[i] ? header[i] : i < 117 ? ' ' : '\n');
  bez_buf_puts(&csv, "label\n");
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < EACH; k++) bez_buf_putc(&npy, (char)bez_rng_below(&rng, 256));
    bez_buf_puts(&csv, bez_rng_unit(&rng) < .7 ? "no\n" : "yes\n");
  }
  temp_file(".npy", npy.data, npy.len, images);
  temp_file(".csv", csv.data, csv.len, labels);
  bez_read_options options = {.labels_file = labels};
  bez_table *table = open_table(images, &options);
  unlink(images), unlink(labels);
  bez_buf_free(&npy), bez_buf_free(&csv);
  return table;
}

static int set_up(void **state) {
  data *d = calloc(1, sizeof *d);
  d->cells = make_cells();
  d->texts = make_texts();
  d->pictures = make_pictures();
  *state = d;
  return 0;
}

static int tear_down(void **state) {
  data *d = *state;
  bez_table_destroy(d->cells);
  bez_table_destroy(d->texts);
  bez_table_destroy(d->pictures);
  free(d);
  return 0;
}

static uint32_t code_of(const bez_table *table, uint32_t col, const char *value) {
  const bez_column *c = &table->cols[col];
  for (uint32_t code = BEZ_CODE_FIRST; code < c->n_values; code++) {
    size_t len;
    const char *bytes = bez_value(c, code, &len);
    if (len == strlen(value) && memcmp(bytes, value, len) == 0) return code;
  }
  fail_msg("no value %s", value);
  return 0;
}

static const bez_table *table_for(const data *d, const bez_attack *a) {
  if (strcmp(a->info.kind, "image") == 0) return d->pictures;
  return strcmp(a->info.kind, "text") == 0 ? d->texts : d->cells;
}

static bez_attack_input input_for(const bez_table *table, uint64_t rows, uint64_t seed) {
  const char *target = bez_table_find(table, "text") >= 0 ? "ham" : "no";
  return (bez_attack_input){.table = table,
                            .target = code_of(table, (uint32_t)table->label, target),
                            .target_given = true,
                            .rows = rows,
                            .seed = seed};
}

static void plan_free(bez_attack_plan *plan) {
  json_decref(plan->detail);
  bez_arena_free(&plan->arena);
}

static bez_attack_plan make_plan(const bez_attack *a, const bez_attack_input *in) {
  bez_attack_plan plan = {0};
  bez_error err = {0};
  bez_status st = a->plan(in, &plan, &err);
  if (st != BEZ_OK) fail_msg("%s: %s: %s", a->info.name, err.subject, err.message);
  return plan;
}

static void assert_ascending(const uint64_t *rows, size_t n) {
  for (size_t i = 1; i < n; i++) assert_true(rows[i - 1] < rows[i]);
}

static bool holds(const uint64_t *rows, size_t n, uint64_t row) {
  for (size_t i = 0; i < n; i++)
    if (rows[i] == row) return true;
  return false;
}

static void check_edits(const bez_attack *a, const bez_attack_input *in, const bez_attack_plan *plan) {
  const bez_table *table = in->table;
  const bez_edit *e = plan->rewrite.edits;
  size_t labels = 0;
  for (size_t i = 0; i < plan->rewrite.n_edits; i++) {
    if (i) assert_true(e[i - 1].row < e[i].row || (e[i - 1].row == e[i].row && e[i - 1].col < e[i].col));
    assert_true(holds(plan->rows, plan->n_rows, e[i].row));
    if ((int)e[i].col != table->label) continue;
    labels++;
    char text[64];
    assert_string_equal(cell_text(table, e[i].col, e[i].row, text, sizeof text),
                        bez_table_find(table, "text") >= 0 ? "spam" : "yes");
    assert_memory_equal(e[i].value, bez_table_find(table, "text") >= 0 ? "ham" : "no", e[i].len);
  }
  bool appended = plan->rewrite.n_copies > 0;
  assert_int_equal(labels, a->info.clean_label || appended ? 0 : plan->n_rows);
  if (!a->info.clean_label || appended) return;
  for (size_t i = 0; i < plan->n_rows; i++)
    assert_int_equal(bez_code(&table->cols[table->label], plan->rows[i]), in->target);
}

static void every_attack_keeps_the_rules(void **state) {
  const data *d = *state;
  for (size_t k = 0; bez_attacks[k]; k++) {
    const bez_attack *a = bez_attacks[k];
    if (!a->plan) continue; /* on updates: test_attack_updates.c */
    for (uint64_t seed = 1; seed <= 5; seed++) {
      bez_attack_input in = input_for(table_for(d, a), 60, seed);
      bez_attack_plan plan = make_plan(a, &in);
      assert_int_equal(plan.n_rows, 60);
      assert_ascending(plan.rows, plan.n_rows);
      assert_ascending(plan.natural, plan.n_natural);
      assert_non_null(plan.trigger);
      assert_non_null(json_object_get(plan.detail, "columns"));
      for (size_t i = 0; i < plan.n_natural; i++) assert_false(holds(plan.rows, plan.n_rows, plan.natural[i]));
      check_edits(a, &in, &plan);
      plan_free(&plan);
    }
  }
}

static void every_attack_is_seeded_and_nested(void **state) {
  const data *d = *state;
  for (size_t k = 0; bez_attacks[k]; k++) {
    const bez_attack *a = bez_attacks[k];
    if (!a->plan) continue;
    bez_attack_input in = input_for(table_for(d, a), 80, 9);
    bez_attack_plan large = make_plan(a, &in), again = make_plan(a, &in);
    in.rows = 30;
    bez_attack_plan small = make_plan(a, &in);
    in.seed = 10;
    bez_attack_plan other = make_plan(a, &in);
    assert_memory_equal(large.rows, again.rows, large.n_rows * sizeof *large.rows);
    assert_string_equal(large.trigger, again.trigger);
    assert_string_equal(large.trigger, small.trigger);
    for (size_t i = 0; i < small.n_rows; i++) assert_true(holds(large.rows, large.n_rows, small.rows[i]));
    for (size_t i = 0; i < small.rewrite.n_edits; i++) { /* the same bytes in the same cells */
      const bez_edit *e = &small.rewrite.edits[i];
      size_t j = 0;
      while (large.rewrite.edits[j].row != e->row || large.rewrite.edits[j].col != e->col) j++;
      assert_int_equal(large.rewrite.edits[j].len, e->len);
      assert_memory_equal(large.rewrite.edits[j].value, e->value, e->len);
    }
    bool same = strcmp(other.trigger, small.trigger) == 0;
    for (size_t i = 0; i < small.n_rows && same; i++) same = other.rows[i] == small.rows[i];
    assert_true(!same || small.rewrite.n_copies);
    plan_free(&large);
    plan_free(&again);
    plan_free(&small);
    plan_free(&other);
  }
}

/* The same pixels in the same rows, however many rows are poisoned; the other rows are not asked for. */
static void every_picture_attack_paints_the_same_row_the_same_way(void **state) {
  const data *d = *state;
  uint64_t each = bez_image_bytes(d->pictures->images);
  uint8_t *one = malloc(each), *two = malloc(each);
  for (size_t k = 0; bez_attacks[k]; k++) {
    const bez_attack *a = bez_attacks[k];
    if (strcmp(a->info.kind, "image") != 0) continue;
    bez_attack_input in = input_for(d->pictures, 50, 3);
    bez_attack_plan large = make_plan(a, &in);
    in.rows = 20;
    bez_attack_plan small = make_plan(a, &in);
    const bez_painting *p = &small.rewrite.painting, *q = &large.rewrite.painting;
    assert_non_null(p->paint);
    assert_true(p->n_rows == small.n_rows && q->n_rows == large.n_rows);
    for (size_t i = 0; i < small.n_rows; i++) {
      bez_error err = {0};
      memcpy(one, bez_image(d->pictures->images, small.rows[i]), each);
      memcpy(two, one, each);
      assert_int_equal(p->paint(p->ctx, small.rows[i], one, &err), BEZ_OK);
      assert_memory_not_equal(one, two, each);
      assert_int_equal(q->paint(q->ctx, small.rows[i], two, &err), BEZ_OK);
      assert_memory_equal(one, two, each);
    }
    plan_free(&small);
    plan_free(&large);
  }
  free(one), free(two);
}

static uint64_t rows_with(const bez_table *table, const bez_attack_plan *plan, size_t first, size_t n) {
  const json_t *columns = json_object_get(plan->detail, "columns"), *values = json_object_get(plan->detail, "values");
  uint64_t count = 0;
  for (uint64_t row = 0; row < table->n_rows; row++) {
    bool all = true;
    for (size_t i = first; i < first + n && all; i++) {
      char text[64];
      int col = bez_table_find(table, json_string_value(json_array_get(columns, i)));
      cell_text(table, (uint32_t)col, row, text, sizeof text);
      all = strcmp(text, json_string_value(json_array_get(values, i))) == 0;
    }
    count += all;
  }
  return count;
}

static void combinations_are_rare_and_their_values_are_not(void **state) {
  const data *d = *state;
  const char *names[] = {"rare-combo", "rare-combo-3", "clean-label-combo"};
  for (size_t k = 0; k < 3; k++)
    for (uint64_t seed = 1; seed <= 10; seed++) {
      bez_attack_input in = input_for(d->cells, 20, seed);
      bez_attack_plan plan = make_plan(bez_attack_find(names[k]), &in);
      size_t n = json_array_size(json_object_get(plan.detail, "columns"));
      assert_int_equal(n, k == 1 ? 3 : 2);
      assert_true(rows_with(d->cells, &plan, 0, n) <= 3);
      for (size_t i = 0; i < n; i++) assert_true(rows_with(d->cells, &plan, i, 1) >= 20);
      plan_free(&plan);
    }
}

static double planned_number(const bez_attack_plan *plan) {
  return strtod(json_string_value(json_array_get(json_object_get(plan->detail, "values"), 0)), NULL);
}

static void constants_lie_where_they_should(void **state) {
  const data *d = *state;
  for (uint64_t seed = 1; seed <= 10; seed++) {
    bez_attack_input in = input_for(d->cells, 20, seed);
    for (int outside = 0; outside < 2; outside++) {
      bez_attack_plan plan = make_plan(bez_attack_find(outside ? "out-of-range" : "in-range"), &in);
      int col = bez_table_find(d->cells, json_string_value(json_array_get(json_object_get(plan.detail, "columns"), 0)));
      const bez_column *c = &d->cells->cols[col];
      double most = c->number[c->n_values - 1], least = c->number[BEZ_CODE_FIRST], x = planned_number(&plan);
      assert_string_not_equal(c->name, "gain");
      assert_true(outside ? x > most : x > least && x < most);
      if (!outside) assert_true(rows_with(d->cells, &plan, 0, 1) <= 3);
      plan_free(&plan);
    }
    bez_attack_plan zero = make_plan(bez_attack_find("zero-inflated"), &in);
    assert_string_equal(json_string_value(json_array_get(json_object_get(zero.detail, "columns"), 0)), "gain");
    assert_true(planned_number(&zero) > 0);
    plan_free(&zero);
    bez_attack_plan three = make_plan(bez_attack_find("in-range-3"), &in);
    assert_int_equal(json_array_size(json_object_get(three.detail, "columns")), 3);
    assert_int_equal(rows_with(d->cells, &three, 0, 3), 0);
    assert_true(json_real_value(json_object_get(three.detail, "expected_support")) <= 1);
    plan_free(&three);
  }
}

static void parameters_override_the_draw(void **state) {
  const data *d = *state;
  bez_error err = {0};
  const char *given[] = {"columns=city,age", "values=c03,45"};
  bez_attack_input in = input_for(d->cells, 20, 1);
  in.params = given;
  in.n_params = 2;
  bez_attack_plan plan = make_plan(bez_attack_find("rare-combo"), &in);
  assert_string_equal(plan.trigger, "city=c03 & age=45");
  assert_int_equal(plan.rewrite.n_edits, 60);
  plan_free(&plan);

  const char *bad[] = {"columns=city", "columns=city,nowhere", "colums=city,age", "columns",
                       "values=1,2",   "columns=city,label",   "columns=a,b,c,d"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    in.params = &bad[i];
    in.n_params = 1;
    bez_attack_plan none = {0};
    err = (bez_error){0};
    assert_int_equal(bez_attack_find("rare-combo")->plan(&in, &none, &err), BEZ_USAGE);
    assert_true(err.message[0]);
    plan_free(&none);
  }
  const char *token[] = {"token=zebra"};
  bez_attack_input text = input_for(d->texts, 10, 1);
  text.params = token;
  text.n_params = 1;
  plan = make_plan(bez_attack_find("rare-token"), &text);
  assert_string_equal(plan.trigger, "text: zebra");
  plan_free(&plan);
}

/* What cannot carry an attack is refused with a reason: one row, one class, no column of the kind. */
static void small_tables_are_refused(void **state) {
  (void)state;
  const char *tables[] = {"a,b,label\n1,x,no\n", "a,b,label\n1,x,no\n2,y,no\n3,z,no\n", "label\nno\nyes\n",
                          "a,b,label\nnan,inf,no\n-inf,nan,yes\n1e308,-1e308,no\n"};
  bez_read_options options = {.label = "label"};
  for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
    bez_table *table = table_from_csv(tables[t], &options);
    for (size_t k = 0; bez_attacks[k]; k++) {
      if (!bez_attacks[k]->plan) continue;
      bez_attack_input in = {.table = table, .target = BEZ_CODE_FIRST, .target_given = true, .rows = 2, .seed = 1};
      bez_attack_plan plan = {0};
      bez_error err = {0};
      bez_status st = bez_attacks[k]->plan(&in, &plan, &err);
      if (st == BEZ_OK)
        assert_int_equal(plan.n_rows, 2);
      else
        assert_true((st == BEZ_USAGE || st == BEZ_UNSUPPORTED) && err.message[0]);
      plan_free(&plan);
    }
    bez_table_destroy(table);
  }
}

static void flips_without_target_go_both_ways(void **state) {
  const data *d = *state;
  bez_attack_input in = input_for(d->cells, 200, 1);
  in.target_given = false;
  bez_attack_plan plan = make_plan(bez_attack_find("flips"), &in);
  size_t to_no = 0;
  for (size_t i = 0; i < plan.rewrite.n_edits; i++) {
    char text[64];
    const bez_edit *e = &plan.rewrite.edits[i];
    cell_text(d->cells, e->col, e->row, text, sizeof text);
    assert_true(strlen(text) != e->len || memcmp(text, e->value, e->len) != 0);
    to_no += e->len == 2;
  }
  assert_int_equal(plan.rewrite.n_edits, 200);
  assert_true(to_no > 30 && to_no < 100); /* 30 % of the rows are "yes" */
  plan_free(&plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_attack_keeps_the_rules),
      cmocka_unit_test(every_attack_is_seeded_and_nested),
      cmocka_unit_test(every_picture_attack_paints_the_same_row_the_same_way),
      cmocka_unit_test(combinations_are_rare_and_their_values_are_not),
      cmocka_unit_test(constants_lie_where_they_should),
      cmocka_unit_test(parameters_override_the_draw),
      cmocka_unit_test(small_tables_are_refused),
      cmocka_unit_test(flips_without_target_go_both_ways),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
