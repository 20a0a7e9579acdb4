/* The vault's configuration: what never changes and is bound by the log's first entry. */
#include "vault/config.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "crypto/sha256.h"

#define MOST_BYTES 4096u

void bez_config_free(bez_config *config) {
  free(config->origin);
  free(config->log_key);
  free(config->fingerprint);
  *config = (bez_config){0};
}

/* "SHA256:" and the base64 of SHA-256 over the public key as SSH sends it, without padding (RFC 4253, 6.6). */
static char *fingerprint_of(const uint8_t public_key[32]) {
  static const uint8_t head[] = {0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, 32};
  uint8_t wire[sizeof head + 32], sum[32];
  bez_buf text = {0};
  memcpy(wire, head, sizeof head);
  memcpy(wire + sizeof head, public_key, 32);
  bez_sha256(wire, sizeof wire, sum);
  bez_buf_puts(&text, "SHA256:");
  bez_base64_put(&text, sum, sizeof sum);
  if (text.failed != BEZ_OK) bez_buf_free(&text);
  while (text.data && text.len && text.data[text.len - 1] == '=') text.data[--text.len] = '\0';
  return text.data;
}

static uint64_t le64(const uint8_t bytes[8]) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 8; i++) value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static bez_status take_members(const json_t *root, const char *path, bez_config *out, bez_error *err) {
  const char *origin = json_string_value(json_object_get(root, "origin"));
  const char *log_key = json_string_value(json_object_get(root, "log_key"));
  const char *cut = json_string_value(json_object_get(root, "cut_key"));
  uint8_t key[16];
  bez_vkey vkey;
  if (json_integer_value(json_object_get(root, "format")) != 1)
    return bez_fail(err, BEZ_UNSUPPORTED, path, "a vault of another format than 1");
  if (!origin || !*origin || !log_key || !cut || strlen(cut) != 32 || !bez_unhex(cut, key, sizeof key))
    return bez_fail(err, BEZ_FORMAT, path, "no configuration of a vault");
  bez_status st = bez_vkey_parse(log_key, path, &vkey, err);
  if (st != BEZ_OK) return st;
  out->origin = strdup(origin);
  out->log_key = strdup(log_key);
  out->fingerprint = fingerprint_of(vkey.key);
  out->cut = (bez_sipkey){.k0 = le64(key), .k1 = le64(key + 8)};
  return out->origin && out->log_key && out->fingerprint ? BEZ_OK : bez_fail_memory(err, MOST_BYTES);
}

bez_status bez_config_parse(const char *bytes, size_t len, const char *path, bez_config *out, bez_error *err) {
  json_t *root = NULL;
  bez_status st = BEZ_OK;
  bez_sha256(bytes, len, out->sha256);
  BEZ_TRY(bez_json_parse(bytes, len, path, &root, err));
  BEZ_TRY(take_members(root, path, out, err));
cleanup:
  if (st != BEZ_OK) bez_config_free(out);
  json_decref(root);
  return st;
}

bez_status bez_config_read(const char *folder, bez_config *out, bez_error *err) {
  char path[4096];
  bez_buf bytes = {0};
  bez_status st = BEZ_OK;
  if (snprintf(path, sizeof path, "%s/config", folder) >= (int)sizeof path)
    return bez_fail(err, BEZ_USAGE, folder, "the path is too long");
  st = bez_file_read(path, MOST_BYTES, &bytes, err);
  if (st == BEZ_OK) st = bez_config_parse(bytes.data ? bytes.data : "", bytes.len, path, out, err);
  bez_buf_free(&bytes);
  return st;
}

bez_status bez_config_make(const char *folder, const uint8_t public_key[32], bez_config *out, bez_error *err) {
  char path[4096], origin[64], cut[33], digits[17];
  uint8_t drawn[24];
  bez_buf text = {0}, key_text = {0};
  bez_vkey key;
  bez_status st = BEZ_OK;
  if (RAND_bytes(drawn, sizeof drawn) != 1) return bez_fail(err, BEZ_IO, folder, "no random numbers");
  bez_hex(drawn, 8, digits);
  bez_hex(drawn + 8, 16, cut);
  snprintf(origin, sizeof origin, "bezoar-vault/%s", digits);
  snprintf(path, sizeof path, "%s/config", folder);
  BEZ_TRY(bez_vkey_make(origin, BEZ_NOTE_ED25519, public_key, &key, err));
  bez_vkey_put(&key, &key_text);
  BEZ_TRY(bez_buf_status(&key_text, err));
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kuint(&j, "format", 1);
  bez_json_kstr(&j, "origin", origin);
  bez_json_kstr(&j, "log_key", key_text.data);
  bez_json_kstr(&j, "cut_key", cut);
  bez_json_close(&j, '}');
  bez_buf_putc(&text, '\n');
  BEZ_TRY(bez_buf_status(&text, err));
  BEZ_TRY(bez_file_write(path, text.data, text.len, err));
  BEZ_TRY(bez_config_read(folder, out, err));
cleanup:
  bez_buf_free(&text);
  bez_buf_free(&key_text);
  return st;
}
