/* Whether a key may do what it asks for, and if not, why. */
#include <fnmatch.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "ledger/trust_state.h"

/* Every refusal begins alike, so that it can be told from a mistake in the question. */
#define refuse(err, subject, ...) bez_fail(err, BEZ_USAGE, subject, "refused: " __VA_ARGS__)

static bool matches(const json_t *globs, const char *text) {
  size_t i;
  const json_t *glob;
  json_array_foreach(globs, i, glob) {
    if (fnmatch(json_string_value(glob), text, 0) == 0) return true;
  }
  return false;
}

static bez_status check_validity(const bez_grant *grant, const char *who, int64_t at, bez_error *err) {
  char text[BEZ_TIME_TEXT];
  if (at < grant->not_before) {
    bez_time_text(grant->not_before, text);
    return refuse(err, who, "not yet valid: the key is trusted from %s on", text);
  }
  if (at > grant->not_after) {
    bez_time_text(grant->not_after, text);
    return refuse(err, who, "expired: the key was trusted until %s", text);
  }
  return BEZ_OK;
}

static bez_status check_role(const bez_grant *grant, const char *who, unsigned role, bez_error *err) {
  char has[64] = "";
  const char *wanted = "?", *name;
  unsigned bit = 0;
  if (grant->roles & role) return BEZ_OK;
  for (size_t i = 0; (name = bez_role_name(i, &bit)) != NULL; i++) {
    if (bit == role) wanted = name;
    const size_t n = strlen(has);
    if (grant->roles & bit) snprintf(has + n, sizeof has - n, "%s%s", n ? ", " : "", name);
  }
  return refuse(err, who, "wrong role: this needs %s, and the key has %s", wanted, has);
}

static bez_status check_reach(const bez_trust *trust, const bez_grant *grant, const char *who, const bez_asked *asked,
                              bez_error *err) {
  const bool admin = grant->roles & BEZ_MAY_ADMIN;
  if (asked->source && *asked->source) {
    if (!bez_trust_source(trust, asked->source))
      return refuse(err, who, "unknown source %.100s (bezoar vault source add)", asked->source);
    if (!admin && !matches(grant->sources, asked->source))
      return refuse(err, who, "wrong source: the key may not bring in what comes from %.100s", asked->source);
  }
  if (asked->dataset && *asked->dataset && !admin && !matches(grant->paths, asked->dataset))
    return refuse(err, who, "wrong path: the key may not touch %.200s", asked->dataset);
  return BEZ_OK;
}

static bool was_granted(const bez_trust *trust, const bez_ssh_key *key) {
  for (size_t i = 0; i < trust->n_grants; i++)
    if (bez_ssh_key_same(trust->grants[i].key, key)) return true;
  return false;
}

bez_status bez_trust_may(const bez_trust *trust, const bez_asked *asked, bez_error *err) {
  char who[256], since[BEZ_TIME_TEXT];
  if (!asked->key) return refuse(err, "nobody", "unsigned: this needs the signature of a key that is trusted");
  const char *print = bez_ssh_key_fingerprint(asked->key), *name = bez_trust_principal(trust, asked->key);
  if (name == print)
    snprintf(who, sizeof who, "%s", print);
  else
    snprintf(who, sizeof who, "%s (%s)", name, print);
  const bez_revocation *revoked = bez_trust_revocation(trust, print);
  const bez_grant *grant = bez_trust_grant(trust, asked->key);
  if (revoked) {
    bez_time_text(revoked->since, since);
    return refuse(err, who, "revoked since %s: %.200s", since, *revoked->reason ? revoked->reason : "no reason given");
  }
  if (!grant && was_granted(trust, asked->key))
    return refuse(err, who, "the key was made trusted by one that has been revoked since");
  if (!grant) return refuse(err, who, "unknown key: nobody trusts it here (bezoar vault trust add)");
  const int64_t at = asked->at > trust->clock ? asked->at : trust->clock;
  bez_status st = check_validity(grant, who, at, err);
  if (st == BEZ_OK && !(grant->roles & BEZ_MAY_ADMIN)) st = check_role(grant, who, asked->role, err);
  if (st == BEZ_OK) st = check_reach(trust, grant, who, asked, err);
  return st;
}
