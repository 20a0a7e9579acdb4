/* rollback and revert: what they share, and rollback. */
#include "vault/rewind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/index.h"

void bez_remade_free(bez_remade *remade) {
  bez_snapshot_free(&remade->parent);
  *remade = (bez_remade){0};
}

/* The submission of one data set. */
static bez_status sign_one(bez_vault *vault, const bez_rewind *r, const bez_remade *item, bez_buf *entry,
                           bez_error *err) {
  const bez_submission submission = {.dataset = item->parent.dataset,
                                     .source = "",
                                     .form = item->form,
                                     .note = r->op,
                                     .batch = item->batch,
                                     .parent = &item->parent,
                                     .rows = &item->rows,
                                     .sorted = &item->sorted,
                                     .provenance = &item->provenance,
                                     .changes = item->changes,
                                     .n_files = item->n_files,
                                     .bytes = item->bytes,
                                     .sha256 = item->has_sha256 ? item->sha256 : NULL};
  return bez_submission_sign(vault, &submission, r->signer, entry, err);
}

static bez_status check_last(bez_vault *vault, const bez_remade *item, bez_error *err) {
  bez_snapshot last = {0};
  bool found = false;
  bez_status st = bez_snapshot_last_said(vault, item->parent.dataset, &last, &found, err);
  if (st == BEZ_OK && last.version != item->parent.version)
    st = bez_fail(err, BEZ_USAGE, item->parent.dataset, "somebody committed another version meanwhile: try again");
  bez_snapshot_free(&last);
  return st;
}

static bez_status answer(const bez_vault *vault, const bez_rewind *r, const bez_id *commit, char **json,
                         bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_khex(&j, "commit", commit->bytes, BEZ_ID);
  bez_json_kbool(&j, "pending", false);
  bez_json_kstr(&j, "by", bez_trust_principal(vault->trust, bez_signer_public(r->signer)));
  bez_json_key(&j, "datasets");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < r->n; i++) {
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "name", r->items[i].parent.dataset);
    bez_json_kuint(&j, "version", r->items[i].parent.version + 1);
    bez_json_kuint(&j, "n_rows", r->items[i].rows.top.rows);
    bez_json_kuint(&j, "added", r->items[i].changes.added);
    bez_json_kuint(&j, "removed", r->items[i].changes.removed);
    bez_json_kuint(&j, "changed", r->items[i].changes.changed);
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

/* More signatures than one cannot be gathered here: such policies want the data added and committed. */
static bez_status check_may(bez_vault *vault, const bez_rewind *r, bez_error *err) {
  bez_status st = BEZ_OK;
  if (bez_trust_policy(vault->trust)->signatures > 1)
    return bez_fail(err, BEZ_USAGE, r->op,
                    "the policy wants several signatures: check the version out, add it and commit it together");
  for (size_t i = 0; i < r->n && st == BEZ_OK; i++) {
    const bez_claim claim = {r->op, r->items[i].parent.dataset, NULL, BEZ_MAY_COMMIT};
    const bez_claim contribute = {r->op, r->items[i].parent.dataset, NULL, BEZ_MAY_CONTRIBUTE};
    st = bez_vault_ask(vault, &claim, r->signer, err);
    if (st == BEZ_OK && r->items[i].mixed) st = bez_vault_ask(vault, &contribute, r->signer, err);
    if (st == BEZ_OK && r->items[i].mixed && bez_trust_policy(vault->trust)->require_scan)
      st = bez_fail(err, BEZ_USAGE, r->op,
                    "the policy demands a scan of what no version was: roll back, or check out, mend and add it");
    if (st == BEZ_OK) st = check_last(vault, &r->items[i], err);
  }
  return st;
}

bez_status bez_rewind_commit(bez_vault *vault, const bez_rewind *r, char **json, bez_error *err) {
  bez_buf *entries = calloc(r->n + 1, sizeof *entries);
  bez_bytes_view *views = calloc(r->n + 1, sizeof *views);
  bez_commit_item *items = calloc(r->n + 1, sizeof *items);
  bez_entry parsed = {0};
  bool locked = false;
  bez_status st = BEZ_OK;
  if (!entries || !views || !items) BEZ_TRY(bez_fail_memory(err, (r->n + 1) * sizeof *entries));
  BEZ_TRY(bez_vault_lock(vault, err));
  locked = true;
  BEZ_TRY(check_may(vault, r, err));
  for (size_t i = 0; i < r->n; i++) {
    BEZ_TRY(sign_one(vault, r, &r->items[i], &entries[i], err));
    BEZ_TRY(bez_entry_peek(entries[i].data, entries[i].len, r->op, &parsed, err));
    items[i] = (bez_commit_item){r->items[i].parent.dataset, r->items[i].parent.version + 1, parsed.id};
    bez_entry_free(&parsed);
    parsed = (bez_entry){0};
  }
  BEZ_TRY(bez_commit_sign(vault, r->message, items, r->n, r->extra, r->ctx, r->signer, &entries[r->n], err));
  BEZ_TRY(bez_entry_peek(entries[r->n].data, entries[r->n].len, r->op, &parsed, err));
  for (size_t i = 0; i <= r->n; i++) views[i] = (bez_bytes_view){entries[i].data, entries[i].len};
  BEZ_TRY(bez_vault_append(vault, views, r->n + 1, err));
  for (size_t i = 0; i < r->n; i++) {
    bez_snapshot made = {0};
    bool found = false;
    BEZ_TRY(bez_snapshot_last(vault, r->items[i].parent.dataset, &made, &found, err));
    bool ours = found && !bez_id_compare(&made.commit, &parsed.id);
    bez_snapshot_free(&made);
    if (!ours) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, r->op, "the commit has no effect: bezoar vault log says why"));
  }
  BEZ_TRY(answer(vault, r, &parsed.id, json, err));
