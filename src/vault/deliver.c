/* bezoar vault checkout: a version written back, and who took it. */
#include <string.h>

#include "base/error.h"
#include "content/ingest.h"
#include "vault/answer.h"
#include "vault/work.h"

bez_status bez_vault_open_reader(bez_vault *vault, const char *op, const char *dataset, const bez_vault_who *who,
                                 bez_signer **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_error none = {0};
  *out = NULL;
  if (who && who->key)
    st = bez_vault_signer(vault, who, out, err);
  else if (bez_vault_signer(vault, who, out, &none) != BEZ_OK) /* the default key, where there is one to be had */
    *out = NULL;
  if (st != BEZ_OK || !bez_trust_policy(vault->trust)->require_reader) return st;
  const bez_claim claim = {op, dataset, NULL, BEZ_MAY_READ};
  return bez_vault_ask(vault, &claim, *out, err);
}

bez_status bez_look_begin(bez_vault *vault, const char *op, const char *dataset, const bez_vault_who *who,
                          bez_look *out, bez_error *err) {
  *out = (bez_look){.op = op};
  if (!bez_trust_policy(vault->trust)->require_reader) return BEZ_OK;
  return bez_vault_open_reader(vault, op, dataset, who, &out->reader, err);
}

bez_status bez_look_record(bez_vault *vault, const bez_look *look, const bez_snapshot *version, const char *detail,
                           bez_error *err) {
  if (!bez_trust_policy(vault->trust)->require_reader) return BEZ_OK;
  return bez_vault_record_access(vault, look->op, version, look->reader, NULL, detail, err);
}

void bez_look_end(bez_vault *vault, bez_look *look) {
  if (!look->reader) return;
  bez_vault_act(vault, NULL);
  bez_signer_close(look->reader);
  look->reader = NULL;
}

static bez_status answer(const bez_vault *vault, const bez_snapshot *s, const char *path, const bez_signer *reader,
                         char **json, bez_error *err) {
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "dataset", s->dataset);
  bez_json_kuint(&j, "version", s->version);
  bez_json_khex(&j, "commit", s->commit.bytes, BEZ_ID);
  bez_json_kstr(&j, "path", path);
  bez_json_kuint(&j, "n_rows", s->rows.top.rows);
  bez_json_kuint(&j, "bytes", s->rows.top.bytes);
  bez_json_kstr(&j, "reader", reader ? bez_trust_principal(vault->trust, bez_signer_public(reader)) : "");
  bez_json_close(&j, '}');
  return bez_answer(&text, json, err);
}

typedef struct delivery {
  bez_vault *vault;
  const bez_snapshot *version;
  const bez_signer *reader;
} delivery;

/* The attempt is in the log before the data have their name: nobody gets what the log does not know of. */
static bez_status record_delivery(void *ctx, bez_error *err) {
  const delivery *d = ctx;
  return bez_vault_record_access(d->vault, "checkout", d->version, d->reader, NULL, "", err);
}

bez_status bez_vault_checkout(bez_vault *vault, const char *version, const char *path, bool replace,
                              const bez_vault_who *reader, unsigned threads, bez_progress_fn progress,
                              void *progress_ctx, char **json, bez_error *err) {
  bez_snapshot s = {0};
  bez_signer *signer = NULL;
  bez_error unsaid = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_snapshot_find(vault, version, &s, err));
  BEZ_TRY(bez_vault_open_reader(vault, "checkout", s.dataset, reader, &signer, err));
  delivery d = {vault, &s, signer};
  const bez_checkout_options options = {.threads = threads,
                                        .replace = replace,
                                        .progress = progress,
                                        .progress_ctx = progress_ctx,
                                        .ready = record_delivery,
                                        .ready_ctx = &d};
  st = bez_checkout(vault->objects, &s.rows, path, &options, err);
  if (st != BEZ_OK) {
    const char *why = err && err->message[0] ? err->message : bez_status_text(st);
    if (bez_vault_record_access(vault, "checkout", &s, signer, why, "", &unsaid) != BEZ_OK) goto cleanup;
    goto cleanup;
  }
  st = answer(vault, &s, path, signer, json, err);
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  bez_snapshot_free(&s);
  return st;
}
