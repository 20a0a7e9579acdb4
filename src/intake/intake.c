/* Scan, then add: the stamp of the files is the bridge between both. */
#include "bezoar/intake.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "bezoar/report.h"
#include "content/stamp.h"
#include "ledger/policy.h"
#include "vault/answer.h"
#include "vault/vault.h"
#include "vault/work.h"

enum { MOST_RULES_TOLD = 20 };

/* A submission on its way in. */
typedef struct intake {
  bez_vault *vault;
  const char *path;         /* as it was given */
  char *dataset, *absolute; /* owned */
  const bez_intake_options *o;
  bez_stamp stamp;
  bez_report *report;
  char *report_json;
} intake;

/* As of now: what the vault knows of trust may be made anew whenever it looks at its log. */
static const bez_policy *policy_of(const intake *in) {
  return bez_trust_policy(in->vault->trust);
}

/* Files that changed within the clock's last tick could change again unseen: a moment later they cannot. */
static bez_status take_stamp(intake *in, bez_error *err) {
  bez_status st = bez_stamp_take(in->absolute, &in->stamp, err);
  for (int i = 0; st == BEZ_OK && !in->stamp.settled && i < 5; i++) {
    const struct timespec moment = {.tv_nsec = 500000000};
    (void)nanosleep(&moment, NULL);
    st = bez_stamp_take(in->absolute, &in->stamp, err);
  }
  if (st != BEZ_OK || in->stamp.settled) return st;
  return bez_fail(err, BEZ_USAGE, in->path, "is still being written to: add it when it has come to rest");
}

static bez_status scan(intake *in, bez_error *err) {
  bez_scan_options o = {.read = in->o->read, .only = policy_of(in)->scan_rules, .n_only = policy_of(in)->n_scan_rules};
  const bez_write_options how = {.without_run = true};
  size_t len = 0;
  o.read.n_exclude = 0; /* nothing is left out, and nothing drawn from it */
  o.read.n_columns = 0;
  o.read.sample = 0;
  o.read.progress = in->o->add.progress;
  o.read.progress_ctx = in->o->add.progress_ctx;
  o.read.threads = in->o->add.threads;
  bez_status st = bez_scan_paths(&in->path, 1, &o, &in->report, err);
  return st == BEZ_OK ? bez_report_render(in->report, "json", &how, &in->report_json, &len, err) : st;
}

static bez_severity threshold(const intake *in) {
  bez_severity level = BEZ_SEV_ERROR;
  return bez_severity_parse(policy_of(in)->scan_fail_on, &level) ? level : BEZ_SEV_NOTE;
}

/* "BZ-D001, BZ-D003": each rule that refuses, once. */
static void put_rules(const intake *in, bez_buf *out) {
  const size_t n = bez_report_finding_count(in->report);
  size_t told = 0;
  for (size_t i = 0; i < n && told < MOST_RULES_TOLD; i++) {
    const bez_finding_view f = bez_report_finding(in->report, i);
    if (f.suppressed || f.severity < threshold(in) || (out->data && strstr(out->data, f.rule))) continue;
    bez_buf_printf(out, "%s%s", told++ ? ", " : "", f.rule);
  }
}

/* BEZ_USAGE with what was found, or with what could not be looked at: neither may enter. */
static bez_status judge(const intake *in, bez_error *err) {
  const size_t found = bez_report_count(in->report, threshold(in)), blind = bez_report_unexamined(in->report);
  bez_buf rules = {0};
  if (!found && !blind) return BEZ_OK;
  if (found) {
    put_rules(in, &rules);
    bez_error_set(err, BEZ_USAGE, in->path, -1, -1, "refused: the scan that the policy demands has %zu finding%s (%s)",
                  found, found == 1 ? "" : "s", rules.data ? rules.data : "");
  } else {
    bez_error_set(err, BEZ_USAGE, in->path, -1, -1,
                  "refused: the scan that the policy demands could not examine all of it (%zu)", blind);
  }
  bez_buf_free(&rules);
  return BEZ_USAGE;
}

static bez_status write_refusal(intake *in, bez_status st, bez_error *err) {
  const bez_vault_add_options *add = &in->o->add;
  const bez_claim claim = {"add", in->dataset, add->source, BEZ_MAY_CONTRIBUTE};
  bez_signer *signer = NULL;
  bez_error other = {0};
  if (bez_vault_signer(in->vault, &add->who, &signer, &other) == BEZ_OK)
    st = bez_vault_refused(in->vault, &claim, signer, st, err);
  bez_vault_act(in->vault, NULL);
  bez_signer_close(signer);
  return st;
}

