/* Certificate chains: what leads to a root, and each reason for which one does not. */
#include "crypto_help.h"

#define YEAR (365 * 24 * 3600)

typedef struct family {
  EVP_PKEY *root_key, *middle_key, *leaf_key;
  X509 *root, *middle;
  bez_roots *roots;
} family;

static family make_family(void) {
  family f = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_EC_gen("P-256"), NULL, NULL, NULL};
  bez_error err = {0};
  f.root = make_cert(&(cert_plan){
      .subject = "root", .key = f.root_key, .ca = true, .usage = "keyCertSign", .from = -YEAR, .until = YEAR});
  f.middle = make_cert(&(cert_plan){.subject = "middle",
                                    .key = f.middle_key,
                                    .issuer = f.root,
                                    .issuer_key = f.root_key,
                                    .ca = true,
                                    .usage = "keyCertSign",
                                    .from = -YEAR,
                                    .until = YEAR});
  bez_bytes der = der_of(f.root);
  assert_ok(bez_roots_create(&f.roots, &err));
  assert_ok(bez_roots_add_der(f.roots, der.data, der.len, "root", &err));
  free_der(der);
  return f;
}

static void free_family(family *f) {
  bez_roots_free(f->roots);
  X509_free(f->root);
  X509_free(f->middle);
  EVP_PKEY_free(f->root_key);
  EVP_PKEY_free(f->middle_key);
  EVP_PKEY_free(f->leaf_key);
}

static cert_plan good_leaf(const family *f) {
  return (cert_plan){.subject = "signer",
                     .key = f->leaf_key,
                     .issuer = f->middle,
                     .issuer_key = f->middle_key,
                     .usage = "digitalSignature",
                     .extended = "codeSigning",
                     .from = -3600,
                     .until = 3600};
}

/* Verifies leaf + middle; word NULL: it must hold, else the refusal must say it. */
static void expect(const family *f, const cert_plan *plan, bool with_middle, int64_t at, const char *word) {
  bez_error err = {0};
  bez_key *key = NULL;
  char who[64] = "";
  X509 *leaf = make_cert(plan);
  bez_bytes chain[2] = {der_of(leaf), der_of(f->middle)};
  bez_status st = bez_chain_verify(chain, with_middle ? 2 : 1, f->roots, at, "b", &key, who, sizeof who, &err);
  if (!word) {
    assert_ok(st);
    assert_string_equal(who, "CN=signer");
    bez_key *own = key_of(plan->key);
    assert_true(bez_key_same(own, key));
    bez_key_free(own);
  } else {
    assert_int_equal(st, BEZ_FORMAT);
    assert_null(key);
    if (!strstr(err.message, word)) fail_msg("\"%s\" does not say \"%s\"", err.message, word);
  }
  bez_key_free(key);
  free_der(chain[0]);
  free_der(chain[1]);
  X509_free(leaf);
}

static void test_chain(void **state) {
  (void)state;
  family f = make_family();
  const int64_t now = time(NULL);
  cert_plan p = good_leaf(&f);
  expect(&f, &p, true, now, NULL);
  expect(&f, &p, false, now, "trusted root");
  expect(&f, &p, true, now + 7200, "expired on");
  expect(&f, &p, true, now - 7200, "not valid before");
  p.extended = NULL;
  expect(&f, &p, true, now, NULL);
  p.usage = NULL;
  expect(&f, &p, true, now, "does not say");
  p.extended = "codeSigning";
  expect(&f, &p, true, now, NULL);
  p.extended = "serverAuth";
  expect(&f, &p, true, now, "code signing");
  p.extended = "codeSigning";
  p.usage = "keyEncipherment";
  expect(&f, &p, true, now, "digital signatures");
  p = good_leaf(&f);
  p.issuer_key = f.leaf_key; /* it names the right issuer, which has not signed it */
  expect(&f, &p, true, now, "signature");
  p = good_leaf(&f);
  p.digest = EVP_sha1();
  expect(&f, &p, true, now, "weak");
  free_family(&f);
}

