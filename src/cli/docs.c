/* Reference pages in Markdown from the tables: one per command, one per catalogue. */
#include <stdio.h>
#include <string.h>

#include "bezoar/aggregate.h"
#include "bezoar/attack.h"
#include "bezoar/detect.h"
#include "bezoar/format.h"
#include "bezoar/report.h"
#include "bezoar/scan.h"
#include "cli/help.h"

#define MADE "<!-- Made from the tables by `bezoar docs`; changes belong there. -->\n\n"

/* Text of a table cell or a paragraph: what Markdown would act on is escaped. */
static void put_escaped(bez_buf *out, const char *text, bool cell) {
  for (const char *p = text ? text : ""; *p; p++) {
    if (strchr("<>*_`", *p) || (cell && *p == '|')) bez_buf_putc(out, '\\');
    bez_buf_putc(out, cell && *p == '\n' ? ' ' : *p);
  }
}

static void put_part(bez_buf *out, const char *title, const char *text) {
  if (!text || !*text) return;
  bez_buf_printf(out, "**%s.** ", title);
  put_escaped(out, text, false);
  bez_buf_puts(out, "\n\n");
}

/* Indented lines of a description stand as code. */
static void put_description(bez_buf *out, const char *text) {
  for (const char *p = text; *p;) {
    size_t len = strcspn(p, "\n");
    char line[2048];
    snprintf(line, sizeof line, "%.*s", (int)len, p);
    if (*line == ' ')
      bez_buf_printf(out, "  %s", line);
    else
      put_escaped(out, line, false);
    bez_buf_putc(out, '\n');
    p += len + (p[len] == '\n');
  }
  bez_buf_putc(out, '\n');
}

static void put_options(bez_buf *out, const bez_command *c) {
  bez_buf name = {0}, text = {0};
  bez_buf_puts(out, "| option | |\n|---|---|\n");
  for (const bez_option *o = c->options; o->name; o++) {
    bez_buf_clear(&name);
    bez_buf_clear(&text);
    bez_help_option_name(&name, o);
    bez_help_option_text(&text, o);
    bez_buf_printf(out, "| `%s` | ", name.data ? name.data : "");
    put_escaped(out, text.data, true);
    bez_buf_puts(out, " |\n");
  }
  bez_buf_puts(out, "| `-h, --help` | Show the help. |\n");
  bez_buf_free(&name);
  bez_buf_free(&text);
}

static void put_examples(bez_buf *out, const char *examples) {
  bez_buf_puts(out, "\n## Examples\n\n");
  for (const char *p = examples; *p;) {
    size_t len = strcspn(p, "\n");
    const char *dash = memmem(p, len, " — ", 5);
    size_t command = dash ? (size_t)(dash - p) : len;
    if (dash) bez_buf_printf(out, "%.*s:\n\n", (int)(len - command - 5), dash + 5);
    bez_buf_printf(out, "    %.*s\n\n", (int)command, p);
    p += len + (p[len] == '\n');
  }
}

/* What a scan of models may find, one of each kind; the detectors have pages of their own. */
static void put_model_findings(bez_buf *out) {
  bez_buf_puts(out, "\n## Findings in models\n\nOne of each kind, as a scan words it, and what to do about it "
                    "([models.md](../models.md) says how each check works).\n\n");
  for (size_t i = 0; i < bez_rule_count(); i++) {
    bez_rule_info r = bez_rule_get(i);
    if (strncmp(r.id, "BZ-M", 4) != 0) continue;
    bez_buf_printf(out, "### %s %s\n\n", r.id, r.name);
    if (r.example) bez_buf_printf(out, "    %s\n\n", r.example);
    put_escaped(out, r.summary, false);
    bez_buf_puts(out, "\n\n");
    put_part(out, "What to do", r.remedy);
  }
}

static void command_page(bez_buf *out, const bez_command *c) {
  bez_buf_printf(out, MADE "# bezoar %s\n\n    bezoar %s%s%s%s\n\n", c->name, c->name, *c->synopsis ? " " : "",
                 c->synopsis, c->options[0].name ? " [options]" : "");
  put_escaped(out, c->summary, false);
  bez_buf_puts(out, "\n\n");
  if (c->description) put_description(out, c->description);
  put_options(out, c);
  if (c->examples) put_examples(out, c->examples);
  if (!strcmp(c->name, "scan")) put_model_findings(out);
}

static void detectors_page(bez_buf *out) {
  bez_buf_puts(out, MADE "# Detectors\n\n");
  for (size_t i = 0; i < bez_detector_count(); i++) {
    bez_detector_info d = bez_detector_get(i);
    bez_buf_printf(out, "## %s %s\n\n*%s*\n\n", d.id, d.name, d.title);
    put_escaped(out, d.summary, false);
    bez_buf_puts(out, "\n\n");
    put_part(out, "Null hypothesis", d.null_hypothesis);
    put_part(out, "Calibration", d.calibration);
    put_part(out, "Cost", d.cost);
    put_part(out, "What to do", d.remedy);
    put_part(out, "Source", d.source);
    put_part(out, "Taxonomy", d.taxonomy);
    bez_buf_puts(out, "**Needs.** ");
    bez_help_needs(out, &d);
    bez_buf_puts(out, ".\n\n");
  }
}

