/* bezoar vault checkpoint: the head, signed. */
#include <string.h>

#include "base/error.h"
#include "bezoar/witness.h"
#include "crypto/digest.h"
#include "vault/answer.h"
#include "vault/witness_list.h"

static bez_status sign(bez_vault *vault, const bez_vault_who *who, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_signer *signer = NULL;
  const bez_vault_who log = {.key = who && who->key ? who->key : vault->log_fingerprint,
                             .password = who ? who->password : NULL};
  BEZ_TRY(bez_vault_lock(vault, err));
  if (bez_log_size(vault->log) != bez_log_signed_size(vault->log)) {
    st = bez_signer_open(log.key, log.password, &signer, err);
    if (st == BEZ_OK) st = bez_log_sign(vault->log, signer, err);
  }
  bez_vault_unlock(vault);
cleanup:
  bez_signer_close(signer);
  return st;
}

static bez_status put_cosigned(bez_json *j, bez_vault *vault, const char *text, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_witness_list list = {0};
  bez_checkpoint note;
  BEZ_TRY(bez_witness_list_read(vault, &list, err));
  BEZ_TRY(bez_checkpoint_parse(text, "checkpoint", &note, err));
  bez_json_key(j, "cosigned");
  bez_json_open(j, '[');
  for (size_t i = 0; i < list.n; i++) {
    bool found = false;
    BEZ_TRY(bez_note_verify(&note, &list.keys[i], "checkpoint", &found, NULL, err));
    if (found) bez_json_str(j, list.keys[i].name);
  }
  bez_json_close(j, ']');
cleanup:
  bez_witness_list_free(&list);
  return st;
}

bez_status bez_vault_checkpoint(bez_vault *vault, const bez_vault_who *who, char **json, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf note = {0}, out = {0};
  uint8_t root[BEZ_MERKLE_HASH];
  char hex[2 * BEZ_MERKLE_HASH + 1];
  BEZ_TRY(sign(vault, who, err));
  BEZ_TRY(bez_log_checkpoint(vault->log, &note, err));
  BEZ_TRY(bez_log_root_at(vault->log, bez_log_signed_size(vault->log), root, err));
  bez_hex(root, sizeof root, hex);
  bez_json j = bez_json_make(&out, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "origin", vault->origin);
  bez_json_kstr(&j, "key", vault->vkey);
  bez_json_kuint(&j, "size", bez_log_signed_size(vault->log));
  bez_json_kstr(&j, "root", hex);
  bez_json_kstr(&j, "checkpoint", note.data);
  BEZ_TRY(put_cosigned(&j, vault, note.data, err));
  bez_json_close(&j, '}');
  st = bez_answer(&out, json, err);
cleanup:
  bez_buf_free(&note);
  bez_buf_free(&out);
  return st;
}
