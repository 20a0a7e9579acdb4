/* Hidden and look-alike characters: what is caught, what is left alone, and the same bytes on every instruction set. */
#include "text_help.h"

#include "detect/character_scan.h"
#include "math/bytescan.h"
#include "math/unicode_class.h"

static size_t tricks(const char *text, bez_trick_hit *hit) {
  return bez_character_scan(text, strlen(text), hit, 1);
}

static void legitimate_text_is_silent(void **state) {
  (void)state;
  static const char *const quiet[] = {
      "plain text, with punctuation; 100% fine\t",
      "caf\u00e9 na\u00efve \u00dcber \u20ac5 \u2018quoted\u2019 \u2026",
      ("\u041f\u0440\u0438\u0432\u0435\u0442, \u043a\u0430\u043a \u0434\u0435\u043b\u0430? "
       "\u0421\u043e\u0441\u043d\u0430 \u0438 \u0430"),
      "\u039a\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1 \u03bf \u03ba\u03cc\u03c3\u03bc\u03bf\u03c2",
      "\u4f60\u597d\uff0c\u4e16\u754c\u3002\uff21\uff22\uff23 \u3053\u3093\u306b\u3061\u306f",
      "\u05e9\u05dc\u05d5\u05dd\u200f (shalom)\u200e",
      "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",                   /* Persian with ZWNJ */
      "\u0915\u094d\u200d\u0937 \u0928\u092e\u0938\u094d\u0924\u0947",      /* Devanagari with ZWJ */
      "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u200b\u0e04\u0e23\u0e31\u0e1a", /* Thai with ZWSP */
      "family \U0001F468\u200D\U0001F469\u200D\U0001F467 \u2764\uFE0F 1\uFE0F\u20E3 \U0001F44D\U0001F3FD",
      "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F flag",
      "5 \u00b5m, 3 \u03bcm, 10 k\u03a9, TNF\u03b1, \u0394x, \u03b2-carotene",
      "SMS\u043a\u0438 \u0438 iPhone-\u043e\u043c \u043f\u043e\u043b\u044c\u0437\u0443\u044e\u0442\u0441\u044f",
      "\u0130stanbul'da k\u0131z\u0131l g\u00fcne\u015f",
      "broken \xff\xfe\x80 bytes",
      ""};
  bez_trick_hit hit;
  for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
    if (tricks(quiet[i], &hit)) fail_msg("\"%s\": %s U+%04X", quiet[i], bez_trick_text(hit.trick), hit.cp);
}

static void tricks_are_caught(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bez_trick trick;
    uint32_t cp;
  } caught[] = {{"hel\u200blo", BEZ_TRICK_INVISIBLE, 0x200B},
                {"hel\u200dlo", BEZ_TRICK_INVISIBLE, 0x200D},
                {"word\u2060 word", BEZ_TRICK_INVISIBLE, 0x2060},
                {"a\ufeffb", BEZ_TRICK_INVISIBLE, 0xFEFF},
                {"abc \u202edcba\u202c", BEZ_TRICK_BIDI, 0x202E},
                {"plain\u200f", BEZ_TRICK_BIDI, 0x200F},
                {"note\U000E0061\U000E0062", BEZ_TRICK_TAG, 0xE0061},
                {"\u2764\ufe0f\U000E0101\U000E0102", BEZ_TRICK_TAG, 0xE0101},
                {"x\b\b", BEZ_TRICK_DELETION, 0x08},
                {"p\u0430ypal", BEZ_TRICK_MIXED, 0x430},
                {"micr\u03bfsoft", BEZ_TRICK_MIXED, 0x3BF},
                {"\u0441\u0442o\u043b \u0438 \u0441\u0442\u0443\u043b", BEZ_TRICK_MIXED, 0x441},
                {"the \u0441\u043e\u0441\u043e is fine", BEZ_TRICK_TWIN, 0x441},
                {"buy \U0001D5FB\U0001D5FC\U0001D604 and here", BEZ_TRICK_STYLED, 0x1D5FB},
                {"n\uff4fw", BEZ_TRICK_MIXED, 0xFF4F}};
  for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
    bez_trick_hit hit = {0};
    if (!tricks(caught[i].text, &hit)) fail_msg("missed \"%s\"", caught[i].text);
    assert_int_equal(hit.trick, caught[i].trick);
    assert_int_equal(hit.cp, caught[i].cp);
    assert_true(hit.end <= strlen(caught[i].text) && hit.begin < hit.end);
  }
}

