/* Trusting keys, and revoking them. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/time.h"
#include "bezoar/trust.h"
#include "crypto/allowed_signers.h"
#include "vault/answer.h"
#include "vault/trust_answer.h"
#include "vault/trust_write.h"

#define MAX_ALLOWED (16u << 20)

/* One key of whom something is said. */
typedef struct claim {
  const bez_trust_options *options;
  const char *principal;
  const bez_ssh_key *key;
  int64_t after, before;
} claim;

static void put_list(bez_json *j, const char *key, const char *const *items, size_t n, const char *fallback) {
  bez_json_key(j, key);
  bez_json_open(j, '[');
  for (size_t i = 0; i < n; i++) bez_json_str(j, items[i]);
  if (!n) bez_json_str(j, fallback);
  bez_json_close(j, ']');
}

static void put_time(bez_json *j, const char *key, int64_t at, int64_t open) {
  char text[BEZ_TIME_TEXT] = "";
  if (at != open) bez_time_text(at, text);
  bez_json_kstr(j, key, text);
}

static void write_claim(bez_json *j, const void *ctx) {
  const claim *c = ctx;
  const bez_trust_options *o = c->options;
  bez_json_kstr(j, "principal", c->principal);
  bez_json_kstr(j, "key", bez_ssh_key_line(c->key));
  put_list(j, "roles", o->roles, o->n_roles, "contribute");
  put_list(j, "sources", o->sources, o->n_sources, "*");
  put_list(j, "paths", o->paths, o->n_paths, "*");
  put_time(j, "not_before", c->after, INT64_MIN);
  put_time(j, "not_after", c->before, INT64_MAX);
}

static bez_status say_claim(bez_vault *vault, const claim *c, const bez_signer *signer, bez_json *j, bez_error *err) {
  const bez_statement_of_trust what = {.type = "trust", .write = write_claim, .ctx = c};
  bez_id id;
  bez_status st = bez_trust_say(vault, &what, signer, &id, err);
  if (st != BEZ_OK) return st;
  const bez_grant *grant = bez_trust_grant(vault->trust, c->key);
  if (!grant) return bez_fail(err, BEZ_INTERNAL, c->principal, "the entry has had no effect");
  bez_grant_begin(j, grant);
  bez_json_kid(j, "entry", &id);
  bez_json_close(j, '}');
  return BEZ_OK;
}

static bez_status check_options(const bez_trust_options *o, claim *c, bez_error *err) {
  *c = (claim){.options = o, .after = INT64_MIN, .before = INT64_MAX};
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < o->n_roles; i++)
    if (!bez_role_named(o->roles[i]))
      return bez_fail(err, BEZ_USAGE, "--role", "%.40s is no role: admin, contribute, commit, read", o->roles[i]);
  if (!o->allowed_signers == !(o->principal && o->key))
    return bez_fail(err, BEZ_USAGE, "trust add", "needs a principal and a key, or --allowed-signers FILE");
  if (o->principal && !bez_trust_name_fine(o->principal))
    return bez_fail(err, BEZ_USAGE, o->principal, "is no name: at most 100 letters, digits and ._-@+:/");
  if (o->valid_after) BEZ_TRY(bez_trust_time(o->valid_after, "--valid-after", &c->after, err));
  if (o->valid_before) BEZ_TRY(bez_trust_time(o->valid_before, "--valid-before", &c->before, err));
  if (c->after > c->before) BEZ_TRY(bez_fail(err, BEZ_USAGE, "--valid-before", "is before --valid-after"));
cleanup:
  return st;
}

static bez_status read_allowed(const char *path, bez_allowed_signer **list, size_t *n, bez_error *err) {
  bez_buf text = {0};
  bez_status st = bez_file_read(path, MAX_ALLOWED, &text, err);
  if (st == BEZ_OK)
    st = bez_allowed_signers_parse(text.data ? text.data : "", text.len, BEZ_VAULT_NAMESPACE, path, list, n, err);
  if (st == BEZ_OK && !*n) st = bez_fail(err, BEZ_USAGE, path, "names nobody");
  bez_buf_free(&text);
  return st;
}

/* The file's validity and what the options say: the narrower of both. */
static bez_status say_allowed(bez_vault *vault, const claim *base, const bez_signer *signer, bez_json *j,
                              bez_error *err) {
  bez_allowed_signer *list = NULL;
  size_t n = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(read_allowed(base->options->allowed_signers, &list, &n, err));
  for (size_t i = 0; i < n; i++)
    if (!bez_trust_name_fine(list[i].principal))
      BEZ_TRY(bez_fail(err, BEZ_USAGE, list[i].principal, "is no name: at most 100 letters, digits and ._-@+:/"));
  for (size_t i = 0; i < n; i++) /* told before anybody is let in, so that the file counts as a whole */
    if (bez_trust_revocation(vault->trust, bez_ssh_key_fingerprint(list[i].key)) ||
        bez_ssh_key_same(list[i].key, bez_signer_public(signer)))
      BEZ_TRY(bez_fail(err, BEZ_USAGE, list[i].principal, "refused: the key was revoked, or signs this itself"));
  for (size_t i = 0; i < n; i++) {
    claim c = *base;
    c.principal = list[i].principal;
    c.key = list[i].key;
    if (list[i].valid_after > c.after) c.after = list[i].valid_after;
    if (list[i].valid_before < c.before) c.before = list[i].valid_before;
    BEZ_TRY(say_claim(vault, &c, signer, j, err));
  }
cleanup:
  bez_allowed_signers_free(list, n);
  return st;
}

