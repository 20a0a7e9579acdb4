/* bezoar vault witness cosign and key: being a witness. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/time.h"
#include "bezoar/witness.h"
#include "ledger/witness.h"
#include "vault/answer.h"

/* "…/witness" beside the folder of keys. */
static bez_status default_folder(bez_buf *out, bez_error *err) {
  bez_status st = bez_signer_folder(out, err);
  if (st != BEZ_OK) return st;
  out->len = (size_t)(strrchr(out->data, '/') - out->data);
  bez_buf_puts(out, "/witness");
  return bez_buf_status(out, err);
}

static bez_status answer(const bez_vault_cosign_options *options, const bez_signer *signer, const char *request,
                         const bez_buf *line, char **json, bez_error *err) {
  bez_vkey self;
  bez_checkpoint note;
  bez_buf key = {0}, out = {0};
  bez_status st = BEZ_OK;
  const char *text = strstr(request, "\n\n") + 2;
  BEZ_TRY(bez_vkey_of(options->name, BEZ_NOTE_COSIGNATURE, signer, &self, err));
  BEZ_TRY(bez_checkpoint_parse(text, "request", &note, err));
  bez_vkey_put(&self, &key);
  BEZ_TRY(bez_buf_status(&key, err));
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "witness", options->name);
  bez_json_kstr(&j, "key", key.data);
  bez_json_key(&j, "origin");
  bez_json_strn(&j, note.text, strcspn(note.text, "\n"));
  bez_json_kuint(&j, "size", note.size);
  bez_json_kstr(&j, "cosignature", line->data);
  bez_json_close(&j, '}');
  st = bez_answer(&out, json, err);
cleanup:
  bez_buf_free(&key);
  bez_buf_free(&out);
  return st;
}

bez_status bez_vault_witness_cosign(const char *request, size_t len, const bez_vault_cosign_options *options,
                                    char **json, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_signer *signer = NULL;
  bez_buf folder = {0}, line = {0};
  uint64_t stands = 0;
  if (!options->folder) BEZ_TRY(default_folder(&folder, err));
  BEZ_TRY(bez_signer_open(options->who.key, options->who.password, &signer, err));
  const bez_cosigner cosigner = {.folder = options->folder ? options->folder : folder.data,
                                 .name = options->name,
                                 .signer = signer,
                                 .log_key = options->log_key,
                                 .now = (uint64_t)bez_time_now()};
  BEZ_TRY(bez_witness_cosign(&cosigner, request, len, &line, &stands, err));
  st = answer(options, signer, request, &line, json, err);
cleanup:
  bez_signer_close(signer);
  bez_buf_free(&folder);
  bez_buf_free(&line);
  return st;
}

bez_status bez_vault_witness_key(const char *name, const bez_vault_who *who, char **json, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_signer *signer = NULL;
  bez_vkey self;
  bez_buf key = {0}, out = {0};
  BEZ_TRY(bez_signer_open(who->key, who->password, &signer, err));
  BEZ_TRY(bez_vkey_of(name, BEZ_NOTE_COSIGNATURE, signer, &self, err));
  bez_vkey_put(&self, &key);
  BEZ_TRY(bez_buf_status(&key, err));
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "witness", name);
  bez_json_kstr(&j, "key", key.data);
  bez_json_close(&j, '}');
  st = bez_answer(&out, json, err);
cleanup:
  bez_signer_close(signer);
  bez_buf_free(&key);
  bez_buf_free(&out);
  return st;
}
