/* bezoar --help and bezoar help CMD. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "bezoar/base.h"
#include "cli/say.h"

enum { NAME_INDENT = 2, TEXT_COLUMN = 26 };

/* A name, then its text from TEXT_COLUMN on; a long name gets a line of its own. */
static void put_entry(bez_buf *out, const char *name, const char *text) {
  bez_buf filled = {0};
  bez_buf_printf(out, "%*s%s", NAME_INDENT, "", name);
  size_t at = NAME_INDENT + bez_say_columns(name);
  bez_say_filled(&filled, text, TEXT_COLUMN, BEZ_HELP_WIDTH);
  const char *body = filled.data ? filled.data : "\n";
  if (at + 2 > TEXT_COLUMN) {
    bez_buf_putc(out, '\n');
  } else {
    bez_buf_printf(out, "%*s", (int)(TEXT_COLUMN - at), "");
    body += filled.len >= TEXT_COLUMN ? TEXT_COLUMN : 0;
  }
  bez_buf_puts(out, body);
  bez_buf_free(&filled);
}

void bez_help_option_name(bez_buf *out, const bez_option *o) {
  if (o->letter) bez_buf_printf(out, "-%c, ", o->letter);
  bez_buf_printf(out, "--%s", o->name);
  if (o->kind != BEZ_ARG_FLAG) bez_buf_printf(out, " %s", o->value ? o->value : "VALUE");
}

void bez_help_option_text(bez_buf *out, const bez_option *o) {
  bez_buf_puts(out, o->help);
  if (o->choices) {
    bez_buf_puts(out, " One of ");
    for (const char *p = o->choices; *p; p++)
      if (*p == ' ')
        bez_buf_puts(out, ", ");
      else
        bez_buf_putc(out, *p);
    bez_buf_putc(out, '.');
  }
  if (o->fallback) bez_buf_printf(out, " Default: %s.", o->fallback);
  if (o->repeat) bez_buf_puts(out, " May be repeated.");
}

static void put_options(bez_buf *out, const bez_option *options) {
  bez_buf name = {0}, text = {0};
  bez_buf_puts(out, "\nOptions:\n");
  for (const bez_option *o = options; o->name; o++) {
    bez_buf_clear(&name);
    bez_buf_clear(&text);
    bez_help_option_name(&name, o);
    bez_help_option_text(&text, o);
    if (name.data && text.data) put_entry(out, name.data, text.data);
  }
  put_entry(out, "-h, --help", "Show this help.");
  bez_buf_free(&name);
  bez_buf_free(&text);
}

static void put_examples(bez_buf *out, const char *examples) {
  bez_buf_puts(out, "\nExamples:\n");
  for (const char *p = examples; *p;) {
    size_t len = strcspn(p, "\n");
    const char *dash = memmem(p, len, " — ", 5);
    size_t command = dash ? (size_t)(dash - p) : len;
    bez_buf_puts(out, "  ");
    bez_buf_write(out, p, command);
    bez_buf_putc(out, '\n');
    if (dash) {
      bez_buf_puts(out, "      ");
      bez_buf_write(out, dash + 5, len - command - 5);
      bez_buf_putc(out, '\n');
    }
    p += len + (p[len] == '\n');
  }
}

void bez_help_command(bez_buf *out, const bez_command *c) {
  bez_buf_printf(out, "Usage: bezoar %s%s%s%s\n\n", c->name, *c->synopsis ? " " : "", c->synopsis,
                 c->options[0].name ? " [options]" : "");
  bez_say_filled(out, c->summary, 0, BEZ_HELP_WIDTH);
  if (c->description) {
    bez_buf_putc(out, '\n');
    bez_say_filled(out, c->description, 0, BEZ_HELP_WIDTH);
  }
  put_options(out, c->options);
  if (c->examples) put_examples(out, c->examples);
}

void bez_help_overview(bez_buf *out) {
  bez_buf_printf(out, "bezoar %s: finds poison in training data.\n\nUsage: bezoar COMMAND [arguments]\n\nCommands:\n",
                 BEZ_VERSION_STRING);
  bool vault = false;
  for (size_t i = 0; bez_commands[i]; i++) {
    const bez_command *c = bez_commands[i];
    if (c->hidden) continue;
    bool in_vault = bez_command_in_group(c, "vault") || bez_command_in_group(c, "watch");
    if (in_vault != vault)
      bez_buf_puts(out, in_vault ? "\nWhere data come from, and the way back:\n" : "\nAbout this tool:\n");
    vault = in_vault;
    put_entry(out, c->name, c->summary);
  }
  bez_buf_puts(out, "\nStart here:\n  bezoar scan data.csv --label COLUMN --report report.html\n\n"
                    "  bezoar help COMMAND says more.\n\n"
                    "Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 usage;\n"
                    "3 something that was asked for could not be examined.\n");
}

void bez_help_needs(bez_buf *out, const bez_detector_info *d) {
  const struct {
    bool needed;
    const char *what;
  } needs[] = {{d->needs_images, "pictures"},
               {d->needs_vectors, "embeddings (--embeddings)"},
               {d->needs_label, "a label column"},
               {d->needs_text, "a text column"},
               {d->needs_cells, "two feature columns"},
               {d->needs_numbers, "a numeric column"},
               {d->needs_source, "a source column (--source)"},
               {d->needs_golden, "a golden set (--golden)"},
               {d->needs_reference, "known-good data (--reference-data)"}};
  bool any = false;
  for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
    if (!needs[i].needed) continue;
    bez_buf_printf(out, "%s%s", any ? ", " : "", needs[i].what);
    any = true;
  }
  if (!any) bez_buf_puts(out, "nothing but rows");
}
