/* BZ-M010, adapters: the spectrum of what a low-rank adapter changes, per module; modules that stand out among their
 * kind; ranks among the adapters of a reference bank. None of it proves anything: it says where to look. */
#include "audit/adapter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/bank.h"
#include "base/error.h"

#define SHOWN 12u      /* modules in the exhibit */
#define LEAST_BANK 20u /* reference adapters below which ranks say nothing */
#define LEVEL 0.05

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err);

const bez_check bez_check_adapter = {
    .rule = {.id = "BZ-M010",
             .name = "adapter-spectrum",
             .title = "Spectrum of a low-rank adapter",
             .summary =
                 "What a LoRA adapter changes, by singular values of (α/r)·B·A: its size, how much of it lies in "
                 "one direction, one module, one row or column. With a reference bank, ranks among known "
                 "adapters.",
             .remedy =
                 "Compare it with adapters trained for the same base and task; try the module that stands out with "
                 "and without the adapter.",
             .example =
                 "adapter_model.safetensors: the change of layers.3.q_proj is 20 times that of the others of its "
                 "kind",
             .taxonomy = "ATLAS:AML.T0018 ATLAS:AML.T0010.003 NIST:NISTAML.023 OWASP:LLM03 OWASP-ML:ML10"},
    .cost = "O((rows + columns) · rank²) per module",
    .source = "Hu et al. 2021, LoRA, arXiv:2106.09685; Golub and Van Loan, Matrix Computations, 4th edition, 5.2, 8.6; "
              "rank p-values: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005",
    .run = run};

/* ---- what it changes ----------------------------------------------------------------------------------------------
 */

static int by_norm(const void *a, const void *b) {
  const bez_lora_module *x = *(const bez_lora_module *const *)a, *y = *(const bez_lora_module *const *)b;
  if (x->norm != y->norm) return x->norm > y->norm ? -1 : 1;
  return x < y ? -1 : x > y;
}

static void cell(bez_report *report, bez_exhibit *x, uint32_t row, uint32_t col, double value) {
  char text[32];
  const int n = isnan(value) ? snprintf(text, sizeof text, "-") : snprintf(text, sizeof text, "%.9g", value);
  bez_exhibit_cell(report, x, row, col, text, (size_t)n, false);
}

static void show(bez_report *report, bez_finding *f, const bez_lora *lora, const bez_lora_module **order) {
  static const char *const heads[] = {"module", "rows",   "columns",  "rank",       "norm",
                                      "σ1",     "σ2",     "σ3",       "σ1² / Σσ²",  "effective rank",
                                      "row",    "column", "kurtosis", "norm / base"};
  const uint32_t n_heads = sizeof heads / sizeof *heads, n = lora->n < SHOWN ? (uint32_t)lora->n : SHOWN;
  bez_exhibit *x = bez_finding_cells(report, f, "The modules that are changed most", n, n_heads);
  for (uint32_t c = 0; c < n_heads; c++) bez_exhibit_header(report, x, c, heads[c]);
  for (uint32_t i = 0; i < n; i++) {
    const bez_lora_module *m = order[i];
    const double values[] = {(double)m->rows,
                             (double)m->cols,
                             m->rank,
                             m->norm,
                             m->top[0],
                             m->top[1],
                             m->top[2],
                             m->top_share,
                             m->effective_rank,
                             m->row_share,
                             m->col_share,
                             m->kurtosis,
                             m->norm / m->base_norm};
    bez_exhibit_cell(report, x, i, 0, m->name, strlen(m->name), false);
    for (uint32_t c = 1; c < n_heads; c++) cell(report, x, i, c, values[c - 1]);
  }
}

static void say_scale(bez_report *report, bez_finding *f, const bez_lora *lora) {
  if (!lora->alpha_said) bez_finding_text(report, f, "alpha", "nobody says α: α = rank was taken");
  if (lora->rank_scaled) bez_finding_text(report, f, "scale", "α / √rank (rsLoRA)");
  if (lora->n_dora) bez_finding_text(report, f, "DoRA", "%u magnitude vectors, left out here", lora->n_dora);
}

