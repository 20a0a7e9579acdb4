/* Bringing trust and index to the head of the log. */
#include "vault/follow.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "vault/index.h"
#include "vault/pins.h"
#include "vault/work.h"

#define MOST_POLICY (4u << 20)

static bool is_of_type(const char *bytes, size_t len, const char *type) {
  char begin[48];
  int n = snprintf(begin, sizeof begin, "{\"type\":\"%s\"", type);
  return len > (size_t)n && !memcmp(bytes, begin, (size_t)n);
}

/* What trust follows from. The type stands first in every line, so that most entries need no parsing for this. */
static bool is_about_trust(const char *bytes, size_t len) {
  static const char *const types[] = {"init", "trust", "revoke", "source", "policy"};
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (is_of_type(bytes, len, types[i])) return true;
  return false;
}

/* BEZ_FORMAT, BEZ_USAGE …: the entry has no effect, and reason says why. Memory and the like end the walk. */
static bez_status settle(bez_status st, bez_error *reason, bool *refused, bez_error *err) {
  *refused = st != BEZ_OK;
  if (st == BEZ_OK || st == BEZ_FORMAT || st == BEZ_USAGE || st == BEZ_UNSUPPORTED || st == BEZ_LIMIT) return BEZ_OK;
  if (err && err->code == BEZ_OK) *err = *reason;
  return st;
}

/* An old entry about trust must not come into force a second time: all that were seen are kept in mind. */
static bez_status remember_ruling(bez_vault *vault, const bez_entry *entry, bez_error *reason) {
  if (strcmp(entry->origin, vault->origin) != 0) return bez_fail(reason, BEZ_FORMAT, NULL, "made for another vault");
  for (size_t at = 0; at < vault->rulings.len; at += BEZ_ID)
    if (!memcmp(vault->rulings.data + at, entry->id.bytes, BEZ_ID))
      return bez_fail(reason, BEZ_FORMAT, NULL, "played a second time");
  bez_buf_write(&vault->rulings, entry->id.bytes, BEZ_ID);
  return bez_buf_status(&vault->rulings, reason);
}

static bez_status take_trust(bez_vault *vault, uint64_t index, const bez_entry *entry, bool *refused, bez_error *reason,
                             bez_error *err) {
  bez_buf policy = {.ceiling = MOST_POLICY};
  bez_status st = BEZ_OK;
  if (!strcmp(entry->type, "policy")) {
    bez_id id;
    st = bez_judge_role(vault, entry, BEZ_MAY_ADMIN, NULL, NULL, entry->seconds, reason); /* a stranger's is not read */
    if (st == BEZ_OK) st = bez_entry_hex(entry, "policy", id.bytes, BEZ_ID, reason);
    if (st == BEZ_OK) {
      /* what is missing or damaged is not the entry's fault: without the policy, nothing may be judged */
      st = bez_objects_get(vault->objects, BEZ_OBJECT_BLOB, &id, &policy, err);
      if (st != BEZ_OK) goto done;
    }
  }
  if (st == BEZ_OK) st = remember_ruling(vault, entry, reason);
  if (st == BEZ_OK) st = bez_trust_take(vault->trust, index, entry, policy.data ? policy.data : "", policy.len, reason);
  vault->ruled = bez_trust_clock(vault->trust);
  st = settle(st, reason, refused, err);
done:
  bez_buf_free(&policy);
  return st;
}

bez_status bez_judge_role(const bez_vault *vault, const bez_entry *entry, unsigned role, const char *dataset,
                          const char *source, int64_t at, bez_error *reason) {
  bez_asked asked = {.role = role, .dataset = dataset, .source = source, .at = at};
  bez_status st = BEZ_USAGE;
  if (!entry->n_keys) return bez_trust_may(vault->trust, &asked, reason);
  for (size_t i = 0; i < entry->n_keys && st == BEZ_USAGE; i++) {
    bez_error_clear(reason);
    asked.key = entry->keys[i];
    st = bez_trust_may(vault->trust, &asked, reason);
  }
  return st;
}

static bez_status is_repeated(bez_vault *vault, const bez_entry *entry, bool *repeated, bez_error *err) {
  bez_query query = {0};
  bez_status st = bez_query_begin(vault->index, &query, err, "SELECT 1 FROM entries WHERE id=?", "b",
                                  (const void *)entry->id.bytes, (size_t)BEZ_ID);
  if (st == BEZ_OK) st = bez_query_next(&query, repeated, err);
  bez_query_end(&query);
  return st;
}

