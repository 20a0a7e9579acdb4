/* Pre-authentication encoding (secure-systems-lab/dsse, protocol.md). */
#include "crypto/dsse.h"

#include <string.h>

#include "base/error.h"
#include "crypto/json_bytes.h"

void bez_dsse_pae(bez_buf *out, const char *type, const void *payload, size_t len) {
  bez_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, len);
  bez_buf_write(out, payload, len);
}

static void put_envelope(bez_json *j, const char *type, const void *payload, size_t len, const bez_buf *signature,
                         const char *keyid) {
  bez_json_open(j, '{');
  bez_json_kbase64(j, "payload", payload, len);
  bez_json_kstr(j, "payloadType", type);
  bez_json_key(j, "signatures");
  bez_json_open(j, '[');
  bez_json_open(j, '{');
  bez_json_kbase64(j, "sig", signature->data, signature->len);
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
  put_envelope(j, type, payload, len, &signature, keyid);
  BEZ_TRY(bez_buf_status(j->out, err));
cleanup:
  bez_buf_free(&to_sign);
  bez_buf_free(&signature);
  return st;
}
