/* Signing notes. */
#include "crypto/note.h"

#include <string.h>

#include "base/base64.h"
#include "base/error.h"

bez_status bez_vkey_of(const char *name, bez_note_kind kind, const bez_signer *signer, bez_vkey *out, bez_error *err) {
  uint8_t key[32];
  if (!bez_ssh_key_ed25519(bez_signer_public(signer), key))
    return bez_fail(err, BEZ_UNSUPPORTED, NULL, "notes are signed with Ed25519 keys; %s is another",
                    bez_ssh_key_fingerprint(bez_signer_public(signer)));
  return bez_vkey_make(name, kind, key, out, err);
}

bez_status bez_note_sign(const char *text, size_t len, const bez_vkey *key, uint64_t time, const bez_signer *signer,
                         bez_buf *out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf all = {0};
  uint8_t raw[4 + 8 + 64], *signature = raw + 4;
  memcpy(raw, key->hint, 4);
  if (key->kind == BEZ_NOTE_COSIGNATURE) {
    for (int i = 0; i < 8; i++) *signature++ = (uint8_t)(time >> (56 - 8 * i));
    bez_buf_printf(&all, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
  }
  bez_buf_write(&all, text, len);
  BEZ_TRY(bez_buf_status(&all, err));
  BEZ_TRY(bez_signer_raw(signer, all.data, all.len, signature, err));
  bez_buf_printf(out, "\xE2\x80\x94 %s ", key->name);
  bez_base64_put(out, raw, (size_t)(signature + 64 - raw));
  bez_buf_putc(out, '\n');
  st = bez_buf_status(out, err);
cleanup:
  bez_buf_free(&all);
  return st;
}