cleanup:
  if (locked) bez_vault_unlock(vault);
  for (size_t i = 0; entries && i <= r->n; i++) bez_buf_free(&entries[i]);
  free(entries);
  free(views);
  free(items);
  bez_entry_free(&parsed);
  return st;
}

static bez_status count_hunk(void *ctx, const bez_hunk *h, bez_error *err) {
  bez_changes *c = ctx;
  (void)err;
  if (h->kind == BEZ_HUNK_SAME) return BEZ_OK;
  const uint64_t both = h->n_old < h->n_new ? h->n_old : h->n_new;
  c->changed += both;
  c->added += h->n_new - both;
  c->removed += h->n_old - both;
  return BEZ_OK;
}

static void write_rollback(bez_json *j, const void *ctx) {
  const bez_snapshot *to = ctx;
  bez_json_key(j, "rollback");
  bez_json_open(j, '{');
  bez_json_kstr(j, "dataset", to->dataset);
  bez_json_kuint(j, "version", to->version);
  bez_json_close(j, '}');
}

bez_status bez_rewind_take_over(bez_vault *vault, const bez_snapshot *to, bez_remade *out, bez_error *err) {
  bool found = false;
  bez_error unopened = {0};
  bez_status st = bez_snapshot_last(vault, to->dataset, &out->parent, &found, &unopened);
  /* from a version that cannot be opened there must be a way back; how much changes is not known then */
  const bool whole = st == BEZ_OK;
  if (!whole) BEZ_TRY(bez_snapshot_last_said(vault, to->dataset, &out->parent, &found, err));
  if (whole && !bez_id_compare(&out->parent.rows.id, &to->rows.id))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, to->dataset, "version %llu is the same as version %llu: nothing to roll back",
                     (unsigned long long)out->parent.version, (unsigned long long)to->version));
  out->rows = to->rows;
  out->sorted = to->sorted;
  out->provenance = to->provenance;
  out->n_files = (uint64_t)json_integer_value(json_object_get(to->entry.body, "n_files"));
  out->bytes = (uint64_t)json_integer_value(json_object_get(to->entry.body, "bytes"));
  out->has_sha256 = *bez_entry_text(&to->entry, "sha256") != '\0';
  if (out->has_sha256) BEZ_TRY(bez_entry_hex(&to->entry, "sha256", out->sha256, sizeof out->sha256, err));
  snprintf(out->form, sizeof out->form, "%s", bez_entry_text(&to->entry, "form"));
  BEZ_TRY(bez_batch_draw(&out->batch, err));
  if (whole) BEZ_TRY(bez_tree_diff(vault->objects, &out->parent.rows, &to->rows, count_hunk, NULL, &out->changes, err));
cleanup:
  return st;
}

bez_status bez_vault_rollback(bez_vault *vault, const char *version, const char *message, const bez_vault_who *who,
                              char **json, bez_error *err) {
  bez_snapshot to = {0};
  bez_remade remade = {0};
  bez_signer *signer = NULL;
  char usual[1200];
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_signer(vault, who, &signer, err));
  BEZ_TRY(bez_snapshot_find(vault, version, &to, err));
  BEZ_TRY(bez_rewind_take_over(vault, &to, &remade, err));
  snprintf(usual, sizeof usual, "rollback to %s@%llu", to.dataset, (unsigned long long)to.version);
  const bez_rewind rewind = {.op = "rollback",
                             .message = message ? message : usual,
                             .items = &remade,
                             .n = 1,
                             .extra = write_rollback,
                             .ctx = &to,
                             .signer = signer};
  BEZ_TRY(bez_rewind_commit(vault, &rewind, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  bez_remade_free(&remade);
  bez_snapshot_free(&to);
  return st;
}
