/* Writing to the log: entries, who acts, what was refused, who read. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/known_logs.h"
#include "vault/answer.h"
#include "vault/vault.h"

void bez_vault_act(bez_vault *vault, const bez_signer *signer) {
  vault->acting = signer;
}

bez_status bez_vault_signer(bez_vault *vault, const bez_vault_who *who, bez_signer **out, bez_error *err) {
  bez_status st = bez_signer_open(who ? who->key : NULL, who ? who->password : NULL, out, err);
  if (st == BEZ_OK) bez_vault_act(vault, *out);
  return st;
}

/* The log's key: that of who acts, or one that the agent or the folder of keys has. NULL: checkpoints wait. */
static const bez_signer *log_signer(const bez_vault *vault, bez_signer **opened) {
  bez_error ignored = {0};
  *opened = NULL;
  if (vault->acting && !strcmp(bez_ssh_key_fingerprint(bez_signer_public(vault->acting)), vault->log_fingerprint))
    return vault->acting;
  if (bez_signer_open(vault->log_fingerprint, NULL, opened, &ignored) != BEZ_OK) return NULL;
  return *opened;
}

bez_status bez_vault_append(bez_vault *vault, const bez_bytes_view *entries, size_t n, bez_error *err) {
  bez_signer *opened = NULL;
  const bez_signer *signer = log_signer(vault, &opened);
  bez_status st = bez_vault_lock(vault, err);
  if (st == BEZ_OK) {
    st = bez_log_append(vault->log, entries, n, signer, err);
    if (st == BEZ_OK) st = bez_vault_follow(vault, err);
    if (st == BEZ_OK) st = bez_known_logs_check(vault->log, err);
    bez_vault_unlock(vault);
  }
  bez_signer_close(opened);
  return st;
}

bez_status bez_vault_say(bez_vault *vault, const char *type, const bez_signer *signer,
                         void (*write)(bez_json *j, const void *ctx), const void *ctx, bez_id *id, bez_error *err) {
  bez_buf line = {0}, entry = {0};
  bez_entry parsed = {0};
  bez_json j = bez_json_make(&line, false);
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_entry_begin(&j, type, vault->origin, bez_vault_now(), err));
  if (write) write(&j, ctx);
  bez_json_close(&j, '}');
  BEZ_TRY(bez_buf_status(&line, err));
  BEZ_TRY(bez_entry_sign(line.data ? line.data : "", line.len, &signer, signer ? 1 : 0, &entry, err));
  BEZ_TRY(bez_entry_peek(entry.data ? entry.data : "", entry.len, type, &parsed, err));
  const bez_bytes_view view = {entry.data, entry.len};
  BEZ_TRY(bez_vault_append(vault, &view, 1, err));
  if (id) *id = parsed.id;
cleanup:
  bez_entry_free(&parsed);
  bez_buf_free(&entry);
  bez_buf_free(&line);
  return st;
}

typedef struct refusal {
  const bez_claim *claim;
  const char *key, *reason;
} refusal;

static void write_refusal(bez_json *j, const void *ctx) {
  const refusal *r = ctx;
  bez_json_kstr(j, "op", r->claim->op);
  bez_json_kstr(j, "dataset", r->claim->dataset ? r->claim->dataset : "");
  bez_json_kstr(j, "key", r->key);
  bez_json_kstr(j, "reason", r->reason);
}

bez_status bez_vault_refused(bez_vault *vault, const bez_claim *claim, const bez_signer *signer, bez_status st,
                             bez_error *err) {
  static const char prefix[] = "refused: ";
  const char *reason = err ? err->message : "";
  bez_error unsaid = {0};
  if (st != BEZ_USAGE) return st;
  if (!strncmp(reason, prefix, sizeof prefix - 1)) reason += sizeof prefix - 1;
  const refusal r = {claim, signer ? bez_ssh_key_fingerprint(bez_signer_public(signer)) : "", reason};
  /* A refusal that cannot be written down is still a refusal. */
  if (bez_vault_say(vault, "refused", signer, write_refusal, &r, NULL, &unsaid) != BEZ_OK) bez_error_clear(&unsaid);
  return bez_refuse(err, st);
}

bez_status bez_vault_ask(bez_vault *vault, const bez_claim *claim, const bez_signer *signer, bez_error *err) {
  const bez_ssh_key *key = signer ? bez_signer_public(signer) : NULL;
  const int64_t now = bez_vault_now();
  const bez_asked asked = {.key = key,
                           .role = claim->role,
                           .source = claim->source,
                           .dataset = claim->dataset,
                           .at = now > vault->ruled ? now : vault->ruled};
  bez_status st = bez_trust_may(vault->trust, &asked, err);
  return st == BEZ_OK ? BEZ_OK : bez_vault_refused(vault, claim, signer, st, err);
}

typedef struct access_note {
  const char *op, *why, *detail;
  const bez_snapshot *version;
} access_note;

static void write_access(bez_json *j, const void *ctx) {
  const access_note *a = ctx;
  bez_json_kstr(j, "op", a->op);
  bez_json_kstr(j, "dataset", a->version && a->version->dataset ? a->version->dataset : "");
  bez_json_kuint(j, "version", a->version ? a->version->version : 0);
  bez_json_kstr(j, "outcome", a->why ? a->why : "ok");
  bez_json_kstr(j, "detail", a->detail ? a->detail : "");
}

bez_status bez_vault_record_access(bez_vault *vault, const char *op, const bez_snapshot *version,
                                   const bez_signer *reader, const char *why, const char *detail, bez_error *err) {
  const access_note note = {op, why, detail, version};
  return bez_vault_say(vault, "access", reader, write_access, &note, NULL, err);
}