static void rules_page(bez_buf *out) {
  bez_buf_puts(out, MADE
               "# Rules\n\nEvery rule a report can hold.\n\n| id | name | what | what to do |\n|---|---|---|---|\n");
  for (size_t i = 0; i < bez_rule_count(); i++) {
    bez_rule_info r = bez_rule_get(i);
    bez_buf_printf(out, "| %s | %s | ", r.id, r.name);
    put_escaped(out, r.summary, true);
    bez_buf_puts(out, " | ");
    put_escaped(out, r.remedy, true);
    bez_buf_puts(out, " |\n");
  }
}

static void attacks_page(bez_buf *out) {
  bez_buf_puts(out, MADE
               "# Attacks\n\n`bezoar poison DATA --attack NAME …` plants those on data; those of kind *update* are "
               "crafted by `bezoar.attack_updates` in Python and `bez_attack_updates` in C, from the updates of all "
               "honest clients.\n\n");
  for (size_t i = 0; i < bez_attack_count(); i++) {
    bez_attack_info a = bez_attack_get(i);
    bez_buf_printf(out, "## %s\n\n*%s* (%s%s)\n\n", a.name, a.title, a.kind,
                   !strcmp(a.kind, "update") ? ""
                   : a.clean_label           ? ", clean label"
                                             : ", dirty label");
    put_escaped(out, a.summary, false);
    bez_buf_puts(out, "\n\n");
    put_part(out, "Parameters", a.parameters);
    put_part(out, "Source", a.source);
  }
}

static void aggregators_page(bez_buf *out) {
  bez_buf_puts(
      out,
      MADE "# Aggregation rules\n\n`bezoar aggregate --rule NAME --f N …`; pre-aggregators with `--pre NAME`. n "
           "updates, f of them perhaps malicious, d numbers each. How to choose: [aggregate.md](aggregate.md).\n\n");
  for (size_t i = 0; i < bez_aggregator_count(); i++) {
    bez_aggregator_info a = bez_aggregator_get(i);
    bez_buf_printf(out, "## %s\n\n*%s*%s%s%s\n\n", a.name, a.title, a.pre ? " (pre-aggregator)" : "",
                   a.stateful ? " (needs a state)" : "", a.weighted ? " (heeds weights)" : "");
    put_escaped(out, a.summary, false);
    bez_buf_puts(out, "\n\n");
    put_part(out, "Parameters", a.parameters);
    put_part(out, "Tolerance", a.tolerance);
    put_part(out, "Cost", a.cost);
    put_part(out, "Score in verdicts", a.score);
    put_part(out, "Source", a.source);
  }
}

static void formats_page(bez_buf *out) {
  bez_buf_puts(out, MADE "# Formats\n\n## Read\n\nThe content decides, not the extension. Any of them may be packed "
                         "with gzip or zstd.\n\n| format | extensions | |\n|---|---|---|\n");
  for (size_t i = 0; i < bez_format_count(); i++) {
    bez_format_info f = bez_format_get(i);
    bez_buf_printf(out, "| %s (`%s`) | %s | ", f.title, f.name, f.extensions);
    put_escaped(out, f.summary, true);
    bez_buf_puts(out, " |\n");
  }
  bez_buf_puts(out, "\n## Written (reports)\n\n| format | extensions | |\n|---|---|---|\n");
  for (size_t i = 0; i < bez_writer_count(); i++) {
    bez_writer_info w = bez_writer_get(i);
    bez_buf_printf(out, "| %s (`%s`) | %s | ", w.title, w.name, w.extensions);
    put_escaped(out, w.summary, true);
    bez_buf_puts(out, " |\n");
  }
}

static void commands_page(bez_buf *out) {
  bez_buf_puts(out, MADE "# Commands\n\n| command | |\n|---|---|\n");
  for (size_t i = 0; bez_commands[i]; i++) {
    if (bez_commands[i]->hidden) continue;
    char file[64];
    snprintf(file, sizeof file, "%s", bez_commands[i]->name);
    for (char *p = file; *p; p++)
      if (*p == ' ') *p = '-';
    bez_buf_printf(out, "| [%s](%s.md) | %s |\n", bez_commands[i]->name, file, bez_commands[i]->summary);
  }
}

static bool emit(bez_docs_put put, void *ctx, const char *name, bez_buf *text) {
  while (text->len > 1 && text->data[text->len - 1] == '\n' && text->data[text->len - 2] == '\n')
    text->data[--text->len] = '\0';
  bool ok = text->failed == BEZ_OK && put(ctx, name, text->data);
  bez_buf_free(text);
  return ok;
}

bool bez_docs_pages(bez_docs_put put, void *ctx) {
  static const struct {
    const char *name;
    void (*write)(bez_buf *out);
  } pages[] = {{"detectors.md", detectors_page}, {"rules.md", rules_page},
               {"attacks.md", attacks_page},     {"aggregators.md", aggregators_page},
               {"formats.md", formats_page},     {"commands/README.md", commands_page}};
  bez_buf text = {0};
  for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
    pages[i].write(&text);
    if (!emit(put, ctx, pages[i].name, &text)) return false;
  }
  for (size_t i = 0; bez_commands[i]; i++) {
    char name[96];
    if (bez_commands[i]->hidden) continue;
    snprintf(name, sizeof name, "commands/%s.md", bez_commands[i]->name);
    for (char *p = name; *p; p++)
      if (*p == ' ') *p = '-';
    command_page(&text, bez_commands[i]);
    if (!emit(put, ctx, name, &text)) return false;
  }
  return true;
}
