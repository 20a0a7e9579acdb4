/* The wire form: everything comes back, redaction leaves nothing behind, hostile bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "bezoar/report.h"
#include "finding/wire.h"
#include "report_fixture.h"

static bez_buf json_of(const bez_report *r, bool with_run, bool redact) {
  bez_buf out = {0};
  bez_error err = {0};
  assert_int_equal(bez_report_to_json(r, with_run, redact, &out, &err), BEZ_OK);
  return out;
}

static bez_report *back(const char *bytes, size_t len) {
  bez_report *r = NULL;
  bez_error err = {0};
  bez_status st = bez_report_from_json(bytes, len, "test", &r, &err);
  if (st != BEZ_OK) fail_msg("%s", err.message);
  return r;
}

static void test_round_trip(void **state) {
  bez_report *r = fixture_report();
  bez_buf first = json_of(r, true, false);
  bez_report *s = back(first.data, first.len);
  bez_buf second = json_of(s, true, false);
  assert_string_equal(first.data, second.data);
  assert_int_equal(s->n_findings, 3);
  assert_int_equal(s->findings[0]->exhibit->highlight[1], 1);
  assert_true(s->findings[0]->exhibit->next->y[3] == 41.25);
  assert_true(s->findings[0]->evidence->next->number == 1.0 / 3);
  assert_int_equal(bez_report_row_count(s), 4);
  assert_string_equal(bez_report_row(s, 2).file, "data/b, \"odd\".csv");
  bez_buf_free(&first);
  bez_buf_free(&second);
  bez_report_destroy(r);
  bez_report_destroy(s);
}

static void test_tile_round_trip(void **state) {
  for (uint32_t side = 1; side < 5; side++) {
    bez_report *r = fixture_report();
    uint8_t pixels[48];
    for (unsigned i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 + side);
    bez_exhibit *x = r->findings[0]->exhibit->next;
    *x = (bez_exhibit){.kind = BEZ_EXHIBIT_TILE, .caption = "tile", .width = side, .height = 4, .rgb = pixels};
    bez_buf json = json_of(r, false, false);
    bez_report *s = back(json.data, json.len);
    assert_int_equal(s->findings[0]->exhibit->next->width, side);
    assert_memory_equal(s->findings[0]->exhibit->next->rgb, pixels, side * 4 * 3);
    bez_buf_free(&json);
    bez_report_destroy(s);
    bez_report_destroy(r);
  }
}

static void test_redacted(void **state) {
  bez_report *r = fixture_report();
  bez_buf json = json_of(r, true, true);
  assert_null(strstr(json.data, CANARY));
  assert_null(strstr(json.data, "77"));
  assert_null(strstr(json.data, "script"));
  assert_non_null(strstr(json.data, "\"redacted\": true"));
  assert_non_null(strstr(json.data, "workclass=\xE2\x80\xB9redacted"));
  bez_report *s = back(json.data, json.len);
  assert_true(s->redacted);
  assert_string_equal(s->findings[0]->fingerprint, r->findings[0]->fingerprint); /* diffs still work */
  assert_int_equal(s->findings[0]->n_rows, 3);
  bez_buf again = json_of(s, true, true);
  assert_string_equal(json.data, again.data);
  bez_buf_free(&again);
  bez_buf_free(&json);
  bez_report_destroy(s);
  bez_report_destroy(r);
}

/* Values made to slip through: they hold the separators, quotation marks and column names that redaction looks at. */
static void test_redaction_of_sly_values(void **state) {
  static const char *const values[] = {CANARY " & " CANARY "=" CANARY, "a\" " CANARY " \"b", "it's " CANARY,
                                       "\" & workclass=" CANARY,       "age=" CANARY,        "x' y '" CANARY};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    bez_report *r = fixture_report();
    char pattern[256];
    snprintf(pattern, sizeof pattern, "workclass=%s & age>%s", values[i], values[i]);
    bez_finding_subject(r, r->findings[0], pattern, values[i]);
    bez_finding_remedy(r, r->findings[0], "drop %s", values[i]);
    bez_exhibit_header(r, r->findings[0]->exhibit, 2, values[i]);
    bez_exhibit_role(r, r->findings[0]->exhibit, 0, values[i]);
    double x[] = {123456.75}, y[] = {1};
    bez_finding_series(r, r->findings[0], "Counts", "age", "rows", x, y, NULL, 1); /* an axis of values */
    bez_report_not_checked(r, false, "x", "value \"%s\" and '%s' and `%s` are odd", values[i], values[i], values[i]);
    bez_report_seal(r);
    bez_buf json = json_of(r, true, true);
    assert_null(strstr(json.data, "123456"));
    if (strstr(json.data, CANARY)) fail_msg("value %zu came through: %.200s", i, strstr(json.data, CANARY) - 100);
    bez_buf_free(&json);
    bez_report_destroy(r);
  }
}

