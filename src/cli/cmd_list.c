/* bezoar list KIND: the catalogues, from the tables. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "bezoar/aggregate.h"
#include "bezoar/attack.h"
#include "bezoar/detect.h"
#include "bezoar/format.h"
#include "bezoar/report.h"
#include "bezoar/scan.h"
#include "cli/args.h"
#include "cli/help.h"
#include "cli/say.h"

static const bez_option options[] = {{"format", 0, BEZ_ARG_CHOICE, .value = "FORMAT", .choices = "text json",
                                      .fallback = "text", .help = "How to write it."},
                                     {NULL}};

/* One line of a catalogue; note may be NULL. */
typedef struct entry {
  const char *id, *name, *summary, *note;
} entry;

typedef struct kind {
  const char *name;
  size_t (*count)(void);
  entry (*get)(size_t index);
  const char *empty; /* what to say when there is none */
} kind;

static entry get_detector(size_t i) {
  bez_detector_info d = bez_detector_get(i);
  return (entry){d.id, d.name, d.summary, d.title};
}

static entry get_attack(size_t i) {
  bez_attack_info a = bez_attack_get(i);
  return (entry){a.name, a.kind, a.summary, a.parameters};
}

static entry get_format(size_t i) {
  bez_format_info f = bez_format_get(i);
  return (entry){f.name, f.title, f.summary, f.extensions};
}

static entry get_aggregator(size_t i) {
  bez_aggregator_info a = bez_aggregator_get(i);
  return (entry){a.name, a.pre ? "pre-aggregator" : "rule", a.summary, a.parameters};
}

static entry get_report(size_t i) {
  bez_writer_info w = bez_writer_get(i);
  return (entry){w.name, w.title, w.summary, w.extensions};
}

/* Rules of models: "BZ-M001" and so on. */
static bool is_check(bez_rule_info rule) {
  return rule.id && !strncmp(rule.id, "BZ-M", 4);
}

static size_t count_checks(void) {
  size_t n = 0;
  for (size_t i = 0; i < bez_rule_count(); i++) n += is_check(bez_rule_get(i));
  return n;
}

static entry get_check(size_t index) {
  for (size_t i = 0; i < bez_rule_count(); i++) {
    bez_rule_info r = bez_rule_get(i);
    if (is_check(r) && index-- == 0) return (entry){r.id, r.name, r.summary, r.title};
  }
  return (entry){0};
}

static const kind kinds[] = {
    {"detectors", bez_detector_count, get_detector, "This build has no detectors."},
    {"attacks", bez_attack_count, get_attack, "This build has no attacks."},
    {"formats", bez_format_count, get_format, "This build reads no formats."},
    {"reports", bez_writer_count, get_report, "This build writes no reports."},
    {"checks", count_checks, get_check, "This build has no checks of models."},
    {"aggregators", bez_aggregator_count, get_aggregator, "This build has no aggregation rules."},
};

static void put_text(bez_buf *out, const kind *k) {
  if (!k->count()) {
    bez_buf_printf(out, "%s\n", k->empty);
    return;
  }
  for (size_t i = 0; i < k->count(); i++) {
    entry e = k->get(i);
    bez_buf_printf(out, "%s%s  %s\n", i ? "\n" : "", e.id, e.name ? e.name : "");
    bez_say_filled(out, e.summary ? e.summary : "", 4, BEZ_HELP_WIDTH);
  }
}

static void put_json(bez_buf *out, const kind *k) {
  bez_json j = bez_json_make(out, true);
  bez_json_open(&j, '{');
  bez_json_key(&j, k->name);
  bez_json_open(&j, '[');
  for (size_t i = 0; i < k->count(); i++) {
    entry e = k->get(i);
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "id", e.id);
    bez_json_kstr(&j, "name", e.name);
    bez_json_kstr(&j, "summary", e.summary);
    bez_json_kstr(&j, "note", e.note);
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  bez_buf_putc(out, '\n');
}

static int run(const bez_args *args) {
  bez_buf out = {0};
  const char *word = args->n_positional ? args->positional[0] : NULL;
  const char *names[sizeof kinds / sizeof *kinds];
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    names[i] = kinds[i].name;
    if (!word) bez_buf_printf(&out, "%-12s %zu\n", kinds[i].name, kinds[i].count());
    if (!word || strcmp(word, kinds[i].name) != 0) continue;
    if (!strcmp(bez_args_text(args, "format"), "json"))
      put_json(&out, &kinds[i]);
    else
      put_text(&out, &kinds[i]);
    return bez_say(&out, BEZ_EXIT_OK);
  }
  if (!word) return bez_say(&out, BEZ_EXIT_OK);
  bez_error err = {.code = BEZ_USAGE, .line = -1, .offset = -1};
  const char *near = bez_nearest(word, names, sizeof names / sizeof *names);
  snprintf(err.subject, sizeof err.subject, "%s", word);
  snprintf(err.message, sizeof err.message, "there is no such list%s%s%s", near ? "; did you mean " : "",
           near ? near : "", near ? "?" : "");
  return bez_say_error(&err, "list", NULL);
}

const bez_command bez_command_list = {.name = "list",
                                      .synopsis = "[detectors|attacks|formats|reports|checks|aggregators]",
                                      .summary = "List what this version knows.",
                                      .description = "Without a word, the lists and how many entries each has.",
                                      .examples = "bezoar list detectors — what a scan looks for",
                                      .options = options,
                                      .min_positional = 0,
                                      .max_positional = 1,
                                      .run = run,
                                      .words = "detectors attacks formats reports checks aggregators"};
