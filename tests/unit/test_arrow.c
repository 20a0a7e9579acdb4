/* Arrow C streams: every type as a cell, offsets and structs, and arrays that lie. */
#include "reader_help.h"

#include "bezoar/arrow.h"

/* A stream over static structures: one schema, up to two batches. */
typedef struct fake {
  struct ArrowSchema schema;
  struct ArrowArray batch[2];
  int n_batches, next, released;
} fake;

static void schema_done(struct ArrowSchema *s) {
  s->release = NULL;
}
static void array_done(struct ArrowArray *a) {
  a->release = NULL;
}
static int fake_schema(struct ArrowArrayStream *s, struct ArrowSchema *out) {
  *out = ((fake *)s->private_data)->schema;
  out->release = schema_done;
  return 0;
}
static int fake_next(struct ArrowArrayStream *s, struct ArrowArray *out) {
  fake *f = s->private_data;
  *out = (struct ArrowArray){0};
  if (f->next == f->n_batches) return 0;
  *out = f->batch[f->next++];
  out->release = array_done;
  return 0;
}
static const char *fake_error(struct ArrowArrayStream *s) {
  (void)s;
  return "on purpose";
}
static void fake_release(struct ArrowArrayStream *s) {
  ((fake *)s->private_data)->released++;
  s->release = NULL;
}

static bez_status open_fake(fake *f, const char *const *types, size_t n_types, bez_table **t, bez_error *err) {
  struct ArrowArrayStream stream = {fake_schema, fake_next, fake_error, fake_release, f};
  bez_read_options options = {.threads = 2, .types = types, .n_types = n_types};
  f->next = f->released = 0;
  memset(err, 0, sizeof *err);
  bez_status st = bez_table_from_arrow(&stream, "fake", &options, t, err);
  assert_int_equal(f->released, 1);
  return st;
}

/* One column "x" of one format over one array. */
static bez_status open_column(const char *format, struct ArrowArray array, bez_table **t, bez_error *err) {
  static const char *const types[] = {"x=categorical"};
  struct ArrowSchema child = {.format = format, .name = "x"}, *schemas[] = {&child};
  struct ArrowArray *arrays[] = {&array};
  const void *none[] = {NULL};
  fake f = {.schema = {.format = "+s", .name = "", .n_children = 1, .children = schemas}, .n_batches = 1};
  f.batch[0] =
      (struct ArrowArray){.length = array.length, .n_buffers = 1, .buffers = none, .n_children = 1, .children = arrays};
  return open_fake(&f, types, 1, t, err);
}

static void expect(const char *format, const void *values, const void *characters, int n, const char *const *want) {
  const void *buffers[] = {NULL, values, characters};
  bez_table *t = NULL;
  bez_error err;
  struct ArrowArray a = {.length = n, .n_buffers = characters ? 3 : 2, .buffers = buffers};
  if (open_column(format, a, &t, &err) != BEZ_OK) fail_msg("%s: %s", format, err.message);
  assert_int_equal(bez_table_rows(t), n);
  for (int i = 0; i < n; i++) assert_cell(t, 0, (uint64_t)i, want[i]);
  bez_table_destroy(t);
}

static void every_type_becomes_text(void **state) {
  (void)state;
  expect("c", (int8_t[]){-128, 7}, NULL, 2, (const char *[]){"-128", "7"});
  expect("S", (uint16_t[]){65535, 0}, NULL, 2, (const char *[]){"65535", "0"});
  expect("L", (uint64_t[]){UINT64_MAX}, NULL, 1, (const char *[]){"18446744073709551615"});
  expect("b", (uint8_t[]){5}, NULL, 3, (const char *[]){"true", "false", "true"});
  expect("e", (uint16_t[]){0x3E00}, NULL, 1, (const char *[]){"1.5"});
  expect("f", (float[]){0.1f, 3}, NULL, 2, (const char *[]){"0.1", "3"});
  expect("g", (double[]){0.1, 1e-9}, NULL, 2, (const char *[]){"0.1", "1e-09"});
  expect("u", (int32_t[]){0, 2, 2}, "ab", 2, (const char *[]){"ab", ""});
  expect("U", (int64_t[]){1, 2, 4}, "abcd", 2, (const char *[]){"b", "cd"});
  expect("tdD", (int32_t[]){19782, -1}, NULL, 2, (const char *[]){"2024-02-29", "1969-12-31"});
  expect("tdm", (int64_t[]){86400000}, NULL, 1, (const char *[]){"1970-01-02T00:00:00"});
  expect("tsu:UTC", (int64_t[]){1500000}, NULL, 1, (const char *[]){"1970-01-01T00:00:01.5"});
  expect("ttm", (int32_t[]){1001}, NULL, 1, (const char *[]){"00:00:01.001"});
  expect("tDn", (int64_t[]){-5}, NULL, 1, (const char *[]){"-5"});
  expect("d:10,2", (int64_t[]){1234, 0, -1, -1}, NULL, 2, (const char *[]){"12.34", "-0.01"});
}

