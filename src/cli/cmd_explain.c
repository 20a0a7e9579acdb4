/* bezoar explain BZ-D001: what a rule means, from the tables. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "bezoar/detect.h"
#include "bezoar/scan.h"
#include "cli/args.h"
#include "cli/help.h"
#include "cli/say.h"

static const bez_option options[] = {{NULL}};

static bool matches(const char *word, const char *id, const char *name) {
  return !strcasecmp(word, id) || !strcasecmp(word, name);
}

static void put_part(bez_buf *out, const char *title, const char *text) {
  if (!text || !*text) return;
  bez_buf_printf(out, "\n%s\n", title);
  bez_say_filled(out, text, 2, BEZ_HELP_WIDTH);
}

static void put_detector(bez_buf *out, const char *id) {
  for (size_t i = 0; i < bez_detector_count(); i++) {
    bez_detector_info d = bez_detector_get(i);
    if (strcmp(d.id, id) != 0) continue;
    put_part(out, "Null hypothesis", d.null_hypothesis);
    put_part(out, "Calibration", d.calibration);
    put_part(out, "Cost", d.cost);
    put_part(out, "Source", d.source);
    bez_buf_puts(out, "\nNeeds\n  ");
    bez_help_needs(out, &d);
    bez_buf_putc(out, '\n');
  }
}

static int fail_unknown(const char *word) {
  const char *names[512];
  size_t n = 0;
  bez_error err = {.code = BEZ_USAGE, .line = -1, .offset = -1};
  for (size_t i = 0; i < bez_rule_count() && n + 2 <= 512; i++) {
    names[n++] = bez_rule_get(i).id;
    names[n++] = bez_rule_get(i).name;
  }
  const char *near = bez_nearest(word, names, n);
  snprintf(err.subject, sizeof err.subject, "%s", word);
  if (near)
    snprintf(err.message, sizeof err.message, "there is no such rule; did you mean %s?", near);
  else
    snprintf(err.message, sizeof err.message, "there is no such rule");
  return bez_say_error(&err, "explain", "bezoar list checks, bezoar list detectors");
}

static int run(const bez_args *args) {
  const char *word = args->positional[0];
  for (size_t i = 0; i < bez_rule_count(); i++) {
    bez_rule_info r = bez_rule_get(i);
    if (!matches(word, r.id, r.name)) continue;
    bez_buf out = {0};
    bez_buf_printf(&out, "%s %s\n%s\n\n", r.id, r.name, r.title);
    bez_say_filled(&out, r.summary, 0, BEZ_HELP_WIDTH);
    put_part(&out, "For example", r.example);
    put_part(&out, "What to do", r.remedy);
    put_detector(&out, r.id);
    put_part(&out, "Taxonomy", r.taxonomy);
    return bez_say(&out, BEZ_EXIT_OK);
  }
  return fail_unknown(word);
}

const bez_command bez_command_explain = {.name = "explain",
                                         .synopsis = "RULE",
                                         .summary = "Explain a rule: what it finds, how sure it is, what to do.",
                                         .description =
                                             "RULE is an id such as BZ-D001 or a name such as label-contradiction.",
                                         .examples = "bezoar explain BZ-D001 — the rule behind a finding",
                                         .options = options,
                                         .min_positional = 1,
                                         .max_positional = 1,
                                         .run = run};
