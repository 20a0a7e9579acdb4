/* What an entry of the log says that it is about. Each kind says it in its own words; all that it says of signature,
 * certificate and payload must be the bundle's. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/dsse.h"
#include "crypto/json_bytes.h"
#include "crypto/rekor.h"

typedef struct body_reader {
  const json_t *spec;
  const bez_bundle *bundle;
  const char *subject;
  bez_arena arena;
} body_reader;

/* Whether a text is the base64 of these bytes. */
static bool is_base64(const json_t *text, const uint8_t *bytes, size_t len) {
  bez_buf want = {0};
  bez_base64_put(&want, bytes, len);
  const char *have = json_string_value(text);
  const bool same = have && want.failed == BEZ_OK && !strcmp(have, want.data ? want.data : "");
  bez_buf_free(&want);
  return same;
}

/* … of that base64 once more. */
static bool is_base64_twice(const json_t *text, const uint8_t *bytes, size_t len) {
  bez_buf once = {0};
  bez_base64_put(&once, bytes, len);
  const bool same = once.failed == BEZ_OK && is_base64(text, (const uint8_t *)once.data, once.len);
  bez_buf_free(&once);
  return same;
}

static bool same_bytes(const bez_bytes *a, const bez_bytes *b) {
  return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* A base64 text of the certificate in PEM; line ends and lengths are not of its essence. */
static bool is_certificate_pem(body_reader *r, const json_t *text) {
  bez_bytes pem;
  bez_error ignored = {0};
  if (bez_json_bytes(&r->arena, text, r->subject, "certificate", &pem, &ignored) != BEZ_OK) return false;
  BIO *bio = pem.len < 1u << 20 ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
  X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
  unsigned char *der = NULL;
  const int len = x ? i2d_X509(x, &der) : -1;
  const bool same = len > 0 && same_bytes(&(bez_bytes){der, (size_t)len}, &r->bundle->certificates[0]);
  OPENSSL_free(der);
  X509_free(x);
  BIO_free(bio);
  ERR_clear_error();
  return same;
}

static bool is_certificate_der(const body_reader *r, const json_t *text) {
  return is_base64(text, r->bundle->certificates[0].data, r->bundle->certificates[0].len);
}

static bool is_signature(const body_reader *r, const json_t *text) {
  return is_base64(text, r->bundle->signature.data, r->bundle->signature.len);
}

/* {"algorithm": …, "value": hex} */
static bool is_hex_digest(const json_t *digest, const void *bytes, size_t len) {
  uint8_t hash[BEZ_DIGEST_MOST];
  char hex[2 * BEZ_DIGEST_MOST + 1];
  bez_error ignored = {0};
  const bez_digest_kind kind = bez_digest_named(bez_json_text(digest, "algorithm"));
  if (kind == BEZ_DIGEST_NONE || bez_digest_bytes(kind, bytes, len, hash, &ignored) != BEZ_OK) return false;
  bez_hex(hash, bez_digest_size(kind), hex);
  return !strcmp(hex, bez_json_text(digest, "value"));
}

/* {"algorithm": "SHA2_256", "digest": base64} */
static bool is_base64_digest(const json_t *digest, const void *bytes, size_t len) {
  static const struct {
    const char *name;
    bez_digest_kind kind;
  } names[] = {{"SHA2_256", BEZ_DIGEST_SHA256}, {"SHA2_384", BEZ_DIGEST_SHA384}, {"SHA2_512", BEZ_DIGEST_SHA512}};
  uint8_t hash[BEZ_DIGEST_MOST];
  bez_error ignored = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(bez_json_text(digest, "algorithm"), names[i].name))
      return bez_digest_bytes(names[i].kind, bytes, len, hash, &ignored) == BEZ_OK &&
             is_base64(json_object_get(digest, "digest"), hash, bez_digest_size(names[i].kind));
  return false;
}

/* What the signature is over; a hashedrekord knows nothing of envelopes. */
static bool is_hash_of_pae(const body_reader *r, const json_t *digest,
                           bool (*is)(const json_t *, const void *, size_t)) {
  bez_buf pae = {0};
  bez_dsse_pae(&pae, r->bundle->payload_type, r->bundle->payload.data, r->bundle->payload.len);
  const bool same = pae.failed == BEZ_OK && is(digest, pae.data, pae.len);
  bez_buf_free(&pae);
  return same;
}

/* ---- kinds --------------------------------------------------------------------------------------------------------
 */

static const json_t *only(const json_t *list) {
  return json_array_size(list) == 1 ? json_array_get(list, 0) : NULL;
}