/* The answer of bez_vault_add, with what the scan has said. */
static bez_status answer(const intake *in, char **json, bez_error *err) {
  json_t *all = NULL;
  bez_buf out = {0};
  bez_status st = bez_json_parse(*json, strlen(*json), "answer", &all, err);
  if (st != BEZ_OK) return st;
  json_t *said = in->report ? json_pack("{s:I,s:s}", "findings", (json_int_t)bez_report_count(in->report, BEZ_SEV_NOTE),
                                        "fail_on", policy_of(in)->scan_fail_on)
                            : json_null();
  char *text = json_object_set_new(all, "scan", said) == 0 ? json_dumps(all, JSON_COMPACT) : NULL;
  json_decref(all);
  if (!text) return bez_fail_memory(err, strlen(*json));
  bez_text_free(*json);
  *json = NULL;
  bez_buf_puts(&out, text);
  free(text);
  return bez_answer(&out, json, err);
}

static bez_status look(intake *in, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_may_add(in->vault, in->path, &in->o->add, NULL, err));
  BEZ_TRY(bez_dataset_name(in->vault, in->path, in->o->add.name, &in->dataset, &in->absolute, err));
  BEZ_TRY(take_stamp(in, err));
  BEZ_TRY(scan(in, err));
  st = judge(in, err);
  if (st == BEZ_USAGE) st = write_refusal(in, st, err);
cleanup:
  return st;
}

bez_status bez_intake_add(bez_vault *vault, const char *path, const bez_intake_options *options, char **json,
                          bez_error *err) {
  intake in = {.vault = vault, .path = path, .o = options};
  bez_vault_add_options add = options->add;
  bez_status st = BEZ_OK;
  if (policy_of(&in)->require_scan) {
    BEZ_TRY(look(&in, err));
    add.report = in.report_json;
    add.stamp = in.stamp.bytes;
  }
  BEZ_TRY(bez_vault_add(vault, path, &add, json, err));
  BEZ_TRY(answer(&in, json, err));
cleanup:
  free(in.dataset);
  free(in.absolute);
  bez_free(in.report_json);
  bez_report_destroy(in.report);
  return st;
}

bez_status bez_intake_take(bez_vault *vault, const char *path, const bez_vault_add_options *options, char **json,
                           bez_error *err) {
  const bez_intake_options o = {.add = *options};
  return bez_intake_add(vault, path, &o, json, err);
}

bez_status bez_intake_policy_check(const char *path, bez_error *err) {
  bez_arena arena = {0};
  bez_buf yaml = {0};
  bez_policy policy;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_file_read(path, BEZ_MAX_YAML_BYTES, &yaml, err));
  BEZ_TRY(bez_policy_parse(yaml.data ? yaml.data : "", yaml.len, path, &arena, &policy, err));
  for (size_t i = 0; i < policy.n_scan_rules; i++) {
    bool known = false;
    for (size_t k = 0; k < bez_rule_count() && !known; k++) known = !strcmp(bez_rule_get(k).id, policy.scan_rules[i]);
    if (!known)
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "scan_rules: no rule is called %s (bezoar list detectors)",
                       policy.scan_rules[i]));
  }
cleanup:
  bez_buf_free(&yaml);
  bez_arena_free(&arena);
  return st;
}

bez_status bez_intake_report(bez_vault *vault, const char *version, char **json, bez_error *err) {
  bez_snapshot snapshot = {0};
  bez_buf report = {0};
  bez_id id;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_snapshot_find(vault, version, &snapshot, err));
  if (!*bez_entry_text(&snapshot.entry, "report"))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, version, "was brought in without a scan: no policy demanded one"));
  BEZ_TRY(bez_entry_hex(&snapshot.entry, "report", id.bytes, BEZ_ID, err));
  BEZ_TRY(bez_objects_get(vault->objects, BEZ_OBJECT_BLOB, &id, &report, err));
  BEZ_TRY(bez_answer(&report, json, err));
cleanup:
  bez_buf_free(&report);
  bez_snapshot_free(&snapshot);
  return st;
}
