/* bezoar vault add: asked first, then read, then signed and staged. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/ingest.h"
#include "vault/answer.h"
#include "vault/work.h"

/* An addition in the making. */
typedef struct addition {
  bez_vault *vault;
  const bez_vault_add_options *o;
  bez_signer *signer;
  char *name, *path;
  bez_snapshot parent;
  bez_stamp stamp;
  bez_ingest_result read;
  bez_tree provenance;
  bez_changes changes;
  bez_batch batch;
  bez_id report;
  bez_buf entry;
  bez_entry parsed;
} addition;

static void addition_free(addition *a) {
  bez_vault_act(a->vault, NULL);
  bez_signer_close(a->signer);
  free(a->name);
  free(a->path);
  bez_snapshot_free(&a->parent);
  bez_buf_free(&a->entry);
  bez_entry_free(&a->parsed);
}

/* Nothing is read before these questions are answered. */
static bez_status ask(addition *a, const char *path, bez_error *err) {
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_dataset_name(a->vault, path, a->o->name, &a->name, &a->path, err));
  BEZ_TRY(bez_vault_signer(a->vault, &a->o->who, &a->signer, err));
  const bez_claim claim = {"add", a->name, a->o->source, BEZ_MAY_CONTRIBUTE};
  if (!a->o->source || !*a->o->source)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "--source", "say where the data come from (bezoar vault source list)"));
  if (!bez_trust_source(a->vault->trust, a->o->source)) {
    st = bez_fail(err, BEZ_USAGE, a->o->source,
                  "no source of that name is known: bezoar vault source add describes one");
    st = bez_vault_refused(a->vault, &claim, a->signer, st, err);
    goto cleanup;
  }
  BEZ_TRY(bez_vault_ask(a->vault, &claim, a->signer, err));
cleanup:
  return st;
}

static bez_status read_rows(addition *a, bez_error *err) {
  bool has_parent = a->parent.version != 0;
  bool has_sorted = has_parent && a->parent.sorted.height != UINT8_MAX;
  const bez_ingest_options options = {.key = a->vault->key,
                                      .parent = has_parent ? &a->parent.rows : NULL,
                                      .parent_sorted = has_sorted ? &a->parent.sorted : NULL,
                                      .form = a->o->form,
                                      .labels = a->o->labels,
                                      .by_reference = a->o->by_reference,
                                      .threads = a->o->threads,
                                      .memory = a->o->memory,
                                      .progress = a->o->progress,
                                      .progress_ctx = a->o->progress_ctx};
  bez_pack *rows = NULL, *sorted = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_pack_begin(a->vault->objects, &rows, err));
  BEZ_TRY(bez_pack_begin(a->vault->sorted, &sorted, err));
  BEZ_TRY(bez_ingest(a->vault->objects, rows, a->vault->sorted, sorted, a->path, &options, &a->read, err));
  st = bez_pack_finish(rows, NULL, err);
  rows = NULL;
  if (st != BEZ_OK) goto cleanup;
  st = bez_pack_finish(sorted, NULL, err);
  sorted = NULL;
cleanup:
  bez_pack_abandon(rows);
  bez_pack_abandon(sorted);
  return st;
}

/* Which rows are new, and the report that goes with them. */
static bez_status compare(addition *a, bez_error *err) {
  bez_pack *pack = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_batch_draw(&a->batch, err));
  BEZ_TRY(bez_pack_begin(a->vault->objects, &pack, err));
  BEZ_TRY(bez_provenance_make(a->vault->objects, pack, a->vault->key, &a->parent.rows, &a->parent.provenance,
                              &a->read.rows, a->batch, &a->provenance, &a->changes, err));
  if (a->o->report) BEZ_TRY(bez_pack_put(pack, BEZ_OBJECT_BLOB, a->o->report, strlen(a->o->report), &a->report, err));
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
cleanup:
  bez_pack_abandon(pack);
  return st;
}