static bez_status describe(const bez_check_input *in, const bez_lora *lora, const double *features, bez_report *report,
                           bez_error *err) {
  uint32_t least = UINT32_MAX, most = 0;
  const bez_lora_module **order = calloc(lora->n + 1, sizeof *order);
  if (!order) return bez_fail_memory(err, lora->n * sizeof *order);
  for (size_t i = 0; i < lora->n; i++) {
    order[i] = &lora->modules[i];
    least = lora->modules[i].rank < least ? lora->modules[i].rank : least;
    most = lora->modules[i].rank > most ? lora->modules[i].rank : most;
  }
  qsort(order, lora->n, sizeof *order, by_norm);
  bez_finding *f = bez_report_add(report, &bez_check_adapter.rule, BEZ_SEV_NOTE);
  if (least == most)
    bez_finding_title(report, f, "%s: a low-rank adapter, rank %u in %zu modules", in->path, most, lora->n);
  else
    bez_finding_title(report, f, "%s: a low-rank adapter, ranks %u to %u in %zu modules", in->path, least, most,
                      lora->n);
  bez_audit_subject(in, report, f, 0, 0, "low-rank adapter");
  bez_finding_number(report, f, "modules", (double)lora->n);
  say_scale(report, f, lora);
  for (uint32_t k = 0; k < BEZ_LORA_FEATURES; k++)
    bez_finding_number(report, f, bez_lora_feature_names[k], features[k]);
  show(report, f, lora, order);
  free(order);
  return BEZ_OK;
}

/* ---- what stands out ----------------------------------------------------------------------------------------------
 */

static bez_status stand_out(const bez_check_input *in, const bez_lora *lora, bez_report *report, bez_error *err) {
  bez_lora_outlier *out = calloc(lora->n + 1, sizeof *out);
  size_t n = 0;
  bez_status st = out ? bez_lora_outliers(lora, out, &n, err) : bez_fail_memory(err, lora->n * sizeof *out);
  for (size_t i = 0; st == BEZ_OK && i < n; i++) {
    const bez_lora_module *m = &lora->modules[out[i].module];
    bez_finding *f = bez_report_add(report, &bez_check_adapter.rule, BEZ_SEV_WARNING);
    bez_finding_title(report, f, "%s: the change of %s is %.3g times that of the others of its kind", in->path, m->name,
                      out[i].ratio);
    bez_audit_subject(in, report, f, in->model->tensors[m->up].part, 0, m->name);
    bez_finding_number(report, f, "times", out[i].ratio);
    bez_finding_number(report, f, "robust z", out[i].z);
    bez_finding_number(report, f, "modules of its kind", (double)out[i].group);
    bez_finding_number(report, f, "norm", m->norm);
    bez_finding_number(report, f, "share of the first singular value", m->top_share);
  }
  free(out);
  return st;
}

static const char *digest_of(const bez_check_input *in) {
  return in->file && in->file->sha256 ? in->file->sha256 : "";
}

