/* What formats other than pickle name (code_kinds.def): how bad each kind is, and its finding. */
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

static bool is_for(const char *kind, const char *prefix) {
  static const char *const own[] = {"jinja-", "remote-", "outside-"};
  if (*prefix) return !strncmp(kind, prefix, strlen(prefix));
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    if (!strncmp(kind, own[i], strlen(own[i]))) return false;
  return true;
}

/* ---- names that a loader imports ----------------------------------------------------------------------------------
 */

/* Libraries that configurations name, and nothing in them that takes a program or an address. */
static bool well_known(const char *name) {
  static const char *const packages[] = {"torch.nn",
                                         "torch.optim",
                                         "torch.utils.data",
                                         "torch.distributions",
                                         "torchvision",
                                         "torchaudio",
                                         "torchmetrics",
                                         "nemo",
                                         "megatron",
                                         "lightning",
                                         "pytorch_lightning",
                                         "transformers",
                                         "diffusers",
                                         "peft",
                                         "timm",
                                         "tokenizers",
                                         "datasets",
                                         "sentence_transformers",
                                         "accelerate",
                                         "optimum",
                                         "onnxruntime",
                                         "hydra",
                                         "hydra_plugins",
                                         "omegaconf",
                                         "flax",
                                         "optax",
                                         "sklearn",
                                         "mlflow",
                                         "torchtune",
                                         "fairseq2",
                                         "monai",
                                         "detectron2",
                                         "mmcv",
                                         "mmengine",
                                         "kornia",
                                         "albumentations",
                                         "numpy.float32",
                                         "torch.float32",
                                         "torch.bfloat16",
                                         "torch.float16",
                                         "torchtitan",
                                         "jsonargparse"};
  static const char *const pipelines[] = {
      "stable_diffusion",    "latent_diffusion", "deepfloyd_if", "kandinsky", "paint_by_example",      "unclip",
      "versatile_diffusion", "wuerstchen",       "audioldm2",    "musicldm",  "stable_diffusion_safe", "stable_cascade",
      "blip_diffusion"};
  for (size_t i = 0; i < sizeof packages / sizeof *packages; i++) {
    const size_t n = strlen(packages[i]);
    if (!strncmp(name, packages[i], n) && (!name[n] || name[n] == '.')) return true;
  }
  for (size_t i = 0; i < sizeof pipelines / sizeof *pipelines; i++)
    if (!strcmp(name, pipelines[i])) return true;
  return false;
}

/* "a.b.Class" as pickles name it: every way to part module and name. *why: static, "" where it is not dangerous. */
static bez_pickle_verdict judge_name(const char *name, const char **why) {
  char module[256];
  const size_t n = strlen(name);
  *why = "";
  if (n >= sizeof module) return BEZ_PICKLE_UNKNOWN;
  bez_pickle_verdict verdict = bez_pickle_judge(name, "*", why); /* a module alone */
  for (size_t i = 0; i < n && verdict != BEZ_PICKLE_DANGEROUS; i++) {
    if (name[i] != '.') continue;
    memcpy(module, name, i);
    module[i] = 0;
    const bez_pickle_verdict v = bez_pickle_judge(module, name + i + 1, why);
    if (v == BEZ_PICKLE_DANGEROUS || (v == BEZ_PICKLE_ALLOWED && verdict == BEZ_PICKLE_UNKNOWN)) verdict = v;
  }
  return verdict;
}

/* How bad a name that is to be imported is; false: not at all. */
static bool judged(const bez_model_fact *f, bez_severity *severity, const char **why) {
  static const char *const judged_kinds[] = {"config-target", "config-library", "yaml-name"};
  bool is_name = false;
  for (size_t i = 0; i < sizeof judged_kinds / sizeof *judged_kinds; i++)
    is_name = is_name || !strcmp(f->name, judged_kinds[i]);
  if (!strcmp(f->name, "remote-script-import")) return false; /* the script's own finding lists it */
  if (!is_name) return true;
  const char *danger = "";
  const bez_pickle_verdict verdict = judge_name(f->module, &danger);
  if (verdict == BEZ_PICKLE_DANGEROUS) {
    *severity = BEZ_SEV_ERROR;
    *why = danger;
    return !(well_known(f->module) && !strstr(f->module, "__"));
  }
  return verdict != BEZ_PICKLE_ALLOWED && !well_known(f->module);
}

/* ---- findings -----------------------------------------------------------------------------------------------------
 */

void bez_audit_code(const bez_check_input *in, bez_report *report, const bez_rule *rule, const char *prefix) {
  for (uint32_t i = 0; i < in->model->n_facts; i++) {
    const bez_model_fact *f = &in->model->facts[i];
    if (f->what != BEZ_MODEL_CODE || !is_for(f->name, prefix)) continue;
    const code_kind *kind = find(f->name);
    bez_severity severity = kind->severity;
    const char *why = "";
    if (!judged(f, &severity, &why)) continue;
    bez_finding *x = bez_report_add(report, rule, severity);
    bez_finding_title(report, x, "%s: %s%s%s", bez_audit_place(in, report, f->part), f->text, *why ? "; it " : "", why);
    bez_audit_subject(in, report, x, f->part, f->at, f->module);
    bez_finding_remedy(report, x, "%s", kind->remedy);
    bez_finding_text(report, x, "why", "%s", *why ? why : kind->what);
    bez_finding_text(report, x, "kind", "%s", f->name);
    bez_finding_number(report, x, "byte", (double)f->at);
    bez_finding_number(report, x, "times", (double)f->count);
  }
}