bez_status bez_vault_trust_add(bez_vault *vault, const bez_trust_options *options, char **json, bez_error *err) {
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_signer *signer = NULL;
  bez_ssh_key *key = NULL;
  claim c;
  bez_status st = BEZ_OK;
  BEZ_TRY(check_options(options, &c, err));
  if (options->key) BEZ_TRY(bez_trust_public(options->key, &key, err));
  BEZ_TRY(bez_vault_signer(vault, &options->who, &signer, err));
  bez_json_open(&j, '{');
  bez_json_key(&j, "trusted");
  bez_json_open(&j, '[');
  c.principal = options->principal;
  c.key = key;
  BEZ_TRY(key ? say_claim(vault, &c, signer, &j, err) : say_allowed(vault, &c, signer, &j, err));
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&out, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  bez_ssh_key_free(key);
  bez_buf_free(&out);
  return st;
}

typedef struct loss {
  const char *fingerprint, *since, *reason;
} loss;

static void write_loss(bez_json *j, const void *ctx) {
  const loss *l = ctx;
  bez_json_kstr(j, "key", l->fingerprint);
  bez_json_kstr(j, "since", l->since);
  bez_json_kstr(j, "reason", l->reason);
}

/* The fingerprints meant: owned, as the array. */
static bez_status find_keys(const bez_trust *trust, const char *whom, char ***out, size_t *n, bez_error *err) {
  char **list = calloc(trust->n_grants + 1, sizeof *list);
  bez_ssh_key *key = NULL;
  bez_status st = BEZ_OK;
  if (!list) return bez_fail_memory(err, trust->n_grants * sizeof *list);
  *out = list;
  for (size_t i = 0; i < trust->n_grants; i++) {
    const char *print = bez_ssh_key_fingerprint(trust->grants[i].key);
    bool again = false;
    for (size_t k = 0; k < *n; k++) again |= !strcmp(list[k], print);
    if (again || (strcmp(trust->grants[i].principal, whom) != 0 && strcmp(print, whom) != 0)) continue;
    list[*n] = strdup(print);
    if (!list[(*n)++]) return bez_fail_memory(err, 64);
  }
  if (*n) return BEZ_OK;
  if (!strncmp(whom, "SHA256:", 7) && strlen(whom) == 50) { /* of a key that was never trusted: it never will be */
    list[0] = strdup(whom);
  } else {
    bez_error other = {0};
    if (bez_trust_public(whom, &key, &other) != BEZ_OK)
      BEZ_TRY(bez_fail(err, BEZ_USAGE, whom, "is neither a principal that was trusted nor a key"));
    list[0] = strdup(bez_ssh_key_fingerprint(key));
  }
  if (!list[0]) BEZ_TRY(bez_fail_memory(err, 64));
  *n = 1;
cleanup:
  bez_ssh_key_free(key);
  return st;
}

static bez_status say_loss(bez_vault *vault, const loss *l, const bez_signer *signer, bez_json *j, bez_error *err) {
  const bez_statement_of_trust what = {.type = "revoke", .write = write_loss, .ctx = l};
  const char *principal = "";
  bez_id id;
  bez_status st = bez_trust_say(vault, &what, signer, &id, err);
  if (st != BEZ_OK) return st;
  for (size_t i = 0; i < vault->trust->n_grants; i++)
    if (!strcmp(bez_ssh_key_fingerprint(vault->trust->grants[i].key), l->fingerprint))
      principal = vault->trust->grants[i].principal;
  bez_json_open(j, '{');
  bez_json_kstr(j, "principal", principal);
  write_loss(j, l);
  bez_json_kid(j, "entry", &id);
  bez_json_close(j, '}');
  return BEZ_OK;
}

bez_status bez_vault_trust_revoke(bez_vault *vault, const char *whom, const char *since, const char *reason,
                                  const bez_vault_who *who, char **json, bez_error *err) {
  bez_buf out = {0};
  bez_json j = bez_json_make(&out, false);
  bez_signer *signer = NULL;
  char **keys = NULL, text[BEZ_TIME_TEXT];
  size_t n = 0;
  int64_t at = 0;
  bez_status st = BEZ_OK;
  if (!since) BEZ_TRY(bez_fail(err, BEZ_USAGE, "--since", "is needed: from when on is the key not to be believed?"));
  BEZ_TRY(bez_trust_time(since, "--since", &at, err));
  bez_time_text(at, text);
  BEZ_TRY(find_keys(vault->trust, whom, &keys, &n, err));
  BEZ_TRY(bez_vault_signer(vault, who, &signer, err));
  bez_json_open(&j, '{');
  bez_json_key(&j, "revoked");
  bez_json_open(&j, '[');
  for (size_t i = 0; i < n; i++) {
    const loss l = {keys[i], text, reason ? reason : ""};
    BEZ_TRY(say_loss(vault, &l, signer, &j, err));
  }
  bez_json_close(&j, ']');
  bez_json_close(&j, '}');
  BEZ_TRY(bez_answer(&out, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  for (size_t i = 0; i < n; i++) free(keys[i]);
  free(keys);
  bez_buf_free(&out);
  return st;
}
