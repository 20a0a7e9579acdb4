/* Public keys: text and blob in, an OpenSSL key out. One key has one blob: encodings that could be shorter are refused,
 * so that fingerprints name keys. */
#include "crypto/ssh_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "crypto/digest.h"

#define MAX_BLOB 16384u
#define MAX_PUBLIC_FILE (1u << 20)
#define MAX_COMMENT 1024u
enum { RSA_LEAST = 2048, RSA_MOST = 16384, EXPONENT_MOST = 8 /* bytes */ };

typedef struct kind {
  const char *type, *curve, *group; /* curve: as SSH calls it */
  const char *digest;               /* that goes with the curve */
  size_t point;                     /* bytes, uncompressed */
} kind;

static const kind kinds[] = {{BEZ_SSH_ED25519},
                             {"ecdsa-sha2-nistp256", "nistp256", "prime256v1", "SHA256", 65},
                             {"ecdsa-sha2-nistp384", "nistp384", "secp384r1", "SHA384", 97},
                             {"ecdsa-sha2-nistp521", "nistp521", "secp521r1", "SHA512", 133},
                             {"ssh-rsa"}};

struct bez_ssh_key {
  EVP_PKEY *pkey;
  const kind *kind;
  uint8_t *blob;
  size_t blob_len;
  char *line, *comment;
  char fingerprint[52]; /* "SHA256:" and 43 digits */
};

void bez_ssh_key_free(bez_ssh_key *key) {
  if (!key) return;
  EVP_PKEY_free(key->pkey);
  free(key->blob);
  free(key->line);
  free(key->comment);
  free(key);
}

static const kind *kind_named(const uint8_t *name, size_t len) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strlen(kinds[i].type) == len && !memcmp(kinds[i].type, name, len)) return &kinds[i];
  return NULL;
}

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build) {
  EVP_PKEY *pkey = NULL;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
  OSSL_PARAM *params = build ? OSSL_PARAM_BLD_to_param(build) : NULL;
  if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1 ||
      EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
    pkey = NULL;
  OSSL_PARAM_free(params);
  EVP_PKEY_CTX_free(ctx);
  return pkey;
}

static EVP_PKEY *read_ed25519(bez_cursor *c) {
  const uint8_t *bytes;
  size_t len;
  if (!bez_ssh_take(c, &bytes, &len) || len != 32) return NULL;
  return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, len);
}

static EVP_PKEY *read_ec(const kind *k, bez_cursor *c) {
  const uint8_t *point;
  size_t len;
  if (!bez_ssh_take_text(c, k->curve) || !bez_ssh_take(c, &point, &len) || len != k->point || *point != 4) return NULL;
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  if (build) OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, k->group, 0);
  if (build) OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, len);
  EVP_PKEY *pkey = from_params("EC", build); /* OpenSSL checks that the point lies on the curve */
  OSSL_PARAM_BLD_free(build);
  return pkey;
}

static EVP_PKEY *read_rsa(bez_cursor *c) {
  const uint8_t *e, *n;
  size_t e_len, n_len;
  if (!bez_ssh_take_mpint(c, &e, &e_len) || !bez_ssh_take_mpint(c, &n, &n_len)) return NULL;
  if (e_len > EXPONENT_MOST || !(e[e_len - 1] & 1) || (e_len == 1 && *e < 3) || n_len > RSA_MOST / 8) return NULL;
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  BIGNUM *exponent = BN_bin2bn(e, (int)e_len, NULL), *modulus = BN_bin2bn(n, (int)n_len, NULL);
  EVP_PKEY *pkey = NULL;
  if (build && exponent && modulus && BN_num_bits(modulus) >= RSA_LEAST && BN_is_odd(modulus) &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent))
    pkey = from_params("RSA", build);
  BN_free(exponent);
  BN_free(modulus);
  OSSL_PARAM_BLD_free(build);
  return pkey;
}

bool bez_ssh_out_of_memory(void) {
  return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE ||
         ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

static EVP_PKEY *read_blob(const kind *k, bez_cursor *c, bool *memory) {
  ERR_clear_error();
  EVP_PKEY *pkey = k->curve ? read_ec(k, c) : k == &kinds[0] ? read_ed25519(c) : read_rsa(c);
  *memory = !pkey && bez_ssh_out_of_memory();
  ERR_clear_error();
  if (pkey && bez_cursor_left(c)) {
    EVP_PKEY_free(pkey);
    return NULL;
  }
  return pkey;
}

static bool printable(const char *text) {
  for (const char *p = text; *p; p++)
    if ((unsigned char)*p < 0x20 || *p == 0x7f) return false;
  return strlen(text) <= MAX_COMMENT && bez_utf8_valid(text, strlen(text));
}

/* The texts that a key is known by. */
static bez_status name_key(bez_ssh_key *key, const char *comment, bez_error *err) {
  uint8_t digest[BEZ_DIGEST_MOST];
  bez_buf line = {0}, print = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_digest_bytes(BEZ_DIGEST_SHA256, key->blob, key->blob_len, digest, err));
  bez_buf_printf(&line, "%s ", key->kind->type);
  bez_base64_put(&line, key->blob, key->blob_len);
  bez_buf_puts(&print, "SHA256:");
  bez_base64_put(&print, digest, 32);
  BEZ_TRY(bez_buf_status(&line, err));
  BEZ_TRY(bez_buf_status(&print, err));
  memcpy(key->fingerprint, print.data, 50); /* without the padding */
  key->fingerprint[50] = '\0';
  key->comment = strdup(comment && printable(comment) ? comment : "");
  if (!key->comment) BEZ_TRY(bez_fail_memory(err, MAX_COMMENT));
  key->line = line.data;
  line.data = NULL;
cleanup:
  bez_buf_free(&line);
  bez_buf_free(&print);
  return st;
}