/* A pin keeps a data set, and so does a model: who may not touch it, may not say so. */
static bez_status judge_keeper(const bez_vault *vault, const bez_entry *entry, int64_t at, bez_error *reason) {
  const json_t *on = json_object_get(entry->body, "trained_on"), *one;
  char dataset[4096];
  uint64_t version = 0;
  size_t i;
  if (strcmp(entry->type, "model") != 0) {
    if (!bez_pin_split(bez_entry_text(entry, "what"), dataset, sizeof dataset, &version))
      return bez_fail(reason, BEZ_FORMAT, NULL, "names no version");
    return bez_judge_role(vault, entry, BEZ_MAY_COMMIT, dataset, NULL, at, reason);
  }
  uint8_t digest[BEZ_ID];
  bez_status st = bez_entry_hex(entry, "sha256", digest, sizeof digest, reason);
  if (st != BEZ_OK) return st;
  st =
      bez_judge_role(vault, entry, BEZ_MAY_COMMIT, json_string_value(json_object_get(on, "dataset")), NULL, at, reason);
  json_array_foreach(on, i, one) {
    if (st != BEZ_OK) break;
    st = bez_judge_role(vault, entry, BEZ_MAY_COMMIT, json_string_value(json_object_get(one, "dataset")), NULL, at,
                        reason);
  }
  return st;
}

/* Who said it is one key: with several, one could be named and another have the right. Commits gather signatures, and
 * all of theirs count; what readers and the refused leave behind may have none. */
static bool has_odd_signatures(const bez_entry *entry, bez_error *reason) {
  if (entry->n_keys == 1 || !strcmp(entry->type, "commit")) return false;
  if (!entry->n_keys && strcmp(entry->type, "submission") != 0) return false; /* rights are asked for where needed */
  (void)bez_fail(reason, BEZ_FORMAT, NULL, "an entry of this type has one signature, and this one has %zu",
                 entry->n_keys);
  return true;
}

/* Entries about trust are taken by the caller; here all others are judged. */
static bez_status judge(bez_vault *vault, uint64_t index, const bez_entry *entry, bool *refused, bez_error *reason,
                        bez_error *err) {
  int64_t at = entry->seconds > vault->ruled ? entry->seconds : vault->ruled;
  bool repeated = false;
  bez_status st = is_repeated(vault, entry, &repeated, err);
  if (st != BEZ_OK) return st;
  *refused = true;
  if (strcmp(entry->origin, vault->origin) != 0)
    return (void)bez_fail(reason, BEZ_FORMAT, NULL, "made for another vault"), BEZ_OK;
  if (repeated) return (void)bez_fail(reason, BEZ_FORMAT, NULL, "played a second time"), BEZ_OK;
  *refused = false;
  if (!strcmp(entry->type, "commit")) return bez_judge_commit(vault, index, entry, refused, reason, err);
  /* a name that leads out of the folder would pass under the paths that a key may touch */
  if (!strcmp(entry->type, "submission") &&
      bez_dataset_name_check(bez_entry_text(entry, "dataset"), reason) != BEZ_OK) {
    *refused = true;
    return BEZ_OK;
  }
  unsigned role = 0;
  if (!strcmp(entry->type, "model") || !strcmp(entry->type, "pin") || !strcmp(entry->type, "unpin"))
    return settle(judge_keeper(vault, entry, at, reason), reason, refused, err);
  if (!strcmp(entry->type, "gc") || !strcmp(entry->type, "witness")) role = BEZ_MAY_ADMIN;
  const char *source = NULL;
  /* what a check of URLs found anybody may write down; what the list says from then on may not be anybody's */
  if (!strcmp(entry->type, "run") || (!strcmp(entry->type, "watch") && *bez_entry_text(entry, "list"))) {
    role = BEZ_MAY_CONTRIBUTE;
    source = bez_entry_text(entry, "source");
  }
  if (!role) return BEZ_OK;
  return settle(bez_judge_role(vault, entry, role, NULL, source, at, reason), reason, refused, err);
}