/* The largest of the ranks is what counts, so its p-value is taken times the number of features. */
static void rank(const bez_check_input *in, const double *features, const bez_bank *bank, bez_report *report) {
  double p = 1.0;
  uint32_t which = 0;
  bez_bank_rank ranks[BEZ_LORA_FEATURES];
  for (uint32_t k = 0; k < BEZ_LORA_FEATURES; k++) {
    ranks[k] = bez_bank_rank_of(bank, k, features[k], digest_of(in));
    const double own = (double)(ranks[k].n - ranks[k].larger + 1) / (double)(ranks[k].n + 1);
    if (own < p) which = k;
    p = fmin(p, own);
  }
  p = fmin(1.0, p * BEZ_LORA_FEATURES);
  if (ranks[0].n < LEAST_BANK) {
    bez_report_not_checked(report, true, in->path, "ranks among reference adapters: %zu in the bank, fewer than %u",
                           ranks[0].n, LEAST_BANK);
    return;
  }
  bez_finding *f = bez_report_add(report, &bez_check_adapter.rule, p <= LEVEL ? BEZ_SEV_WARNING : BEZ_SEV_NOTE);
  bez_finding_title(report, f, "%s: %s is larger than that of %zu of %zu reference adapters", in->path,
                    bez_lora_feature_names[which], ranks[which].larger, ranks[which].n);
  bez_audit_subject(in, report, f, 0, 0, "rank among reference adapters");
  for (uint32_t k = 0; k < BEZ_LORA_FEATURES; k++)
    bez_finding_text(report, f, bez_lora_feature_names[k], "%.6g, larger than %zu of %zu", features[k], ranks[k].larger,
                     ranks[k].n);
  bez_finding_text(report, f, "meaning",
                   "a rank, no proof: an adapter like those of the bank comes this far with p = %.3g, all %u numbers "
                   "counted in",
                   p, BEZ_LORA_FEATURES);
  if (f) f->p_value = p;
}

static bez_status compare(const bez_check_input *in, const double *features, bez_report *report) {
  bez_bank bank = bez_bank_make(bez_lora_feature_names, BEZ_LORA_FEATURES);
  bez_error why = {0};
  const bez_status st = bez_bank_read(in->context->bank, &bank, &why);
  if (st == BEZ_OK)
    rank(in, features, &bank, report);
  else
    bez_report_not_checked(report, true, in->context->bank, "%s", why.message);
  bez_bank_free(&bank);
  return st == BEZ_MEMORY ? st : BEZ_OK;
}

/* ---- the check ----------------------------------------------------------------------------------------------------
 */

static void say_missing(const bez_check_input *in, const bez_lora *lora, bez_report *report) {
  size_t skipped = 0;
  const char *why = NULL;
  for (size_t i = 0; i < lora->n; i++) {
    if (!lora->modules[i].skipped) continue;
    if (!skipped++) why = lora->modules[i].skipped;
  }
  if (skipped)
    bez_report_not_checked(report, true, in->path, "%zu of %zu modules of the adapter, the first: %s", skipped, lora->n,
                           why);
  if (lora->n_unpaired)
    bez_report_not_checked(report, false, in->path,
                           "%u tensors of the adapter make no pair, or are of another kind than LoRA",
                           lora->n_unpaired);
}

static bez_status run(const bez_check_input *in, bez_report *report, bez_error *err) {
  bez_weights *weights = NULL;
  bez_lora lora = {0};
  bez_error why = {0};
  double features[BEZ_LORA_FEATURES];
  bool any = false;
  bez_status st = bez_lora_named(in->model) ? bez_weights_open(in->path, in->model, &weights, &why) : BEZ_UNSUPPORTED;
  if (st == BEZ_MEMORY) return bez_fail_memory(err, 0);
  if (st != BEZ_OK) { /* no adapter, or one that cannot be read */
    if (*why.message) bez_report_not_checked(report, true, in->path, "the adapter's numbers: %s", why.message);
    return BEZ_OK;
  }
  BEZ_TRY(bez_lora_find(in, weights, &lora, err));
  if (lora.n) BEZ_TRY(bez_lora_measure(in, weights, &lora, err));
  say_missing(in, &lora, report);
  if (!lora.n) goto cleanup;
  if (in->context->base) BEZ_TRY(bez_lora_measure_base(in, &lora, err));
  BEZ_TRY(bez_lora_features(&lora, features, &any, err));
  if (!any) goto cleanup;
  BEZ_TRY(describe(in, &lora, features, report, err));
  BEZ_TRY(stand_out(in, &lora, report, err));
  if (in->context->bank) BEZ_TRY(compare(in, features, report));
  BEZ_TRY(bez_report_status(report, err));
cleanup:
  bez_lora_free(&lora);
  bez_weights_close(weights);
  return st;
}
