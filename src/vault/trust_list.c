/* Who is trusted, for people and for ssh-keygen. */
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "bezoar/trust.h"
#include "crypto/allowed_signers.h"
#include "vault/answer.h"
#include "vault/trust_answer.h"
#include "vault/trust_write.h"

static void put_list(bez_json *j, const char *key, const json_t *list) {
  size_t i;
  const json_t *item;
  bez_json_key(j, key);
  bez_json_open(j, '[');
  json_array_foreach(list, i, item) bez_json_str(j, json_string_value(item));
  if (!list) bez_json_str(j, "*"); /* the first admin */
  bez_json_close(j, ']');
}

static void put_time(bez_json *j, const char *key, int64_t at, int64_t open) {
  char text[BEZ_TIME_TEXT] = "";
  if (at != open) bez_time_text(at, text);
  bez_json_kstr(j, key, text);
}

void bez_grant_begin(bez_json *j, const bez_grant *grant) {
  const char *name;
  unsigned role = 0;
  bez_json_open(j, '{');
  bez_json_kstr(j, "principal", grant->principal);
  bez_json_kstr(j, "key", bez_ssh_key_fingerprint(grant->key));
  bez_json_kstr(j, "public", bez_ssh_key_line(grant->key));
  bez_json_key(j, "roles");
  bez_json_open(j, '[');
  for (size_t i = 0; (name = bez_role_name(i, &role)) != NULL; i++)
    if (grant->roles & role) bez_json_str(j, name);
  bez_json_close(j, ']');
  put_list(j, "sources", grant->sources);
  put_list(j, "paths", grant->paths);
  put_time(j, "valid_after", grant->not_before, INT64_MIN);
  put_time(j, "valid_before", grant->not_after, INT64_MAX);
}

/* Of each key, the grant that counts: the last that stands, or the last. */
static bool counts(const bez_trust *trust, size_t i) {
  const bez_grant *standing = bez_trust_grant(trust, trust->grants[i].key);
  if (standing) return standing == &trust->grants[i];
  for (size_t k = i + 1; k < trust->n_grants; k++)
    if (bez_ssh_key_same(trust->grants[k].key, trust->grants[i].key)) return false;
  return true;
}

static const char *state_of(const bez_grant *grant, const bez_revocation *revoked, int64_t at) {
  if (revoked && revoked->since <= at) return "revoked";
  if (!grant->stands) return "not vouched for";
  if (at < grant->not_before) return "not yet valid";
  return at > grant->not_after ? "expired" : "valid";
}

static void put_key(bez_json *j, const bez_trust *trust, const bez_grant *grant, int64_t at) {
  char since[BEZ_TIME_TEXT] = "";
  const bez_revocation *revoked = bez_trust_revocation(trust, bez_ssh_key_fingerprint(grant->key));
  bez_grant_begin(j, grant);
  bez_json_kuint(j, "entry", grant->index);
  bez_json_kstr(j, "state", state_of(grant, revoked, at));
  if (revoked) {
    bez_time_text(revoked->since, since);
    bez_json_kstr(j, "since", since);
    bez_json_kstr(j, "reason", revoked->reason);
  }
  bez_json_close(j, '}');
}

bez_status bez_vault_trust_list(bez_vault *vault, const char *at, char **json, bez_error *err) {
  int64_t when = bez_time_now();
  char text[BEZ_TIME_TEXT];
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_status st = at ? bez_trust_time(at, "--at", &when, err) : BEZ_OK;
  if (st != BEZ_OK) return st;
  bez_time_text(when, text);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "at", text);
  bez_json_key(&j, "keys");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < vault->trust->n_grants; i++)
    if (counts(vault->trust, i)) put_key(&j, vault->trust, &vault->trust->grants[i], when);
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  return bez_answer(&out, json, err);
}

bez_status bez_vault_trust_allowed_signers(bez_vault *vault, char **json, bez_error *err) {
  const bez_trust *trust = vault->trust;
  bez_buf text = {0}, out = {0};
  bez_json j = bez_json_make(&out, false);
  for (size_t i = 0; i < trust->n_grants; i++) {
    const bez_grant *grant = &trust->grants[i];
    const bez_revocation *revoked = bez_trust_revocation(trust, bez_ssh_key_fingerprint(grant->key));
    int64_t until = grant->not_after;
    if (!grant->stands || !counts(trust, i)) continue;
    if (revoked && revoked->since <= until) until = revoked->since - 1;
    if (until < 0) continue; /* it never was worth anything */
    bez_allowed_signers_put(&text, grant->principal, BEZ_VAULT_NAMESPACE, grant->not_before, until, grant->key);
  }
  bez_json_open(&j, '{');
  bez_json_key(&j, "allowed_signers");
  bez_json_strn(&j, text.data ? text.data : "", text.len);
  bez_json_close(&j, '}');
  bez_status st = bez_buf_status(&text, err);
  bez_buf_free(&text);
  if (st == BEZ_OK) return bez_answer(&out, json, err);
  bez_buf_free(&out);
  return st;
}