static void test_run_is_left_out(void **state) {
  bez_report *r = fixture_report();
  bez_buf json = json_of(r, false, false);
  assert_null(strstr(json.data, "2030-01-02"));
  bez_buf_free(&json);
  bez_report_destroy(r);
}

#define HEAD "{\"schema_version\":1,\"command\":\"scan\""
#define RULE "\"rules\":[{\"id\":\"A\"}]"
#define FINDING "{\"rule\":\"A\",\"severity\":\"note\",\"title\":\"t\",\"fingerprint\":\"f\""

static void test_hostile(void **state) {
  static const char *const bad[] = {
      "",
      "[]",
      "{}",
      "{\"schema_version\":2}",
      "{\"schema_version\":\"1\"}",
      "{\"schema_version\":1}",
      HEAD ",\"command\":\"twice\"}",
      HEAD ",\"data\":[]}",
      HEAD ",\"data\":{\"rows\":-1}}",
      HEAD ",\"data\":{\"rows\":1.5}}",
      HEAD ",\"data\":{\"rows\":9223372036854775807}}",
      HEAD ",\"data\":{\"files\":[{\"path\":\"a\",\"rows\":5},{\"path\":\"b\",\"first_row\":2}]}}",
      HEAD ",\"data\":{\"files\":[1]}}",
      HEAD ",\"rules\":[{\"id\":\"A\"},{\"id\":\"A\"}]}",
      HEAD ",\"rules\":[{\"id\":\"A\",\"taxonomy\":[\"a b\"]}]}",
      HEAD ",\"findings\":[" FINDING "}]}",
      HEAD "," RULE ",\"findings\":[{\"rule\":\"A\"}]}",
      HEAD "," RULE ",\"findings\":[{\"rule\":\"A\",\"severity\":\"never\",\"title\":\"t\",\"fingerprint\":\"f\"}]}",
      HEAD "," RULE ",\"findings\":[" FINDING ",\"incident\":1}]}",
      HEAD "," RULE ",\"findings\":[" FINDING ",\"score\":\"x\"}]}",
      HEAD "," RULE ",\"findings\":[" FINDING ",\"rows\":{\"row\":[1,2],\"score\":[1]}}]}",
      HEAD "," RULE ",\"findings\":[" FINDING ",\"rows\":{\"row\":[-1]}}]}",
      HEAD "," RULE ",\"findings\":[" FINDING ",\"rows\":{\"row\":[1],\"label\":[7]}}]}",
      HEAD "," RULE ",\"findings\":[" FINDING
           ",\"exhibits\":[{\"kind\":\"cells\",\"header\":[\"a\"],\"rows\":[{\"cells\":[]}]}]}]}",
      HEAD
      "," RULE ",\"findings\":[" FINDING
      ",\"exhibits\":[{\"kind\":\"cells\",\"header\":[\"a\"],\"rows\":[{\"cells\":[\"x\"],\"highlight\":[1]}]}]}]}",
      HEAD "," RULE ",\"findings\":[" FINDING
           ",\"exhibits\":[{\"kind\":\"text\",\"text\":\"abc\",\"spans\":[[1,9]]}]}]}",
      HEAD "," RULE ",\"findings\":[" FINDING ",\"exhibits\":[{\"kind\":\"text\",\"text\":\"abc\",\"spans\":[7]}]}]}",
      HEAD "," RULE ",\"findings\":[" FINDING
           ",\"exhibits\":[{\"kind\":\"text\",\"text\":\"\xC3\xA4\xC3\xA4\",\"spans\":[[1,2]]}]}]}",
      HEAD "," RULE ",\"findings\":[" FINDING
           ",\"exhibits\":[{\"kind\":\"tile\",\"width\":1000,\"height\":1000,\"rgb\":\"AAAA\"}]}]}",
      HEAD "," RULE ",\"findings\":[" FINDING
           ",\"exhibits\":[{\"kind\":\"tile\",\"width\":1,\"height\":1,\"rgb\":\"AA=A\"}]}]}",
      HEAD "," RULE ",\"findings\":[" FINDING ",\"exhibits\":[{\"kind\":\"series\",\"x\":[1,2],\"y\":[1]}]}]}",
      HEAD "," RULE ",\"findings\":[" FINDING
           ",\"exhibits\":[{\"kind\":\"series\",\"x\":[1],\"y\":[1],\"marked\":[1]}]}]}",
      HEAD ",\"incidents\":[{\"id\":2,\"severity\":\"note\",\"title\":\"x\"}]}",
      HEAD ",\"options\":{\"a\":1}}",
      HEAD ",\"not_checked\":[{\"what\":\"x\"}]}",
      HEAD ",\"command\\u0000x\":1}",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    bez_report *r = NULL;
    bez_error err = {0};
    if (bez_report_from_json(bad[i], strlen(bad[i]), "test", &r, &err) == BEZ_OK) fail_msg("accepted: %s", bad[i]);
    assert_null(r);
    assert_true(err.message[0] != 0);
  }
}

