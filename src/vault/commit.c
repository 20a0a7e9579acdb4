/* bezoar vault commit: what is staged becomes versions, in one append. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/json_bytes.h"
#include "vault/answer.h"
#include "vault/index.h"
#include "vault/work.h"

typedef struct committing {
  bez_vault *vault;
  const bez_vault_commit_options *o;
  bez_signer *signer;
  bez_stage stage;
  bez_commit_item *items; /* one per staged data set */
  bez_buf entry;
  bez_entry parsed;
} committing;

static bool is_wanted(const bez_vault_commit_options *o, const char *dataset) {
  for (size_t i = 0; i < o->n_datasets; i++)
    if (!strcmp(o->datasets[i], dataset)) return true;
  return !o->n_datasets;
}

/* A crash between append and clean-up leaves what is in the log already. */
static bez_status is_in_log(bez_vault *vault, const bez_id *submission, bool *there, bez_error *err) {
  bez_query query = {0};
  bez_status st = bez_query_begin(vault->index, &query, err, "SELECT 1 FROM entries WHERE id=?", "b",
                                  (const void *)submission->bytes, (size_t)BEZ_ID);
  if (st == BEZ_OK) st = bez_query_next(&query, there, err);
  bez_query_end(&query);
  return st;
}

/* Leaves in c->stage what is to be committed. */
static bez_status choose(committing *c, bez_error *err) {
  size_t n = 0;
  bez_status st = bez_stage_read(c->vault, &c->stage, err);
  /* Who adds takes no lock: what the stage names may have come since ours was taken, its packs before it. */
  if (st == BEZ_OK) st = bez_objects_refresh(c->vault->objects, err);
  if (st == BEZ_OK) st = bez_objects_refresh(c->vault->sorted, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < c->stage.n; i++) {
    bez_staged *s = &c->stage.items[i];
    bool there = false;
    st = is_in_log(c->vault, &s->submission.id, &there, err);
    if (st == BEZ_OK && there) st = bez_stage_drop(c->vault, s->dataset, err);
    if (st != BEZ_OK) return st;
    if (there || !is_wanted(c->o, s->dataset)) {
      bez_staged_free(s);
      continue;
    }
    bez_staged kept = *s;
    *s = (bez_staged){0};
    c->stage.items[n++] = kept;
  }
  c->stage.n = n;
  if (n < c->o->n_datasets)
    return bez_fail(err, BEZ_USAGE, "commit", "not all of these data sets are staged: bezoar vault status shows which");
  if (!n) return bez_fail(err, BEZ_USAGE, "commit", "nothing is staged: bezoar vault add comes first");
  if (c->o->submission) {
    char digits[2 * BEZ_ID + 1];
    bez_hex(c->stage.items[0].submission.id.bytes, BEZ_ID, digits);
    if (strcmp(digits, c->o->submission) != 0)
      return bez_fail(err, BEZ_USAGE, c->stage.items[0].dataset, "somebody else added another version meanwhile");
  }
  c->items = calloc(n, sizeof *c->items);
  return c->items ? BEZ_OK : bez_fail_memory(err, n * sizeof *c->items);
}

/* Who contributed might have lost that right since; the policy may have changed, too. */
static bez_status check_contributor(committing *c, const bez_staged *s, bez_error *err) {
  const int64_t now = bez_vault_now();
  const bez_asked asked = {.key = s->submission.keys[0],
                           .role = BEZ_MAY_CONTRIBUTE,
                           .source = bez_entry_text(&s->submission, "source"),
                           .dataset = s->dataset,
                           .at = now > c->vault->ruled ? now : c->vault->ruled};
  bez_status st = bez_trust_may(c->vault->trust, &asked, err);
  if (st == BEZ_OK && bez_trust_policy(c->vault->trust)->require_scan && !bez_submission_has_report(&s->submission))
    st = bez_fail(err, BEZ_USAGE, s->dataset, "the policy demands a scan of what is added: bezoar vault add --scan");
  const bez_claim claim = {"commit", s->dataset, asked.source, BEZ_MAY_COMMIT};
  return st == BEZ_OK ? BEZ_OK : bez_vault_refused(c->vault, &claim, c->signer, st, err);
}

/* What the submission names is there: a version that cannot be opened would stand in the log for ever. */
static bez_status check_trees(const committing *c, const bez_staged *s, bez_error *err) {
  const bez_objects *store = c->vault->objects;
  bez_tree tree;
  bez_id id;
  bez_status st = bez_entry_hex(&s->submission, "rows", id.bytes, BEZ_ID, err);
  if (st == BEZ_OK) st = bez_tree_open(store, BEZ_TREE_ROWS, &id, &tree, err);
  if (st == BEZ_OK) st = bez_entry_hex(&s->submission, "provenance", id.bytes, BEZ_ID, err);
  if (st == BEZ_OK) st = bez_tree_open(store, BEZ_TREE_PROVENANCE, &id, &tree, err);
  return st;
}

