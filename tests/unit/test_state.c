/* Saved states: every way a column can be taken in comes back as it was; shards of any number give one table; where a
 * record begins; damaged states. */
#include "base/file.h"
#include "base/rng.h"
#include "format/builder_internal.h"
#include "format/csv.h"
#include "format/csv_read.h"
#include "format/csv_walk.h"
#include "format/dataset.h"
#include "format/share.h"
#include "table_digest.h"
#include "test.h"

/* 5,000 rows and more: numbers of a form, floats, dates and times, text, identifiers, few values; some odd cells. */
static void put_rows(bez_buf *csv, uint32_t n) {
  bez_rng rng = bez_rng_make(7, 1);
  bez_buf_puts(csv, "key,amount,ratio,day,at,note,city,label\n");
  for (uint32_t i = 0; i < n; i++) {
    unsigned x = (unsigned)bez_rng_below(&rng, 1000000), d = (unsigned)bez_rng_below(&rng, 28 * 12 * 40);
    const char *amount = i % 401 == 0 ? "NA" : i % 907 == 0 ? "12.5" : NULL;
    bez_buf_printf(csv, "k%06u-%u,", i, x);
    if (amount)
      bez_buf_puts(csv, amount);
    else
      bez_buf_printf(csv, "%s%u.%02u", x % 7 ? "" : "-", x / 100 + 1, x % 100);
    bez_buf_printf(csv, ",%.17g,%04u-%02u-%02u,2024-01-%02uT%02u:%02u:%02uZ,", (double)x / 3, 1980 + d / 336,
                   d / 28 % 12 + 1, d % 28 + 1, x % 28 + 1, x / 28 % 24, x / 672 % 60, x / 4 % 60);
    bez_buf_printf(csv, "\"row %u says, \"\"hello\"\"\nto %u of you\",%s,%c\n", i, x, x % 3 ? "Ulm" : "Graz",
                   x % 2 ? 'a' : 'b');
  }
}

/* A builder that has read the file, columns planned when half of it was in. */
static bez_builder *read_planned(const char *path, unsigned threads) {
  bez_error err = {0};
  bez_read_options o = {.threads = threads};
  bez_builder *b;
  bez_source source;
  assert_ok(bez_builder_create(&o, &b, &err));
  assert_ok(bez_source_open(path, bez_builder_budget(b), &source, &err));
  bez_csv_tuning tuning = {.tile_bytes = 32768, .profile_bytes = source.size / 2};
  assert_ok(bez_csv_read(&source, b, &tuning, &err));
  bez_builder_digest(b, 1);
  bez_source_close(&source);
  return b;
}

static char *finish(bez_builder *b) {
  bez_error err = {0};
  bez_table *t;
  assert_ok(bez_builder_finish(b, &t, &err));
  char *digest = table_digest(t);
  bez_table_destroy(t);
  return digest;
}

static char *replayed(const char *path) {
  bez_error err = {0};
  bez_state *state;
  bez_builder *b;
  assert_ok(bez_state_open(path, &state, &err));
  assert_ok(bez_builder_create(NULL, &b, &err));
  assert_ok(bez_reuse_all(state, b, &err));
  bez_state_close(state);
  return finish(b);
}

static void assert_modes(const bez_builder *b) {
  static const bez_lane_mode modes[] = {BEZ_LANE_SKIP, BEZ_LANE_FORM, BEZ_LANE_FORM,  BEZ_LANE_FORM,
                                        BEZ_LANE_FORM, BEZ_LANE_TEXT, BEZ_LANE_CODES, BEZ_LANE_CODES};
  assert_int_equal(b->n_cols, 8);
  for (uint32_t c = 0; c < 8; c++) assert_int_equal(b->plans[c].mode, modes[c]);
}

