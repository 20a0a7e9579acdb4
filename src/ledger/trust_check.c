/* Whether an entry about trust is well formed and signed by somebody who may say so. */
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "ledger/source.h"
#include "ledger/trust_state.h"

enum { MOST_ITEMS = 1000, MOST_GLOB = 1000, MOST_REASON = 1000, MOST_AHEAD = 86400 };

static bez_status malformed(const bez_entry *entry, const char *what, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, entry->type, "the entry's %s is missing or malformed", what);
}

/* One signature at least by an admin other than `except`: nobody makes themselves more than they are. */
static bez_status check_admin(const bez_trust *trust, const bez_entry *entry, const bez_ssh_key *except,
                              bez_error *err) {
  bez_error first = {0};
  bez_asked asked = {.role = BEZ_MAY_ADMIN, .at = entry->seconds};
  if (!entry->n_keys) return bez_trust_may(trust, &asked, err);
  for (size_t i = 0; i < entry->n_keys; i++) {
    asked.key = entry->keys[i];
    if (except && bez_ssh_key_same(except, asked.key))
      (void)!bez_fail(&first, BEZ_USAGE, bez_trust_principal(trust, except),
                      "refused: no key may state its own roles; another admin must sign");
    else if (bez_trust_may(trust, &asked, &first) == BEZ_OK)
      return BEZ_OK;
  }
  return bez_fail(err, BEZ_USAGE, first.subject, "%s", first.message);
}

static bool is_list(const json_t *list, bool (*fine)(const char *text)) {
  size_t i;
  const json_t *item;
  if (!json_is_array(list) || json_array_size(list) > MOST_ITEMS) return false;
  json_array_foreach(list, i, item) {
    if (!json_is_string(item) || !fine(json_string_value(item))) return false;
  }
  return true;
}

static bool role_fine(const char *text) {
  return bez_role_named(text) != 0;
}

static bool glob_fine(const char *text) {
  const size_t len = strlen(text);
  return len > 0 && len <= MOST_GLOB;
}

static bool time_fine(const bez_entry *entry, const char *key) {
  int64_t at;
  const char *text = bez_entry_text(entry, key);
  return !*text || bez_time_parse(text, &at);
}

static bez_status check_init(const bez_trust *trust, const bez_entry *entry, bez_error *err) {
  bez_ssh_key *key = NULL;
  bez_status st = BEZ_OK;
  if (trust->n_grants) return bez_fail(err, BEZ_FORMAT, "init", "a vault begins once");
  BEZ_TRY(bez_ssh_key_parse(bez_entry_text(entry, "admin"), "init", &key, err));
  bool own = false;
  for (size_t i = 0; i < entry->n_keys; i++) own |= bez_ssh_key_same(entry->keys[i], key);
  if (!own) BEZ_TRY(bez_fail(err, BEZ_FORMAT, "init", "is not signed by the admin it names"));
cleanup:
  bez_ssh_key_free(key);
  return st;
}

static bez_status check_trust(const bez_trust *trust, const bez_entry *entry, bez_error *err) {
  const json_t *body = entry->body;
  bez_ssh_key *key = NULL;
  bez_status st = BEZ_OK;
  if (!bez_trust_name_fine(bez_entry_text(entry, "principal"))) return malformed(entry, "principal", err);
  if (!is_list(json_object_get(body, "roles"), role_fine) || !json_array_size(json_object_get(body, "roles")))
    return malformed(entry, "list of roles", err);
  if (!is_list(json_object_get(body, "sources"), glob_fine)) return malformed(entry, "list of sources", err);
  if (!is_list(json_object_get(body, "paths"), glob_fine)) return malformed(entry, "list of paths", err);
  if (!time_fine(entry, "not_before") || !time_fine(entry, "not_after")) return malformed(entry, "validity", err);
  BEZ_TRY(bez_ssh_key_parse(bez_entry_text(entry, "key"), "trust", &key, err));
  if (bez_trust_revocation(trust, bez_ssh_key_fingerprint(key)))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, bez_ssh_key_fingerprint(key),
                     "refused: the key was revoked, and is never trusted again"));
  BEZ_TRY(check_admin(trust, entry, key, err));
cleanup:
  bez_ssh_key_free(key);
  return st;
}

static bool is_fingerprint(const char *text) {
  return strlen(text) == 50 && !strncmp(text, "SHA256:", 7);
}

