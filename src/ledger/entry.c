/* Entries: a line of JSON and the signatures over it. */
#include "ledger/entry.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "ledger/log.h"

#define NONCE 16u
#define MAX_SIGNATURES 16u
#define BEGIN "-----BEGIN SSH SIGNATURE-----\n"
#define END "\n-----END SSH SIGNATURE-----\n"

bez_status bez_entry_begin(bez_json *j, const char *type, const char *origin, int64_t now, bez_error *err) {
  uint8_t nonce[NONCE];
  char time[BEZ_TIME_TEXT], hex[2 * NONCE + 1];
  if (RAND_bytes(nonce, sizeof nonce) != 1) return bez_fail(err, BEZ_INTERNAL, NULL, "OpenSSL gives no random bytes");
  bez_hex(nonce, sizeof nonce, hex);
  bez_time_text(now ? now : bez_time_now(), time);
  bez_json_open(j, '{');
  bez_json_kstr(j, "type", type);
  bez_json_kstr(j, "vault", origin);
  bez_json_kstr(j, "time", time);
  bez_json_kstr(j, "nonce", hex);
  return BEZ_OK;
}

static bez_status check_size(const bez_buf *entry, bez_error *err) {
  bez_status st = bez_buf_status(entry, err);
  if (st != BEZ_OK) return st;
  if (entry->len <= BEZ_MAX_ENTRY) return BEZ_OK;
  return bez_fail(err, BEZ_LIMIT, "entry", "%zu bytes, and an entry has at most %u", entry->len, BEZ_MAX_ENTRY);
}

bez_status bez_entry_sign(const char *line, size_t len, const bez_signer *const *signers, size_t n, bez_buf *out,
                          bez_error *err) {
  bez_status st = BEZ_OK;
  bez_buf_clear(out);
  bez_buf_write(out, line, len);
  if (!len || line[len - 1] != '\n') bez_buf_putc(out, '\n');
  BEZ_TRY(check_size(out, err));
  for (size_t i = 0; i < n; i++) BEZ_TRY(bez_entry_cosign(out, signers[i], err));
cleanup:
  return st;
}

bez_status bez_entry_cosign(bez_buf *entry, const bez_signer *signer, bez_error *err) {
  const char *end = entry->data ? memchr(entry->data, '\n', entry->len) : NULL;
  bez_buf armor = {0};
  bez_status st = BEZ_OK;
  if (!end) return bez_fail(err, BEZ_FORMAT, "entry", "has no line to be signed");
  BEZ_TRY(bez_sshsig_sign(signer, BEZ_VAULT_NAMESPACE, entry->data, (size_t)(end + 1 - entry->data), &armor, err));
  bez_buf_write(entry, armor.data, armor.len);
  BEZ_TRY(check_size(entry, err));
cleanup:
  bez_buf_free(&armor);
  return st;
}

void bez_entry_free(bez_entry *entry) {
  for (size_t i = 0; i < entry->n_keys; i++) bez_ssh_key_free(entry->keys[i]);
  free(entry->keys);
  json_decref(entry->body);
  *entry = (bez_entry){0};
}

const char *bez_entry_text(const bez_entry *entry, const char *key) {
  const char *text = json_string_value(json_object_get(entry->body, key));
  return text ? text : "";
}

static bool is_nonce(const char *text) {
  return strlen(text) == 2 * NONCE && strspn(text, "0123456789abcdef") == 2 * NONCE;
}

