/* The log of a vault, entry by entry, and the index against one made anew from it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "vault/index.h"
#include "vault/run_layout.h"
#include "vault/verify.h"
#include "vault/watch.h"

static void log_damaged(void *ctx, const char *path, const char *what) {
  bez_verify_tell(ctx, path, -1, 0, what, NULL, NULL);
}

/* Objects that entries name by themselves; trees are looked at with their versions. */
static const struct {
  const char *type, *key;
} named_objects[] = {{"submission", "report"}, {"policy", "policy"}, {"run", "statement"},
                     {"watch", "list"},        {"watch", "result"},  {"gc", "removed"}};

static bez_status check_named(bez_verify *v, uint64_t index, const bez_entry *entry, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf bytes = {0};
  for (size_t i = 0; i < sizeof named_objects / sizeof *named_objects && st == BEZ_OK; i++) {
    const char *digits = bez_entry_text(entry, named_objects[i].key);
    bez_error why = {.line = -1, .offset = -1};
    char what[BEZ_ERROR_TEXT];
    bez_id id;
    if (strcmp(entry->type, named_objects[i].type) != 0 || strlen(digits) != 2 * BEZ_ID) continue;
    if (!bez_unhex(digits, id.bytes, BEZ_ID)) continue;
    bez_status got = bez_objects_get(v->vault->objects, 0, &id, &bytes, &why);
    if (got == BEZ_OK) continue;
    snprintf(what, sizeof what, "%.300s (the %s of entry %llu)", why.message, named_objects[i].key,
             (unsigned long long)index);
    snprintf(why.message, sizeof why.message, "%s", what);
    st = bez_verify_tell_error(v, got, &why, &id, NULL, err);
  }
  bez_buf_free(&bytes);
  return st;
}

/* What the objects of an entry name in their turn: parts of a list of URLs, files that a run used. */
static bez_status check_further(bez_verify *v, const bez_entry *entry, bez_error *err) {
  bez_error why = {.line = -1, .offset = -1};
  bez_status st = BEZ_OK;
  bez_id id;
  char digits[2 * BEZ_ID + 1];
  if (!strcmp(entry->type, "watch") && bez_entry_hex(entry, "list", id.bytes, BEZ_ID, NULL) == BEZ_OK) {
    bez_watchlist list = {0};
    st = bez_watchlist_load(v->vault->objects, &id, &list, &why);
    if (st == BEZ_OK) bez_watchlist_free(&list);
  } else if (!strcmp(entry->type, "run")) {
    bez_run_record run = {0};
    bez_entry again = {0};
    bez_buf bytes = {0};
    bez_hex(entry->id.bytes, BEZ_ID, digits);
    st = bez_run_load(v->vault, digits, &run, &again, &why);
    for (size_t i = 0; i < run.n_uses && st == BEZ_OK; i++)
      if (bez_unhex(run.uses[i].sha256, id.bytes, BEZ_ID))
        st = bez_objects_get(v->vault->objects, 0, &id, &bytes, &why);
    bez_run_free(&run);
    bez_entry_free(&again);
    bez_buf_free(&bytes);
  }
  if (st == BEZ_USAGE) return BEZ_OK; /* refused since, not damaged: who recorded it was disowned */
  return bez_verify_tell_error(v, st, &why, NULL, NULL, err);
}

/* What strangers append has no effect, and names what it likes. */
static bez_status has_effect(bez_verify *v, uint64_t index, bool *has, bez_error *err) {
  bez_query query = {0};
  bez_status st = bez_query_begin(v->vault->index, &query, err, "SELECT 1 FROM entries WHERE i=? AND void IS NULL", "i",
                                  (int64_t)index);
  if (st == BEZ_OK) st = bez_query_next(&query, has, err);
  bez_query_end(&query);
  return st;
}

static bez_status check_objects(bez_verify *v, uint64_t index, const bez_entry *entry, bez_error *err) {
  uint64_t before = v->n_damage;
  bool has = false;
  bez_status st = has_effect(v, index, &has, err);
  if (st == BEZ_OK && has) st = check_named(v, index, entry, err);
  if (st == BEZ_OK && has && v->n_damage == before) st = check_further(v, entry, err);
  return st;
}