/* An authority for other uses vouches for no signer, whatever the signer's own certificate says. */
static void test_middle_usage(void **state) {
  (void)state;
  static const struct {
    const char *extended, *word;
  } cases[] = {{"codeSigning", NULL},
               {"anyExtendedKeyUsage", NULL},
               {"serverAuth,codeSigning", NULL},
               {"serverAuth", "\"CN=middle\" may not vouch"}};
  family f = make_family();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    X509_free(f.middle);
    f.middle = make_cert(&(cert_plan){.subject = "middle",
                                      .key = f.middle_key,
                                      .issuer = f.root,
                                      .issuer_key = f.root_key,
                                      .ca = true,
                                      .usage = "keyCertSign",
                                      .extended = cases[i].extended,
                                      .from = -YEAR,
                                      .until = YEAR});
    cert_plan p = good_leaf(&f);
    expect(&f, &p, true, time(NULL), cases[i].word);
  }
  free_family(&f);
}

/* Other keys than ours, and somebody else's root. */
static void test_foreign(void **state) {
  (void)state;
  family f = make_family(), other = make_family();
  const int64_t now = time(NULL);
  cert_plan p = good_leaf(&other);
  p.issuer = NULL;
  p.issuer_key = NULL;
  p.subject = "signer";
  expect(&f, &p, true, now, "trusted root");
  p = good_leaf(&f);
  EVP_PKEY *rsa = EVP_RSA_gen(2048);
  p.key = rsa;
  expect(&f, &p, true, now, "RSA");
  EVP_PKEY_free(rsa);
  free_family(&f);
  free_family(&other);
}

static void test_files(void **state) {
  (void)state;
  char path[] = "/tmp/bez-chain-XXXXXX";
  family f = make_family();
  cert_plan p = good_leaf(&f);
  X509 *leaf = make_cert(&p);
  bez_error err = {0};
  bez_arena arena = {0};
  bez_bytes *chain = NULL;
  size_t n = 0;
  FILE *out = fdopen(mkstemp(path), "w");
  assert_non_null(out);
  fputs("some words in front\n", out);
  assert_true(PEM_write_X509(out, leaf) && PEM_write_X509(out, f.middle));
  fclose(out);
  const char *paths[] = {path};
  assert_ok(bez_chain_read(paths, 1, &arena, &chain, &n, &err));
  assert_int_equal(n, 2);
  bez_key *key = key_of(f.leaf_key), *wrong = key_of(f.root_key), *found = NULL;
  const int64_t now = time(NULL);
  assert_ok(bez_chain_verify(chain, n, f.roots, now, "b", &found, NULL, 0, &err));
  assert_ok(bez_chain_fits(chain, n, key, now, path, &err));
  assert_int_equal(bez_chain_fits(chain, n, wrong, now, path, &err), BEZ_USAGE);
  assert_int_equal(bez_chain_fits(chain, n, key, now + 7200, path, &err), BEZ_USAGE);
  assert_int_equal(bez_chain_fits(chain, n, key, now - 7200, path, &err), BEZ_USAGE);
  write_text(path, "nothing", 7);
  assert_int_equal(bez_chain_read(paths, 1, &arena, &chain, &n, &err), BEZ_USAGE);
  write_text(path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 60);
  assert_int_equal(bez_roots_add_file(f.roots, path, &err), BEZ_USAGE);
  unlink(path);
  bez_key_free(key);
  bez_key_free(wrong);
  bez_key_free(found);
  X509_free(leaf);
  bez_arena_free(&arena);
  free_family(&f);
}