static bool signed_by(const bez_entry *entry, const char *fingerprint) {
  for (size_t i = 0; i < entry->n_keys; i++)
    if (!strcmp(bez_ssh_key_fingerprint(entry->keys[i]), fingerprint)) return true;
  return false;
}

static bool was_granted(const bez_trust *trust, const char *fingerprint) {
  for (size_t i = 0; i < trust->n_grants; i++)
    if (!strcmp(bez_ssh_key_fingerprint(trust->grants[i].key), fingerprint)) return true;
  return false;
}

bool bez_trust_by_admin(const bez_trust *trust, const bez_entry *entry) {
  bez_error why = {0};
  return !strcmp(entry->type, "init") || check_admin(trust, entry, NULL, &why) == BEZ_OK;
}

bool bez_trust_is_ahead(int64_t seconds) {
  return seconds > bez_time_machine() + MOST_AHEAD;
}

/* Whether another admin than this key is left. */
static bool admin_left(const bez_trust *trust, const char *fingerprint, int64_t at) {
  for (size_t i = 0; i < trust->n_grants; i++) {
    const bez_asked asked = {.key = trust->grants[i].key, .role = BEZ_MAY_ADMIN, .at = at};
    bez_error why = {0};
    if (strcmp(bez_ssh_key_fingerprint(asked.key), fingerprint) != 0 && bez_trust_may(trust, &asked, &why) == BEZ_OK)
      return true;
  }
  return false;
}

static bez_status check_revoke(const bez_trust *trust, const bez_entry *entry, bez_error *err) {
  const char *print = bez_entry_text(entry, "key"), *since = bez_entry_text(entry, "since");
  int64_t at;
  if (!is_fingerprint(print)) return malformed(entry, "key", err);
  if (!bez_time_parse(since, &at)) return malformed(entry, "time since when", err);
  if (strlen(bez_entry_text(entry, "reason")) > MOST_REASON) return malformed(entry, "reason", err);
  if (!admin_left(trust, print, entry->seconds))
    return bez_fail(err, BEZ_USAGE, print, "refused: is the last admin; make another one first");
  /* Who lost a key may say so with it; a key that nobody ever trusted has nothing to say. */
  if (signed_by(entry, print) && was_granted(trust, print) && !bez_trust_revocation(trust, print)) return BEZ_OK;
  return check_admin(trust, entry, NULL, err);
}

static bez_status check_source(const bez_trust *trust, const bez_entry *entry, bez_error *err) {
  const char *id = bez_entry_text(entry, "id");
  if (!bez_trust_name_fine(id)) return malformed(entry, "id", err);
  bez_status st = bez_source_check(json_object_get(entry->body, "fields"), id, err);
  return st == BEZ_OK ? check_admin(trust, entry, NULL, err) : st;
}

static bez_status check_policy(const bez_trust *trust, const bez_entry *entry, const char *policy, size_t len,
                               bez_error *err) {
  const char *id = bez_entry_text(entry, "policy");
  uint8_t said[32], digest[BEZ_DIGEST_MOST];
  bez_arena arena = {0};
  bez_policy read;
  bez_status st = BEZ_OK;
  if (!bez_unhex(id, said, sizeof said)) return malformed(entry, "policy", err);
  if (!policy) return bez_fail(err, BEZ_FORMAT, "policy", "the object %s is missing", id);
  BEZ_TRY(bez_digest_bytes(BEZ_DIGEST_SHA256, policy, len, digest, err));
  if (memcmp(said, digest, sizeof said) != 0) BEZ_TRY(bez_fail(err, BEZ_FORMAT, "policy", "is not the object %s", id));
  BEZ_TRY(bez_policy_parse(policy, len, "policy", &arena, &read, err));
  BEZ_TRY(check_admin(trust, entry, NULL, err));
cleanup:
  bez_arena_free(&arena);
  return st;
}

bez_status bez_trust_check(const bez_trust *trust, const bez_entry *entry, const char *policy, size_t policy_len,
                           bez_error *err) {
  if (!strcmp(entry->type, "init")) return check_init(trust, entry, err);
  if (!strcmp(entry->type, "trust")) return check_trust(trust, entry, err);
  if (!strcmp(entry->type, "revoke")) return check_revoke(trust, entry, err);
  if (!strcmp(entry->type, "source")) return check_source(trust, entry, err);
  if (!strcmp(entry->type, "policy")) return check_policy(trust, entry, policy, policy_len, err);
  return BEZ_OK;
}
