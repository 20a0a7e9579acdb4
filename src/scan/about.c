/* What models say of themselves, from the reader's facts into the report. */
#include <string.h>

#include "base/error.h"
#include "scan/models.h"

enum { MAX_ABOUT = 32, MAX_VALUE = 256 };

/* Templates, maps of weights and whole documents are for checks, not for people. */
static bool worth_telling(const bez_model_fact *fact) {
  size_t len = strlen(fact->text);
  return fact->what == BEZ_MODEL_ABOUT && len && len <= MAX_VALUE && !strchr(fact->text, '\n');
}

static bool told(const bez_kv *about, size_t n, const bez_model_fact *fact) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(about[i].key, fact->name) && !strcmp(about[i].value, fact->text)) return true;
  return false;
}

bez_status bez_scan_about(bez_report *report, const bez_model *model, bez_report_file *file, bez_error *err) {
  bez_kv *about = NULL;
  size_t n = 0;
  for (uint32_t i = 0; i < model->n_facts && n < MAX_ABOUT; i++) {
    const bez_model_fact *fact = &model->facts[i];
    if (!worth_telling(fact) || told(about, n, fact)) continue;
    if (!about) about = bez_arena_array(&report->arena, MAX_ABOUT, sizeof *about);
    if (!about) return bez_fail_memory(err, MAX_ABOUT * sizeof *about);
    about[n] = (bez_kv){bez_arena_strdup(&report->arena, fact->name), bez_arena_strdup(&report->arena, fact->text)};
    if (!about[n].key || !about[n].value) return bez_fail_memory(err, MAX_VALUE);
    n++;
  }
  file->about = about;
  file->n_about = n;
  return BEZ_OK;
}
