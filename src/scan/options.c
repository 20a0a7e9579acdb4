/* Options of a scan: refused when they cannot be meant, recorded in the report as they took effect. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "audit/audit.h"
#include "base/buf.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "net/url.h"
#include "scan/scan.h"

static bool is_rule(const char *word) {
  for (size_t i = 0; i < bez_rule_count(); i++) {
    bez_rule_info rule = bez_rule_get(i);
    if (!strcmp(rule.id, word) || !strcmp(rule.name, word)) return true;
  }
  return false;
}

static bez_status check_names(const char *option, const char *const *list, size_t n, bez_error *err) {
  for (size_t i = 0; i < n; i++)
    if (!is_rule(list[i]))
      return bez_fail(err, BEZ_USAGE, option, "there is no rule \"%s\" (bezoar list detectors)", list[i]);
  return BEZ_OK;
}

static bool any_check_left(const bez_scan_options *o) {
  for (size_t i = 0; bez_detectors[i]; i++)
    if (bez_scan_wanted(o, &bez_detectors[i]->rule)) return true;
  for (size_t i = 0; bez_checks[i]; i++)
    if (bez_scan_wanted(o, &bez_checks[i]->rule)) return true;
  return false;
}

bez_status bez_scan_check_options(const bez_scan_options *o, bez_error *err) {
  bez_status st = bez_cpu_check(err);
  if (st == BEZ_OK) st = check_names("--only", o->only, o->n_only, err);
  if (st == BEZ_OK) st = check_names("--skip", o->skip, o->n_skip, err);
  if (st != BEZ_OK) return st;
  if (!any_check_left(o))
    return bez_fail(err, BEZ_USAGE, o->n_only ? "--only" : "--skip", "no detector is left to run");
  if (o->read.threads > BEZ_MAX_THREADS) return bez_fail(err, BEZ_USAGE, "--threads", "at most %u", BEZ_MAX_THREADS);
  if (o->ruleset > BEZ_RULESET_VERSION)
    return bez_fail(err, BEZ_USAGE, "--ruleset", "this version knows rule sets 1 to %u", BEZ_RULESET_VERSION);
  if (!(o->max_time >= 0)) return bez_fail(err, BEZ_USAGE, "--max-time", "must not be negative");
  if (!o->golden && (o->golden_labels || o->golden_embeddings))
    return bez_fail(err, BEZ_USAGE, o->golden_labels ? "--golden-labels" : "--golden-embeddings", "needs --golden");
  if (o->new_only && !o->baseline) return bez_fail(err, BEZ_USAGE, "--new-only", "needs --baseline");
  return BEZ_OK;
}

static void record_list(bez_report *r, bez_buf *buf, const char *key, const char *const *list, size_t n) {
  if (!n) return;
  bez_buf_clear(buf);
  for (size_t i = 0; i < n; i++) bez_buf_printf(buf, "%s%s", i ? "," : "", list[i]);
  if (buf->failed != BEZ_OK) r->out_of_memory = true;
  if (buf->failed == BEZ_OK) bez_report_option(r, key, buf->data);
}

static void record_number(bez_report *r, const char *key, double value) {
  char text[32];
  bez_format_double(value, text);
  bez_report_option(r, key, text);
}

static void record_count(bez_report *r, const char *key, uint64_t value) {
  char text[24];
  snprintf(text, sizeof text, "%llu", (unsigned long long)value);
  bez_report_option(r, key, text);
}

static void record_text(bez_report *r, const char *key, const char *value) {
  if (value) bez_report_option(r, key, value);
}

/* A signed URL is a secret: its query stays out. */
static void record_path(bez_report *r, const char *key, const char *value) {
  const char *shown = value ? bez_url_shown(&r->arena, value) : NULL;
  if (value && !shown) r->out_of_memory = true;
  record_text(r, key, shown);
}

