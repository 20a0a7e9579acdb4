/* The state of trust: what entries leave behind in it, and look-ups. Judging is in trust_may.c and trust_check.c. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "ledger/trust_state.h"

bez_status bez_trust_create(bez_trust **out, bez_error *err) {
  bez_trust *trust = calloc(1, sizeof *trust);
  if (!trust) return bez_fail_memory(err, sizeof *trust);
  bez_policy_default(&trust->policy);
  *out = trust;
  return BEZ_OK;
}

static void free_grant(bez_grant *grant) {
  json_decref(grant->body);
  bez_ssh_key_free(grant->key);
  free(grant->vouchers);
}

void bez_trust_free(bez_trust *trust) {
  if (!trust) return;
  for (size_t i = 0; i < trust->n_grants; i++) free_grant(&trust->grants[i]);
  for (size_t i = 0; i < trust->n_revocations; i++) json_decref(trust->revocations[i].body);
  for (size_t i = 0; i < trust->n_sources; i++) json_decref(trust->sources[i].body);
  free(trust->grants);
  free(trust->revocations);
  free(trust->sources);
  free(trust->root);
  bez_arena_free(&trust->arena);
  free(trust);
}

static const struct {
  const char *name;
  unsigned role;
} roles[] = {
    {"admin", BEZ_MAY_ADMIN}, {"contribute", BEZ_MAY_CONTRIBUTE}, {"commit", BEZ_MAY_COMMIT}, {"read", BEZ_MAY_READ}};

const char *bez_role_name(size_t i, unsigned *role) {
  if (i >= sizeof roles / sizeof *roles) return NULL;
  *role = roles[i].role;
  return roles[i].name;
}

unsigned bez_role_named(const char *name) {
  for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
    if (!strcmp(roles[i].name, name)) return roles[i].role;
  return 0;
}

bool bez_trust_name_fine(const char *name) {
  const size_t len = strlen(name);
  if (!len || len > 100 || strspn(name, "-/") || strspn(name, ".") == len) return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@+:/") == len;
}

/* Room for one more of n items; NULL: out of memory. */
static void *grow(void *items, size_t n, size_t *cap, size_t size) {
  if (n < *cap) return items;
  const size_t more = *cap ? *cap * 2 : 8;
  void *grown = reallocarray(items, more, size);
  if (grown) *cap = more;
  return grown;
}

const bez_revocation *bez_trust_revocation(const bez_trust *trust, const char *fingerprint) {
  const bez_revocation *found = NULL;
  for (size_t i = 0; i < trust->n_revocations; i++) {
    const bez_revocation *r = &trust->revocations[i];
    if (!strcmp(r->fingerprint, fingerprint) && (!found || r->since < found->since)) found = r;
  }
  return found;
}

bool bez_trust_disowned(const bez_trust *trust, const char *fingerprint, int64_t at) {
  const bez_revocation *r = bez_trust_revocation(trust, fingerprint);
  return r && r->since <= at;
}

const bez_grant *bez_trust_grant(const bez_trust *trust, const bez_ssh_key *key) {
  for (size_t i = trust->n_grants; i-- > 0;)
    if (trust->grants[i].stands && bez_ssh_key_same(trust->grants[i].key, key)) return &trust->grants[i];
  return NULL;
}

/* What a disowned admin vouched for stands no more, nor what those vouched for: vouchers come before, so one pass does.
 */
static void look_again(bez_trust *trust) {
  for (size_t i = 0; i < trust->n_grants; i++) {
    bez_grant *grant = &trust->grants[i];
    grant->stands = !grant->n_vouchers; /* the root's */
    for (size_t k = 0; k < grant->n_vouchers; k++) {
      const bez_voucher *v = &grant->vouchers[k];
      if (trust->grants[v->grant].stands && !bez_trust_disowned(trust, v->fingerprint, grant->at)) grant->stands = true;
    }
  }
}

