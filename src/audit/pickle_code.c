/* Pickles that would run code: dangerous names, names that are computed, classes and modules that are changed. */
#include <string.h>

#include "audit/audit.h"

/* One finding per name and part: what is called says more than what is looked up. */
static bool called_too(const bez_model *m, uint32_t fact) {
  const bez_model_fact *f = &m->facts[fact];
  for (uint32_t i = 0; i < m->n_facts; i++)
    if (m->facts[i].part == f->part && m->facts[i].what == BEZ_MODEL_CALL && !strcmp(m->facts[i].module, f->module) &&
        !strcmp(m->facts[i].name, f->name))
      return true;
  return false;
}

/* _codecs.encode and _load_from_bytes are how bytes and tensors are written: harmless as long as it is known what goes
 * in. */
static bool harmless_encoding(const bez_model_fact *f) {
  return f->known || (strcmp(f->name, "encode") != 0 && strcmp(f->name, "_load_from_bytes") != 0);
}

/* Why a fact is dangerous; NULL: it is not. */
static const char *danger(const bez_model_fact *f) {
  const char *why = "";
  switch (f->what) {
    case BEZ_MODEL_EXTENSION:
      return "a code of the extension registry: what it stands for is decided where it is loaded";
    case BEZ_MODEL_STATE: return "changes a class or module that other code uses";
    case BEZ_MODEL_IMPORT:
    case BEZ_MODEL_CALL: break;
    default: return NULL;
  }
  if (!*f->module) return f->what == BEZ_MODEL_IMPORT ? "the name is put together while loading" : NULL;
  switch (bez_audit_verdict(f, &why)) {
    case BEZ_PICKLE_DANGEROUS: return why;
    case BEZ_PICKLE_ALLOWED:
      return f->what == BEZ_MODEL_CALL && !harmless_encoding(f) ? "what goes into it is not known" : NULL;
    default: return NULL;
  }
}

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_pickle_code = {
    .rule = {.id = "BZ-M001",
             .name = "pickle-code",
             .title = "Pickle that runs code",
             .summary =
                 "Loading the file would call or look up something that runs programs, evaluates code, reaches the "
                 "network or files, or changes what other code uses. The calls are shown as Python would write "
                 "them; nothing was executed to find them.",
             .remedy = "Do not load the file. Ask its publisher for safetensors, or load it where nothing can be lost.",
             .taxonomy = "ATLAS:AML.T0011.000 ATLAS:AML.T0010 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
             .example = "model.pkl: loading it calls posix.system('id')"},
    .cost = "one pass over the pickle's opcodes",
    .source = "CPython Modules/_pickle.c; pickle_names.def",
    .run = run};

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->model->n_facts; i++) {
    const bez_model_fact *f = &in->model->facts[i];
    const char *why = danger(f);
    if (!why || (f->what == BEZ_MODEL_IMPORT && *f->module && called_too(in->model, i))) continue;
    const char *place = bez_audit_place(in, report, f->part);
    bez_finding *x = bez_report_add(report, &bez_check_pickle_code.rule, BEZ_SEV_ERROR);
    bez_finding_title(report, x, "%s: loading it %s %s", place,
                      f->what == BEZ_MODEL_CALL    ? "calls"
                      : f->what == BEZ_MODEL_STATE ? "changes"
                                                   : "looks up",
                      f->text);
    bez_audit_subject(in, report, x, f->part, f->at, f->text);
    bez_finding_text(report, x, "why", "%s", why);
    bez_finding_text(report, x, "opcode", "%s", f->opcode);
    bez_finding_number(report, x, "byte", (double)f->at);
    bez_finding_number(report, x, "times", (double)f->count);
  }
  return bez_report_status(report, err);
}
