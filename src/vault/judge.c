/* Whether a commit has effect: what it commits was submitted by somebody who might, on top of the version before, and
 * it is signed by as many as the policy wants. */
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/follow.h"
#include "vault/index.h"
#include "vault/work.h"

/* One data set of a commit. */
typedef struct committed {
  const char *dataset;
  uint64_t version, submission_i;
  bool has_parent;
  bez_id parent;
  uint8_t batch[16];
} committed;

/* The entry of the log that submitted it; *why where there is none that can be committed. */
static bez_status find_submission(bez_vault *vault, const bez_id *id, committed *c, const char **why, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  size_t len;
  bez_status st = BEZ_OK;
  BEZ_TRY(
      bez_query_begin(vault->index, &query, err,
                      "SELECT s.i, s.dataset=?, s.parent, s.batch, v.version, EXISTS(SELECT 1 FROM versions w WHERE "
                      "w.batch=s.batch) FROM submissions s LEFT JOIN versions v ON v.submission_i=s.i WHERE s.id=?",
                      "tb", c->dataset, (const void *)id->bytes, (size_t)BEZ_ID));
  BEZ_TRY(bez_query_next(&query, &more, err));
  if (!more)
    *why = "of a submission that is not in the log";
  else if (!bez_query_int(&query, 1))
    *why = "of a submission to another data set";
  else if (bez_query_int(&query, 4))
    *why = "of a submission that was committed before";
  else if (bez_query_int(&query, 5)) /* rows are known by it as their contributor's */
    *why = "of a submission whose batch another has";
  if (*why) goto cleanup;
  c->submission_i = (uint64_t)bez_query_int(&query, 0);
  const void *parent = bez_query_blob(&query, 2, &len);
  c->has_parent = len == BEZ_ID;
  if (c->has_parent) memcpy(c->parent.bytes, parent, BEZ_ID);
  const void *batch = bez_query_blob(&query, 3, &len);
  if (len == sizeof c->batch) memcpy(c->batch, batch, sizeof c->batch);
cleanup:
  bez_query_end(&query);
  return st;
}

/* The version is the next one, and its parent the last one. */
static bez_status check_order(bez_vault *vault, const committed *c, const char **why, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  size_t len = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT version, commit_id FROM versions WHERE dataset=? ORDER BY version DESC LIMIT 1", "t",
                          c->dataset));
  BEZ_TRY(bez_query_next(&query, &more, err));
  uint64_t last = more ? (uint64_t)bez_query_int(&query, 0) : 0;
  const void *id = more ? bez_query_blob(&query, 1, &len) : NULL;
  if (c->version != last + 1)
    *why = "of a version that is not the next one";
  else if (c->has_parent != more || (more && (len != BEZ_ID || memcmp(id, c->parent.bytes, BEZ_ID) != 0)))
    *why = "of a submission whose parent is not the last version";
cleanup:
  bez_query_end(&query);
  return st;
}

/* Whether a submission's trees are those of an earlier version. By what the log says alone: objects may be gone. */
static bool is_version(bez_vault *vault, const bez_entry *submission, const char *dataset, uint64_t version) {
  static const char *const trees[] = {"rows", "sorted", "provenance"};
  bez_error ignored = {0};
  bez_snapshot old = {0};
  bool same = version > 0 && bez_snapshot_said(vault, dataset, version, &old, &ignored) == BEZ_OK;
  for (size_t i = 0; i < 3 && same; i++)
    same = !strcmp(bez_entry_text(submission, trees[i]), bez_entry_text(&old.entry, trees[i]));
  bez_snapshot_free(&old);
  return same;
}

/* A rollback brings in nothing: its trees are those of the version it names. */
static bool is_rollback_to(bez_vault *vault, const bez_entry *submission, const json_t *rollback) {
  const json_int_t version = json_integer_value(json_object_get(rollback, "version"));
  return version > 0 && is_version(vault, submission, bez_entry_text(submission, "dataset"), (uint64_t)version);
}

/* Nor does a revert of the last commit: its trees are those of the version before. Any other mixes rows of several
 * versions, and the log alone cannot tell that they are from there: whoever signs it answers for them. */
static bool is_step_back(bez_vault *vault, const bez_entry *submission, const committed *c) {
  return c->version > 2 && is_version(vault, submission, c->dataset, c->version - 2);
}

