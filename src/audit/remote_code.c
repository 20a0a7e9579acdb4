/* Code beside a model, or in another repository, that loading it with trust_remote_code runs. */
#include <string.h>

#include "audit/audit.h"

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);
static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_remote_code = {
    .rule = {.id = "BZ-M006",
             .name = "remote-code",
             .title = "Model that brings Python code",
             .summary = "The configuration names classes of its own (auto_map, custom pipelines), or of another "
                        "repository, or Python lies beside the model: programs that are told to trust remote code run "
                        "it. What the scripts name is shown; it is no proof that they are harmless.",
             .remedy = "Read the code, pin the repository's revision, and load the model without trust_remote_code.",
             .taxonomy = "ATLAS:AML.T0011.000 ATLAS:AML.T0010 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
             .example = "config.json: AutoModel is modeling_x.Model of another repository, someone/else: "
                        "trust_remote_code fetches and runs it"},
    .cost = "one pass over what the reader saw",
    .source = "transformers documentation, Using custom models; audit/code_kinds.def",
    .run = run,
    .run_set = run_set};

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_audit_code(in, report, &bez_check_remote_code.rule, "remote-");
  return bez_report_status(report, err);
}

/* The script that "module.Class" of this file stands for, beside it; NULL: it is not there. */
static const bez_audit_file *script_of(const bez_audit_set *set, const bez_audit_file *config, const char *name,
                                       bez_report *report) {
  const char *slash = strrchr(config->name, '/'), *dot = strrchr(name, '.');
  const int folder = slash ? (int)(slash - config->name) + 1 : 0;
  char *path = bez_arena_printf(&report->arena, "%.*s%.*s.py", folder, config->name, dot ? (int)(dot - name) : 0, name);
  if (!path || !dot) return NULL;
  for (char *p = path + folder; p[0] && strcmp(p, ".py") != 0; p++)
    if (*p == '.') *p = '/';
  return bez_audit_find(set, path);
}

/* What the script does when it is imported; NULL: nothing that has a name on our list. */
static const bez_model_fact *at_import(const bez_audit_file *script) {
  for (uint32_t i = 0; script && script->model && i < script->model->n_facts; i++)
    if (script->model->facts[i].what == BEZ_MODEL_CODE && !strcmp(script->model->facts[i].name, "remote-script-import"))
      return &script->model->facts[i];
  return NULL;
}

static void look(const bez_check_input *in, const bez_model_fact *f, bez_report *report) {
  const bez_audit_file *script = script_of(in->set, in->file, f->module, report);
  const bez_model_fact *does = at_import(script);
  if (!script && in->set->n > 1)
    bez_report_not_checked(report, true, bez_audit_place(in, report, f->part),
                           "the code that it names, %s, is not there", f->module);
  if (!script || !does) return;
  bez_finding *x = bez_report_add(report, &bez_check_remote_code.rule, BEZ_SEV_ERROR);
  bez_finding_title(report, x, "%s: loading the model with trust_remote_code runs %s, which calls %s", in->path,
                    script->name, does->module);
  bez_audit_subject(in, report, x, f->part, f->at, does->module);
  bez_finding_text(report, x, "why", "the configuration names the script, and it does so as soon as it is imported");
  bez_finding_number(report, x, "byte in the script", (double)does->at);
}

static bez_status run_set(const bez_check_input *set, bez_report *report, bez_error *err) {
  for (size_t i = 0; i < set->set->n; i++) {
    const bez_check_input in = bez_audit_of(set, &set->set->files[i]);
    for (uint32_t k = 0; in.model && k < in.model->n_facts; k++)
      if (in.model->facts[k].what == BEZ_MODEL_CODE && !strcmp(in.model->facts[k].name, "remote-module"))
        look(&in, &in.model->facts[k], report);
  }
  return bez_report_status(report, err);
}
