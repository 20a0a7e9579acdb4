/* Pre-authentication encoding (secure-systems-lab/dsse, protocol.md). */
#include "crypto/dsse.h"

#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/json_bytes.h"

void bez_dsse_pae(bez_buf *out, const char *type, const void *payload, size_t len) {
  bez_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, len);
  bez_buf_write(out, payload, len);
}

static void put_envelope(bez_json *j, const char *type, const void *payload, size_t len, const void *signature,
                         size_t signature_len, const char *keyid) {
  bez_json_open(j, '{');
  bez_json_kbase64(j, "payload", payload, len);
  bez_json_kstr(j, "payloadType", type);
  bez_json_key(j, "signatures");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kbase64(j, "sig", signature, signature_len);
  bez_json_kstr(j, "keyid", keyid);
  bez_json_close(j, '}');
  bez_json_close(j, ']');
  bez_json_close(j, '}');
}

bez_status bez_dsse_sign(bez_json *j, const char *type, const void *payload, size_t len, const bez_key *key,
                         const char *keyid, bez_error *err) {
  bez_buf to_sign = {0}, signature = {0};
  bez_status st = BEZ_OK;
  bez_dsse_pae(&to_sign, type, payload, len);
  BEZ_TRY(bez_buf_status(&to_sign, err));
  BEZ_TRY(bez_key_sign(key, to_sign.data, to_sign.len, &signature, err));
  put_envelope(j, type, payload, len, signature.data, signature.len, keyid);
  BEZ_TRY(bez_buf_status(j->out, err));
cleanup:
  bez_buf_free(&to_sign);
  bez_buf_free(&signature);
  return st;
}

bez_status bez_dsse_sign_raw(bez_json *j, const char *type, const void *payload, size_t len, const bez_signer *signer,
                             bez_error *err) {
  bez_buf to_sign = {0};
  uint8_t signature[64];
  bez_status st = BEZ_OK;
  bez_dsse_pae(&to_sign, type, payload, len);
  BEZ_TRY(bez_buf_status(&to_sign, err));
  BEZ_TRY(bez_signer_raw(signer, to_sign.data, to_sign.len, signature, err));
  put_envelope(j, type, payload, len, signature, sizeof signature, bez_ssh_key_fingerprint(bez_signer_public(signer)));
  BEZ_TRY(bez_buf_status(j->out, err));
cleanup:
  bez_buf_free(&to_sign);
  return st;
}

/* Whether any signature is any key's. */
static bez_status any_holds(const json_t *signatures, bez_ssh_key *const *keys, size_t n_keys, const bez_buf *signed_,
                            const char *subject, bool *good, bez_error *err) {
  size_t i;
  json_t *item;
  *good = false;
  json_array_foreach(signatures, i, item) {
    uint8_t signature[64];
    const char *text = bez_json_text(item, "sig");
    if (!bez_base64_get(text, strlen(text), signature, sizeof signature)) continue;
    for (size_t k = 0; k < n_keys && !*good; k++) {
      uint8_t ed25519[32];
      if (!bez_ssh_key_ed25519(keys[k], ed25519)) continue;
      bez_status st = bez_ssh_key_verify_raw(keys[k], signed_->data, signed_->len, signature, good, err);
      if (st != BEZ_OK) return st;
    }
  }
  return *good ? BEZ_OK : bez_fail(err, BEZ_FORMAT, subject, "no signature of the envelope holds");
}

bez_status bez_dsse_open_raw(const json_t *envelope, const char *type, bez_ssh_key *const *keys, size_t n_keys,
                             const char *subject, bez_buf *payload, bez_error *err) {
  bez_arena arena = {0};
  bez_bytes bytes = {0};
  bez_buf to_sign = {0};
  bool good;
  bez_status st = BEZ_OK;
  if (strcmp(bez_json_text(envelope, "payloadType"), type) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "the envelope holds something else than %s", type));
  BEZ_TRY(bez_json_bytes(&arena, json_object_get(envelope, "payload"), subject, "payload", &bytes, err));
  bez_dsse_pae(&to_sign, type, bytes.data, bytes.len);
  BEZ_TRY(bez_buf_status(&to_sign, err));
  BEZ_TRY(any_holds(json_object_get(envelope, "signatures"), keys, n_keys, &to_sign, subject, &good, err));
  bez_buf_clear(payload);
  bez_buf_write(payload, bytes.data, bytes.len);
  BEZ_TRY(bez_buf_status(payload, err));
cleanup:
  bez_buf_free(&to_sign);
  bez_arena_free(&arena);
  return st;
}
