/* Verifier keys, the strict form of notes, and verifying what stands below them. */
#include "crypto/note.h"

#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"

#define STAMPED 72u /* bytes of a cosignature: time, signature */

static bool space(uint32_t cp) {
  return cp <= 0x20 || cp == 0x7F || cp == 0x85 || cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
         cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

static bool name_is_good(const char *name, size_t len) {
  if (!len || len >= BEZ_NOTE_NAME || !bez_utf8_valid(name, len)) return false;
  for (size_t i = 0; i < len;) {
    uint32_t cp = 0;
    i += bez_utf8_decode(name + i, len - i, &cp, NULL);
    if (space(cp) || cp == '+') return false;
  }
  return true;
}

static void hint_of(bez_vkey *key) {
  bez_sha256_state state;
  uint8_t digest[BEZ_SHA256], kind = (uint8_t)key->kind;
  bez_sha256_begin(&state);
  bez_sha256_add(&state, key->name, strlen(key->name));
  bez_sha256_add(&state, "\n", 1);
  bez_sha256_add(&state, &kind, 1);
  bez_sha256_add(&state, key->key, sizeof key->key);
  bez_sha256_end(&state, digest);
  memcpy(key->hint, digest, sizeof key->hint);
}

bez_status bez_vkey_make(const char *name, bez_note_kind kind, const uint8_t key[32], bez_vkey *out, bez_error *err) {
  *out = (bez_vkey){.kind = kind};
  if (!name_is_good(name, strlen(name)))
    return bez_fail(err, BEZ_USAGE, NULL, "no name for a key: it has 1 to %u bytes and neither spaces nor plus signs",
                    BEZ_NOTE_NAME - 1);
  memcpy(out->name, name, strlen(name) + 1);
  memcpy(out->key, key, sizeof out->key);
  hint_of(out);
  return BEZ_OK;
}

bez_status bez_vkey_parse(const char *text, const char *subject, bez_vkey *out, bez_error *err) {
  const char *form = "no verifier key (NAME+HASH+KEY, as C2SP signed-note has it)";
  const char *hash = strchr(text, '+');
  uint8_t raw[33] = {0};
  char digits[9] = "", is[9];
  *out = (bez_vkey){0};
  if (!hash || strlen(hash) < 10 || hash[9] != '+' || !name_is_good(text, (size_t)(hash - text)))
    return bez_fail(err, BEZ_FORMAT, subject, "%s", form);
  memcpy(digits, hash + 1, 8);
  const char *key = hash + 10;
  size_t len = strcspn(key, "\r\n"), size = 0;
  if (strspn(digits, "0123456789abcdef") != 8 || key[len + strspn(key + len, "\r\n")] ||
      !bez_base64_size(key, len, &size) || !size)
    return bez_fail(err, BEZ_FORMAT, subject, "%s", form);
  if (size != sizeof raw || !bez_base64_get(key, len, raw, sizeof raw))
    return bez_fail(err, BEZ_UNSUPPORTED, subject, "a verifier key of another kind than Ed25519");
  if (raw[0] != BEZ_NOTE_ED25519 && raw[0] != BEZ_NOTE_COSIGNATURE)
    return bez_fail(err, BEZ_UNSUPPORTED, subject, "a verifier key of kind %u; those known here are 1 and 4", raw[0]);
  out->kind = (bez_note_kind)raw[0];
  memcpy(out->name, text, (size_t)(hash - text));
  memcpy(out->key, raw + 1, sizeof out->key);
  hint_of(out);
  bez_hex(out->hint, 4, is);
  if (strcmp(digits, is) != 0)
    return bez_fail(err, BEZ_FORMAT, subject, "the verifier key is damaged: its hash is another");
  return BEZ_OK;
}

void bez_vkey_put(const bez_vkey *key, bez_buf *out) {
  char digits[9];
  uint8_t raw[33] = {(uint8_t)key->kind};
  memcpy(raw + 1, key->key, sizeof key->key);
  bez_hex(key->hint, 4, digits);
  bez_buf_printf(out, "%s+%s+", key->name, digits);
  bez_base64_put(out, raw, sizeof raw);
}

bool bez_vkey_same(const bez_vkey *a, const bez_vkey *b) {
  return a->kind == b->kind && !strcmp(a->name, b->name) && !memcmp(a->key, b->key, sizeof a->key);
}

/* One line of signatures: of the form, and the only way to write these bytes. */
static bool line_is_good(const char **at) {
  const char *line = *at, *end = strchr(line, '\n');
  bez_note_signature signature;
  bez_buf again = {0};
  if (!end || !bez_note_next(at, &signature) || *at != end + 1) return false;
  if (!name_is_good(signature.name, signature.name_len)) return false;
  uint8_t raw[4 + BEZ_NOTE_SIGNATURE];
  memcpy(raw, signature.hint, 4);
  memcpy(raw + 4, signature.bytes, signature.len);
  bez_base64_put(&again, raw, 4 + signature.len);
  const char *text = signature.name + signature.name_len + 1;
  bool good = again.data && again.len == (size_t)(end - text) && memcmp(again.data, text, again.len) == 0;
  bez_buf_free(&again);
  return good;
}

bez_status bez_note_check(const char *note, size_t len, const char *subject, bez_error *err) {
  if (strlen(note) != len || !bez_utf8_valid(note, len))
    return bez_fail(err, BEZ_FORMAT, subject, "a signed note is UTF-8; this is not");
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)note[i] < 0x20 && note[i] != '\n')
      return bez_fail_at(err, BEZ_FORMAT, subject, -1, (int64_t)i, "a signed note holds no control characters");
  const char *at = NULL;
  for (const char *next = note; (next = strstr(next, "\n\n")) != NULL; next++) at = next + 2;
  if (!at || !*at) return bez_fail(err, BEZ_FORMAT, subject, "a signed note without signatures");
  while (*at)
    if (!line_is_good(&at)) return bez_fail(err, BEZ_FORMAT, subject, "a line below the note is no signature");
  return BEZ_OK;
}

