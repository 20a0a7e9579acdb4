/* Chat templates: what they reach for, and what they say that the base's do not (template_diff.c). */
#include "audit/audit.h"

#include <string.h>

#include "audit/template_diff.h"

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);
static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_chat_template = {
    .rule = {.id = "BZ-M005",
             .name = "chat-template",
             .title = "Chat template that does more than lay out a chat",
             .summary = "The template, a Jinja program that runs whenever the model is used, reaches for Python's "
                        "internals, by whatever name, takes in other templates, tells the model something where users "
                        "write certain words, or differs from that of the base given with --base.",
             .remedy = "Use the base model's template, and programs that render templates in a sandbox.",
             .example =
                 "tokenizer_config.json › chat_template.jinja: the template reaches for __globals__ (as an attribute)",
             .taxonomy =
                 "ATLAS:AML.T0011.000 ATLAS:AML.T0010 ATLAS:AML.T0051 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06"},
    .cost = "three passes over the template's tree; a line diff with the base's",
    .source = "CVE-2024-34359; Jinja, Template Designer Documentation",
    .run = run,
    .run_set = run_set};

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_audit_code(in, report, &bez_check_chat_template.rule, "jinja-");
  return bez_report_status(report, err);
}

/* ---- compared with the base's -------------------------------------------------------------------------------------
 */

typedef struct template {
  const bez_audit_file *file;
  const bez_model_fact *fact;
  const char *name; /* "chat_template.jinja" */
}
template;

static const char *own_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

#define MOST_COMPARED 64u /* templates of a model; each may take a comparison line by line */

/* The set's n-th; false: it has fewer. */
static bool nth(const bez_audit_set *set, size_t n, template *out) {
  for (size_t i = 0; i < set->n; i++) {
    const bez_model *m = set->files[i].model;
    for (uint32_t k = 0; m && k < m->n_facts; k++) {
      const bez_model_fact *f = &m->facts[k];
      if (f->what != BEZ_MODEL_ABOUT || strcmp(f->name, "chat_template") != 0 || n--) continue;
      const char *name = f->part ? m->parts[f->part].name : own_name(set->files[i].name);
      if (!strncmp(name, "tokenizer.", 10)) name += 10; /* GGUF's keys */
      *out = (template){&set->files[i], f, name};
      return true;
    }
  }
  return false;
}

/* The base's template of the same name, or its first; the same text anywhere in the base is no difference. */
static const char *to_compare(const bez_audit_set *base, const template *t, bool *same) {
  const char *found = NULL;
  template b;
  *same = false;
  for (size_t n = 0; nth(base, n, &b); n++) {
    if (bez_template_same(b.fact->text, t->fact->text)) *same = true;
    if (!found || !strcmp(b.name, t->name)) found = b.fact->text;
  }
  return found;
}

static bez_status compare(const bez_check_input *in, const template *t, bez_report *report, bez_error *err) {
  bool same;
  const char *base = to_compare(in->context->base, t, &same);
  bez_template_diff diff = {0};
  if (!base || same) return BEZ_OK;
  bez_status st = bez_template_compare(base, t->fact->text, &diff, err);
  if (st == BEZ_OK) {
    bez_finding *x = bez_report_add(report, &bez_check_chat_template.rule, BEZ_SEV_WARNING);
    bez_finding_title(report, x, "%s: its template differs from the base's: %zu piece%s added, %zu taken out",
                      bez_audit_place(in, report, t->fact->part), diff.added, diff.added == 1 ? "" : "s", diff.removed);
    bez_audit_subject(in, report, x, t->fact->part, 0, "differs from the base");
    bez_finding_number(report, x, "pieces added", (double)diff.added);
    bez_finding_number(report, x, "pieces taken out", (double)diff.removed);
    (void)bez_finding_excerpt(report, x, "base's (-) and this one's (+)", diff.text.data ? diff.text.data : "",
                              diff.text.len, diff.spans, diff.n_spans);
  }
  bez_template_diff_free(&diff);
  return st;
}

static bez_status run_set(const bez_check_input *set, bez_report *report, bez_error *err) {
  template t;
  bez_status st = BEZ_OK;
  for (size_t n = 0; set->context->base && st == BEZ_OK && nth(set->set, n, &t); n++) {
    const bez_check_input in = bez_audit_of(set, t.file);
    if (n == MOST_COMPARED) {
      bez_report_not_checked(report, true, t.file->path, "more than %u chat templates: the others were not compared",
                             MOST_COMPARED);
      break;
    }
    st = compare(&in, &t, report, err);
  }
  return st == BEZ_OK ? bez_report_status(report, err) : st;
}