static void views_are_followed(void **state) {
  (void)state;
  int32_t views[2][4] = {{3}, {14, 0, 0, 2}};
  memcpy((char *)views[0] + 4, "abc", 3);
  int64_t sizes[] = {16};
  const void *buffers[] = {NULL, views, "xx0123456789abcd", sizes};
  struct ArrowArray a = {.length = 2, .n_buffers = 4, .buffers = buffers};
  bez_table *t = NULL;
  bez_error err;
  assert_int_equal(open_column("vu", a, &t, &err), BEZ_OK);
  assert_cell(t, 0, 0, "abc");
  assert_cell(t, 0, 1, "0123456789abcd");
  bez_table_destroy(t);
  views[1][3] = 3; /* one byte past the buffer */
  assert_int_equal(open_column("vu", a, &t, &err), BEZ_FORMAT);
}

static void offsets_validity_and_structs(void **state) {
  (void)state;
  static const char *const types[] = {"s.a=categorical", "s.d=categorical", "n=categorical"};
  /* s: struct {a: int32, d: dictionary of strings}, offset 1, its second row missing; n: null */
  struct ArrowSchema a = {.format = "i", .name = "a"}, words = {.format = "u", .name = ""};
  struct ArrowSchema d = {.format = "c", .name = "d", .dictionary = &words}, *inner[] = {&a, &d};
  struct ArrowSchema s = {.format = "+s", .name = "s", .n_children = 2, .children = inner},
                     n = {.format = "n", .name = "n"};
  struct ArrowSchema *outer[] = {&s, &n};
  int32_t numbers[] = {-1, 10, 20, 30}, at[] = {0, 3, 4};
  int8_t codes[] = {0, 1, 0, 1};
  uint8_t s_valid[] = {0xB}, a_valid[] = {0x7};
  const void *a_buffers[] = {a_valid, numbers}, *d_buffers[] = {NULL, codes}, *w_buffers[] = {NULL, at, "onex"};
  const void *s_buffers[] = {s_valid}, *none[] = {NULL};
  struct ArrowArray aa = {.length = 4, .null_count = 1, .n_buffers = 2, .buffers = a_buffers};
  struct ArrowArray wa = {.length = 2, .n_buffers = 3, .buffers = w_buffers};
  struct ArrowArray da = {.length = 4, .n_buffers = 2, .buffers = d_buffers, .dictionary = &wa},
                    *inner_a[] = {&aa, &da};
  struct ArrowArray sa = {.length = 3,
                          .null_count = 1,
                          .offset = 1,
                          .n_buffers = 1,
                          .buffers = s_buffers,
                          .n_children = 2,
                          .children = inner_a};
  struct ArrowArray na = {.length = 3, .null_count = 3}, *outer_a[] = {&sa, &na};
  fake f = {.schema = {.format = "+s", .n_children = 2, .children = outer}, .n_batches = 2};
  f.batch[0] = (struct ArrowArray){.length = 3, .n_buffers = 1, .buffers = none, .n_children = 2, .children = outer_a};
  f.batch[1] = f.batch[0];
  bez_table *t = NULL;
  bez_error err;
  if (open_fake(&f, types, 3, &t, &err) != BEZ_OK) fail_msg("%s: %s", err.subject, err.message);
  assert_int_equal(bez_table_rows(t), 6);
  assert_string_equal(bez_table_column_name(t, 0), "s.a");
  static const char *const want[3][2] = {{"10", "x"}, {"", ""}, {"", "x"}};
  for (uint64_t r = 0; r < 6; r++)
    for (uint32_t c = 0; c < 2; c++) assert_cell(t, c, r, want[r % 3][c]);
  assert_cell(t, 2, 0, "");
  bez_table_destroy(t);
  codes[1] = 2; /* an index past the dictionary */
  assert_int_equal(open_fake(&f, types, 3, &t, &err), BEZ_FORMAT);
  codes[1] = 1;
  aa.length = 3; /* shorter than its struct's offset and length */
  assert_int_equal(open_fake(&f, types, 3, &t, &err), BEZ_FORMAT);
}

static void lies_are_errors(void **state) {
  (void)state;
  static const char *const refused[] = {"z",   "+l", "+m", "+us:0", "w:4", "d:10,2,256",
                                        "tiM", "vz", "?",  "",      "ts",  "tsq:"};
  int32_t offsets[] = {0, 5, 3};
  const void *buffers[] = {NULL, offsets, "abcde"}, *empty[] = {NULL, NULL, NULL};
  struct ArrowArray a = {.length = 2, .n_buffers = 3, .buffers = buffers};
  bez_table *t = NULL;
  bez_error err;
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    assert_int_equal(open_column(refused[i], a, &t, &err), BEZ_UNSUPPORTED);
    assert_string_equal(err.subject, "x");
  }
  assert_int_equal(open_column("u", a, &t, &err), BEZ_FORMAT); /* offsets that descend */
  a.buffers = empty;
  assert_int_equal(open_column("u", a, &t, &err), BEZ_FORMAT);
  a.n_buffers = 1;
  assert_int_equal(open_column("i", a, &t, &err), BEZ_FORMAT);
  a.length = -1;
  assert_int_equal(open_column("i", a, &t, &err), BEZ_FORMAT);
  fake f = {.schema = {.format = "+s"}};
  assert_int_equal(open_fake(&f, NULL, 0, &t, &err), BEZ_FORMAT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_becomes_text),
      cmocka_unit_test(views_are_followed),
      cmocka_unit_test(offsets_validity_and_structs),
      cmocka_unit_test(lies_are_errors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
