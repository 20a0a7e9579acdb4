/* Parsing and writing bundles; the envelope's signature. */
#include "crypto/bundle.h"

#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "crypto/dsse.h"
#include "crypto/json_bytes.h"

#define MAX_CERTIFICATES 32u

static bez_status read_certificates(bez_bundle *b, const json_t *list, const char *subject, bez_error *err) {
  size_t n = json_array_size(list);
  if (!n || n > MAX_CERTIFICATES)
    return bez_fail(err, BEZ_FORMAT, subject, "the bundle's chain has %zu certificates", n);
  bez_bytes *items = bez_arena_array(&b->arena, n, sizeof *items);
  if (!items) return bez_fail_memory(err, n * sizeof *items);
  for (size_t i = 0; i < n; i++) {
    const json_t *raw = json_object_get(json_array_get(list, i), "rawBytes");
    bez_status st = bez_json_bytes(&b->arena, raw, subject, "certificate of the bundle", &items[i], err);
    if (st != BEZ_OK) return st;
  }
  b->certificates = items;
  b->n_certificates = n;
  return BEZ_OK;
}

static bez_status read_public_key(bez_bundle *b, const json_t *key, const char *subject, bez_error *err) {
  const json_t *raw = json_object_get(key, "rawBytes");
  b->method = BEZ_BUNDLE_KEY;
  b->hint = json_string_value(json_object_get(key, "hint"));
  return raw && !json_is_null(raw)
             ? bez_json_bytes(&b->arena, raw, subject, "public key of the bundle", &b->raw_key, err)
             : BEZ_OK;
}

static bez_status read_sigstore(bez_bundle *b, const json_t *certificate, const char *subject, bez_error *err) {
  bez_bytes *one = bez_arena_alloc(&b->arena, sizeof *one);
  if (!one) return bez_fail_memory(err, sizeof *one);
  b->method = BEZ_BUNDLE_SIGSTORE;
  b->certificates = one;
  b->n_certificates = 1;
  if (!json_array_size(b->tlog_entries))
    return bez_fail(err, BEZ_FORMAT, subject,
                    "the bundle has no entry of a transparency log, which a Sigstore signature needs");
  return bez_json_bytes(&b->arena, json_object_get(certificate, "rawBytes"), subject, "certificate of the bundle", one,
                        err);
}

static bez_status read_material(bez_bundle *b, const char *subject, bez_error *err) {
  const json_t *material = json_object_get(b->document, "verificationMaterial");
  if (!json_is_object(material))
    return bez_fail(err, BEZ_FORMAT, subject, "the bundle has no verification material: nothing says whose it is");
  const json_t *key = json_object_get(material, "publicKey"), *one = json_object_get(material, "certificate");
  const json_t *chain = json_object_get(material, "x509CertificateChain");
  b->tlog_entries = json_object_get(material, "tlogEntries");
  b->timestamps = json_object_get(material, "timestampVerificationData");
  if (json_is_null(b->tlog_entries)) b->tlog_entries = NULL;
  if (b->tlog_entries && !json_is_array(b->tlog_entries))
    return bez_fail(err, BEZ_FORMAT, subject, "the bundle's tlogEntries are no list");
  if (json_is_object(key) + json_is_object(one) + json_is_object(chain) != 1)
    return bez_fail(err, BEZ_FORMAT, subject,
                    "the bundle must name one of a public key, a certificate and a certificate chain");
  if (json_is_object(key)) return read_public_key(b, key, subject, err);
  if (json_is_object(one)) return read_sigstore(b, one, subject, err);
  b->method = BEZ_BUNDLE_CHAIN;
  return read_certificates(b, json_object_get(chain, "certificates"), subject, err);
}

