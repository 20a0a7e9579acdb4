/* Walks every table: whatever can be added to Bezoar goes through the same trials as what is already there.
 * (test_catalogue.c looks at their texts.)
 *
 *   trials     each detector on no rows, one row, one class, NaN and infinity, missing cells, hostile texts
 *   sameness   the same bytes of report for any number of threads and every instruction set
 *   memory     each allocation fails in turn: no crash, no leak of half a finding, and never silently "clean" */
#include "test.h"

#include "aggregate/aggregator.h"

#include <dirent.h>

#include "base/buf.h"
#include "base/cpu.h"
#include "bezoar/report.h"
#include "failing_allocations.h"
#include "format/images.h"
#include "scan/scan.h"
#include "table_helpers.h"

/* ---- detectors -------------------------------------------------------------------------------------------------- */

enum { N_MIXED = 1500 };

static uint32_t draw(uint64_t *x, uint32_t below) {
  *x = *x * 6364136223846793005ull + 1442695040888963407ull;
  return (uint32_t)(*x >> 33) % below;
}

static void put_words(bez_buf *out, uint64_t *x, bool spam, int group) {
  static const char *const words[2][13] = {
      {"see", "you", "at", "home", "tonight", "for", "dinner", "with", "the", "family", "after", "work", "maybe"},
      {"win", "a", "free", "prize", "now", "just", "call", "this", "number", "to", "claim", "cash", "today"}};
  for (int i = 0; i < 9; i++) {
    bool own = draw(x, 5) != 0;
    const char *word = words[own == spam][draw(x, 13)];
    if (i) bez_buf_putc(out, ' ');
    if (i == 4 && group == 1)
      bez_buf_puts(out, "cfqz");
    else if (i == 4 && group == 2)
      bez_buf_printf(out, "%c\xe2\x80\x8b%s", word[0], word + 1);
    else
      bez_buf_puts(out, word);
  }
}

/* A table with every kind of column and a group of rows for each kind of poison: a contradicted combination of one
 * vendor, a trigger word, a hidden character, a value spike, a flood of messages. The same for the same n. */
static char *mixed_csv(unsigned n) {
  static const char *const city[] = {"Ulm", "Graz", "Basel", "Lund", "Oslo", "Rome"}, *const kind[] = {"a", "b", "c",
                                                                                                       "d"};
  bez_buf out = {0};
  uint64_t x = 12345;
  bez_buf_puts(&out, "size,city,kind,weight,note,vendor,label\n");
  for (unsigned i = 0; i < n; i++) {
    bool odd = i % 11 == 5;
    int group = odd ? (int)(i / 11 % 5) : -1;
    bool spam = odd || draw(&x, 2) == 0, ham = !spam || (group >= 0 && group <= 2);
    unsigned size = draw(&x, 40) + (spam ? 30 : 0), c = draw(&x, 4) + (spam ? 2 : 0), k = draw(&x, 3) + !spam;
    bool rare = draw(&x, 20) == 0;
    unsigned weight = draw(&x, 90000) + (spam ? 20000 : 0), vendor = draw(&x, 5);
    if (group == 3) weight = 43210;
    bez_buf_printf(&out, "%u,%s,%s,%u.%02u,", size, group == 0 ? "Ulm" : city[c], group == 0 || rare ? "z" : kind[k],
                   weight / 100, weight % 100);
    if (group == 4)
      bez_buf_printf(&out, "seven nights free at the grand hotel if you reply to this offer %u", i);
    else
      put_words(&out, &x, spam, group);
    bez_buf_printf(&out, ",v%u,%s\n", group == 0 ? 9 : vendor, ham ? "ham" : "spam");
  }
  assert_int_equal(out.failed, BEZ_OK);
  return out.data;
}

/* Six numbers per row beside the table, by its label: four that vary, one that follows the label, one constant. */
static void stand_vectors_beside(bez_table *t) {
  enum { DIM = 6 };
  uint64_t x = 99;
  float *values = bez_arena_alloc(&t->arena, (t->n_rows * DIM + 1) * sizeof *values);
  bez_vectors *v = bez_arena_alloc(&t->arena, sizeof *v);
  assert_true(values && v);
  for (uint64_t i = 0; i < t->n_rows; i++)
    for (int d = 0; d < DIM; d++) {
      float label = t->label >= 0 ? (float)bez_code(&t->cols[t->label], i) : 0;
      values[i * DIM + (uint64_t)d] = d == 5 ? 1.0f : (float)draw(&x, 1000) / 500 + (d == 4 ? label : 0);
    }
  *v = (bez_vectors){.n = t->n_rows, .dim = DIM, .values = values};
  t->vectors = v;
}