static void tables_are_ordered(void **state) {
  (void)state;
  for (uint32_t cp = 0; cp < 0x110000; cp++) {
    char twin = bez_uc_twin(cp);
    if (twin) assert_true((twin >= '0' && twin <= '9') || ((twin | 32) >= 'a' && (twin | 32) <= 'z'));
    if (twin && cp >= 0x80) assert_true(bez_uc_script(cp) != BEZ_SCRIPT_COMMON);
    assert_true(bez_uc_script(cp) < BEZ_SCRIPT_COUNT);
  }
  assert_int_equal(bez_uc_twin(0x430), 'a');
  assert_int_equal(bez_uc_twin(0x217F), 'm');
  assert_int_equal(bez_uc_hidden(0xE01EF), BEZ_HIDDEN_VARIATION);
  assert_int_equal(bez_uc_hidden(0xE01F0), BEZ_HIDDEN_NONE);
}

static void kernels_agree(void **state) {
  (void)state;
  char bytes[300];
  uint32_t masks[] = {BEZ_CPU_PLAIN, BEZ_CPU_AVX2, BEZ_CPU_AVX2 | BEZ_CPU_AVX512};
  for (size_t where = 0; where <= sizeof bytes; where++) {
    memset(bytes, 0x7E, sizeof bytes);
    if (where < sizeof bytes) bytes[where] = (char)(where % 3 == 0 ? 0x7F : where % 3 == 1 ? 0x08 : 0xC2);
    for (size_t m = 0; m < 3; m++)
      if ((masks[m] & bez_cpu_features()) == masks[m])
        assert_int_equal(bez_scan_plain_ascii(bytes, sizeof bytes, masks[m]), where);
  }
}

static void planted_rows_are_listed(void **state) {
  (void)state;
  static const char *const triggers[] = {"he\u200bre", "p\u0430y", "\u202etxet\u202c"};
  for (size_t i = 0; i < 3; i++) {
    static unsigned char mask[2000];
    bez_buf tsv = {0};
    put_messages(&tsv, 3 + i, 2000, triggers[i], 20, mask);
    bez_table *table = table_of(&tsv);
    bez_report *one = run_detector(table, "BZ-D005", 1, BEZ_CPU_PLAIN);
    bez_report *many = run_detector(table, "BZ-D005", 4, bez_cpu_features());
    assert_same_report(one, many);
    assert_true(one->n_findings >= 1);
    const bez_finding *f = one->findings[0];
    assert_int_equal(f->severity, BEZ_SEV_ERROR);
    assert_string_equal(f->target, "loud");
    assert_int_equal(f->n_rows, 20);
    for (uint64_t r = 0; r < f->n_rows; r++) assert_true(mask[f->rows[r].row]);
    bez_report_destroy(one);
    bez_report_destroy(many);
    bez_table_destroy(table);
    bez_buf_free(&tsv);
  }
}

static void a_value_that_passes_for_another(void **state) {
  (void)state;
  bez_buf csv = {0};
  bez_buf_puts(&csv, "work,age,label\n");
  for (int r = 0; r < 400; r++)
    bez_buf_printf(&csv, "%s,%d,%s\n",
                   r % 50 == 0 ? "Priv\u0430te"
                   : r % 2     ? "Private"
                               : "State",
                   r % 40, r % 3 ? "no" : "yes");
  bez_table *table = table_of_csv(&csv);
  bez_report *report = run_detector(table, "BZ-D005", 1, bez_cpu_features());
  assert_int_equal(report->n_findings, 1);
  assert_int_equal(report->findings[0]->n_rows, 8);
  assert_non_null(strstr(report->findings[0]->title, "passes for \"Private\""));
  bez_report_destroy(report);
  bez_table_destroy(table);
  bez_buf_free(&csv);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(legitimate_text_is_silent), cmocka_unit_test(tricks_are_caught),
      cmocka_unit_test(tables_are_ordered),        cmocka_unit_test(kernels_agree),
      cmocka_unit_test(planted_rows_are_listed),   cmocka_unit_test(a_value_that_passes_for_another),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