static bez_status take_vouchers(const bez_trust *trust, const bez_entry *entry, bez_grant *grant, bez_error *err) {
  grant->vouchers = calloc(entry->n_keys ? entry->n_keys : 1, sizeof *grant->vouchers);
  if (!grant->vouchers) return bez_fail_memory(err, entry->n_keys * sizeof *grant->vouchers);
  for (size_t i = 0; i < entry->n_keys; i++) {
    const bez_asked asked = {.key = entry->keys[i], .role = BEZ_MAY_ADMIN, .at = entry->seconds};
    bez_error why = {0};
    if (bez_ssh_key_same(entry->keys[i], grant->key) || bez_trust_may(trust, &asked, &why) != BEZ_OK) continue;
    bez_voucher *v = &grant->vouchers[grant->n_vouchers++];
    snprintf(v->fingerprint, sizeof v->fingerprint, "%s", bez_ssh_key_fingerprint(entry->keys[i]));
    v->grant = (size_t)(bez_trust_grant(trust, entry->keys[i]) - trust->grants);
  }
  return BEZ_OK;
}

static unsigned roles_of(const json_t *list) {
  unsigned all = 0;
  size_t i;
  const json_t *name;
  json_array_foreach(list, i, name) all |= bez_role_named(json_string_value(name));
  return all;
}

static int64_t time_or(const bez_entry *entry, const char *key, int64_t open) {
  int64_t at = 0;
  const char *text = bez_entry_text(entry, key);
  return *text && bez_time_parse(text, &at) ? at : open;
}

/* Checked before: init, or trust. */
static bez_status take_grant(bez_trust *trust, uint64_t index, const bez_entry *entry, bez_error *err) {
  const bool init = !strcmp(entry->type, "init");
  bez_grant grant = {.index = index,
                     .at = entry->seconds > trust->clock ? entry->seconds : trust->clock,
                     .not_before = INT64_MIN,
                     .not_after = INT64_MAX,
                     .stands = true};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_ssh_key_parse(bez_entry_text(entry, init ? "admin" : "key"), "trust", &grant.key, err));
  grant.body = json_incref(entry->body);
  grant.principal = init ? "admin" : bez_entry_text(entry, "principal");
  if (init && *bez_ssh_key_comment(grant.key) && bez_trust_name_fine(bez_ssh_key_comment(grant.key)))
    grant.principal = bez_ssh_key_comment(grant.key);
  if (init) {
    grant.roles = BEZ_MAY_ADMIN;
    trust->root = strdup(bez_ssh_key_fingerprint(grant.key));
    if (!trust->root) BEZ_TRY(bez_fail_memory(err, 64));
  } else {
    grant.roles = roles_of(json_object_get(entry->body, "roles"));
    grant.sources = json_object_get(entry->body, "sources");
    grant.paths = json_object_get(entry->body, "paths");
    grant.not_before = time_or(entry, "not_before", INT64_MIN);
    grant.not_after = time_or(entry, "not_after", INT64_MAX);
    BEZ_TRY(take_vouchers(trust, entry, &grant, err));
  }
  bez_grant *grown = grow(trust->grants, trust->n_grants, &trust->cap_grants, sizeof *grown);
  if (!grown) BEZ_TRY(bez_fail_memory(err, sizeof *grown));
  trust->grants = grown;
  trust->grants[trust->n_grants++] = grant;
  grant = (bez_grant){0};
cleanup:
  free_grant(&grant);
  return st;
}

static bez_status take_revocation(bez_trust *trust, uint64_t index, const bez_entry *entry, bez_error *err) {
  bez_revocation *grown = grow(trust->revocations, trust->n_revocations, &trust->cap_revocations, sizeof *grown);
  bez_revocation r = {.since = time_or(entry, "since", 0), .at = entry->seconds, .index = index};
  if (!grown) return bez_fail_memory(err, sizeof *grown);
  trust->revocations = grown;
  r.body = json_incref(entry->body);
  r.reason = bez_entry_text(entry, "reason");
  snprintf(r.fingerprint, sizeof r.fingerprint, "%s", bez_entry_text(entry, "key"));
  trust->revocations[trust->n_revocations++] = r;
  look_again(trust);
  return BEZ_OK;
}