bez_status bez_ssh_key_from_blob(const void *blob, size_t len, const char *comment, const char *subject,
                                 bez_ssh_key **out, bez_error *err) {
  bez_cursor c = {blob, len, 0};
  const uint8_t *type;
  size_t type_len;
  bez_status st = BEZ_OK;
  if (len > MAX_BLOB || !bez_ssh_take(&c, &type, &type_len))
    return bez_fail(err, BEZ_FORMAT, subject, "holds no SSH public key");
  bez_ssh_key *key = calloc(1, sizeof *key);
  if (!key) return bez_fail_memory(err, sizeof *key);
  key->kind = kind_named(type, type_len);
  if (!key->kind) BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "is a key of another kind than Ed25519, ECDSA or RSA"));
  bool memory = false;
  key->pkey = read_blob(key->kind, &c, &memory);
  if (memory) BEZ_TRY(bez_fail_memory(err, 4096));
  if (!key->pkey)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "holds an %s key that is malformed%s", key->kind->type,
                     strcmp(key->kind->type, "ssh-rsa") ? "" : " or shorter than 2048 bits"));
  key->blob = malloc(len);
  if (!key->blob) BEZ_TRY(bez_fail_memory(err, len));
  memcpy(key->blob, blob, len);
  key->blob_len = len;
  BEZ_TRY(name_key(key, comment, err));
  *out = key;
  key = NULL;
cleanup:
  bez_ssh_key_free(key);
  return st;
}

bez_status bez_ssh_key_from_ed25519(const uint8_t bytes[32], const char *comment, bez_ssh_key **out, bez_error *err) {
  bez_buf blob = {0};
  bez_status st = BEZ_OK;
  bez_ssh_put_text(&blob, BEZ_SSH_ED25519);
  bez_ssh_put(&blob, bytes, 32);
  BEZ_TRY(bez_buf_status(&blob, err));
  BEZ_TRY(bez_ssh_key_from_blob(blob.data, blob.len, comment, "key", out, err));
cleanup:
  bez_buf_free(&blob);
  return st;
}

static const char *skip_blanks(const char *p) {
  return p + strspn(p, " \t");
}

bez_status bez_ssh_key_parse(const char *line, const char *subject, bez_ssh_key **out, bez_error *err) {
  const char *type = skip_blanks(line);
  const size_t type_len = strcspn(type, " \t\r\n");
  const char *text = skip_blanks(type + type_len);
  const size_t text_len = strcspn(text, " \t\r\n");
  const char *note = skip_blanks(text + text_len);
  size_t size = 0;
  bez_status st = BEZ_OK;
  if (!kind_named((const uint8_t *)type, type_len))
    return bez_fail(err, BEZ_FORMAT, subject, "is no SSH public key of kind Ed25519, ECDSA or RSA");
  if (!text_len || text_len > 2 * MAX_BLOB || !bez_base64_size(text, text_len, &size) || !size)
    return bez_fail(err, BEZ_FORMAT, subject, "holds an SSH public key that is not base64");
  uint8_t *blob = malloc(size);
  char *comment = strndup(note, strcspn(note, "\r\n"));
  if (!blob || !comment) BEZ_TRY(bez_fail_memory(err, size));
  bez_cursor c = {blob, size, 0};
  const uint8_t *inner;
  size_t inner_len;
  if (!bez_base64_get(text, text_len, blob, size) || !bez_ssh_take(&c, &inner, &inner_len) || inner_len != type_len ||
      memcmp(inner, type, type_len) != 0)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "holds an SSH public key that is malformed"));
  BEZ_TRY(bez_ssh_key_from_blob(blob, size, comment, subject, out, err));
cleanup:
  free(blob);
  free(comment);
  return st;
}

bez_status bez_ssh_key_read(const char *path, bez_ssh_key **out, bez_error *err) {
  bez_buf text = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_file_read(path, MAX_PUBLIC_FILE, &text, err));
  const char *line = text.data ? text.data : "";
  if (strstr(line, "PRIVATE KEY-----")) {
    OPENSSL_cleanse(text.data, text.cap);
    BEZ_TRY(bez_fail(err, BEZ_USAGE, path, "is a private key; the public one is wanted (%s.pub?)", path));
  }
  while (*line == '#' || *line == '\n' || *line == '\r') {
    line += strcspn(line, "\n");
    line += *line == '\n';
  }
  st = bez_ssh_key_parse(line, path, out, err);
cleanup:
  bez_buf_free(&text);
  return st;
}

const char *bez_ssh_key_line(const bez_ssh_key *key) {
  return key->line;
}

const char *bez_ssh_key_comment(const bez_ssh_key *key) {
  return key->comment;
}

const char *bez_ssh_key_fingerprint(const bez_ssh_key *key) {
  return key->fingerprint;
}

const char *bez_ssh_key_type(const bez_ssh_key *key) {
  return key->kind->type;
}

const char *bez_ssh_key_ec_digest(const bez_ssh_key *key) {
  return key->kind->digest;
}

const EVP_PKEY *bez_ssh_key_pkey(const bez_ssh_key *key) {
  return key->pkey;
}

void bez_ssh_key_blob(const bez_ssh_key *key, const uint8_t **blob, size_t *len) {
  *blob = key->blob;
  *len = key->blob_len;
}

bool bez_ssh_key_same(const bez_ssh_key *a, const bez_ssh_key *b) {
  return a->blob_len == b->blob_len && !memcmp(a->blob, b->blob, a->blob_len);
}

bool bez_ssh_key_ed25519(const bez_ssh_key *key, uint8_t out[32]) {
  if (key->kind != &kinds[0]) return false;
  memcpy(out, key->blob + key->blob_len - 32, 32);
  return true;
}