/* Who contributed might, and the policy's scan was made. */
static bez_status check_submission(bez_vault *vault, const bez_entry *commit, const committed *c, int64_t at,
                                   const char **why, bez_error *reason, bez_error *err) {
  bez_entry submission = {0};
  const json_t *rollback = json_object_get(commit->body, "rollback");
  bez_status st = bez_vault_entry(vault, c->submission_i, &submission, err);
  if (st != BEZ_OK) goto cleanup;
  const bool revert = json_object_get(commit->body, "revert") != NULL;
  const bool nothing_new = rollback || (revert && is_step_back(vault, &submission, c));
  const unsigned role = nothing_new ? BEZ_MAY_COMMIT : BEZ_MAY_CONTRIBUTE;
  const char *source = bez_entry_text(&submission, "source");
  if (rollback && !is_rollback_to(vault, &submission, rollback))
    *why = "a rollback to what no version was";
  else if (bez_judge_role(vault, &submission, role, c->dataset, source, at, reason) != BEZ_OK)
    *why = "of a submission by somebody who may not";
  else if (!nothing_new && !revert && !*source)
    *why = "of a submission without a source";
  else if (!nothing_new && bez_trust_policy(vault->trust)->require_scan && !bez_submission_has_report(&submission))
    *why = "of a submission without the scan that the policy demands";
cleanup:
  bez_entry_free(&submission);
  return st;
}

/* How many different principals have signed; 0 where one of the keys may not commit to this data set: it would be named
 * as one that did. */
static unsigned count_signers(const bez_vault *vault, const bez_entry *commit, const char *dataset, int64_t at,
                              bez_error *reason) {
  unsigned n = 0;
  for (size_t i = 0; i < commit->n_keys; i++) {
    bez_asked asked = {.key = commit->keys[i], .role = BEZ_MAY_COMMIT, .dataset = dataset, .at = at};
    bez_error_clear(reason);
    if (bez_trust_may(vault->trust, &asked, reason) != BEZ_OK) return 0;
    const char *name = bez_trust_principal(vault->trust, commit->keys[i]);
    bool again = false;
    for (size_t k = 0; k < i && !again; k++) again = !strcmp(bez_trust_principal(vault->trust, commit->keys[k]), name);
    n += !again;
  }
  return n;
}

static bez_status check_one(bez_vault *vault, const bez_entry *commit, const json_t *item, committed *c,
                            const char **why, bez_error *reason, bez_error *err) {
  const int64_t at = commit->seconds > vault->ruled ? commit->seconds : vault->ruled;
  const char *hex = json_string_value(json_object_get(item, "submission"));
  const json_int_t version = json_integer_value(json_object_get(item, "version"));
  bez_id id;
  bez_status st = BEZ_OK;
  c->dataset = json_string_value(json_object_get(item, "name"));
  c->version = version > 0 ? (uint64_t)version : 0;
  if (!c->dataset || !hex || strlen(hex) != 64 || !bez_unhex(hex, id.bytes, BEZ_ID)) {
    *why = "malformed";
    return BEZ_OK;
  }
  if (count_signers(vault, commit, c->dataset, at, reason) < bez_trust_policy(vault->trust)->signatures) {
    *why = "not signed by as many as may and must commit";
    return BEZ_OK;
  }
  BEZ_TRY(find_submission(vault, &id, c, why, err));
  if (!*why) BEZ_TRY(check_order(vault, c, why, err));
  if (!*why) BEZ_TRY(check_submission(vault, commit, c, at, why, reason, err));
cleanup:
  return st;
}

bez_status bez_judge_commit(bez_vault *vault, uint64_t index, const bez_entry *commit, bool *refused, bez_error *reason,
                            bez_error *err) {
  const json_t *datasets = json_object_get(commit->body, "datasets");
  const char *why = json_array_size(datasets) ? NULL : "a commit of nothing";
  committed c;
  bez_buf batches = {0};
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < json_array_size(datasets) && !why; i++) {
    c = (committed){0};
    for (size_t k = 0; k < i && !why; k++)
      if (json_equal(json_object_get(json_array_get(datasets, i), "name"),
                     json_object_get(json_array_get(datasets, k), "name")))
        why = "a commit that names a data set twice";
    if (!why) BEZ_TRY(check_one(vault, commit, json_array_get(datasets, i), &c, &why, reason, err));
    for (size_t at = 0; at < batches.len && !why; at += sizeof c.batch)
      if (!memcmp(batches.data + at, c.batch, sizeof c.batch)) why = "of two submissions with one batch";
    bez_buf_write(&batches, c.batch, sizeof c.batch);
    BEZ_TRY(bez_buf_status(&batches, err));
  }
  for (size_t i = 0; i < json_array_size(datasets) && !why; i++) {
    c = (committed){0};
    BEZ_TRY(check_one(vault, commit, json_array_get(datasets, i), &c, &why, reason, err));
    const bez_index_version version = {.dataset = c.dataset,
                                       .version = c.version,
                                       .commit_i = index,
                                       .submission_i = c.submission_i,
                                       .commit_id = &commit->id,
                                       .batch = c.batch};
    if (!why) BEZ_TRY(bez_index_add_version(vault->index, &version, err));
  }
  *refused = why != NULL;
  if (why && reason->code == BEZ_OK) (void)bez_fail(reason, BEZ_FORMAT, NULL, "%s", why);
cleanup:
  bez_buf_free(&batches);
  return st;
}
