/* Files over which two programs disagree: what one of them examines is not what the other loads. */
#include <string.h>

#include "audit/audit.h"

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_structure = {
    .rule = {.id = "BZ-M003",
             .name = "ambiguous-structure",
             .title = "File that programs read differently",
             .summary =
                 "The file's structure is such that two programs may find two different things in it: entries named "
                 "twice or hidden from the directory, headers that disagree, bytes in front of an archive, opcodes "
                 "that cross frames, tensors that overlap, unpacking bombs.",
             .remedy = "Have the file written again by the tool of its format; ask its publisher why it is like this.",
             .taxonomy = "ATLAS:AML.T0010 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
             .example = "model.pt: \"b.pkl\" is not in the archive's directory"},
    .cost = "one pass over the archive's directory and headers",
    .source = "PKWARE APPNOTE 6.3; PEP 3154; huggingface/safetensors, Format",
    .run = run};

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->model->n_facts; i++) {
    const bez_model_fact *f = &in->model->facts[i];
    if (f->what != BEZ_MODEL_ODD) continue;
    const char *place = bez_audit_place(in, report, f->part);
    bez_finding *x = bez_report_add(report, &bez_check_structure.rule, BEZ_SEV_WARNING);
    bez_finding_title(report, x, "%s: %s", place, f->text);
    bez_audit_subject(in, report, x, f->part, f->at, f->name);
    bez_finding_number(report, x, "byte", (double)f->at);
    bez_finding_number(report, x, "times", (double)f->count);
  }
  return bez_report_status(report, err);
}