static bez_known_source *find_source(const bez_trust *trust, const char *id) {
  for (size_t i = 0; i < trust->n_sources; i++)
    if (!strcmp(trust->sources[i].id, id)) return &trust->sources[i];
  return NULL;
}

static bez_status take_source(bez_trust *trust, uint64_t index, const bez_entry *entry, bez_error *err) {
  bez_known_source *old = find_source(trust, bez_entry_text(entry, "id"));
  if (!old) {
    bez_known_source *grown = grow(trust->sources, trust->n_sources, &trust->cap_sources, sizeof *grown);
    if (!grown) return bez_fail_memory(err, sizeof *grown);
    trust->sources = grown;
    old = &trust->sources[trust->n_sources++];
    old->body = NULL;
  }
  json_decref(old->body);
  old->body = json_incref(entry->body);
  old->id = json_string_value(json_object_get(old->body, "id"));
  old->index = index;
  return BEZ_OK;
}

static bez_status take_policy(bez_trust *trust, const bez_entry *entry, const char *policy, size_t len,
                              bez_error *err) {
  bez_arena arena = {0};
  bez_policy read;
  bez_status st = bez_policy_parse(policy, len, "policy", &arena, &read, err);
  if (st != BEZ_OK) {
    bez_arena_free(&arena);
    return st;
  }
  bez_arena_free(&trust->arena);
  trust->arena = arena;
  trust->policy = read;
  snprintf(trust->policy_id, sizeof trust->policy_id, "%s", bez_entry_text(entry, "policy"));
  return BEZ_OK;
}

bez_status bez_trust_take(bez_trust *trust, uint64_t index, const bez_entry *entry, const char *policy,
                          size_t policy_len, bez_error *err) {
  const char *type = entry->type;
  const bool grant = !strcmp(type, "init") || !strcmp(type, "trust");
  const bool revoke = !strcmp(type, "revoke"), source = !strcmp(type, "source"), rules = !strcmp(type, "policy");
  if (!grant && !revoke && !source && !rules) return BEZ_OK;
  bez_status st = bez_trust_check(trust, entry, policy, policy_len, err);
  /* Asked before the entry has its effect. Nobody but admins moves the clock, and not to a day that nobody has seen:
   * every key that ends would have ended, for good. */
  const bool moves = st == BEZ_OK && bez_trust_by_admin(trust, entry) && !bez_trust_is_ahead(entry->seconds);
  if (st == BEZ_USAGE) { /* refused when it was made, it is no valid part of a log */
    if (err) err->code = BEZ_FORMAT;
    st = BEZ_FORMAT;
  }
  if (st == BEZ_OK && grant) st = take_grant(trust, index, entry, err);
  if (st == BEZ_OK && revoke) st = take_revocation(trust, index, entry, err);
  if (st == BEZ_OK && source) st = take_source(trust, index, entry, err);
  if (st == BEZ_OK && rules) st = take_policy(trust, entry, policy, policy_len, err);
  if (st == BEZ_OK && moves && entry->seconds > trust->clock) trust->clock = entry->seconds;
  return st;
}

int64_t bez_trust_clock(const bez_trust *trust) {
  return trust->clock;
}

const bez_policy *bez_trust_policy(const bez_trust *trust) {
  return &trust->policy;
}

const json_t *bez_trust_source(const bez_trust *trust, const char *id) {
  const bez_known_source *source = find_source(trust, id);
  return source ? json_object_get(source->body, "fields") : NULL;
}

const char *bez_trust_principal(const bez_trust *trust, const bez_ssh_key *key) {
  const bez_grant *grant = bez_trust_grant(trust, key);
  if (grant) return grant->principal;
  for (size_t i = trust->n_grants; i-- > 0;)
    if (bez_ssh_key_same(trust->grants[i].key, key)) return trust->grants[i].principal;
  return bez_ssh_key_fingerprint(key);
}