static void test_every_kind_of_column_comes_back(void **unused) {
  bez_error err = {0};
  bez_buf csv = {0};
  char path[256], saved[256], again[256];
  put_rows(&csv, 12000);
  assert_int_equal(csv.failed, BEZ_OK);
  temp_file(".csv", csv.data, csv.len, path);
  temp_file(".bez", "", 0, saved);
  temp_file(".bez", "", 0, again);
  bez_state_note note = {0};
  bez_builder *b = read_planned(path, 1), *three = read_planned(path, 3);
  assert_modes(b);
  assert_ok(bez_state_save(b, &note, saved, &err));
  assert_ok(bez_state_save(three, &note, again, &err));
  bez_builder_destroy(three);
  bez_buf one = {0}, other = {0};
  assert_ok(bez_file_read(saved, SIZE_MAX, &one, &err));
  assert_ok(bez_file_read(again, SIZE_MAX, &other, &err));
  assert_int_equal(one.len, other.len); /* whatever thread read what */
  assert_memory_equal(one.data, other.data, one.len);
  char *fresh = finish(b), *back = replayed(saved);
  assert_string_equal(fresh, back);
  free(fresh);
  free(back);
  bez_buf_free(&one);
  bez_buf_free(&other);
  bez_buf_free(&csv);
  unlink(path);
  unlink(saved);
  unlink(again);
}

/* The table of n shards, each saved, then put together. */
static char *of_shards(const char *path, uint32_t n) {
  bez_error err = {0};
  char names[8][256], all[256];
  const char *states[8];
  uint64_t rows;
  temp_file(".bez", "", 0, all);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t shard = (i * 3 + 1) % n; /* 3 divides none of the numbers tried */
    temp_file(".bez", "", 0, names[i]);
    states[i] = names[i];
    bez_state_use use = {.save = names[i], .shard = shard, .n_shards = n};
    assert_ok(bez_table_open_with(&path, 1, NULL, &use, NULL, &err));
  }
  assert_ok(bez_state_merge(states, n, all, &rows, &err));
  char *digest = replayed(all);
  for (uint32_t i = 0; i < n; i++) unlink(names[i]);
  unlink(all);
  return digest;
}

static void test_shards_are_the_whole(void **unused) {
  static const uint32_t counts[] = {1, 2, 4, 5, 7, 8};
  bez_buf csv = {0};
  char path[256];
  put_rows(&csv, 4000);
  bez_buf_puts(&csv, "too,few\n\n"); /* remarks are put together, too */
  temp_file(".csv", csv.data, csv.len, path);
  bez_table *t = open_table(path, NULL);
  char *whole = table_digest(t);
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    char *parts = of_shards(path, counts[i]);
    assert_string_equal(parts, whole);
    free(parts);
  }
  free(whole);
  bez_table_destroy(t);
  bez_buf_free(&csv);
  unlink(path);
}

static void test_shares_cover_everything_once(void **unused) {
  static const uint64_t bytes[] = {0, 7, 1000000007, 1, 12345, 0};
  for (uint32_t n = 1; n < 40; n++) {
    uint64_t reached[6] = {0}, owners[6] = {0};
    for (uint32_t i = 0; i < n; i++) {
      bez_share parts[6], whole[6];
      bez_share_files(i, n, bytes, 6, false, parts);
      bez_share_files(i, n, bytes, 6, true, whole);
      for (size_t f = 0; f < 6; f++) {
        uint64_t first, end;
        bez_share_range(&parts[f], 977, &first, &end);
        assert_int_equal(first, reached[f]);
        reached[f] = end;
        owners[f] += whole[f].from != whole[f].to;
      }
    }
    for (size_t f = 0; f < 6; f++) {
      assert_int_equal(reached[f], 977);
      assert_int_equal(owners[f], 1);
    }
  }
}

/* Every record's start, found from any byte before it, beside walking through the records. */
static void check_starts(const char *text, bez_csv_dialect dialect) {
  bez_error err = {0};
  size_t size = strlen(text), used = 0;
  bez_source source = {.path = "text", .size = size, .fd = -1, .bytes = (const uint8_t *)text, .packing = ""};
  bez_csv_record record = {0};
  for (size_t at = 0, low = 0; at <= size; at += used) {
    for (; low <= at; low++) {
      uint64_t found;
      assert_ok(bez_csv_find_start(&source, &dialect, 0, low, &found, &err));
      if (found != at) fail_msg("\"%s\" from %zu: %zu, not %zu", text, low, (size_t)found, at);
    }
    if (at == size) break;
    assert_int_equal(bez_csv_split(&dialect, text + at, size - at, true, &record, &used), BEZ_CSV_RECORD);
  }
  bez_csv_record_free(&record);
}