static bez_status holds(const bez_vkey *key, const void *bytes, size_t len, const uint8_t signature[64], bool *good,
                        bez_error *err) {
  bez_status st = BEZ_OK;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->key, sizeof key->key);
  *good = false;
  if (!ctx || !pkey) {
    st = bez_fail_memory(err, sizeof *key);
  } else {
    *good =
        EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 && EVP_DigestVerify(ctx, signature, 64, bytes, len) == 1;
  }
  EVP_PKEY_free(pkey);
  EVP_MD_CTX_free(ctx);
  return st;
}

static uint64_t be64(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
  return value;
}

/* One signature that bears the key's name and hint. */
static bez_status holds_here(const bez_checkpoint *note, const bez_vkey *key, const bez_note_signature *signature,
                             bool *good, uint64_t *time, bez_error *err) {
  bez_buf signed_text = {0};
  *good = false;
  *time = 0;
  if (key->kind == BEZ_NOTE_ED25519)
    return signature->len == 64 ? holds(key, note->text, note->len, signature->bytes, good, err) : BEZ_OK;
  if (signature->len != STAMPED) return BEZ_OK;
  *time = be64(signature->bytes);
  bez_buf_printf(&signed_text, "cosignature/v1\ntime %llu\n", (unsigned long long)*time);
  bez_buf_write(&signed_text, note->text, note->len);
  bez_status st = bez_buf_status(&signed_text, err);
  if (st == BEZ_OK && *time <= INT64_MAX)
    st = holds(key, signed_text.data, signed_text.len, signature->bytes + 8, good, err);
  bez_buf_free(&signed_text);
  return st;
}

bez_status bez_note_verify(const bez_checkpoint *note, const bez_vkey *key, const char *subject, bool *found,
                           uint64_t *time, bez_error *err) {
  const char *at = note->signatures;
  bez_note_signature signature;
  *found = false;
  while (bez_note_next(&at, &signature)) {
    bool good = false;
    uint64_t when = 0;
    if (signature.name_len != strlen(key->name) || memcmp(signature.name, key->name, signature.name_len) != 0 ||
        memcmp(signature.hint, key->hint, 4) != 0)
      continue;
    bez_status st = holds_here(note, key, &signature, &good, &when, err);
    if (st != BEZ_OK) return st;
    if (!good) return bez_fail(err, BEZ_FORMAT, subject, "the signature of %s does not hold", key->name);
    *found = true;
    if (time) *time = when;
  }
  return BEZ_OK;
}