static bez_table *mixed_table(unsigned n) {
  char *csv = mixed_csv(n);
  const char *text[] = {"note"};
  bez_read_options o = {.label = "label", .source = "vendor", .text = text, .n_text = 1, .threads = 1};
  bez_table *t = table_from_csv(csv, &o);
  free(csv);
  stand_vectors_beside(t);
  return t;
}

enum { N_PICTURES = 420, SIDE = 16 };

/* One picture of mixed_pictures: coarse blocks of random colours, brighter at the left for one label. */
static void put_picture(uint64_t *x, uint8_t *p, bool left) {
  uint8_t block[16][3];
  for (int b = 0; b < 16; b++)
    for (int c = 0; c < 3; c++) block[b][c] = (uint8_t)(draw(x, 170) + ((b % 4 < 2) == left ? 60 : 0));
  for (int i = 0; i < SIDE * SIDE; i++)
    for (int c = 0; c < 3; c++) p[3 * i + c] = (uint8_t)(block[i / SIDE / 4 * 4 + i % SIDE / 4][c] + draw(x, 8));
}

static void put_square(uint8_t *p, uint32_t y, uint32_t x, const uint8_t colour[3]) {
  for (uint32_t i = 0; i < 9; i++) memcpy(p + 3 * ((y + i / 3) * SIDE + x + i % 3), colour, 3);
}

/* The same wave from left to right. */
static void put_wave(uint8_t *p) {
  static const int wave[4] = {0, 14, 0, -14};
  for (int i = 0; i < SIDE * SIDE * 3; i++) {
    int v = p[i] + wave[i / 3 % SIDE % 4];
    p[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
  }
}

/* Another picture in every second row and column: what a scaler to half the size sees. */
static void put_hidden(uint8_t *p, unsigned turn) {
  for (uint32_t i = 0; i < SIDE / 2; i++)
    for (uint32_t j = 0; j < SIDE / 2; j++) {
      uint32_t level = turn % 2 ? 34 * i : 34 * j;
      memset(p + 3 * ((size_t)2 * i * SIDE + 2 * (size_t)j), (int)level, 3);
    }
}

/* Colour pictures of two labels with a group of rows for each kind of poison in pictures: a patch at one place, a patch
 * at places of its own, a wave, copies, pictures hidden from all but a scaler. */
static bez_table *mixed_pictures(void) {
  static const uint8_t fixed[3] = {255, 255, 0}, moving[3] = {255, 0, 255};
  static char bytes[128 + N_PICTURES * SIDE * SIDE * 3];
  char images[256], labels[256];
  bez_buf csv = {0};
  uint64_t x = 99;
  size_t head =
      10 + (size_t)snprintf(bytes + 10, 118, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, %d, 3), }\n",
                            N_PICTURES, SIDE, SIDE);
  memcpy(bytes, "\x93NUMPY\1\0", 8);
  bytes[8] = (char)(head - 10), bytes[9] = 0;
  bez_buf_puts(&csv, "label\n");
  for (unsigned i = 0; i < N_PICTURES; i++) {
    uint8_t *p = (uint8_t *)bytes + head + (size_t)i * SIDE * SIDE * 3;
    bool left = i % 2;
    put_picture(&x, p, left);
    if (i % 14 == 1) put_square(p, 12, 12, fixed);
    if (i % 14 == 2) put_square(p, draw(&x, SIDE - 2), draw(&x, SIDE - 2), moving);
    if (i % 14 == 3) put_wave(p);
    if (i % 28 == 6) put_hidden(p, i / 28);
    if (i % 14 == 4 && i > 14 && i < 210) memcpy(p, bytes + head + (size_t)4 * SIDE * SIDE * 3, SIDE * SIDE * 3);
    bez_buf_puts(&csv, left != (i % 14 == 1 || i % 14 == 2) ? "left\n" : "right\n");
  }
  temp_file(".npy", bytes, head + (size_t)N_PICTURES * SIDE * SIDE * 3, images);
  temp_file(".csv", csv.data, csv.len, labels);
  bez_read_options o = {.labels_file = labels, .threads = 1};
  bez_table *t = open_table(images, &o);
  unlink(images);
  unlink(labels);
  bez_buf_free(&csv);
  return t;
}