static bez_status stage(addition *a, bez_error *err) {
  const bez_submission submission = {.dataset = a->name,
                                     .source = a->o->source,
                                     .form = a->read.form,
                                     .note = a->o->note,
                                     .batch = a->batch,
                                     .parent = &a->parent,
                                     .rows = &a->read.rows,
                                     .sorted = &a->read.sorted,
                                     .provenance = &a->provenance,
                                     .changes = a->changes,
                                     .n_files = a->read.n_files,
                                     .bytes = a->read.bytes,
                                     .sha256 = a->read.has_sha256 ? a->read.sha256 : NULL,
                                     .report = a->o->report ? &a->report : NULL,
                                     .run = a->o->run};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_submission_sign(a->vault, &submission, a->signer, &a->entry, err));
  BEZ_TRY(bez_entry_peek(a->entry.data, a->entry.len, a->name, &a->parsed, err));
  BEZ_TRY(bez_stage_put(a->vault, a->name, a->path, &a->stamp, &a->entry, err));
cleanup:
  return st;
}

static bez_status answer(const addition *a, bool staged, char **json, bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "dataset", a->name);
  bez_json_kbool(&j, "staged", staged);
  bez_json_kuint(&j, "parent", a->parent.version);
  if (staged) {
    bez_json_khex(&j, "submission", a->parsed.id.bytes, BEZ_ID);
    bez_json_kstr(&j, "source", a->o->source);
    bez_json_kstr(&j, "by", bez_trust_principal(a->vault->trust, bez_signer_public(a->signer)));
    bez_json_kstr(&j, "key", bez_ssh_key_fingerprint(bez_signer_public(a->signer)));
    bez_json_kstr(&j, "form", a->read.form);
    bez_json_kuint(&j, "n_rows", a->read.rows.top.rows);
    bez_json_kuint(&j, "n_files", a->read.n_files);
    bez_json_kuint(&j, "bytes", a->read.bytes);
    bez_json_kuint(&j, "added", a->changes.added);
    bez_json_kuint(&j, "removed", a->changes.removed);
    bez_json_kuint(&j, "changed", a->changes.changed);
  }
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

bez_status bez_vault_add(bez_vault *vault, const char *path, const bez_vault_add_options *options, char **json,
                         bez_error *err) {
  addition a = {.vault = vault, .o = options};
  bool has_parent = false, staged = true;
  bez_status st = BEZ_OK;
  BEZ_TRY(ask(&a, path, err));
  BEZ_TRY(bez_snapshot_last(vault, a.name, &a.parent, &has_parent, err));
  BEZ_TRY(bez_stamp_take(a.path, &a.stamp, err));
  if (options->stamp && memcmp(options->stamp, a.stamp.bytes, sizeof a.stamp.bytes) != 0)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "has changed since it was scanned"));
  BEZ_TRY(read_rows(&a, err));
  if (has_parent && !bez_id_compare(&a.read.rows.id, &a.parent.rows.id)) {
    staged = false;
    BEZ_TRY(bez_stage_drop(vault, a.name, err));
  } else {
    BEZ_TRY(compare(&a, err));
    BEZ_TRY(stage(&a, err));
  }
  BEZ_TRY(answer(&a, staged, json, err));
cleanup:
  addition_free(&a);
  return st;
}

bez_status bez_vault_may_add(bez_vault *vault, const char *path, const bez_vault_add_options *options, char **policy,
                             bez_error *err) {
  addition a = {.vault = vault, .o = options};
  bez_status st = ask(&a, path, err);
  addition_free(&a);
  if (st != BEZ_OK || !policy) return st;
  const bez_policy *p = bez_trust_policy(vault->trust);
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kbool(&j, "require_scan", p->require_scan);
  bez_json_kstr(&j, "fail_on", p->scan_fail_on);
  bez_json_key(&j, "rules");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < p->n_scan_rules; i++) bez_json_str(&j, p->scan_rules[i]);
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  return bez_answer(&text, policy, err);
}
