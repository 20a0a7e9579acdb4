/* Files that a model names and that do not lie in its folder: paths that lead out, links that do, shards that are
 * missing. */
#include <string.h>

#include "audit/audit.h"

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);
static bez_status run_set(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_outside_reference = {
    .rule =
        {.id = "BZ-M007",
         .name = "outside-reference",
         .title = "Model that reaches outside its folder",
         .summary = "External data, a shard of an index, or a symbolic link leads out of the model's own folder: "
                    "loading it opens whatever lies there. Shards that are missing are said to be unexamined.",
         .remedy = "Do not load it; files of a model belong beside it, under plain names.",
         .taxonomy = "ATLAS:AML.T0010 NIST:NISTAML.05 OWASP:LLM03 OWASP-ML:ML06",
         .example =
             "model.safetensors.index.json: a shard of the weights is \"../x.safetensors\": the path leads upwards"},
    .cost = "one pass over what the reader saw, and over the folder's list",
    .source = "CVE-2022-25882; audit/code_kinds.def",
    .run = run,
    .run_set = run_set};

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_audit_code(in, report, &bez_check_outside_reference.rule, "outside-");
  return bez_report_status(report, err);
}

static void say_link(const bez_check_input *in, bez_report *report) {
  bez_finding *x = bez_report_add(report, &bez_check_outside_reference.rule, BEZ_SEV_ERROR);
  bez_finding_title(report, x, "%s: a symbolic link that leads out of the folder, to %s", in->path, in->file->link);
  bez_finding_subject(report, x, bez_arena_printf(&report->arena, "%s: link", in->file->name), NULL);
  bez_finding_place(report, x, in->path, "", 0);
  bez_finding_text(report, x, "why", "it stands for another file on every machine that it comes to");
}

/* A shard lies beside the index that names it. */
static void look_for_shard(const bez_check_input *in, const char *shard, bez_report *report) {
  const char *slash = strrchr(in->file->name, '/');
  const int folder = slash ? (int)(slash - in->file->name) + 1 : 0;
  const char *name = bez_arena_printf(&report->arena, "%.*s%s", folder, in->file->name, shard);
  if (name && !bez_audit_find(in->set, name))
    bez_report_not_checked(report, true, in->path, "the shard %s is not there", shard);
}

static bez_status run_set(const bez_check_input *set, bez_report *report, bez_error *err) {
  for (size_t i = 0; i < set->set->n; i++) {
    const bez_check_input in = bez_audit_of(set, &set->set->files[i]);
    const bool alone = set->set->n == 1 && !strcmp(in.path, set->set->root); /* its folder was not asked for */
    if (in.file->link) say_link(&in, report);
    for (uint32_t k = 0; in.model && !alone && k < in.model->n_facts; k++)
      if (in.model->facts[k].what == BEZ_MODEL_ABOUT && !strcmp(in.model->facts[k].name, "shard"))
        look_for_shard(&in, in.model->facts[k].text, report);
  }
  return bez_report_status(report, err);
}