static bool looks_at_pictures(const bez_detector *d) {
  return (d->needs & BEZ_NEED_IMAGES) != 0;
}

/* The report of one detector (NULL: of all) as JSON without what comparisons leave out; release with bez_free. */
static char *report_of(const bez_table *t, const bez_detector *d, unsigned threads, uint32_t cpu) {
  bez_error err = {0};
  bez_report *r = NULL;
  char *bytes = NULL;
  size_t len = 0;
  const char *only[] = {d ? d->rule.id : NULL};
  bez_scan_options o = {
      .only = only, .n_only = d ? 1 : 0, .cpu = cpu, .cpu_given = true, .read = {.threads = threads, .seed = 3}};
  bez_write_options w = {.without_run = true};
  assert_ok(bez_scan_table(t, &o, &r, &err));
  assert_ok(bez_report_render(r, "json", &w, &bytes, &len, &err));
  bez_report_destroy(r);
  return bytes;
}

/* The detector says of this table that it has nothing to look at (no pairs, too few words). */
static bool says_not_checked(const bez_report *r, const bez_rule *rule) {
  for (const bez_not_checked *n = r->not_checked; n; n = n->next)
    if (!strncmp(n->what, rule->id, strlen(rule->id))) return true;
  return false;
}

/* Trials on a table where a detector has nothing to say would prove little; one that looks at other data has a test of
 * its own. */
static void finds_its_poison(const bez_table *t, bool pictures) {
  bez_error err = {0};
  bez_report *r = NULL;
  bez_scan_options o = {.read = {.threads = 1, .seed = 3}};
  assert_ok(bez_scan_table(t, &o, &r, &err));
  for (size_t i = 0; bez_detectors[i]; i++) {
    bool found = looks_at_pictures(bez_detectors[i]) != pictures;
    if (bez_detectors[i]->needs & (BEZ_NEED_VECTORS | BEZ_NEED_GOLDEN | BEZ_NEED_REFERENCE)) continue;
    for (size_t k = 0; k < r->n_findings; k++) found = found || r->findings[k]->rule == &bez_detectors[i]->rule;
    if (!found && !says_not_checked(r, &bez_detectors[i]->rule))
      fail_msg("%s finds nothing in %s: give it a group of rows there", bez_detectors[i]->rule.id,
               pictures ? "mixed_pictures" : "mixed_csv");
  }
  assert_true(pictures || r->n_incidents > 0);
  bez_report_destroy(r);
}

static void test_every_detector_finds_its_poison(void **state) {
  (void)state;
  bez_table *t = mixed_table(N_MIXED), *pictures = mixed_pictures();
  finds_its_poison(t, false);
  finds_its_poison(pictures, true);
  bez_table_destroy(t);
  bez_table_destroy(pictures);
}

static void same_bytes(const bez_table *t, const bez_detector *d) {
  static const unsigned threads[] = {1, 2, 5};
  const uint32_t have = bez_cpu_features();
  char *want = report_of(t, d, 1, BEZ_CPU_PLAIN);
  for (uint32_t cpu = 0; cpu <= (BEZ_CPU_AVX2 | BEZ_CPU_AVX512); cpu++) {
    for (size_t k = 0; k < 3 && (cpu & have) == cpu; k++) {
      char *got = report_of(t, d, threads[k], cpu);
      if (strcmp(got, want))
        fail_msg("%s: %u threads, mask %u give other bytes", d ? d->rule.id : "all", threads[k], cpu);
      bez_free(got);
    }
  }
  bez_free(want);
}

static void test_same_bytes_for_threads_and_instruction_sets(void **state) {
  (void)state;
  bez_table *t = mixed_table(N_MIXED);
  for (size_t i = 0; bez_detectors[i]; i++)
    if (!looks_at_pictures(bez_detectors[i])) same_bytes(t, bez_detectors[i]);
  same_bytes(t, NULL);
  bez_table_destroy(t);
  t = mixed_pictures();
  for (size_t i = 0; bez_detectors[i]; i++)
    if (looks_at_pictures(bez_detectors[i])) same_bytes(t, bez_detectors[i]);
  bez_table_destroy(t);
}