static void record_signer(bez_report *r, const bez_verify_options *o) {
  record_path(r, "signature-key", o->key);
  for (size_t i = 0; i < o->n_roots; i++) record_path(r, "certificate-chain", o->roots[i]);
  if (o->identity) bez_report_option(r, "certificate-identity", o->identity);
  if (o->oidc_issuer) bez_report_option(r, "certificate-oidc-issuer", o->oidc_issuer);
  record_path(r, "trusted-root", o->trusted_root);
}

static void record_effective(const bez_scan *scan) {
  const bez_scan_options *o = scan->options;
  bez_report *r = scan->report;
  bez_buf buf = {0};
  const bez_table *t = scan->table;
  const bool labelled = t && t->label >= 0;
  record_text(r, "label", labelled ? t->cols[t->label].name : NULL);
  if (labelled && t->label_guessed) bez_report_option(r, "label-guessed", "true");
  record_list(r, &buf, "text", o->read.text, o->read.n_text);
  record_text(r, "source", o->read.source);
  record_text(r, "id", o->read.id);
  record_list(r, &buf, "type", o->read.types, o->read.n_types);
  record_path(r, "labels-file", o->read.labels_file);
  record_path(r, "embeddings", o->read.embeddings);
  record_path(r, "golden", o->golden);
  record_path(r, "golden-labels", o->golden_labels);
  record_path(r, "golden-embeddings", o->golden_embeddings);
  record_path(r, "reference-data", o->reference);
  record_path(r, "base", o->base);
  record_path(r, "bank", o->bank);
  record_path(r, "known", o->known);
  if (o->signer) record_signer(r, o->signer);
  if (o->sandbox_off) bez_report_option(r, "sandbox", "off");
  record_list(r, &buf, "columns", o->read.columns, o->read.n_columns);
  record_list(r, &buf, "exclude", o->read.exclude, o->read.n_exclude);
  record_list(r, &buf, "only", o->only, o->n_only);
  record_list(r, &buf, "skip", o->skip, o->n_skip);
  if (o->read.sample) record_count(r, "sample", o->read.sample);
  if (o->max_time > 0) record_number(r, "max-time", o->max_time);
  if (o->read.memory) record_count(r, "memory", o->read.memory);
  record_count(r, "seed", o->read.seed);
  record_count(r, "ruleset", r->ruleset);
  record_path(r, "suppress", o->suppressions);
  record_path(r, "baseline", o->baseline);
  if (o->new_only) bez_report_option(r, "new-only", "true");
  for (size_t i = 0; i < o->n_record; i++) {
    const char *equals = strchr(o->record[i], '=');
    if (!equals) continue;
    bez_buf_clear(&buf);
    bez_buf_write(&buf, o->record[i], (size_t)(equals - o->record[i]));
    if (buf.failed != BEZ_OK) r->out_of_memory = true;
    if (buf.failed == BEZ_OK && buf.data) bez_report_option(r, buf.data, equals + 1);
  }
  bez_buf_free(&buf);
}

void bez_scan_record(bez_scan *scan) {
  bez_report *r = scan->report;
  char text[128];
  record_effective(scan);
  bez_report_run_info(r, "version", BEZ_VERSION_STRING);
  time_t now = time(NULL);
  struct tm utc;
  if (gmtime_r(&now, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc))
    bez_report_run_info(r, "finished", text);
  snprintf(text, sizeof text, "%.3f", bez_scan_now() - scan->started);
  bez_report_run_info(r, "seconds", text);
  if (gethostname(text, sizeof text) == 0) {
    text[sizeof text - 1] = '\0';
    bez_report_run_info(r, "host", text);
  }
  snprintf(text, sizeof text, "%u", scan->threads);
  bez_report_run_info(r, "threads", text);
  snprintf(text, sizeof text, "%s%s", scan->cpu & BEZ_CPU_AVX512 ? "avx512 " : "",
           scan->cpu & BEZ_CPU_AVX2 ? "avx2" : "plain");
  bez_report_run_info(r, "kernels", text);
}
