/* When "None", "NA" and "null" are a class of the label, and when they are missing. */
#include "table_helpers.h"

typedef struct label_case {
  const char *labels; /* in turn */
  const char *word;
  bool is_class;
  const char *gap; /* what the column of numbers says for a gap, NULL: it has none */
} label_case;

static const label_case cases[] = {
    {"Mild Severe None", "None", true, NULL},
    {"Mild Severe None", "None", true, ""},
    {"Mild Severe None", "None", true, "NA"},
    {"Mild Severe None", "None", false, "None"},
    {"mild severe None", "None", false, NULL},
    {"Yes None", "None", true, NULL},
    {"ham spam None", "None", false, NULL},
    {"0 1 None", "None", false, NULL},
    {"0 1 NA", "NA", false, NULL},
    {"2024-01-01 2024-01-02 None", "None", false, NULL},
    {"EU AS NA", "NA", true, NULL},
    {"EU AS NA", "NA", false, "NA"},
    {"YES NO NA", "NA", true, NULL},
    {"M F NA", "NA", false, NULL},
    {"Gd TA Fa NA", "NA", false, NULL},
    {"null linear cubic", "null", true, NULL},
    {"Null Linear null", "null", false, NULL},
    {"Mild Severe ?", "?", false, NULL},
    {"Mild Severe NaN", "NaN", false, NULL},
    {"Mild Severe N/A", "N/A", false, NULL},
    {"None", "None", false, NULL},
    {"None None", "None", false, NULL},
    {"None NA", "None", false, NULL},
};

static bez_table *make(const label_case *k, unsigned threads) {
  static char csv[65536];
  char labels[128];
  const char *label[8];
  size_t n = 0, at = 0;
  snprintf(labels, sizeof labels, "%s", k->labels);
  for (char *p = strtok(labels, " "); p; p = strtok(NULL, " ")) label[n++] = p;
  at += (size_t)sprintf(csv, "number,kind,y\n");
  for (unsigned i = 0; i < 600; i++) {
    bool gap = k->gap && i % 50 == 7;
    char number[16];
    snprintf(number, sizeof number, "%u", i * 37 % 101);
    at += (size_t)sprintf(csv + at, "%s,%s,%s\n", gap ? k->gap : number, i % 3 ? "None" : "Some", label[i % n]);
  }
  bez_read_options o = {.label = "y", .threads = threads};
  return table_from_csv_bytes(csv, at, &o);
}

static void words_are_judged_by_their_company(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const label_case *k = &cases[i];
    for (unsigned threads = 1; threads <= 2; threads++) {
      bez_table *t = make(k, threads);
      const bez_column *y = &t->cols[t->label];
      size_t len, found = 0;
      for (uint32_t code = BEZ_CODE_FIRST; code < y->n_values; code++) {
        const char *p = bez_value(y, code, &len);
        if (len == strlen(k->word) && !memcmp(p, k->word, len)) found += y->count[code];
      }
      if ((found > 0) != k->is_class || (y->n_missing == 0) != k->is_class)
        fail_msg("case %zu: %s with gap %s", i, k->labels, k->gap ? k->gap : "-");
      assert_int_equal(found + y->n_missing, y->n_missing ? y->n_missing : found);
      const bez_table_remark *r = t->remarks;
      assert_int_equal(r != NULL, k->is_class);
      if (r) {
        assert_string_equal(r->rule, "label-word");
        assert_int_equal(r->count, found);
      }
      assert_int_equal(t->cols[1].n_missing, 400); /* a feature: missing, as ever */
      bez_table_destroy(t);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_judged_by_their_company)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
