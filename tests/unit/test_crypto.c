/* Digests, keys, envelopes and bundles: known answers, other people's vectors, and what must be refused. */
#include "crypto_help.h"

#include "base/base64.h"
#include "crypto/dsse.h"
#include "crypto/statement.h"

static void assert_says(const bez_error *err, const char *word) {
  if (!strstr(err->message, word)) fail_msg("\"%s\" does not say \"%s\"", err->message, word);
}

static void test_base64(void **state) {
  (void)state;
  size_t size = 99;
  assert_true(bez_base64_size("", 0, &size));
  assert_int_equal(size, 0);
  assert_true(bez_base64_size("Zg==", 4, &size));
  assert_int_equal(size, 1);
  assert_true(bez_base64_size("Zm9v", 4, &size));
  assert_int_equal(size, 3);
  assert_false(bez_base64_size("Zm9", 3, &size));
  bez_buf text = {0};
  uint8_t back[300];
  for (size_t n = 0; n < sizeof back; n++) {
    uint8_t bytes[300];
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(i * 7 + n);
    bez_buf_clear(&text);
    bez_base64_put(&text, bytes, n);
    assert_true(bez_base64_size(text.data ? text.data : "", text.len, &size));
    assert_int_equal(size, n);
    assert_true(bez_base64_get(text.data ? text.data : "", text.len, back, size));
    if (n) assert_memory_equal(back, bytes, n);
  }
  bez_buf_free(&text);
}