/* An entry that no longer parses never did: the log's hashes say so. It has no effect, and is counted. */
static bez_status check_entry(void *ctx, uint64_t index, const void *bytes, size_t len, bez_error *err) {
  bez_verify *v = ctx;
  char subject[48];
  bez_entry entry = {0};
  bez_error why = {.line = -1, .offset = -1};
  snprintf(subject, sizeof subject, "entry %llu of the log", (unsigned long long)index);
  bez_status st = bez_entry_parse(bytes, len, subject, &entry, &why);
  v->n_entries++;
  if (st == BEZ_MEMORY) return bez_fail_memory(err, len);
  if (st != BEZ_OK) v->n_void++;
  st = st == BEZ_OK ? check_objects(v, index, &entry, err) : BEZ_OK;
  bez_entry_free(&entry);
  return st;
}

bez_status bez_verify_log(bez_verify *v, bez_error *err) {
  bez_error why = {.line = -1, .offset = -1};
  uint64_t before = v->n_damage;
  bez_status st = bez_log_verify(v->vault->log, log_damaged, v, &why);
  if (st != BEZ_OK && (v->n_damage == before || (st != BEZ_FORMAT && st != BEZ_LIMIT)))
    st = bez_verify_tell_error(v, st, &why, NULL, NULL, err);
  else
    st = BEZ_OK;
  if (st != BEZ_OK) return st;
  why = (bez_error){.line = -1, .offset = -1};
  st = bez_log_each(v->vault->log, 0, check_entry, v, &why);
  return st == BEZ_OK || v->n_damage > before ? BEZ_OK : bez_verify_tell_error(v, st, &why, NULL, NULL, err);
}

/* All that an index says of the log, as one digest. */
static bez_status digest_index(bez_index *index, uint8_t out[32], bez_error *err) {
  static const char *const queries[] = {
      "SELECT i,hex(id)||type||time||'|'||ifnull(dataset,'')||'|'||ifnull(version,'')||'|'||ifnull(who,'')||'|'||"
      "ifnull(source,'')||'|'||ifnull(void,'') FROM entries ORDER BY i",
      "SELECT i,hex(id)||dataset||'|'||hex(batch)||hex(parent)||hex(run) FROM submissions ORDER BY i",
      "SELECT version,dataset||'|'||commit_i||'|'||submission_i||'|'||hex(commit_id)||hex(batch) FROM versions ORDER "
      "BY "
      "dataset,version",
      "SELECT i,dataset||'|'||version FROM inputs ORDER BY i,dataset,version"};
  bez_sha256_state state;
  bez_status st = BEZ_OK;
  bez_query query = {0};
  bez_sha256_begin(&state);
  for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
    bool more = true;
    BEZ_TRY(bez_query_begin(index, &query, err, queries[i], ""));
    for (;;) {
      BEZ_TRY(bez_query_next(&query, &more, err));
      if (!more) break;
      int64_t number = bez_query_int(&query, 0);
      const char *text = bez_query_text(&query, 1);
      bez_sha256_add(&state, &number, sizeof number);
      bez_sha256_add(&state, text, strlen(text) + 1);
    }
    bez_query_end(&query);
  }
  bez_sha256_end(&state, out);
cleanup:
  bez_query_end(&query);
  return st;
}

/* With an index that is made from the log, in memory. What the old one remembers of files is kept where it was right.
 */
bez_status bez_verify_index(bez_verify *v, bez_error *err) {
  bez_vault *vault = v->vault;
  bez_index *kept = vault->index, *fresh = NULL;
  uint8_t before[32], after[32];
  bez_status st = BEZ_OK;
  BEZ_TRY(digest_index(kept, before, err));
  BEZ_TRY(bez_index_open("/nonexistent/index", &fresh, err)); /* nothing to read there, nowhere to write to */
  vault->index = fresh;
  bez_trust_free(vault->trust);
  vault->trust = NULL;
  vault->followed = 0;
  st = bez_vault_follow(vault, err);
  vault->index = kept;
  BEZ_TRY(st);
  BEZ_TRY(digest_index(fresh, after, err));
  if (memcmp(before, after, 32) != 0) {
    v->index_damaged = true;
    BEZ_TRY(bez_index_reset(kept, err));
    bez_trust_free(vault->trust);
    vault->trust = NULL;
    vault->followed = 0;
    BEZ_TRY(bez_vault_follow(vault, err));
    BEZ_TRY(bez_index_save(kept, true, err));
    v->index_rebuilt = true;
  }
cleanup:
  bez_index_close(fresh);
  return st;
}
