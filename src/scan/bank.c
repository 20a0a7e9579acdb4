/* Reference banks of adapters: adapters are read as a scan reads them, and their numbers go into the bank's file. */
#include "audit/bank.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "audit/adapter.h"
#include "base/error.h"
#include "base/threads.h"
#include "bezoar/audit.h"
#include "scan/models.h"

typedef struct adding {
  bez_scan scan;
  bez_bank bank;
} adding;

/* One file of a set; *is_adapter: its numbers are in the bank. */
static bez_status put_file(adding *a, const bez_check_input *in, bool *is_adapter, bez_error *err) {
  bez_weights *weights = NULL;
  bez_lora lora = {0};
  bez_bank_row row = {.name = in->file->name};
  bool any = false;
  *is_adapter = false;
  if (!in->model || !in->model->n_tensors) return BEZ_OK;
  bez_status st = bez_weights_open(in->path, in->model, &weights, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_lora_find(in, weights, &lora, err));
  if (!lora.n) goto cleanup;
  BEZ_TRY(bez_lora_measure(in, weights, &lora, err));
  BEZ_TRY(bez_lora_features(&lora, row.value, &any, err));
  for (size_t i = 0; i < lora.n; i++)
    if (lora.modules[i].skipped)
      BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, in->path, "%s: %s", lora.modules[i].name, lora.modules[i].skipped));
  if (!any) BEZ_TRY(bez_fail(err, BEZ_UNSUPPORTED, in->path, "the adapter changes nothing"));
  if (strlen(in->file->sha256) != 64) BEZ_TRY(bez_fail(err, BEZ_IO, in->path, "could not be hashed"));
  memcpy(row.sha256, in->file->sha256, sizeof row.sha256);
  row.modules = lora.n;
  BEZ_TRY(bez_bank_put(&a->bank, &row, err));
  *is_adapter = true;
cleanup:
  bez_lora_free(&lora);
  bez_weights_close(weights);
  return st;
}

/* What was given as one path: at least one adapter, and nothing that could not be read. */
static bez_status put_set(adding *a, const bez_scan_set *set, bez_error *err) {
  const bez_audit_context context = {.threads = a->scan.threads};
  bez_audit_set shown;
  size_t found = 0;
  bez_status st = bez_scan_show_set(&a->scan, set, &shown, err);
  for (size_t i = 0; st == BEZ_OK && i < shown.n; i++) {
    const bez_check_input whole = {.path = shown.root, .set = &shown, .context = &context};
    const bez_check_input in = bez_audit_of(&whole, &shown.files[i]);
    bool is_adapter = false;
    if (set->files[i].why && !set->files[i].listed)
      return bez_fail(err, BEZ_UNSUPPORTED, set->files[i].path, "%s", set->files[i].why);
    st = put_file(a, &in, &is_adapter, err);
    found += is_adapter;
  }
  if (st == BEZ_OK && !found) st = bez_fail(err, BEZ_UNSUPPORTED, set->root, "there is no low-rank adapter in it");
  return st;
}

static bez_status collect(adding *a, const char *path, bez_error *err) {
  struct stat info;
  bez_scan_folder found = {.models = true};
  if (stat(path, &info) != 0) return bez_fail_errno(err, path, "cannot open");
  bez_status st = S_ISDIR(info.st_mode) ? bez_scan_add_folder(&a->scan, path, &found, err)
                                        : bez_scan_add_model(&a->scan, path, err);
  if (st == BEZ_OK && !found.models) st = bez_fail(err, BEZ_UNSUPPORTED, path, "there is no low-rank adapter in it");
  return st;
}

bez_status bez_bank_add(const char *bank, const char *const *paths, size_t n_paths, unsigned threads,
                        bez_bank_result *result, bez_error *err) {
  const bez_scan_options options = {0};
  size_t total = 0;
  adding a = {.scan = {.options = &options,
                       .started = bez_scan_now(),
                       .threads = threads ? threads : bez_cpu_count(),
                       .report = bez_report_create("bank add")},
              .bank = bez_bank_make(bez_lora_feature_names, BEZ_LORA_FEATURES)};
  bez_status st = a.scan.report ? BEZ_OK : bez_fail_memory(err, sizeof *a.scan.report);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < n_paths; i++) BEZ_TRY(collect(&a, paths[i], err));
  if (!a.scan.models) BEZ_TRY(bez_fail(err, BEZ_USAGE, bank, "no adapters are given"));
  BEZ_TRY(bez_scan_read_models(&a.scan, err));
  for (size_t s = 0; s < a.scan.models->n; s++) BEZ_TRY(put_set(&a, &a.scan.models->sets[s], err));
  BEZ_TRY(bez_bank_add_to_file(bank, &a.bank, &total, err));
  *result = (bez_bank_result){.added = a.bank.n, .total = total};
cleanup:
  bez_scan_models_destroy(a.scan.models);
  bez_report_destroy(a.scan.report);
  bez_bank_free(&a.bank);
  return st;
}
