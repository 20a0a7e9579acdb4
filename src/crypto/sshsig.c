/* SSHSIG (OpenSSH, PROTOCOL.sshsig): what is signed is not the message but the namespace and the message's digest. */
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "crypto/ssh_key.h"

#define KIND "SSH SIGNATURE"
#define SUBJECT "signature"

/* Appends what is signed. hash: "sha256", "sha512". */
static bez_status put_signed(bez_buf *out, const char *name_space, const char *hash, const void *bytes, size_t len,
                             bez_error *err) {
  uint8_t digest[BEZ_DIGEST_MOST];
  const bez_digest_kind kind = bez_digest_named(hash);
  bez_status st = bez_digest_bytes(kind, bytes, len, digest, err);
  if (st != BEZ_OK) return st;
  bez_buf_puts(out, "SSHSIG");
  bez_ssh_put_text(out, name_space);
  bez_ssh_put(out, "", 0); /* reserved */
  bez_ssh_put_text(out, hash);
  bez_ssh_put(out, digest, bez_digest_size(kind));
  return bez_buf_status(out, err);
}

bez_status bez_sshsig_sign(const bez_signer *signer, const char *name_space, const void *bytes, size_t len,
                           bez_buf *armored, bez_error *err) {
  bez_buf message = {0}, blob = {0}, signature = {0};
  const uint8_t *key;
  size_t key_len;
  uint8_t raw[64];
  bez_status st = BEZ_OK;
  BEZ_TRY(put_signed(&message, name_space, "sha512", bytes, len, err));
  BEZ_TRY(bez_signer_raw(signer, message.data, message.len, raw, err));
  bez_ssh_put_text(&signature, BEZ_SSH_ED25519);
  bez_ssh_put(&signature, raw, sizeof raw);
  BEZ_TRY(bez_buf_status(&signature, err));
  bez_ssh_key_blob(bez_signer_public(signer), &key, &key_len);
  bez_buf_puts(&blob, "SSHSIG");
  bez_ssh_put_u32(&blob, 1);
  bez_ssh_put(&blob, key, key_len);
  bez_ssh_put_text(&blob, name_space);
  bez_ssh_put(&blob, "", 0);
  bez_ssh_put_text(&blob, "sha512");
  bez_ssh_put(&blob, signature.data, signature.len);
  BEZ_TRY(bez_buf_status(&blob, err));
  bez_ssh_armor(armored, KIND, blob.data, blob.len);
  BEZ_TRY(bez_buf_status(armored, err));
cleanup:
  bez_buf_free(&message);
  bez_buf_free(&blob);
  bez_buf_free(&signature);
  return st;
}

typedef struct parts {
  const uint8_t *key, *name, *hash, *signature;
  size_t key_len, name_len, hash_len, signature_len;
} parts;

static bool take_parts(const bez_buf *blob, parts *p) {
  bez_cursor c = {(const uint8_t *)blob->data, blob->len, 0};
  const uint8_t *magic, *reserved;
  size_t reserved_len;
  uint32_t version;
  return bez_cursor_take(&c, 6, &magic) && !memcmp(magic, "SSHSIG", 6) && bez_ssh_take_u32(&c, &version) &&
         version == 1 && bez_ssh_take(&c, &p->key, &p->key_len) && bez_ssh_take(&c, &p->name, &p->name_len) &&
         bez_ssh_take(&c, &reserved, &reserved_len) && !reserved_len && bez_ssh_take(&c, &p->hash, &p->hash_len) &&
         bez_ssh_take(&c, &p->signature, &p->signature_len) && !bez_cursor_left(&c);
}

static bool is_text(const uint8_t *bytes, size_t len, const char *text) {
  return len == strlen(text) && !memcmp(bytes, text, len);
}

static bez_status verify_parts(const parts *p, const char *name_space, const void *bytes, size_t len, bez_ssh_key **out,
                               bez_error *err) {
  const char *hash = is_text(p->hash, p->hash_len, "sha512")   ? "sha512"
                     : is_text(p->hash, p->hash_len, "sha256") ? "sha256"
                                                               : NULL;
  bez_buf message = {0};
  bez_ssh_key *key = NULL;
  bool good = false;
  bez_status st = BEZ_OK;
  if (!is_text(p->name, p->name_len, name_space))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "was made for another namespace than %s", name_space));
  if (!hash) BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "uses another digest than SHA-256 or SHA-512"));
  BEZ_TRY(bez_ssh_key_from_blob(p->key, p->key_len, NULL, SUBJECT, &key, err));
  BEZ_TRY(put_signed(&message, name_space, hash, bytes, len, err));
  BEZ_TRY(bez_ssh_key_verify(key, p->signature, p->signature_len, message.data, message.len, &good, err));
  if (!good)
    BEZ_TRY(
        bez_fail(err, BEZ_FORMAT, SUBJECT, "does not hold: %s did not sign these bytes", bez_ssh_key_fingerprint(key)));
  *out = key;
  key = NULL;
cleanup:
  bez_buf_free(&message);
  bez_ssh_key_free(key);
  return st;
}

bez_status bez_sshsig_verify(const char *armored, size_t armored_len, const char *name_space, const void *bytes,
                             size_t len, bez_ssh_key **key, bez_error *err) {
  bez_buf blob = {0};
  size_t used = 0;
  parts p;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_ssh_unarmor(armored, armored_len, KIND, SUBJECT, &blob, &used, err));
  for (size_t i = used; i < armored_len; i++)
    if (!strchr(" \t\r\n", armored[i]) || !armored[i])
      BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "is followed by other bytes"));
  if (!take_parts(&blob, &p)) BEZ_TRY(bez_fail(err, BEZ_FORMAT, SUBJECT, "is no SSHSIG of version 1"));
  BEZ_TRY(verify_parts(&p, name_space, bytes, len, key, err));
cleanup:
  bez_buf_free(&blob);
  return st;
}
