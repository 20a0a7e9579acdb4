/* Walks every table: each entry has all its texts, a unique id, its page in docs/ and, for readers, a fuzzer with a
 * corpus. (test_contract.c puts the entries through trials.) */
#include "test.h"

#include <dirent.h>

#include "aggregate/aggregator.h"
#include "attack/attack.h"
#include "audit/audit.h"
#include "bezoar/scan.h"
#include "cli/args.h"
#include "cli/command.h"
#include "detect/detector.h"
#include "format/reader.h"
#include "format/remarks.h"
#include "report/writer.h"

static void need_text(const char *who, const char *field, const char *text) {
  if (!text || !*text) fail_msg("%s has no %s", who, field);
}

/* folder/name+ending under the repository; blanks in a name are hyphens in a file. */
static void need_file(const char *who, const char *folder, const char *name, const char *ending) {
  char path[1024], file[128];
  snprintf(file, sizeof file, "%s", name);
  for (char *p = file; *p; p++)
    if (*p == ' ') *p = '-';
  snprintf(path, sizeof path, "%s/%s/%s%s", BEZ_SOURCE_DIR, folder, file, ending);
  if (access(path, R_OK) != 0) fail_msg("%s: %s is not there", who, path);
}

static void need_rule(const bez_rule *r, const char *prefix) {
  need_text("a rule", "id", r->id);
  if (strncmp(r->id, prefix, strlen(prefix)) != 0 || strlen(r->id) != 7) fail_msg("%s is not %snnn", r->id, prefix);
  need_text(r->id, "name", r->name);
  need_text(r->id, "title", r->title);
  need_text(r->id, "summary", r->summary);
  need_text(r->id, "remedy", r->remedy);
  assert_non_null(r->taxonomy);
}

static void test_rules_are_complete_and_unique(void **state) {
  (void)state;
  for (size_t i = 0; bez_detectors[i]; i++) need_rule(&bez_detectors[i]->rule, "BZ-D");
  for (size_t i = 0; i < bez_n_remark_kinds; i++) need_rule(&bez_remark_kinds[i].rule, "BZ-F");
  for (size_t i = 0; i < bez_rule_count(); i++)
    for (size_t k = 0; k < i; k++) {
      assert_string_not_equal(bez_rule_get(i).id, bez_rule_get(k).id);
      assert_string_not_equal(bez_rule_get(i).name, bez_rule_get(k).name);
    }
}

static void test_checks_are_complete(void **state) {
  (void)state;
  char *page = NULL;
  FILE *f = fopen(BEZ_SOURCE_DIR "/docs/models.md", "rb");
  size_t room = 0;
  assert_non_null(f);
  if (getdelim(&page, &room, 0, f) < 0) fail_msg("docs/models.md cannot be read");
  (void)fclose(f);
  for (size_t i = 0; bez_checks[i]; i++) {
    const bez_check *check = bez_checks[i];
    need_rule(&check->rule, "BZ-M");
    need_text(check->rule.id, "taxonomy", check->rule.taxonomy);
    need_text(check->rule.id, "cost", check->cost);
    need_text(check->rule.id, "source", check->source);
    if (!check->run && !check->run_set) fail_msg("%s does nothing", check->rule.id);
    if (!strstr(page, check->rule.id)) fail_msg("docs/models.md does not know %s", check->rule.id);
  }
  free(page);
}

/* BZ-D009 looks at what the others found. */
static void test_sources_run_last(void **state) {
  (void)state;
  const bez_detector *sources = bez_detector_find("BZ-D009");
  for (size_t i = 0; sources && bez_detectors[i]; i++)
    if (bez_detectors[i] == sources && bez_detectors[i + 1]) fail_msg("BZ-D009 must stand last in detectors.def");
}

static void test_detectors_are_documented(void **state) {
  (void)state;
  for (size_t i = 0; bez_detectors[i]; i++) {
    const bez_detector *d = bez_detectors[i];
    need_text(d->rule.id, "taxonomy", d->rule.taxonomy);
    need_text(d->rule.id, "null hypothesis", d->null_hypothesis);
    need_text(d->rule.id, "calibration", d->calibration);
    need_text(d->rule.id, "cost", d->cost);
    need_text(d->rule.id, "source", d->source);
    need_file(d->rule.id, "docs/detect", d->rule.name, ".md");
    assert_ptr_equal(bez_detector_find(d->rule.id), d);
    assert_ptr_equal(bez_detector_find(d->rule.name), d);
  }
  assert_null(bez_detector_find("nothing"));
}

static void test_readers_are_complete(void **state) {
  (void)state;
  for (size_t i = 0; bez_readers[i]; i++) {
    const bez_reader *r = bez_readers[i];
    char fuzzer[128], corpus[512];
    need_text("a reader", "name", r->name);
    need_text(r->name, "title", r->title);
    need_text(r->name, "extensions", r->extensions);
    need_text(r->name, "summary", r->summary);
    assert_true(r->sniff && r->read);
    snprintf(fuzzer, sizeof fuzzer, "fuzz_%s", r->name);
    need_file(r->name, "fuzz", fuzzer, ".c");
    snprintf(corpus, sizeof corpus, "%s/fuzz/corpus/%s", BEZ_SOURCE_DIR, r->name);
    DIR *folder = opendir(corpus);
    if (!folder) fail_msg("%s is not there", corpus);
    size_t n = 0;
    for (struct dirent *e; folder && (e = readdir(folder)) != NULL;) n += e->d_name[0] != '.';
    if (folder) closedir(folder);
    if (!n) fail_msg("%s is empty", corpus);
  }
}

