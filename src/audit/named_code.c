/* Code and files that formats other than pickle name: layers, operators, references. What each kind is, and how bad,
 * stands in code_kinds.def. */
#include <string.h>

#include "audit/audit.h"

typedef struct code_kind {
  const char *name;
  bez_severity severity;
  const char *what, *remedy;
} code_kind;

#define BEZ_CODE_KIND(name, severity, what, remedy) {name, severity, what, remedy},
static const code_kind kinds[] = {
#include "audit/code_kinds.def"
};
#undef BEZ_CODE_KIND

/* A kind without a row is worse than one with: nobody has thought about it. */
static const code_kind unlisted = {"", BEZ_SEV_ERROR, "the reader names a kind of code that the table does not know",
                                   "Report this as a bug."};

static const code_kind *find(const char *name) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (!strcmp(kinds[i].name, name)) return &kinds[i];
  return &unlisted;
}

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_named_code = {
    .rule = {.id = "BZ-M004",
             .name = "named-code",
             .title = "Model that names code or files outside itself",
             .summary =
                 "The model holds or names code that runs when it is loaded or used (Keras Lambda layers and foreign "
                 "modules, operators that call Python or reach files, custom operators, _target_ entries), or files "
                 "outside its own folder.",
             .remedy = "Do not load it before the code or file that it names has been read.",
             .taxonomy = "ATLAS:AML.T0011.000 ATLAS:AML.T0010 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
             .example = "model.keras › config.json: a function is held as Python bytecode"},
    .cost = "one pass over what the reader saw",
    .source = "the formats' specifications; audit/code_kinds.def",
    .run = run};

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->model->n_facts; i++) {
    const bez_model_fact *f = &in->model->facts[i];
    if (f->what != BEZ_MODEL_CODE) continue;
    const code_kind *kind = find(f->name);
    bez_finding *x = bez_report_add(report, &bez_check_named_code.rule, kind->severity);
    bez_finding_title(report, x, "%s: %s", bez_audit_place(in, report, f->part), f->text);
    bez_audit_subject(in, report, x, f->part, f->at, f->module);
    bez_finding_remedy(report, x, "%s", kind->remedy);
    bez_finding_text(report, x, "why", "%s", kind->what);
    bez_finding_text(report, x, "kind", "%s", f->name);
    bez_finding_number(report, x, "byte", (double)f->at);
    bez_finding_number(report, x, "times", (double)f->count);
  }
  return bez_report_status(report, err);
}
