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

/* An archive of a thousand entries that are all named twice is one finding. */
static bool same_kind(const bez_model_fact *a, const bez_model_fact *b) {
  return b->what == BEZ_MODEL_ODD && a->part == b->part && !strcmp(a->name, b->name);
}

/* Facts of the same kind in the same part: 0 where one before this was the first of them, else how many. */
static uint32_t of_its_kind(const bez_model *m, uint32_t fact) {
  const bez_model_fact *f = &m->facts[fact];
  uint32_t n = 1;
  for (uint32_t i = 0; i < fact; i++)
    if (same_kind(f, &m->facts[i])) return 0;
  for (uint32_t i = fact + 1; i < m->n_facts; i++) n += same_kind(f, &m->facts[i]);
  return n;
}

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  for (uint32_t i = 0; i < in->model->n_facts; i++) {
    const bez_model_fact *f = &in->model->facts[i];
    const uint32_t alike = f->what == BEZ_MODEL_ODD ? of_its_kind(in->model, i) : 0;
    if (!alike) continue;
    const char *place = bez_audit_place(in, report, f->part);
    bez_finding *x = bez_report_add(report, &bez_check_structure.rule, BEZ_SEV_WARNING);
    if (alike > 1)
      bez_finding_title(report, x, "%s: %s, and %u more like it", place, f->text, alike - 1);
    else
      bez_finding_title(report, x, "%s: %s", place, f->text);
    bez_audit_subject(in, report, x, f->part, f->at, f->name);
    bez_finding_number(report, x, "byte", (double)f->at);
    bez_finding_number(report, x, "times", (double)(f->count + alike - 1));
  }
  return bez_report_status(report, err);
}