static bez_status check_one(committing *c, size_t i, bez_error *err) {
  const bez_staged *s = &c->stage.items[i];
  bez_snapshot last = {0};
  bool found = false;
  uint8_t parent[BEZ_ID];
  bez_status st = BEZ_OK;
  const bez_claim claim = {"commit", s->dataset, NULL, BEZ_MAY_COMMIT};
  BEZ_TRY(bez_vault_ask(c->vault, &claim, c->signer, err));
  BEZ_TRY(check_contributor(c, s, err));
  BEZ_TRY(check_trees(c, s, err));
  BEZ_TRY(bez_snapshot_last(c->vault, s->dataset, &last, &found, err));
  bool has_parent = *bez_entry_text(&s->submission, "parent") != '\0';
  if (has_parent) BEZ_TRY(bez_entry_hex(&s->submission, "parent", parent, sizeof parent, err));
  if (has_parent != found || (found && memcmp(parent, last.commit.bytes, BEZ_ID) != 0))
    BEZ_TRY(
        bez_fail(err, BEZ_USAGE, s->dataset, "somebody committed another version since this was added: add it again"));
  c->items[i] = (bez_commit_item){s->dataset, last.version + 1, s->submission.id};
cleanup:
  bez_snapshot_free(&last);
  return st;
}

/* Members that this program does not know, or a rollback's, would be signed unseen. */
static bool is_plain_commit(const bez_vault *vault, const bez_entry *waiting) {
  static const char *const known[] = {"type", "vault", "time", "nonce", "message", "datasets"};
  bool plain = !strcmp(waiting->type, "commit") && !strcmp(waiting->origin, vault->origin);
  const char *key;
  json_t *value;
  json_object_foreach(waiting->body, key, value) {
    bool is_known = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) is_known = is_known || !strcmp(key, known[i]);
    plain = plain && is_known;
  }
  return plain;
}

/* Whether the commit that waits is one of exactly what is staged. */
static bool is_same_commit(const committing *c, const bez_entry *waiting) {
  const json_t *datasets = json_object_get(waiting->body, "datasets");
  bool same = is_plain_commit(c->vault, waiting) && json_array_size(datasets) == c->stage.n;
  for (size_t i = 0; i < c->stage.n && same; i++) {
    char digits[2 * BEZ_ID + 1];
    const json_t *item = json_array_get(datasets, i);
    const json_t *version = json_object_get(item, "version");
    bez_hex(c->items[i].submission.bytes, BEZ_ID, digits);
    same = json_object_size(item) == 3 && !strcmp(bez_json_text(item, "submission"), digits) &&
           !strcmp(bez_json_text(item, "name"), c->items[i].dataset) && json_is_integer(version) &&
           (uint64_t)json_integer_value(version) == c->items[i].version;
  }
  return same;
}

/* A commit that somebody signed who may not (any more) would have no effect, however many sign it. */
static bool may_all_signers(const committing *c, const bez_entry *waiting) {
  const int64_t now = bez_vault_now();
  bool may = true;
  for (size_t i = 0; i < waiting->n_keys; i++)
    for (size_t k = 0; k < c->stage.n && may; k++) {
      bez_error ignored = {0};
      const bez_asked asked = {.key = waiting->keys[i],
                               .role = BEZ_MAY_COMMIT,
                               .dataset = c->stage.items[k].dataset,
                               .at = now > c->vault->ruled ? now : c->vault->ruled};
      may = bez_trust_may(c->vault->trust, &asked, &ignored) == BEZ_OK;
    }
  return may;
}

/* A new commit, or one more signature on the one that waits. */
static bez_status sign(committing *c, bez_error *err) {
  bez_entry waiting = {0};
  bool found = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_stage_get_commit(c->vault, &c->entry, &found, err));
  if (found) BEZ_TRY(bez_entry_parse(c->entry.data, c->entry.len, "stage/commit", &waiting, err));
  bool same = found && is_same_commit(c, &waiting) && may_all_signers(c, &waiting), signed_already = false;
  for (size_t i = 0; i < waiting.n_keys; i++)
    signed_already = signed_already || bez_ssh_key_same(waiting.keys[i], bez_signer_public(c->signer));
  const bool other_words = c->o->message && strcmp(c->o->message, bez_entry_text(&waiting, "message")) != 0;
  if (same && other_words && !signed_already)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, "commit",
                     "the commit that waits says \"%.200s\": sign it without -m, or in its words",
                     bez_entry_text(&waiting, "message")));
  if (same && !other_words) {
    if (!signed_already) BEZ_TRY(bez_entry_cosign(&c->entry, c->signer, err));
  } else {
    bez_buf_clear(&c->entry);
    if (!c->o->message || !*c->o->message)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, "commit", "say what it is about: -m MESSAGE"));
    BEZ_TRY(bez_commit_sign(c->vault, c->o->message, c->items, c->stage.n, NULL, NULL, c->signer, &c->entry, err));
  }
  BEZ_TRY(bez_entry_parse(c->entry.data, c->entry.len, "commit", &c->parsed, err));