static bez_status read_line(const char *line, size_t len, const char *subject, bez_entry *out, bez_error *err) {
  uint8_t digest[BEZ_DIGEST_MOST];
  for (size_t i = 0; i + 1 < len; i++) /* one line, so that what is signed is what is seen */
    if ((unsigned char)line[i] < 0x20) return bez_fail(err, BEZ_FORMAT, subject, "has a control character in its line");
  bez_status st = bez_json_parse(line, len, subject, &out->body, err);
  if (st != BEZ_OK) return st;
  out->type = bez_entry_text(out, "type");
  out->origin = bez_entry_text(out, "vault");
  out->time = bez_entry_text(out, "time");
  if (!*out->type || !*out->origin || !is_nonce(bez_entry_text(out, "nonce")))
    return bez_fail(err, BEZ_FORMAT, subject, "is no entry: type, vault or nonce is missing or malformed");
  if (strlen(out->time) != 20 || !bez_time_parse(out->time, &out->seconds))
    return bez_fail(err, BEZ_FORMAT, subject, "is no entry: its time is not as in 2026-01-31T12:00:00Z");
  st = bez_digest_bytes(BEZ_DIGEST_SHA256, line, len, digest, err);
  memcpy(out->id.bytes, digest, BEZ_ID);
  return st;
}

/* The next signature's length, its armor and nothing else; 0: malformed. */
static size_t armor_length(const char *text, size_t len) {
  if (len < sizeof BEGIN - 1 || memcmp(text, BEGIN, sizeof BEGIN - 1) != 0) return 0;
  const char *end = memmem(text, len, END, sizeof END - 1);
  return end ? (size_t)(end - text) + sizeof END - 1 : 0;
}

static bez_status take_key(bez_entry *entry, bez_ssh_key *key, const char *subject, bez_error *err) {
  for (size_t i = 0; i < entry->n_keys; i++)
    if (bez_ssh_key_same(entry->keys[i], key)) {
      bez_ssh_key_free(key);
      return bez_fail(err, BEZ_FORMAT, subject, "is signed twice by one key");
    }
  entry->keys[entry->n_keys++] = key;
  return BEZ_OK;
}

/* verify false: only their shape. */
static bez_status read_signatures(const char *line, size_t line_len, const char *at, const char *end, bool verify,
                                  const char *subject, bez_entry *out, bez_error *err) {
  out->keys = calloc(MAX_SIGNATURES, sizeof *out->keys);
  if (!out->keys) return bez_fail_memory(err, MAX_SIGNATURES * sizeof *out->keys);
  for (unsigned n = 0; at < end; n++) {
    const size_t len = armor_length(at, (size_t)(end - at));
    if (!len || n == MAX_SIGNATURES)
      return bez_fail(err, BEZ_FORMAT, subject, len ? "has more than 16 signatures" : "has a malformed signature");
    bez_error why = {0};
    bez_ssh_key *key = NULL;
    bez_status st = verify ? bez_sshsig_verify(at, len, BEZ_VAULT_NAMESPACE, line, line_len, &key, &why) : BEZ_OK;
    if (st != BEZ_OK) {
      bez_error_set(err, st, subject, -1, -1, "signature %u %s", n + 1, why.message);
      return st;
    }
    if (verify) st = take_key(out, key, subject, err);
    if (st != BEZ_OK) return st;
    at += len;
  }
  return BEZ_OK;
}

static bez_status read_entry(const char *text, size_t len, bool verify, const char *subject, bez_entry *out,
                             bez_error *err) {
  const char *end = len ? memchr(text, '\n', len) : NULL;
  bez_status st = BEZ_OK;
  *out = (bez_entry){0};
  if (len > BEZ_MAX_ENTRY) return bez_fail(err, BEZ_LIMIT, subject, "has more than %u bytes", BEZ_MAX_ENTRY);
  if (!end || *text != '{') return bez_fail(err, BEZ_FORMAT, subject, "does not begin with a line of JSON");
  const size_t line_len = (size_t)(end + 1 - text);
  BEZ_TRY(read_line(text, line_len, subject, out, err));
  BEZ_TRY(read_signatures(text, line_len, end + 1, text + len, verify, subject, out, err));
cleanup:
  if (st != BEZ_OK) bez_entry_free(out);
  return st;
}

bez_status bez_entry_parse(const void *bytes, size_t len, const char *subject, bez_entry *out, bez_error *err) {
  return read_entry(bytes, len, true, subject, out, err);
}

bez_status bez_entry_peek(const void *bytes, size_t len, const char *subject, bez_entry *out, bez_error *err) {
  return read_entry(bytes, len, false, subject, out, err);
}