static void test_digests(void **state) {
  (void)state;
  static const struct {
    const char *name, *hex;
  } abc[] = {{"sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
             {"blake2b", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                         "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
             {"blake2", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"}};
  for (size_t i = 0; i < 3; i++) {
    bez_error err = {0};
    uint8_t out[BEZ_DIGEST_MOST], same[BEZ_DIGEST_MOST];
    char hex[2 * BEZ_DIGEST_MOST + 1];
    bez_digest_kind kind = bez_digest_named(abc[i].name);
    assert_ok(bez_digest_bytes(kind, "abc", 3, out, &err));
    bez_hex(out, bez_digest_size(kind), hex);
    assert_string_equal(hex, abc[i].hex);
    assert_true(bez_unhex(hex, same, bez_digest_size(kind)));
    assert_memory_equal(out, same, bez_digest_size(kind));
  }
  assert_int_equal(bez_digest_named("md5"), BEZ_DIGEST_NONE);
  assert_int_equal(bez_digest_named("none"), BEZ_DIGEST_NONE);
  uint8_t two[2];
  assert_false(bez_unhex("abc", two, 2));
  assert_false(bez_unhex("abcg", two, 2));
  assert_true(bez_unhex("aBcD", two, 2));
}

static void test_digest_of_a_stretch(void **state) {
  (void)state;
  char path[] = "/tmp/bez-digest-XXXXXX";
  bez_error err = {0};
  uint8_t a[BEZ_DIGEST_MOST], b[BEZ_DIGEST_MOST];
  size_t n = (3u << 20) + 17;
  char *bytes = malloc(n);
  int fd = mkstemp(path);
  if (fd < 0 || !bytes) fail_msg("no file or no memory");
  for (size_t i = 0; i < n; i++) bytes[i] = (char)(i * 31 % 251);
  assert_int_equal(write(fd, bytes, n), n);
  assert_ok(bez_digest_file(BEZ_DIGEST_SHA256, fd, path, 5, n - 9, NULL, NULL, a, &err));
  assert_ok(bez_digest_bytes(BEZ_DIGEST_SHA256, bytes + 5, n - 9, b, &err));
  assert_memory_equal(a, b, 32);
  assert_int_equal(bez_digest_file(BEZ_DIGEST_SHA256, fd, path, 5, n, NULL, NULL, a, &err), BEZ_IO);
  close(fd);
  unlink(path);
  free(bytes);
}

/* The example of the DSSE protocol. */
static void test_pae(void **state) {
  (void)state;
  bez_buf out = {0};
  bez_dsse_pae(&out, "http://example.com/HelloWorld", "hello world", 11);
  assert_string_equal(out.data, "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  bez_buf_free(&out);
}

static void test_curves(void **state) {
  (void)state;
  static const char *const curves[] = {"P-256", "P-384", "P-521"};
  static const bez_digest_kind digests[] = {BEZ_DIGEST_SHA256, BEZ_DIGEST_SHA384, BEZ_DIGEST_SHA512};
  for (size_t i = 0; i < 3; i++) {
    bez_error err = {0};
    bool good = false;
    bez_buf signature = {0};
    EVP_PKEY *pkey = EVP_EC_gen(curves[i]), *other = EVP_EC_gen(curves[i]);
    bez_key *key = key_of(pkey), *wrong = key_of(other);
    assert_string_equal(bez_key_curve(key), curves[i]);
    assert_int_equal(bez_key_digest(key), digests[i]);
    assert_ok(bez_key_sign(key, "weights", 7, &signature, &err));
    const uint8_t *s = (const uint8_t *)signature.data;
    assert_ok(bez_key_verify(key, BEZ_DIGEST_NONE, "weights", 7, s, signature.len, &good, &err));
    assert_true(good);
    assert_ok(bez_key_verify(key, BEZ_DIGEST_NONE, "weightz", 7, s, signature.len, &good, &err));
    assert_false(good);
    assert_ok(bez_key_verify(wrong, BEZ_DIGEST_NONE, "weights", 7, s, signature.len, &good, &err));
    assert_false(good);
    assert_ok(bez_key_verify(key, BEZ_DIGEST_NONE, "weights", 7, s, 3, &good, &err));
    assert_false(good);
    assert_true(bez_key_same(key, key) && !bez_key_same(key, wrong));
    bez_buf_free(&signature);
    bez_key_free(key);
    bez_key_free(wrong);
    EVP_PKEY_free(pkey);
    EVP_PKEY_free(other);
  }
}

static void test_other_keys(void **state) {
  (void)state;
  EVP_PKEY *others[] = {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_RSA_gen(2048), EVP_EC_gen("secp256k1"),
                        EVP_EC_gen("secp224r1")};
  static const char *const words[] = {"ED25519", "RSA", "secp256k1", "secp224r1"};
  for (size_t i = 0; i < 4; i++) {
    bez_error err = {0};
    bez_key *key = NULL;
    assert_non_null(others[i]);
    assert_int_equal(bez_key_take(others[i], "k.pem", &key, &err), BEZ_UNSUPPORTED);
    assert_null(key);
    assert_says(&err, words[i]);
  }
}

static void test_key_files(void **state) {
  (void)state;
  char dir[] = "/tmp/bez-keys-XXXXXX", a[64], b[64];
  assert_non_null(mkdtemp(dir));
  snprintf(a, sizeof a, "%s/k.pem", dir);
  snprintf(b, sizeof b, "%s/k.pub", dir);
  EVP_PKEY *pkey = EVP_EC_gen("P-256");
  bez_key *key = NULL, *public = NULL;
  bez_error err = {0};
  write_key(pkey, a, b, "correct horse");
  assert_int_equal(bez_key_read_private(a, NULL, &key, &err), BEZ_USAGE);
  assert_says(&err, "password");
  err = (bez_error){0};
  assert_int_equal(bez_key_read_private(a, "wrong", &key, &err), BEZ_USAGE);
  assert_says(&err, "wrong");
  err = (bez_error){0};
  assert_ok(bez_key_read_private(a, "correct horse", &key, &err));
  assert_ok(bez_key_read_public(b, &public, &err));
  assert_true(bez_key_same(key, public));
  assert_string_equal(bez_key_hint(key), bez_key_hint(public));
  bez_key_free(key);
  bez_key_free(public);
  key = public = NULL;
  write_key(pkey, a, b, NULL);
  assert_int_equal(bez_key_read_public(a, &public, &err), BEZ_USAGE);
  assert_says(&err, "private key");
  err = (bez_error){0};
  assert_int_equal(bez_key_read_private(b, NULL, &key, &err), BEZ_USAGE);
  write_text(a, "no key", 6);
  err = (bez_error){0};
  assert_int_equal(bez_key_read_private(a, NULL, &key, &err), BEZ_USAGE);
  err = (bez_error){0};
  assert_int_equal(bez_key_read_public(a, &public, &err), BEZ_USAGE);
  EVP_PKEY_free(pkey);
  unlink(a);
  unlink(b);
  rmdir(dir);
}

/* A bundle of ours, read back and verified; then changed in every way that matters. */
static void test_own_bundle(void **state) {
  (void)state;
  static const char payload[] = "{\"_type\":\"x\"}";
  bez_error err = {0};
  bez_buf text = {0};
  bez_bundle bundle = {0};
  EVP_PKEY *pkey = EVP_EC_gen("P-384"), *other = EVP_EC_gen("P-384");
  bez_key *key = key_of(pkey), *wrong = key_of(other);
  assert_ok(bez_bundle_sign(BEZ_IN_TOTO_PAYLOAD, payload, sizeof payload - 1, key, NULL, 0, &text, &err));
  assert_ok(bez_bundle_parse(text.data, text.len, "b", &bundle, &err));
  assert_int_equal(bundle.method, BEZ_BUNDLE_KEY);
  assert_int_equal(bundle.payload.len, sizeof payload - 1);
  assert_memory_equal(bundle.payload.data, payload, sizeof payload - 1);
  assert_string_equal(bundle.payload_type, BEZ_IN_TOTO_PAYLOAD);
  assert_ok(bez_bundle_verify_key(&bundle, key, "b", &err));
  assert_int_equal(bez_bundle_verify_key(&bundle, wrong, "b", &err), BEZ_FORMAT);
  assert_says(&err, "another key");
  bundle.hint = NULL; /* nobody says which key it was: the signature itself must tell */
  err = (bez_error){0};
  assert_int_equal(bez_bundle_verify_key(&bundle, wrong, "b", &err), BEZ_FORMAT);
  assert_says(&err, "not this key's");
  assert_ok(bez_bundle_verify_key(&bundle, key, "b", &err));
  bundle.payload_type = "application/json"; /* the type is signed, too */
  err = (bez_error){0};
  assert_int_equal(bez_bundle_verify_key(&bundle, key, "b", &err), BEZ_FORMAT);
  bez_bundle_free(&bundle);
  bez_buf_free(&text);
  bez_key_free(key);
  bez_key_free(wrong);
  EVP_PKEY_free(pkey);
  EVP_PKEY_free(other);
}

#define HEAD "{\"mediaType\":\"" BEZ_BUNDLE_MEDIA_TYPE "\","
#define KEY "\"verificationMaterial\":{\"publicKey\":{\"hint\":\"a\"}}"
#define TYPE "\"payloadType\":\"application/vnd.in-toto+json\","

static void test_shapes(void **state) {
  (void)state;
  static const char *const bad[][2] = {
      {"", "empty"},
      {"{", "not JSON"},
      {"[]", "media type"},
      {"{}", "media type"},
      {"{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.1+json\"}", "media type"},
      {HEAD "\"a\":1}", "verification material"},
      {HEAD KEY "}", "envelope"},
      {HEAD "\"verificationMaterial\":{}}", "must name one"},
      {HEAD "\"verificationMaterial\":{\"publicKey\":{},\"certificate\":{}}}", "must name one"},
      {HEAD "\"verificationMaterial\":{\"publicKey\":{\"rawBytes\":\"!\"}}}", "base64"},
      {HEAD "\"verificationMaterial\":{\"certificate\":{\"rawBytes\":\"AA==\"}}}", "transparency log"},
      {HEAD "\"verificationMaterial\":{\"certificate\":{\"rawBytes\":\"AA==\"},\"tlogEntries\":7}}", "no list"},
      {HEAD "\"verificationMaterial\":{\"x509CertificateChain\":{\"certificates\":[]}}}", "0 certificates"},
      {HEAD "\"verificationMaterial\":{\"x509CertificateChain\":{\"certificates\":[{}]}}}", "certificate"},
      {HEAD KEY ",\"dsseEnvelope\":{}}", "payload type"},
      {HEAD KEY ",\"dsseEnvelope\":{" TYPE "\"signatures\":[]}}", "0 signatures"},
      {HEAD KEY ",\"dsseEnvelope\":{" TYPE "\"signatures\":[{},{}]}}", "2 signatures"},
      {HEAD KEY ",\"dsseEnvelope\":{" TYPE "\"signatures\":[{}]}}", "payload"},
      {HEAD KEY ",\"dsseEnvelope\":{" TYPE "\"payload\":\"AA==\",\"signatures\":[{}]}}", "signature"},
      {HEAD KEY ",\"dsseEnvelope\":{" TYPE "\"payload\":\"A===\",\"signatures\":[{\"sig\":\"\"}]}}", "base64"},
      {HEAD KEY ",\"dsseEnvelope\":{" TYPE "\"payload\":\"A\",\"signatures\":[{\"sig\":\"\"}]}}", "base64"},
      {HEAD KEY "," KEY "}", "duplicate"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    bez_error err = {0};
    bez_bundle bundle = {0};
    bez_status st = bez_bundle_parse(bad[i][0], strlen(bad[i][0]), "b", &bundle, &err);
    if (st != BEZ_FORMAT) fail_msg("%s: status %d", bad[i][0], st);
    assert_says(&err, bad[i][1]);
    assert_null(bundle.document);
  }
}

static void test_statements(void **state) {
  (void)state;
  bez_buf text = {0};
  bez_error err = {0};
  bez_statement s = {0};
  bez_json j = bez_json_make(&text, false);
  bez_statement_begin(&j, "model", "00", "https://example.org/p");
  bez_json_open(&j, '{');
  bez_json_close(&j, '}');
  bez_json_close(&j, '}');
  assert_ok(bez_statement_parse(text.data, text.len, "s", &s, &err));
  assert_string_equal(s.predicate_type, "https://example.org/p");
  assert_int_equal(json_array_size(s.subject), 1);
  assert_non_null(s.predicate);
  bez_statement_free(&s);
  bez_buf_free(&text);
  static const char *const bad[] = {"[]", "{}", "{\"_type\":\"https://in-toto.io/Statement/v0.1\"}",
                                    "{\"_type\":\"" BEZ_STATEMENT_TYPE "\"}",
                                    "{\"_type\":\"" BEZ_STATEMENT_TYPE "\",\"predicateType\":\"p\",\"subject\":[]}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(bez_statement_parse(bad[i], strlen(bad[i]), "s", &s, &err), BEZ_FORMAT);
}

static void test_vectors(void **state) {
  (void)state;
  need_shared(VECTORS "keys/certificate/signing-key-pub.pem");
  static const char *const invalid[][2] = {{"empty", "empty"},
                                           {"missing-envelope", "envelope"},
                                           {"missing-tlog-entries", "transparency log"},
                                           {"missing-verification-material", "verification material"}};
  static const bez_bundle_method methods[] = {BEZ_BUNDLE_KEY, BEZ_BUNDLE_CHAIN, BEZ_BUNDLE_SIGSTORE};
  static const char *const valid[] = {"key", "certificate", "sigstore"};
  bez_error err = {0};
  bez_key *key = NULL, *wrong = NULL;
  assert_ok(bez_key_read_public(VECTORS "keys/certificate/signing-key-pub.pem", &key, &err));
  assert_ok(bez_key_read_public(VECTORS "keys/wrong/wrong-key-pub.pem", &wrong, &err));
  for (size_t i = 0; i < 3; i++) {
    char path[4096];
    bez_bundle b = {0};
    snprintf(path, sizeof path, VECTORS "spec-v1.0/valid/%s.bundle.json", valid[i]);
    assert_ok(bez_bundle_read(path, &b, &err));
    assert_int_equal(b.method, methods[i]);
    bez_error why = {0};
    assert_int_equal(bez_bundle_verify_key(&b, wrong, path, &why), BEZ_FORMAT);
    why = (bez_error){0};
    assert_int_equal(bez_bundle_verify_key(&b, key, path, &why), i == 0 ? BEZ_OK : BEZ_FORMAT);
    bez_bundle_free(&b);
  }
  for (size_t i = 0; i < 4; i++) {
    char path[4096];
    bez_bundle b = {0};
    bez_error why = {0};
    snprintf(path, sizeof path, VECTORS "spec-v1.0/invalid/%s.bundle.json", invalid[i][0]);
    assert_int_equal(bez_bundle_read(path, &b, &why), BEZ_FORMAT);
    assert_says(&why, invalid[i][1]);
  }
  bez_bundle b = {0};
  bez_error why = {0};
  assert_ok(bez_bundle_read(VECTORS "spec-v1.0/invalid-payload/wrong-predicate.bundle.json", &b, &err));
  assert_int_equal(bez_bundle_verify_key(&b, key, "b", &why), BEZ_FORMAT); /* and what was signed is another text */
  bez_bundle_free(&b);
  bez_key_free(key);
  bez_key_free(wrong);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_base64),     cmocka_unit_test(test_digests),    cmocka_unit_test(test_digest_of_a_stretch),
      cmocka_unit_test(test_pae),        cmocka_unit_test(test_curves),     cmocka_unit_test(test_other_keys),
      cmocka_unit_test(test_key_files),  cmocka_unit_test(test_own_bundle), cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_statements), cmocka_unit_test(test_vectors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