cleanup:
  bez_entry_free(&waiting);
  return st;
}

static unsigned count_principals(const committing *c) {
  unsigned n = 0;
  for (size_t i = 0; i < c->parsed.n_keys; i++) {
    bool again = false;
    for (size_t k = 0; k < i && !again; k++)
      again = !strcmp(bez_trust_principal(c->vault->trust, c->parsed.keys[i]),
                      bez_trust_principal(c->vault->trust, c->parsed.keys[k]));
    n += !again;
  }
  return n;
}

static bez_status append(committing *c, bez_error *err) {
  bez_bytes_view *views = calloc(c->stage.n + 1, sizeof *views);
  if (!views) return bez_fail_memory(err, (c->stage.n + 1) * sizeof *views);
  for (size_t i = 0; i < c->stage.n; i++)
    views[i] = (bez_bytes_view){c->stage.items[i].entry.data, c->stage.items[i].entry.len};
  views[c->stage.n] = (bez_bytes_view){c->entry.data, c->entry.len};
  bez_status st = bez_vault_append(c->vault, views, c->stage.n + 1, err);
  free(views);
  return st;
}

/* From here on it is committed: what fails to be tidied up is tidied up by the next commit. */
static bez_status tidy(committing *c, bez_error *err) {
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < c->stage.n; i++) {
    const bez_staged *s = &c->stage.items[i];
    bez_snapshot made = {0};
    bool found = false;
    BEZ_TRY(bez_snapshot_last(c->vault, s->dataset, &made, &found, err));
    bool ours = found && !bez_id_compare(&made.commit, &c->parsed.id);
    bez_snapshot_free(&made);
    if (!ours) BEZ_TRY(bez_fail(err, BEZ_INTERNAL, s->dataset, "the commit has no effect: bezoar vault log says why"));
    /* where the data came from is kept in any case; a stamp that is not settled says nothing */
    BEZ_TRY(bez_index_run(c->vault->index, err, "INSERT OR REPLACE INTO stamps VALUES(?,?,?,?)", "ttib", s->dataset,
                          s->path, (int64_t)c->items[i].version, (const void *)s->stamp.bytes,
                          s->stamp.settled ? (size_t)32 : (size_t)0));
    BEZ_TRY(bez_stage_drop(c->vault, s->dataset, err));
  }
  BEZ_TRY(bez_stage_drop_commit(c->vault, err));
  BEZ_TRY(bez_index_save(c->vault->index, false, err));
cleanup:
  return st;
}

static bez_status answer(const committing *c, unsigned have, unsigned need, char **json, bez_error *err) {
  static const char *const counts[] = {"n_rows", "added", "removed", "changed"};
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_khex(&j, "commit", c->parsed.id.bytes, BEZ_ID);
  bez_json_kbool(&j, "pending", have < need);
  bez_json_kuint(&j, "signatures", have);
  bez_json_kuint(&j, "needed", need);
  bez_json_kstr(&j, "message", bez_entry_text(&c->parsed, "message"));
  bez_json_kstr(&j, "by", bez_trust_principal(c->vault->trust, bez_signer_public(c->signer)));
  bez_json_key(&j, "datasets");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < c->stage.n; i++) {
    bez_json_open(&j, '{');
    bez_json_kstr(&j, "name", c->items[i].dataset);
    bez_json_kuint(&j, "version", c->items[i].version);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
      bez_json_kuint(&j, counts[k],
                     (uint64_t)json_integer_value(json_object_get(c->stage.items[i].submission.body, counts[k])));
    bez_json_close(&j, '}');
  }
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

bez_status bez_vault_commit(bez_vault *vault, const bez_vault_commit_options *options, char **json, bez_error *err) {
  committing c = {.vault = vault, .o = options};
  bool locked = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_signer(vault, &options->who, &c.signer, err));
  BEZ_TRY(bez_vault_lock(vault, err));
  locked = true;
  BEZ_TRY(choose(&c, err));
  for (size_t i = 0; i < c.stage.n; i++) BEZ_TRY(check_one(&c, i, err));
  BEZ_TRY(sign(&c, err));
  const unsigned have = count_principals(&c), need = bez_trust_policy(vault->trust)->signatures;
  if (have < need) {
    BEZ_TRY(bez_stage_put_commit(vault, &c.entry, err));
  } else {
    BEZ_TRY(append(&c, err));
    BEZ_TRY(tidy(&c, err));
  }
  BEZ_TRY(answer(&c, have, need, json, err));
cleanup:
  if (locked) bez_vault_unlock(vault);
  bez_vault_act(vault, NULL);
  bez_signer_close(c.signer);
  bez_stage_free(&c.stage);
  free(c.items);
  bez_buf_free(&c.entry);
  bez_entry_free(&c.parsed);
  return st;
}