static void test_where_records_begin(void **unused) {
  static const char *const pieces[] = {"a",    ",",    "\n",       "\"b\nc\"", "\"\"", "\"d\"\"\n\"\"\"",
                                       "x\"y", "\r\n", "\"e,\n\"z"};
  bez_csv_dialect d = {.separator = ',', .newline = '\n', .quotes = true}, plain = d;
  bez_rng rng = bez_rng_make(11, 2);
  plain.quotes = false;
  for (int i = 0; i < 400; i++) {
    char text[256] = "";
    for (unsigned k = (unsigned)bez_rng_below(&rng, 20); k > 0; k--)
      strcat(text, pieces[bez_rng_below(&rng, sizeof pieces / sizeof *pieces)]);
    strcat(text, ",end\n");
    bez_csv_record record = {0};
    size_t used, at = 0;
    bool whole = true; /* a quote that never closes is an error of its own */
    for (; whole && at < strlen(text); at += used)
      whole = bez_csv_split(&d, text + at, strlen(text) - at, true, &record, &used) == BEZ_CSV_RECORD;
    bez_csv_record_free(&record);
    if (whole) check_starts(text, d);
    check_starts(text, plain);
  }
}

static void test_forms_hold_what_they_print(void **unused) {
  static const bez_form forms[] = {{.kind = BEZ_FORM_DECIMAL},
                                   {.kind = BEZ_FORM_DECIMAL, .decimals = 15},
                                   {.kind = BEZ_FORM_DATE},
                                   {.kind = BEZ_FORM_TIME, .mark = 'T', .zulu = true},
                                   {.kind = BEZ_FORM_FLOAT}};
  static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, BEZ_FORM_LEAST, INT64_MAX, 999999999999999, -719162, 2932896};
  bez_rng rng = bez_rng_make(3, 3);
  char cell[40];
  for (size_t f = 0; f < sizeof forms / sizeof *forms; f++)
    for (int i = 0; i < 2000; i++) {
      int64_t x = i < 7 ? odd[i] : (int64_t)(bez_rng_u64(&rng) >> bez_rng_below(&rng, 64)), y;
      if (!bez_form_holds(forms[f], x)) continue;
      size_t n = bez_form_print(forms[f], x, cell);
      assert_true(n <= 32);
      if (f != 1) assert_true(bez_form_parse(forms[f], cell, n, &y) && y == x);
    }
}

/* A damaged state is refused, or (nothing is damaged that matters) gives what it gave. */
static void read_damaged(const uint8_t *bytes, size_t len) {
  bez_error err = {0};
  char path[256];
  bez_state_use use = {0};
  bez_table *t = NULL;
  temp_file(".bez", bytes, len, path);
  bez_status st = bez_state_open(path, &use.state, &err);
  if (st == BEZ_OK) st = bez_state_complete(use.state, &err);
  if (st == BEZ_OK) st = bez_table_open_with(NULL, 0, NULL, &use, &t, &err);
  assert_int_not_equal(st, BEZ_OK);
  assert_int_equal(st, err.code);
  assert_null(t);
  assert_true(err.message[0]);
  bez_state_close(use.state);
  unlink(path);
}

static void test_damaged_states_are_refused(void **unused) {
  bez_error err = {0};
  bez_buf csv = {0}, whole = {0};
  char path[256], saved[256];
  put_rows(&csv, 40);
  temp_file(".csv", csv.data, csv.len, path);
  temp_file(".bez", "", 0, saved);
  const char *one = path;
  bez_state_use use = {.save = saved, .n_shards = 1};
  assert_ok(bez_table_open_with(&one, 1, NULL, &use, NULL, &err));
  assert_ok(bez_file_read(saved, SIZE_MAX, &whole, &err));
  uint8_t *bytes = (uint8_t *)whole.data;
  for (size_t len = 0; len < whole.len; len += len < 100 ? 1 : 13) read_damaged(bytes, len);
  for (size_t at = 0; at < whole.len; at += at < 120 ? 1 : 7) {
    uint8_t before = bytes[at];
    bytes[at] = (uint8_t)(before ^ 1u << at % 8);
    read_damaged(bytes, whole.len);
    bytes[at] = before;
  }
  bez_buf_free(&csv);
  bez_buf_free(&whole);
  unlink(path);
  unlink(saved);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_kind_of_column_comes_back), cmocka_unit_test(test_shards_are_the_whole),
      cmocka_unit_test(test_shares_cover_everything_once),    cmocka_unit_test(test_where_records_begin),
      cmocka_unit_test(test_forms_hold_what_they_print),      cmocka_unit_test(test_damaged_states_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