static void test_attacks_are_complete(void **state) {
  (void)state;
  for (size_t i = 0; bez_attacks[i]; i++) {
    const bez_attack_info *a = &bez_attacks[i]->info;
    need_text("an attack", "name", a->name);
    need_text(a->name, "title", a->title);
    need_text(a->name, "summary", a->summary);
    need_text(a->name, "source", a->source);
    assert_non_null(a->parameters);
    const bool update = !strcmp(a->kind, "update");
    if (!update && strcmp(a->kind, "tabular") && strcmp(a->kind, "text") && strcmp(a->kind, "image") &&
        strcmp(a->kind, "any"))
      fail_msg("%s is of no kind: %s", a->name, a->kind);
    assert_true(update ? bez_attacks[i]->craft && !bez_attacks[i]->plan
                       : bez_attacks[i]->plan && !bez_attacks[i]->craft);
    for (size_t k = 0; k < i; k++) assert_string_not_equal(a->name, bez_attacks[k]->info.name);
  }
}

static void test_aggregators_are_complete(void **state) {
  (void)state;
  for (size_t i = 0; bez_aggregators[i]; i++) {
    const bez_aggregator_info *a = &bez_aggregators[i]->info;
    need_text("an aggregation rule", "name", a->name);
    need_text(a->name, "title", a->title);
    need_text(a->name, "summary", a->summary);
    need_text(a->name, "cost", a->cost);
    need_text(a->name, "source", a->source);
    assert_true(a->parameters && a->tolerance && a->score);
    assert_true(a->pre ? bez_aggregators[i]->mix && !bez_aggregators[i]->run
                       : bez_aggregators[i]->run && !bez_aggregators[i]->mix);
    for (const bez_knob *k = bez_aggregators[i]->knobs; k->name; k++)
      if (!strstr(a->parameters, k->name)) fail_msg("%s does not tell of its parameter %s", a->name, k->name);
    for (size_t k = 0; k < i; k++) assert_string_not_equal(a->name, bez_aggregators[k]->info.name);
  }
}

static void test_writers_are_complete(void **state) {
  (void)state;
  bez_report *report = bez_report_create("scan");
  bez_report_seal(report);
  for (size_t i = 0; bez_writers[i]; i++) {
    const bez_writer_info *w = &bez_writers[i]->info;
    bez_error err = {0};
    char *bytes = NULL;
    size_t len = 0;
    need_text("a writer", "name", w->name);
    need_text(w->name, "title", w->title);
    need_text(w->name, "extensions", w->extensions);
    need_text(w->name, "summary", w->summary);
    assert_ok(bez_report_render(report, w->name, NULL, &bytes, &len, &err)); /* an empty report is a report */
    assert_int_equal(bytes[len], 0);
    bez_free(bytes);
  }
  bez_report_destroy(report);
}

static void need_option(const bez_command *c, const bez_option *o) {
  need_text(o->name, "help", o->help);
  if (o->help[strlen(o->help) - 1] != '.' && !strstr(o->help, "…")) fail_msg("%s --%s: no full stop", c->name, o->name);
  if (o->kind != BEZ_ARG_FLAG) need_text(o->name, "value", o->value);
  assert_int_equal(o->kind == BEZ_ARG_CHOICE, o->choices != NULL);
  for (const bez_option *p = c->options; p < o; p++) {
    assert_string_not_equal(p->name, o->name);
    if (o->letter) assert_int_not_equal(p->letter, o->letter);
  }
}

static void test_commands_are_complete(void **state) {
  (void)state;
  for (size_t i = 0; bez_commands[i]; i++) {
    const bez_command *c = bez_commands[i];
    need_text("a command", "name", c->name);
    need_text(c->name, "summary", c->summary);
    need_text(c->name, "examples", c->examples);
    assert_non_null(c->synopsis);
    assert_non_null(c->run);
    for (const bez_option *o = c->options; o->name; o++) need_option(c, o);
    if (!c->hidden) need_file(c->name, "docs/commands", c->name, ".md");
  }
}

/* Every format the scan command offers is one a writer has. */
static void test_offered_formats_exist(void **state) {
  (void)state;
  const bez_command *scan = bez_command_find("scan");
  char choices[256];
  snprintf(choices, sizeof choices, "%s rows", scan->options[bez_args_option(scan, "format")].choices);
  for (char *save = NULL, *word = strtok_r(choices, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
    bool found = false;
    for (size_t i = 0; bez_writers[i]; i++) found = found || !strcmp(bez_writers[i]->info.name, word);
    if (!found) fail_msg("no writer is called %s", word);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rules_are_complete_and_unique),
      cmocka_unit_test(test_checks_are_complete),
      cmocka_unit_test(test_sources_run_last),
      cmocka_unit_test(test_detectors_are_documented),
      cmocka_unit_test(test_readers_are_complete),
      cmocka_unit_test(test_attacks_are_complete),
      cmocka_unit_test(test_aggregators_are_complete),
      cmocka_unit_test(test_writers_are_complete),
      cmocka_unit_test(test_commands_are_complete),
      cmocka_unit_test(test_offered_formats_exist),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