static bez_status read_envelope(bez_bundle *b, const char *subject, bez_error *err) {
  b->envelope = json_object_get(b->document, "dsseEnvelope");
  if (!json_is_object(b->envelope))
    return bez_fail(err, BEZ_FORMAT, subject, "the bundle has no DSSE envelope: nothing is signed");
  const json_t *signatures = json_object_get(b->envelope, "signatures");
  b->payload_type = json_string_value(json_object_get(b->envelope, "payloadType"));
  if (!b->payload_type) return bez_fail(err, BEZ_FORMAT, subject, "the bundle's envelope has no payload type");
  if (json_array_size(signatures) != 1)
    return bez_fail(err, BEZ_FORMAT, subject, "the bundle's envelope has %zu signatures, where there must be one",
                    json_array_size(signatures));
  bez_status st = bez_json_bytes(&b->arena, json_object_get(b->envelope, "payload"), subject, "payload of the bundle",
                                 &b->payload, err);
  const json_t *sig = json_object_get(json_array_get(signatures, 0), "sig");
  if (st == BEZ_OK) st = bez_json_bytes(&b->arena, sig, subject, "signature of the bundle", &b->signature, err);
  return st;
}

/* OpenSSF Model Signing is of version 0.3 alone; Sigstore's clients wrote 0.1 and 0.2 as well. */
static bool known_version(const char *type, bool *older) {
  static const char *const others[] = {"application/vnd.dev.sigstore.bundle+json;version=0.1",
                                       "application/vnd.dev.sigstore.bundle+json;version=0.2"};
  *older = strcmp(type, BEZ_BUNDLE_MEDIA_TYPE) != 0;
  for (size_t i = 0; *older && i < sizeof others / sizeof *others; i++)
    if (!strcmp(type, others[i])) return true;
  return !*older;
}

/* There the certificate stands at the head of a chain. */
static bez_status take_older(bez_bundle *b, const char *subject, bez_error *err) {
  if (b->method != BEZ_BUNDLE_CHAIN || !json_array_size(b->tlog_entries))
    return bez_fail(err, BEZ_FORMAT, subject, "bundles of this version are read where Sigstore signed, not otherwise");
  b->method = BEZ_BUNDLE_SIGSTORE;
  return BEZ_OK;
}

bez_status bez_bundle_parse(const char *bytes, size_t len, const char *subject, bez_bundle *out, bez_error *err) {
  bez_status st = BEZ_OK;
  *out = (bez_bundle){0};
  bool older = false;
  if (!len) BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "the bundle is empty"));
  if (len > BEZ_MAX_BUNDLE) BEZ_TRY(bez_fail(err, BEZ_LIMIT, subject, "a bundle above %u bytes", BEZ_MAX_BUNDLE));
  BEZ_TRY(bez_json_parse(bytes, len, subject, &out->document, err));
  const char *type = json_string_value(json_object_get(out->document, "mediaType"));
  if (!type || !known_version(type, &older))
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "is no bundle of a known version: its media type is \"%.100s\"",
                     type ? type : ""));
  BEZ_TRY(read_material(out, subject, err));
  if (older) BEZ_TRY(take_older(out, subject, err));
  BEZ_TRY(read_envelope(out, subject, err));
  return BEZ_OK;
cleanup:
  bez_bundle_free(out);
  return st;
}

bez_status bez_bundle_read(const char *path, bez_bundle *out, bez_error *err) {
  bez_buf text = {0};
  struct stat info;
  *out = (bez_bundle){0};
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) /* a pipe in a hostile folder would be waited for */
    return bez_fail(err, BEZ_FORMAT, path, "is no file");
  bez_status st = bez_file_read(path, BEZ_MAX_BUNDLE, &text, err);
  if (st == BEZ_OK) st = bez_bundle_parse(text.data ? text.data : "", text.len, path, out, err);
  bez_buf_free(&text);
  return st;
}

void bez_bundle_free(bez_bundle *bundle) {
  json_decref(bundle->document);
  bez_arena_free(&bundle->arena);
  *bundle = (bez_bundle){0};
}

/* ---- verifying ----------------------------------------------------------------------------------------------------
 */

bez_status bez_bundle_verify_envelope(const bez_bundle *bundle, const bez_key *key, const char *subject,
                                      bez_error *err) {
  bez_buf signed_bytes = {0};
  bool good = false;
  bez_status st = BEZ_OK;
  bez_dsse_pae(&signed_bytes, bundle->payload_type, bundle->payload.data, bundle->payload.len);
  BEZ_TRY(bez_buf_status(&signed_bytes, err));
  BEZ_TRY(bez_key_verify(key, BEZ_DIGEST_NONE, signed_bytes.data, signed_bytes.len, bundle->signature.data,
                         bundle->signature.len, &good, err));
  if (!good) BEZ_TRY(bez_fail(err, BEZ_FORMAT, subject, "the signature is not this key's over what the bundle holds"));
cleanup:
  bez_buf_free(&signed_bytes);
  return st;
}

