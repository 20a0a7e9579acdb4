#include "crypto/trusted_root.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "crypto/json_bytes.h"

enum { MAX_ITEMS = 256, MAX_CERTIFICATES = 16 };

typedef struct root_reader {
  bez_trusted_root *root;
  const json_t *document;
  const char *subject;
} root_reader;

/* ---- times --------------------------------------------------------------------------------------------------------
 */

static bool digits(const char *text, int n, int *out) {
  *out = 0;
  for (int i = 0; i < n; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    *out = *out * 10 + (text[i] - '0');
  }
  return true;
}

/* Days since 1970-01-01 in the Gregorian calendar, counted from March so that leap days come last. */
static int64_t days(int year, int month, int day) {
  const int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

/* "2022-12-31T23:59:59.999Z" (RFC 3339 in UTC), fractions cut off. */
static bool time_of(const char *text, int64_t *out) {
  static const int widths[] = {4, 2, 2, 2, 2, 2};
  static const char behind[] = "--T::";
  int part[6];
  for (int i = 0; i < 6; i++) {
    if (!digits(text, widths[i], &part[i])) return false;
    text += widths[i];
    if (i < 5 && *text++ != behind[i]) return false;
  }
  if (*text == '.') text += 1 + strspn(text + 1, "0123456789");
  if (strcmp(text, "Z") != 0 || part[1] < 1 || part[1] > 12 || part[2] < 1 || part[2] > 31) return false;
  if (part[3] > 23 || part[4] > 59 || part[5] > 60) return false;
  *out = days(part[0], part[1], part[2]) * 86400 + part[3] * 3600 + part[4] * 60 + part[5];
  return true;
}

/* Without an end something is valid until it is taken out of the root. */
static bez_status read_validity(const root_reader *r, const json_t *valid, int64_t *from, int64_t *until,
                                bez_error *err) {
  const char *start = bez_json_text(valid, "start"), *end = bez_json_text(valid, "end");
  *from = INT64_MIN + 1;
  *until = INT64_MAX;
  if ((*start && !time_of(start, from)) || (*end && !time_of(end, until)))
    return bez_fail(err, BEZ_FORMAT, r->subject, "the trusted root has a time that is none");
  return BEZ_OK;
}

/* ---- items --------------------------------------------------------------------------------------------------------
 */

static bez_status read_authority(const root_reader *r, const json_t *item, bez_authority *out, bez_error *err) {
  const json_t *list = json_object_get(json_object_get(item, "certChain"), "certificates");
  size_t n = json_array_size(list);
  if (!n || n > MAX_CERTIFICATES)
    return bez_fail(err, BEZ_FORMAT, r->subject, "an authority of the trusted root has %zu certificates", n);
  bez_bytes *items = bez_arena_array(&r->root->arena, n, sizeof *items);
  if (!items) return bez_fail_memory(err, n * sizeof *items);
  for (size_t i = 0; i < n; i++) {
    const json_t *raw = json_object_get(json_array_get(list, i), "rawBytes");
    bez_status st = bez_json_bytes(&r->root->arena, raw, r->subject, "authority's certificate", &items[i], err);
    if (st != BEZ_OK) return st;
  }
  *out = (bez_authority){.certificates = items, .n = n};
  return read_validity(r, json_object_get(item, "validFor"), &out->from, &out->until, err);
}

static bez_status read_log(const root_reader *r, const json_t *item, bez_log *out, bez_error *err) {
  const json_t *key = json_object_get(item, "publicKey");
  const json_t *id = json_object_get(json_object_get(item, "logId"), "keyId");
  bez_bytes raw = {0};
  bez_status st = bez_json_digest(id, out->id, sizeof out->id, r->subject, "log's id", err);
  if (st == BEZ_OK) st = read_validity(r, json_object_get(key, "validFor"), &out->from, &out->until, err);
  if (st == BEZ_OK)
    st = bez_json_bytes(&r->root->arena, json_object_get(key, "rawBytes"), r->subject, "log's key", &raw, err);
  if (st != BEZ_OK) return st;
  const unsigned char *at = raw.data;
  out->url = bez_arena_strdup(&r->root->arena, bez_json_text(item, "baseUrl"));
  if (!out->url) return bez_fail_memory(err, 1);
  out->key = d2i_PUBKEY(NULL, &at, (long)raw.len);
  ERR_clear_error();
  return BEZ_OK;
}

/* The list under a key; its length is checked. */
static bez_status list_of(const root_reader *r, const char *key, const json_t **out, size_t *n, bez_error *err) {
  *out = json_object_get(r->document, key);
  *n = json_array_size(*out);
  if (*n > MAX_ITEMS) return bez_fail(err, BEZ_LIMIT, r->subject, "the trusted root has %zu %s", *n, key);
  return BEZ_OK;
}

static bez_status read_authorities(const root_reader *r, const char *key, bez_authority **out, size_t *n_out,
                                   bez_error *err) {
  const json_t *list;
  size_t n;
  bez_status st = list_of(r, key, &list, &n, err);
  if (st != BEZ_OK) return st;
  *out = bez_arena_array(&r->root->arena, n, sizeof **out);
  if (!*out) return bez_fail_memory(err, n * sizeof **out);
  for (size_t i = 0; i < n && st == BEZ_OK; i++) {
    st = read_authority(r, json_array_get(list, i), &(*out)[i], err);
    if (st == BEZ_OK) ++*n_out;
  }
  return st;
}

static bez_status read_logs(const root_reader *r, const char *key, bez_log **out, size_t *n_out, bez_error *err) {
  const json_t *list;
  size_t n;
  bez_status st = list_of(r, key, &list, &n, err);
  if (st != BEZ_OK) return st;
  *out = bez_arena_array(&r->root->arena, n, sizeof **out);
  if (!*out) return bez_fail_memory(err, n * sizeof **out);
  for (size_t i = 0; i < n && st == BEZ_OK; i++) {
    st = read_log(r, json_array_get(list, i), &(*out)[*n_out], err);
    if (st == BEZ_OK && (*out)[*n_out].key) ++*n_out;
  }
  return st;
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */

static bez_status read_root(const root_reader *r, bez_error *err) {
  bez_trusted_root *root = r->root;
  bez_status st = BEZ_OK;
  const char *type = bez_json_text(r->document, "mediaType");
  if (strncmp(type, "application/vnd.dev.sigstore.trustedroot", 40) != 0)
    return bez_fail(err, BEZ_FORMAT, r->subject, "is no trusted root of Sigstore: its media type is \"%.100s\"", type);
  BEZ_TRY(read_authorities(r, "certificateAuthorities", &root->authorities, &root->n_authorities, err));
  BEZ_TRY(read_authorities(r, "timestampAuthorities", &root->stampers, &root->n_stampers, err));
  BEZ_TRY(read_logs(r, "tlogs", &root->logs, &root->n_logs, err));
  BEZ_TRY(read_logs(r, "ctlogs", &root->certificate_logs, &root->n_certificate_logs, err));
cleanup:
  return st;
}

bez_status bez_trusted_root_parse(const char *bytes, size_t len, const char *subject, bez_trusted_root *out,
                                  bez_error *err) {
  json_t *document = NULL;
  *out = (bez_trusted_root){0};
  if (len > BEZ_MAX_BUNDLE) return bez_fail(err, BEZ_LIMIT, subject, "a trusted root above %u bytes", BEZ_MAX_BUNDLE);
  bez_status st = bez_json_parse(bytes, len, subject, &document, err);
  root_reader r = {.root = out, .document = document, .subject = subject};
  if (st == BEZ_OK) st = read_root(&r, err);
  json_decref(document);
  if (st != BEZ_OK) bez_trusted_root_free(out);
  return st;
}

bez_status bez_trusted_root_read(const char *path, bez_trusted_root *out, bez_error *err) {
  bez_buf text = {0};
  *out = (bez_trusted_root){0};
  bez_status st = bez_file_read(path, BEZ_MAX_BUNDLE, &text, err);
  if (st == BEZ_OK) st = bez_trusted_root_parse(text.data ? text.data : "", text.len, path, out, err);
  bez_buf_free(&text);
  return st;
}

void bez_trusted_root_free(bez_trusted_root *root) {
  for (size_t i = 0; i < root->n_logs; i++) EVP_PKEY_free(root->logs[i].key);
  for (size_t i = 0; i < root->n_certificate_logs; i++) EVP_PKEY_free(root->certificate_logs[i].key);
  bez_arena_free(&root->arena);
  *root = (bez_trusted_root){0};
}

const bez_log *bez_log_find(const bez_log *logs, size_t n, const uint8_t id[32], int64_t at) {
  for (size_t i = 0; i < n; i++)
    if (!memcmp(logs[i].id, id, 32) && (at == INT64_MIN || (at >= logs[i].from && at <= logs[i].until)))
      return &logs[i];
  return NULL;
}

bool bez_log_signed(const bez_log *log, const void *bytes, size_t len, const uint8_t *signature, size_t signature_len) {
  const bool plain = EVP_PKEY_is_a(log->key, "ED25519"); /* hashes by itself */
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  bool good = md && EVP_DigestVerifyInit_ex(md, NULL, plain ? NULL : "SHA256", NULL, NULL, log->key, NULL) == 1 &&
              EVP_DigestVerify(md, signature, signature_len, bytes, len) == 1;
  EVP_MD_CTX_free(md);
  ERR_clear_error();
  return good;
}
