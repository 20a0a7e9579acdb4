/* Reference banks of adapters: what is put in comes out, in one order; hostile files are refused. */
#include <sys/wait.h>

#include "audit/bank.h"
#include "base/buf.h"
#include "base/file.h"
#include "test.h"

static const char *const features[] = {"size", "concentration"};

static bez_bank_row row_of(unsigned number, double a, double b) {
  bez_bank_row row = {.name = "adapter \"x\"\n", .modules = number, .value = {a, b}};
  snprintf(row.sha256, sizeof row.sha256, "%064x", number * 2654435761u);
  return row;
}

static void ranks(void **state) {
  (void)state;
  bez_error err = {0};
  bez_bank bank = bez_bank_make(features, 2);
  for (unsigned i = 0; i < 200; i++) {
    const bez_bank_row row = row_of(i, i, i % 2);
    assert_ok(bez_bank_put(&bank, &row, &err));
    assert_ok(bez_bank_put(&bank, &row, &err)); /* once */
  }
  assert_int_equal(bank.n, 200);
  bez_bank_rank rank = bez_bank_rank_of(&bank, 0, 150.5, "");
  assert_int_equal(rank.larger, 151);
  assert_int_equal(rank.equal, 0);
  assert_int_equal(rank.n, 200);
  const bez_bank_row self = row_of(7, 0, 0);
  rank = bez_bank_rank_of(&bank, 1, 1.0, self.sha256); /* itself is not among them */
  assert_int_equal(rank.larger, 100);
  assert_int_equal(rank.equal, 99);
  assert_int_equal(rank.n, 199);
  bez_bank_free(&bank);
}

static void refuse(const char *text) {
  bez_error err = {0};
  bez_bank bank = bez_bank_make(features, 2);
  assert_int_equal(bez_bank_parse(text, strlen(text), "bank", &bank, &err), BEZ_FORMAT);
  assert_true(*err.message);
  bez_bank_free(&bank);
}

#define HEAD "{\"kind\":\"bezoar adapter bank\",\"version\":1,\"features\":[\"size\",\"concentration\"]}\n"
#define A "0000000000000000000000000000000000000000000000000000000000000000"

static void hostile_files_are_refused(void **state) {
  (void)state;
  refuse("");
  refuse("{}\n");
  refuse("[]\n");
  refuse("{\"kind\":\"bezoar adapter bank\",\"version\":2,\"features\":[\"size\",\"concentration\"]}\n");
  refuse("{\"kind\":\"bezoar adapter bank\",\"version\":1,\"features\":[\"size\"]}\n");
  refuse(HEAD "{\"sha256\":\"xyz\",\"name\":\"a\",\"modules\":1,\"values\":[1,2]}\n");
  refuse(HEAD "{\"sha256\":\"" A "\",\"name\":\"a\",\"modules\":-1,\"values\":[1,2]}\n");
  refuse(HEAD "{\"sha256\":\"" A "\",\"name\":\"a\",\"modules\":1,\"values\":[1]}\n");
  refuse(HEAD "{\"sha256\":\"" A "\",\"name\":\"a\",\"modules\":1,\"values\":[1,\"2\"]}\n");
  refuse(HEAD "{\"sha256\":\"" A "\",\"name\":\"a\",\"modules\":1,\"values\":[1,2]}\n"
              "{\"sha256\":\"" A "\",\"name\":\"b\",\"modules\":1,\"values\":[1,2]}\n");
  refuse(HEAD "{\"sha256\":\"" A "\",\"name\":\"a\",\"modules\":1,\"values\":[1,2]}"); /* cut short */
}

static void written_and_read(void **state) {
  (void)state;
  bez_error err = {0};
  char folder[] = "/tmp/bezoar-bank-XXXXXX", path[64];
  size_t n = 0;
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/b.jsonl", folder);
  bez_bank one = bez_bank_make(features, 2), two = bez_bank_make(features, 2), back = bez_bank_make(features, 2);
  const bez_bank_row rows[] = {row_of(3, 0.1, 1e-300), row_of(1, -2, 1e300), row_of(2, 5, 6)};
  assert_ok(bez_bank_put(&one, &rows[0], &err));
  assert_ok(bez_bank_put(&two, &rows[1], &err));
  assert_ok(bez_bank_put(&two, &rows[2], &err));
  assert_ok(bez_bank_add_to_file(path, &one, &n, &err));
  assert_int_equal(n, 1);
  assert_ok(bez_bank_add_to_file(path, &two, &n, &err));
  assert_int_equal(n, 3);
  assert_ok(bez_bank_read(path, &back, &err));
  assert_int_equal(back.n, 3);
  for (size_t i = 0; i < 3; i++) {
    if (i) assert_true(strcmp(back.rows[i - 1].sha256, back.rows[i].sha256) < 0);
    assert_string_equal(back.rows[i].name, rows[0].name);
  }
  assert_true(bez_bank_rank_of(&back, 0, 0.1, "").equal == 1);
  bez_bank_free(&one);
  bez_bank_free(&two);
  bez_bank_free(&back);
  unlink(path);
  rmdir(folder);
}

/* Eight processes put ten adapters each into one file, one by one. */
static void several_processes_at_once(void **state) {
  (void)state;
  bez_error err = {0};
  char folder[] = "/tmp/bezoar-bank-XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/b.jsonl", folder);
  for (unsigned p = 0; p < 8; p++) {
    if (fork() != 0) continue;
    bez_status st = BEZ_OK;
    for (unsigned i = 0; i < 10 && st == BEZ_OK; i++) {
      size_t n = 0;
      bez_bank bank = bez_bank_make(features, 2);
      const bez_bank_row row = row_of(100 * p + i, p, i);
      st = bez_bank_put(&bank, &row, &err);
      if (st == BEZ_OK) st = bez_bank_add_to_file(path, &bank, &n, &err);
      bez_bank_free(&bank);
    }
    _exit(st == BEZ_OK ? 0 : 1);
  }
  for (unsigned p = 0; p < 8; p++) {
    int status = -1;
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
  }
  bez_bank back = bez_bank_make(features, 2);
  assert_ok(bez_bank_read(path, &back, &err));
  assert_int_equal(back.n, 80);
  bez_bank_free(&back);
  unlink(path);
  rmdir(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(ranks), cmocka_unit_test(hostile_files_are_refused),
                                     cmocka_unit_test(written_and_read), cmocka_unit_test(several_processes_at_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
