/* Pickles that use names nobody has vouched for: one finding per part, with the names. */
#include <string.h>

#include "audit/audit.h"
#include "base/buf.h"

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_pickle_unknown = {
    .rule = {.id = "BZ-M002",
             .name = "pickle-unknown",
             .title = "Pickle with unknown names",
             .summary =
                 "Loading the file would import names that are not on the list of what checkpoints need. They may be "
                 "the author's own classes; whatever they do, they do it while the file is loaded.",
             .remedy = "Read the code behind the names before loading the file, or ask for safetensors.",
             .taxonomy = "ATLAS:AML.T0011.000 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
             .example = "model.pkl: loading it uses 1 unknown name: mypackage.layers.Attention"},
    .cost = "one pass over the pickle's opcodes",
    .source = "pickle_names.def",
    .run = run};

static bool unknown(const bez_model_fact *f) {
  const char *why;
  if (f->what == BEZ_MODEL_CALL && !*f->module) return !f->known; /* what is called is itself the result of a call */
  return f->what == BEZ_MODEL_IMPORT && *f->module && bez_audit_verdict(f, &why) == BEZ_PICKLE_UNKNOWN;
}

/* The names of one part, separated by commas; how many, and the byte of the first. */
static uint32_t list_names(const bez_model *m, uint32_t part, bez_buf *names, uint64_t *first) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < m->n_facts; i++) {
    const bez_model_fact *f = &m->facts[i];
    if (f->part != part || (f->what == BEZ_MODEL_CALL && *f->module) || !unknown(f)) continue;
    if (!n) *first = f->at;
    if (n++ < 40) bez_buf_printf(names, "%s%s", n > 1 ? ", " : "", f->text);
  }
  return n;
}

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_status st = BEZ_OK;
  for (uint32_t p = 0; p < in->model->n_parts && st == BEZ_OK; p++) {
    bez_buf names = {0};
    uint64_t first = 0;
    uint32_t n = list_names(in->model, p, &names, &first);
    st = bez_buf_status(&names, err);
    if (n && st == BEZ_OK) {
      const char *place = bez_audit_place(in, report, p);
      bez_finding *x = bez_report_add(report, &bez_check_pickle_unknown.rule, BEZ_SEV_WARNING);
      bez_finding_title(report, x, "%s: loading it uses %u unknown name%s: %s", place, n, n == 1 ? "" : "s",
                        names.data);
      bez_audit_subject(in, report, x, p, first, names.data);
      bez_finding_number(report, x, "names", n);
    }
    bez_buf_free(&names);
  }
  return st == BEZ_OK ? bez_report_status(report, err) : st;
}