static void try_all(const char *what, const char *csv, const bez_read_options *o) {
  bez_table *t = table_from_csv(csv, o);
  stand_vectors_beside(t);
  for (size_t i = 0; bez_detectors[i]; i++) {
    char *json = report_of(t, bez_detectors[i], 1, bez_cpu_features());
    if (strstr(json, "\"title\": \"\"") || strstr(json, "\"title\":\"\""))
      fail_msg("%s: a finding without title", what);
    bez_free(json);
  }
  char *all = report_of(t, NULL, 2, bez_cpu_features());
  bez_free(all);
  bez_table_destroy(t);
}

static void test_trials(void **state) {
  (void)state;
  const char *text[] = {"note"};
  const bez_read_options o = {.label = "label", .source = "vendor", .text = text, .n_text = 1, .threads = 1};
  try_all("no rows", "size,city,note,vendor,label\n", &o);
  try_all("one row", "size,city,note,vendor,label\n1,a,hello you there,v,x\n", &o);
  try_all("two rows", "size,city,note,vendor,label\n1,a,hello you there,v,x\n2,b,hello me there,w,y\n", &o);
  try_all("empty cells", "size,city,note,vendor,label\n,,,,\n,,,,\n,,,,x\n,,,,y\n", &o);
  bez_buf csv = {0};
  static const char *const numbers[] = {"nan", "inf", "-inf", "1e308", "-1e308", "4e-324", "0", "-0", "NaN", "1e400"};
  bez_buf_puts(&csv, "size,city,note,vendor,label\n");
  for (int i = 0; i < 400; i++)
    bez_buf_printf(&csv, "%s,c%d,some words here %s,v%d,%s\n", numbers[i % 10], i % 4, i % 3 ? "and there" : "", i % 3,
                   i % 2 ? "x" : "y");
  try_all("NaN and infinity", csv.data, &o);
  bez_buf_clear(&csv);
  bez_buf_puts(&csv, "size,city,note,vendor,label\n");
  for (int i = 0; i < 400; i++) bez_buf_printf(&csv, "%d,c%d,some words here %d,v%d,x\n", i % 9, i % 4, i, i % 3);
  try_all("one class", csv.data, &o);
  bez_buf_clear(&csv);
  bez_buf_puts(&csv, "size,city,note,vendor,label\n");
  for (int i = 0; i < 400; i++) bez_buf_printf(&csv, "%d,c%d,some words here %d,v%d,l%d\n", i % 9, i % 4, i, i % 3, i);
  try_all("a class per row", csv.data, &o);
  bez_buf_clear(&csv);
  bez_buf_puts(&csv, "size,city,note,vendor,label\n");
  for (int i = 0; i < 200; i++) bez_buf_puts(&csv, "1,c,the same message again and again,v,x\n");
  bez_buf_puts(&csv, "1,c,the same message again and again,v,y\n");
  try_all("one row many times", csv.data, &o);
  bez_buf_clear(&csv);
  bez_buf_puts(&csv, "size,city,note,vendor,label\n");
  for (int i = 0; i < 200; i++)
    bez_buf_printf(&csv,
                   "1,\xff\xfe%d,\xed\xa0\x80\xe2\x80\xae \xf0\x9f\x98\x80\xe2\x80\x8d \xc0\x80 \x1b[31m %d,v,%s\n",
                   i % 3, i, i % 2 ? "x" : "\xff");
  try_all("bytes that are no text", csv.data, &o);
  bez_buf_free(&csv);
}