/* A bundle with a chain, end to end; and hostile certificates. */
static void test_bundle(void **state) {
  (void)state;
  family f = make_family();
  cert_plan p = good_leaf(&f);
  X509 *leaf = make_cert(&p);
  bez_bytes chain[] = {der_of(leaf), der_of(f.middle)};
  bez_key *key = key_of(f.leaf_key);
  bez_buf text = {0};
  bez_error err = {0};
  bez_bundle b = {0};
  char who[64];
  assert_ok(bez_bundle_sign("t", "payload", 7, key, chain, 2, &text, &err));
  assert_ok(bez_bundle_parse(text.data, text.len, "b", &b, &err));
  assert_int_equal(b.method, BEZ_BUNDLE_CHAIN);
  assert_int_equal(b.n_certificates, 2);
  assert_ok(bez_bundle_verify_chain(&b, f.roots, time(NULL), "b", who, sizeof who, &err));
  assert_int_equal(bez_bundle_verify_key(&b, key, "b", &err), BEZ_FORMAT);
  b.payload.len--;
  err = (bez_error){0};
  assert_int_equal(bez_bundle_verify_chain(&b, f.roots, time(NULL), "b", who, sizeof who, &err), BEZ_FORMAT);
  b.payload.len++;
  bez_bytes cut[] = {{chain[0].data, chain[0].len - 1}, chain[1]};
  b.certificates = cut;
  err = (bez_error){0};
  assert_int_equal(bez_bundle_verify_chain(&b, f.roots, time(NULL), "b", who, sizeof who, &err), BEZ_FORMAT);
  bez_bundle_free(&b);
  bez_buf_free(&text);
  bez_key_free(key);
  free_der(chain[0]);
  free_der(chain[1]);
  X509_free(leaf);
  free_family(&f);
}

static void test_vectors(void **state) {
  (void)state;
  need_shared(VECTORS "keys/certificate/ca-cert.pem");
  static const struct {
    const char *roots, *word;
  } cases[] = {{"keys/certificate/ca-cert.pem", NULL},
               {"keys/wrong/wrong-ca-cert.pem", "trusted root"},
               {"keys/self-signed/signing-cert.pem", "trusted root"}};
  bez_error err = {0};
  bez_bundle b = {0};
  assert_ok(bez_bundle_read(VECTORS "spec-v1.0/valid/certificate.bundle.json", &b, &err));
  for (size_t i = 0; i < 3; i++) {
    char path[4096], who[64];
    bez_roots *roots = NULL;
    bez_error why = {0};
    snprintf(path, sizeof path, VECTORS "%s", cases[i].roots);
    assert_ok(bez_roots_create(&roots, &err));
    assert_ok(bez_roots_add_file(roots, path, &err));
    /* 2026-07-01: the chain is valid from 2025 to 2035 */
    bez_status st = bez_bundle_verify_chain(&b, roots, 1782864000, path, who, sizeof who, &why);
    assert_int_equal(st, cases[i].word ? BEZ_FORMAT : BEZ_OK);
    if (cases[i].word) assert_non_null(strstr(why.message, cases[i].word));
    bez_roots_free(roots);
  }
  bez_bundle_free(&b);
}

/* The expired signer: its certificate ended before its issuer's began. */
static void test_expired(void **state) {
  (void)state;
  need_shared(VECTORS "keys/expired/signing-key-cert.pem");
  const char *paths[] = {VECTORS "keys/expired/signing-key-cert.pem", VECTORS "keys/certificate/int-ca-cert.pem"};
  bez_arena arena = {0};
  bez_error err = {0}, why = {0};
  bez_bytes *chain = NULL;
  size_t n = 0;
  bez_roots *roots = NULL;
  bez_key *key = NULL;
  assert_ok(bez_roots_create(&roots, &err));
  assert_ok(bez_roots_add_file(roots, VECTORS "keys/certificate/ca-cert.pem", &err));
  assert_ok(bez_chain_read(paths, 2, &arena, &chain, &n, &err));
  assert_int_equal(bez_chain_verify(chain, n, roots, 1782864000, "b", &key, NULL, 0, &why), BEZ_FORMAT);
  assert_non_null(strstr(why.message, "expired on 2020-01-02"));
  why = (bez_error){0};
  assert_int_equal(bez_chain_verify(chain, n, roots, 1577880000, "b", &key, NULL, 0, &why), BEZ_FORMAT);
  assert_non_null(strstr(why.message, "not valid before 2025-05-02"));
  bez_roots_free(roots);
  bez_arena_free(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_chain),   cmocka_unit_test(test_middle_usage),
                                     cmocka_unit_test(test_foreign), cmocka_unit_test(test_files),
                                     cmocka_unit_test(test_bundle),  cmocka_unit_test(test_vectors),
                                     cmocka_unit_test(test_expired)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