static void test_smallest_and_later_releases(void **state) {
  static const char json[] =
      HEAD "," RULE ",\"new_member\":{},\"findings\":[" FINDING ",\"exhibits\":[{\"kind\":\"hologram\"}],"
           "\"score\":null}]}";
  bez_report *r = back(json, sizeof json - 1);
  assert_int_equal(r->n_findings, 1);
  assert_null(r->findings[0]->exhibit);
  assert_true(r->findings[0]->is_new && isnan(r->findings[0]->score));
  static const char *const formats[] = {"text", "json"};
  for (size_t i = 0; i < 2; i++) {
    char *bytes;
    size_t len;
    assert_int_equal(bez_report_render(r, formats[i], NULL, &bytes, &len, NULL), BEZ_OK);
    bez_free(bytes);
  }
  bez_report_destroy(r);
}

static void test_load_from_file(void **state) {
  char path[] = "/tmp/bez_report_XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  bez_report *r = fixture_report(), *s = NULL;
  bez_error err = {0};
  assert_int_equal(bez_report_write(r, path, "json", NULL, &err), BEZ_OK);
  assert_int_equal(bez_report_load(path, &s, &err), BEZ_OK);
  assert_int_equal(s->n_findings, 3);
  bez_report_destroy(s);
  unlink(path);
  assert_int_equal(bez_report_load(path, &s, &err), BEZ_IO);
  bez_report_destroy(r);
}

static void test_baseline(void **state) {
  bez_report *old = fixture_report(), *now = fixture_report();
  bez_finding *f = bez_report_add(now, &fixture_rules[2], BEZ_SEV_ERROR);
  bez_finding_subject(now, f, "new", NULL);
  bez_row_hit hit = {1, 1, NAN, NULL, NULL};
  bez_finding_rows(now, f, &hit, 1);
  bez_report_seal(now);
  assert_int_equal(bez_report_row_count(now), 5);
  bez_report_apply_baseline(now, old, true);
  assert_int_equal(bez_report_count(now, BEZ_SEV_NOTE), 1);
  assert_int_equal(bez_report_row_count(now), 1);
  assert_string_equal(bez_report_row(now, 0).rule, "BZ-D005");
  bez_report_apply_baseline(now, old, false);
  assert_int_equal(bez_report_count(now, BEZ_SEV_NOTE), 3);
  bez_report_apply_baseline(now, now, true);
  assert_int_equal(bez_report_exit_code(now, BEZ_SEV_ERROR), 3);
  bez_report_destroy(old);
  bez_report_destroy(now);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_tile_round_trip),
      cmocka_unit_test(test_redacted),
      cmocka_unit_test(test_redaction_of_sly_values),
      cmocka_unit_test(test_run_is_left_out),
      cmocka_unit_test(test_hostile),
      cmocka_unit_test(test_smallest_and_later_releases),
      cmocka_unit_test(test_load_from_file),
      cmocka_unit_test(test_baseline),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