/* The envelope's own hash is over a text of it that nobody keeps. */
static bool dsse_1(body_reader *r) {
  const json_t *signature = only(json_object_get(r->spec, "signatures"));
  return is_hex_digest(json_object_get(r->spec, "payloadHash"), r->bundle->payload.data, r->bundle->payload.len) &&
         is_signature(r, json_object_get(signature, "signature")) &&
         is_certificate_pem(r, json_object_get(signature, "verifier"));
}

static bool dsse_2(body_reader *r) {
  const json_t *spec = json_object_get(r->spec, "dsseV002");
  const json_t *signature = only(json_object_get(spec, "signatures"));
  const json_t *verifier = json_object_get(json_object_get(signature, "verifier"), "x509Certificate");
  return is_base64_digest(json_object_get(spec, "payloadHash"), r->bundle->payload.data, r->bundle->payload.len) &&
         is_signature(r, json_object_get(signature, "content")) &&
         is_certificate_der(r, json_object_get(verifier, "rawBytes"));
}

/* Its signature is in base64 twice. */
static bool intoto_2(body_reader *r) {
  const json_t *content = json_object_get(r->spec, "content");
  const json_t *signature = only(json_object_get(json_object_get(content, "envelope"), "signatures"));
  return is_hex_digest(json_object_get(content, "payloadHash"), r->bundle->payload.data, r->bundle->payload.len) &&
         is_base64_twice(json_object_get(signature, "sig"), r->bundle->signature.data, r->bundle->signature.len) &&
         is_certificate_pem(r, json_object_get(signature, "publicKey"));
}

static bool hashedrekord_1(body_reader *r) {
  const json_t *signature = json_object_get(r->spec, "signature");
  return is_hash_of_pae(r, json_object_get(json_object_get(r->spec, "data"), "hash"), is_hex_digest) &&
         is_signature(r, json_object_get(signature, "content")) &&
         is_certificate_pem(r, json_object_get(json_object_get(signature, "publicKey"), "content"));
}

static bool hashedrekord_2(body_reader *r) {
  const json_t *spec = json_object_get(r->spec, "hashedRekordV002"), *signature = json_object_get(spec, "signature");
  const json_t *verifier = json_object_get(json_object_get(signature, "verifier"), "x509Certificate");
  return is_hash_of_pae(r, json_object_get(spec, "data"), is_base64_digest) &&
         is_signature(r, json_object_get(signature, "content")) &&
         is_certificate_der(r, json_object_get(verifier, "rawBytes"));
}

static const struct {
  const char *kind, *version;
  bool (*speaks_of)(body_reader *r);
} kinds[] = {{"dsse", "0.0.1", dsse_1},
             {"dsse", "0.0.2", dsse_2},
             {"intoto", "0.0.2", intoto_2},
             {"hashedrekord", "0.0.1", hashedrekord_1},
             {"hashedrekord", "0.0.2", hashedrekord_2}};

/* The body's own words decide; what stands beside it in the bundle is signed by nobody and must agree. */
static bez_status judge(body_reader *r, const json_t *document, const char *kind, const char *version, bez_error *err) {
  const char *own_kind = bez_json_text(document, "kind"), *own_version = bez_json_text(document, "apiVersion");
  if (strcmp(kind, own_kind) != 0 || strcmp(version, own_version) != 0)
    return bez_fail(err, BEZ_FORMAT, r->subject, "the log's entry is of another kind than the bundle says");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (!strcmp(kind, kinds[i].kind) && !strcmp(version, kinds[i].version))
      return kinds[i].speaks_of(r) ? BEZ_OK
                                   : bez_fail(err, BEZ_FORMAT, r->subject,
                                              "the log's entry is about another signature, signer or payload");
  return bez_fail(err, BEZ_FORMAT, r->subject, "the log's entry is of a kind that is not known here: %.40s %.20s", kind,
                  version);
}

bez_status bez_rekor_body(const bez_bytes *body, const char *kind, const char *version, const bez_bundle *bundle,
                          const char *subject, bez_error *err) {
  json_t *document = NULL;
  bez_error why = {0};
  if (bez_json_parse((const char *)body->data, body->len, subject, &document, &why) != BEZ_OK)
    return bez_fail(err, BEZ_FORMAT, subject, "the body of the log's entry is no JSON: %s", why.message);
  body_reader r = {.spec = json_object_get(document, "spec"), .bundle = bundle, .subject = subject};
  bez_status st = judge(&r, document, kind, version, err);
  bez_arena_free(&r.arena);
  json_decref(document);
  return st;
}