static const char *method_text(bez_bundle_method method) {
  switch (method) {
    case BEZ_BUNDLE_KEY: return "with a key";
    case BEZ_BUNDLE_CHAIN: return "with a certificate chain";
    case BEZ_BUNDLE_SIGSTORE: return "with Sigstore";
  }
  return "";
}

/* The hint and the older embedded key say which key is meant; they are never trusted in its place. */
static bez_status check_named_key(const bez_bundle *bundle, const bez_key *key, const char *subject, bez_error *err) {
  bez_key *named = NULL;
  if (bundle->hint && *bundle->hint && strcmp(bundle->hint, bez_key_hint(key)) != 0)
    return bez_fail(err, BEZ_FORMAT, subject, "was signed with another key: its hint is %.64s, the given key's %s",
                    bundle->hint, bez_key_hint(key));
  if (!bundle->raw_key.len) return BEZ_OK;
  bez_status st = bez_key_from_bytes(bundle->raw_key.data, bundle->raw_key.len, subject, &named, err);
  if (st == BEZ_OK && !bez_key_same(named, key))
    st = bez_fail(err, BEZ_FORMAT, subject, "was signed with another key: its hint would be %s, the given key's is %s",
                  bez_key_hint(named), bez_key_hint(key));
  bez_key_free(named);
  return st;
}

bez_status bez_bundle_verify_key(const bez_bundle *bundle, const bez_key *key, const char *subject, bez_error *err) {
  if (bundle->method != BEZ_BUNDLE_KEY)
    return bez_fail(err, BEZ_FORMAT, subject, "was signed %s, not with a key", method_text(bundle->method));
  bez_status st = check_named_key(bundle, key, subject, err);
  return st == BEZ_OK ? bez_bundle_verify_envelope(bundle, key, subject, err) : st;
}

bez_status bez_bundle_verify_chain(const bez_bundle *bundle, const bez_roots *roots, int64_t at, const char *subject,
                                   char *who, size_t who_size, bez_error *err) {
  bez_key *key = NULL;
  if (bundle->method != BEZ_BUNDLE_CHAIN)
    return bez_fail(err, BEZ_FORMAT, subject, "was signed %s, not with a certificate chain",
                    method_text(bundle->method));
  bez_status st =
      bez_chain_verify(bundle->certificates, bundle->n_certificates, roots, at, subject, &key, who, who_size, err);
  if (st == BEZ_OK) st = bez_bundle_verify_envelope(bundle, key, subject, err);
  bez_key_free(key);
  return st;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */

static void put_material(bez_json *j, const bez_key *key, const bez_bytes *chain, size_t n) {
  bez_json_key(j, "verificationMaterial");
  bez_json_open(j, '{');
  bez_json_key(j, n ? "x509CertificateChain" : "publicKey");
  bez_json_open(j, '{');
  if (!n) bez_json_kstr(j, "hint", bez_key_hint(key));
  if (n) {
    bez_json_key(j, "certificates");
    bez_json_open(j, '[');
    for (size_t i = 0; i < n; i++) {
      bez_json_open(j, '{');
      bez_json_kbase64(j, "rawBytes", chain[i].data, chain[i].len);
      bez_json_close(j, '}');
    }
    bez_json_close(j, ']');
  }
  bez_json_close(j, '}');
  bez_json_key(j, "tlogEntries");
  bez_json_open(j, '[');
  bez_json_close(j, ']');
  bez_json_close(j, '}');
}

bez_status bez_bundle_sign(const char *payload_type, const void *payload, size_t len, const bez_key *key,
                           const bez_bytes *chain, size_t n, bez_buf *out, bez_error *err) {
  bez_json j = bez_json_make(out, true);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "mediaType", BEZ_BUNDLE_MEDIA_TYPE);
  put_material(&j, key, chain, n);
  bez_json_key(&j, "dsseEnvelope");
  bez_status st = bez_dsse_sign(&j, payload_type, payload, len, key, "", err);
  if (st != BEZ_OK) return st;
  bez_json_close(&j, '}');
  bez_buf_putc(out, '\n');
  return bez_buf_status(out, err);
}