/* An entry that does not parse had no effect when it was written, and has none now. */
static bez_status follow_entry(void *ctx, uint64_t index, const void *bytes, size_t len, bez_error *err) {
  bez_vault *vault = ctx;
  bool fresh = index >= bez_index_size(vault->index), trust = is_about_trust(bytes, len), refused = false;
  char subject[48], why[BEZ_ERROR_TEXT];
  uint8_t sum[32];
  bez_entry entry = {0};
  bez_error reason = {.line = -1, .offset = -1};
  bez_status st = BEZ_OK;
  if (index + 1 == bez_index_size(vault->index)) {
    bez_sha256(bytes, len, sum);
    if (memcmp(sum, bez_index_last(vault->index), sizeof sum) != 0) return BEZ_CANCELLED; /* of another log */
  }
  if (!fresh && !trust) return BEZ_OK;
  snprintf(subject, sizeof subject, "entry %llu of the log", (unsigned long long)index);
  st = bez_entry_parse(bytes, len, subject, &entry, &reason);
  BEZ_TRY(settle(st, &reason, &refused, err));
  bool parsed = !refused;
  if (parsed && (!is_of_type(bytes, len, entry.type) || (!index) != !strcmp(entry.type, "init"))) {
    (void)bez_fail(&reason, BEZ_FORMAT, NULL, "out of order");
    refused = true;
  }
  refused = refused || has_odd_signatures(&entry, &reason);
  if (!refused && trust) BEZ_TRY(take_trust(vault, index, &entry, &refused, &reason, err));
  if (!refused && fresh && !trust) BEZ_TRY(judge(vault, index, &entry, &refused, &reason, err));
  if (!fresh) goto cleanup;
  snprintf(why, sizeof why, "%s", reason.message[0] ? reason.message : "no effect");
  bez_sha256(bytes, len, sum);
  BEZ_TRY(bez_index_take(vault->index, parsed ? &entry : NULL, refused ? why : NULL, sum, err));
  if (refused && vault->told) vault->told(vault->told_ctx, index, why);
cleanup:
  bez_entry_free(&entry);
  return st;
}

static bez_status begin_anew(bez_vault *vault, bez_error *err) {
  bez_trust_free(vault->trust);
  vault->trust = NULL;
  vault->followed = 0;
  vault->ruled = 0;
  bez_buf_clear(&vault->rulings);
  return bez_trust_create(&vault->trust, err);
}

static bez_status walk(bez_vault *vault, bez_error *err) {
  bez_status st = BEZ_OK;
  if (!vault->trust) BEZ_TRY(begin_anew(vault, err));
  if (bez_index_size(vault->index) > bez_log_size(vault->log)) st = BEZ_CANCELLED;
  if (st == BEZ_OK) st = bez_log_each(vault->log, vault->followed, follow_entry, vault, err);
  if (st == BEZ_CANCELLED) { /* an index of another log: once more, without it */
    bez_error_clear(err);
    BEZ_TRY(bez_index_reset(vault->index, err));
    BEZ_TRY(begin_anew(vault, err));
    BEZ_TRY(bez_log_each(vault->log, 0, follow_entry, vault, err));
  }
  vault->followed = bez_log_size(vault->log);
cleanup:
  return st;
}

bez_status bez_vault_follow(bez_vault *vault, bez_error *err) {
  bez_error ignored = {0};
  if (vault->trust && vault->followed == bez_log_size(vault->log)) return BEZ_OK;
  bez_status st = walk(vault, err);
  if (st != BEZ_OK) {
    bez_trust_free(vault->trust); /* half of it would be worse than none */
    vault->trust = NULL;
    return st;
  }
  /* a folder that cannot be written to is no reason not to read the vault */
  if (bez_index_save(vault->index, false, &ignored) != BEZ_OK) return BEZ_OK;
  return BEZ_OK;
}

bez_status bez_vault_entry(bez_vault *vault, uint64_t index, bez_entry *out, bez_error *err) {
  bez_buf bytes = {0};
  char subject[48];
  snprintf(subject, sizeof subject, "entry %llu of the log", (unsigned long long)index);
  bez_status st = bez_log_read(vault->log, index, &bytes, err);
  if (st == BEZ_OK) st = bez_entry_parse(bytes.data ? bytes.data : "", bytes.len, subject, out, err);
  bez_buf_free(&bytes);
  return st;
}

bez_status bez_entry_hex(const bez_entry *entry, const char *key, uint8_t *out, size_t n, bez_error *err) {
  const char *text = bez_entry_text(entry, key);
  if (strlen(text) == 2 * n && bez_unhex(text, out, n)) return BEZ_OK;
  return bez_fail(err, BEZ_FORMAT, entry->type, "the entry's \"%s\" is no digest", key);
}
