/* Man pages from the command table, in the man macro package of roff (man(7)). */
#include <stdio.h>
#include <string.h>

#include "bezoar/base.h"
#include "cli/help.h"

/* Text with what roff would act on escaped: backslashes, hyphens, and dots and quotes at the start of a line. */
static void put_text(bez_buf *out, const char *text, size_t len) {
  bool fresh = true;
  for (size_t i = 0; i < len; i++) {
    char c = text[i];
    if (fresh && (c == '.' || c == '\'')) bez_buf_puts(out, "\\&");
    if (c == '\\')
      bez_buf_puts(out, "\\e");
    else if (c == '-')
      bez_buf_puts(out, "\\-");
    else
      bez_buf_putc(out, c);
    fresh = c == '\n';
  }
}

static void puts_text(bez_buf *out, const char *text) {
  put_text(out, text, strlen(text));
}

/* Blank lines become paragraphs; indented lines stand as they are. */
static void put_paragraphs(bez_buf *out, const char *text) {
  bool verbatim = false;
  for (const char *p = text; *p;) {
    size_t len = strcspn(p, "\n");
    if (verbatim != (*p == ' ') && len) {
      verbatim = *p == ' ';
      bez_buf_puts(out, verbatim ? ".nf\n" : ".fi\n");
    }
    if (len)
      put_text(out, p, len);
    else
      bez_buf_puts(out, ".PP");
    bez_buf_putc(out, '\n');
    p += len + (p[len] == '\n');
  }
  if (verbatim) bez_buf_puts(out, ".fi\n");
}

static void put_title(bez_buf *out, const char *command) {
  bez_buf_puts(out, ".\\\" Made from the command table by \"bezoar man\".\n.TH \"BEZOAR");
  for (const char *p = command ? command : ""; *p; p++) {
    if (p == command) bez_buf_putc(out, '-');
    bez_buf_putc(out, *p == ' ' ? '-' : *p >= 'a' && *p <= 'z' ? (char)(*p - 'a' + 'A') : *p);
  }
  bez_buf_printf(out, "\" \"1\" \"\" \"bezoar %s\" \"User Commands\"\n", BEZ_VERSION_STRING);
}

static void put_name(bez_buf *out, const char *command, const char *summary) {
  bez_buf_puts(out, ".SH NAME\nbezoar");
  for (const char *p = command ? command : ""; *p; p++) {
    if (p == command) bez_buf_puts(out, "\\-");
    bez_buf_puts(out, *p == ' ' ? "\\-" : (char[]){*p, 0});
  }
  bez_buf_puts(out, " \\- ");
  puts_text(out, summary);
  bez_buf_putc(out, '\n');
}

static void put_options(bez_buf *out, const bez_option *options) {
  bez_buf text = {0};
  bez_buf_puts(out, ".SH OPTIONS\n");
  for (const bez_option *o = options; o->name; o++) {
    bez_buf_puts(out, ".TP\n\\fB");
    if (o->letter) bez_buf_printf(out, "\\-%c\\fR, \\fB", o->letter);
    bez_buf_puts(out, "\\-\\-");
    puts_text(out, o->name);
    bez_buf_puts(out, "\\fR");
    if (o->kind != BEZ_ARG_FLAG) bez_buf_printf(out, " \\fI%s\\fR", o->value ? o->value : "VALUE");
    bez_buf_putc(out, '\n');
    bez_buf_clear(&text);
    bez_help_option_text(&text, o);
    if (text.data) puts_text(out, text.data);
    bez_buf_putc(out, '\n');
  }
  bez_buf_puts(out, ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow the help.\n");
  bez_buf_free(&text);
}

static void put_examples(bez_buf *out, const char *examples) {
  bez_buf_puts(out, ".SH EXAMPLES\n");
  for (const char *p = examples; *p;) {
    size_t len = strcspn(p, "\n");
    const char *dash = memmem(p, len, " — ", 5);
    size_t command = dash ? (size_t)(dash - p) : len;
    bez_buf_puts(out, ".TP\n.B ");
    put_text(out, p, command);
    bez_buf_putc(out, '\n');
    if (dash) put_text(out, dash + 5, len - command - 5);
    bez_buf_putc(out, '\n');
    p += len + (p[len] == '\n');
  }
}

static void put_exit_status(bez_buf *out) {
  bez_buf_puts(
      out, ".SH \"EXIT STATUS\"\n"
           ".TP\n.B 0\nNothing was found at or above \\-\\-fail\\-on.\n"
           ".TP\n.B 1\nFindings at or above \\-\\-fail\\-on.\n"
           ".TP\n.B 2\nThe command line was wrong.\n"
           ".TP\n.B 3\nSomething that was asked for could not be examined, or a result could not be written.\n"
           ".PP\nCtrl\\-C and other signals stop the work, leave no partial file behind, and end the command by that "
           "signal: 130 in a shell for Ctrl\\-C.\n");
}

static void put_environment(bez_buf *out) {
  bez_buf_puts(out,
               ".SH ENVIRONMENT\n"
               ".TP\n.B BEZOAR_\\fIOPTION\\fR\nStands for any option: BEZOAR_LABEL, BEZOAR_FAIL_ON. A flag wins over "
               "it, it wins over the configuration file.\n"
               ".TP\n.B CI\nWhen \"true\", a label column is never guessed.\n"
               ".TP\n.B NO_COLOR\nWhen set, no colours.\n"
               ".TP\n.B BEZOAR_CPU\nThe largest instruction set to use: \"plain\", \"avx2\" or \"avx512\".\n"
               ".TP\n.B TMPDIR\nWhere data beyond \\-\\-memory goes.\n");
}

static void put_overview(bez_buf *out) {
  put_title(out, NULL);
  put_name(out, NULL, "find poison in training data");
  bez_buf_puts(out, ".SH SYNOPSIS\n.B bezoar\n.I COMMAND\n[\\fIarguments\\fR]\n.SH COMMANDS\n");
  for (size_t i = 0; bez_commands[i]; i++) {
    if (bez_commands[i]->hidden) continue;
    bez_buf_printf(out, ".TP\n.B %s\n", bez_commands[i]->name);
    puts_text(out, bez_commands[i]->summary);
    bez_buf_putc(out, '\n');
  }
}

void bez_man_page(bez_buf *out, const bez_command *c) {
  if (!c) {
    put_overview(out);
  } else {
    put_title(out, c->name);
    put_name(out, c->name, c->summary);
    bez_buf_printf(out, ".SH SYNOPSIS\n.B bezoar %s\n", c->name);
    puts_text(out, c->synopsis);
    bez_buf_puts(out, c->options[0].name ? "\n[\\fIoptions\\fR]\n" : "\n");
    if (c->description) {
      bez_buf_puts(out, ".SH DESCRIPTION\n");
      put_paragraphs(out, c->description);
    }
    put_options(out, c->options);
    if (c->examples) put_examples(out, c->examples);
  }
  put_exit_status(out);
  put_environment(out);
  bez_buf_puts(out, ".SH \"SEE ALSO\"\n.BR bezoar (1)");
  for (size_t i = 0; bez_commands[i]; i++) {
    if (bez_commands[i]->hidden || bez_commands[i] == c) continue;
    bez_buf_puts(out, ",\n.BR bezoar\\-");
    for (const char *p = bez_commands[i]->name; *p; p++) bez_buf_puts(out, *p == ' ' ? "\\-" : (char[]){*p, 0});
    bez_buf_puts(out, " (1)");
  }
  bez_buf_putc(out, '\n');
}