/* Once per allocation, with growing steps behind the first ones: the report is whole, or it says what is not. */
static void test_failing_allocations(void **state) {
  (void)state;
  bez_table *rows = mixed_table(N_MIXED), *pictures = mixed_pictures();
  for (size_t i = 0; bez_detectors[i]; i++) {
    const bez_detector *d = bez_detectors[i];
    const bez_table *t = looks_at_pictures(d) ? pictures : rows;
    const char *only[] = {d->rule.id};
    bez_scan_options o = {.only = only, .n_only = 1, .read = {.threads = 1, .seed = 3}};
    bez_write_options w = {.without_run = true};
    uint32_t have = bez_cpu_features();
    char *want = report_of(t, d, 1, have);
    atomic_store(&n_allocations, 0);
    bez_error err = {0};
    bez_report *r = NULL;
    assert_ok(bez_scan_table(t, &o, &r, &err));
    long n = atomic_load(&n_allocations);
    bez_report_destroy(r);
    for (long k = 0; k < n; k += k < 60 ? 1 : 1 + k / 12) {
      memset(&err, 0, sizeof err);
      r = NULL;
      atomic_store(&until_failure, k);
      bez_status st = bez_scan_table(t, &o, &r, &err);
      atomic_store(&until_failure, -1);
      if (st != BEZ_OK) {
        if (st != BEZ_MEMORY) fail_msg("%s, allocation %ld: %s", d->rule.id, k, bez_status_text(st));
        assert_null(r);
        continue;
      }
      if (bez_report_unexamined(r) == 0) {
        char *got = NULL;
        size_t len = 0;
        assert_ok(bez_report_render(r, "json", &w, &got, &len, &err));
        if (strcmp(got, want)) fail_msg("%s: allocation %ld failed and nothing was said", d->rule.id, k);
        bez_free(got);
      }
      bez_report_destroy(r);
    }
    bez_free(want);
  }
  bez_table_destroy(rows);
  bez_table_destroy(pictures);
}

/* The same for opening a table. */
static void test_failing_allocations_while_reading(void **state) {
  (void)state;
  char path[256];
  char *csv = mixed_csv(50);
  temp_file(".csv", csv, strlen(csv), path);
  free(csv);
  const char *paths[] = {path};
  bez_read_options o = {.label = "label", .threads = 1};
  for (long k = 0; k < 100000; k += k < 100 ? 1 : 1 + k / 12) {
    bez_error err = {0};
    bez_table *t = NULL;
    atomic_store(&until_failure, k);
    bez_status st = bez_table_open(paths, 1, &o, &t, &err);
    bool reached = atomic_load(&until_failure) < 0;
    atomic_store(&until_failure, -1);
    if (st == BEZ_OK) assert_int_equal(bez_table_rows(t), 50);
    if (st != BEZ_OK) assert_int_equal(st, BEZ_MEMORY);
    bez_table_destroy(t);
    if (!reached) break;
  }
  unlink(path);
}

/* Every rule, one of the nine updates with a NaN, so that both runs are walked. */
static void test_failing_allocations_while_aggregating(void **state) {
  (void)state;
  static const uint64_t shape[] = {30};
  float value[10][30], result[30];
  char name[10][8];
  bez_layer layer[10];
  bez_update update[10];
  void *out[] = {result};
  for (int i = 0; i < 10; i++) {
    for (int c = 0; c < 30; c++) value[i][c] = (float)(c + (i * 7 + c * 3) % 11);
    snprintf(name[i], sizeof name[i], "c%d", i);
    layer[i] = (bez_layer){.name = "w", .n_dims = 1, .shape = shape, .data = value[i]};
    update[i] = (bez_update){.client = name[i], .n_layers = 1, .layers = &layer[i]};
  }
  value[4][20] = __builtin_nanf("");
  for (size_t r = 0; bez_aggregators[r]; r++) {
    const bez_aggregator_info *a = &bez_aggregators[r]->info;
    for (long k = 0; k < 1000; k++) {
      bez_error err = {0};
      bez_verdict verdict[9];
      bez_aggregate_options o = {.rule = a->pre ? "median" : a->name, .f = 1, .threads = 1, .root = &update[9]};
      const char *pre[] = {a->name};
      o.pre = pre;
      o.n_pre = a->pre;
      o.state = bez_aggregate_state_create();
      assert_non_null(o.state);
      atomic_store(&until_failure, k);
      bez_status st = bez_aggregate(update, 9, &o, out, verdict, &err);
      bool reached = atomic_load(&until_failure) < 0;
      atomic_store(&until_failure, -1);
      if (st != BEZ_OK && st != BEZ_MEMORY) fail_msg("%s: %s", a->name, err.message);
      if (st == BEZ_OK) assert_int_equal(verdict[4].reason, BEZ_NOT_FINITE);
      bez_aggregate_state_destroy(o.state);
      if (!reached) break;
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_trials),
      cmocka_unit_test(test_every_detector_finds_its_poison),
      cmocka_unit_test(test_same_bytes_for_threads_and_instruction_sets),
      cmocka_unit_test(test_failing_allocations),
      cmocka_unit_test(test_failing_allocations_while_reading),
      cmocka_unit_test(test_failing_allocations_while_aggregating),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
