/* Merkle trees against their definition, checkpoints, and signatures that Sigstore would vouch for: those of
 * fuzz/corpus/sigstore/ (made by tests/cli/sigstore_maker.py) hold, and fail for the right reason once a piece of them
 * is another. */
#include "test.h"

#include "base/base64.h"
#include "base/file.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/sigstore.h"

#define CORPUS BEZ_SOURCE_DIR "/fuzz/corpus/sigstore/"

/* ---- trees ---- */

enum { MOST = 40 };

static void leaf_of(size_t i, uint8_t out[32]) {
  bez_error err = {0};
  char text[32];
  snprintf(text, sizeof text, "entry %zu", i);
  assert_ok(bez_merkle_leaf(text, strlen(text), out, &err));
}

static void hash_pair(const uint8_t *left, const uint8_t *right, uint8_t out[32]) {
  uint8_t all[65] = {1}, digest[BEZ_DIGEST_MOST];
  bez_error err = {0};
  memcpy(all + 1, left, 32);
  memcpy(all + 33, right, 32);
  assert_ok(bez_digest_bytes(BEZ_DIGEST_SHA256, all, sizeof all, digest, &err));
  memcpy(out, digest, 32);
}

static size_t split_of(size_t n) {
  size_t k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

static void root_of(size_t first, size_t n, uint8_t out[32]) {
  uint8_t left[32], right[32];
  if (n == 1) {
    leaf_of(first, out);
    return;
  }
  root_of(first, split_of(n), left);
  root_of(first + split_of(n), n - split_of(n), right);
  hash_pair(left, right, out);
}

/* Returns how many hashes it wrote. */
static size_t path_of(size_t index, size_t first, size_t n, uint8_t *out) {
  if (n == 1) return 0;
  const size_t k = split_of(n);
  const bool left = index < first + k;
  size_t m = left ? path_of(index, first, k, out) : path_of(index, first + k, n - k, out);
  root_of(left ? first + k : first, left ? n - k : k, out + 32 * m);
  return m + 1;
}

static void test_trees(void **state) {
  (void)state;
  uint8_t path[64 * 32], leaf[32], want[32], have[32];
  bez_error err = {0};
  for (size_t n = 1; n <= MOST; n++) {
    root_of(0, n, want);
    for (size_t i = 0; i < n; i++) {
      size_t m = path_of(i, 0, n, path);
      leaf_of(i, leaf);
      assert_ok(bez_merkle_root(leaf, i, n, path, m, have, &err));
      assert_memory_equal(have, want, 32);
      bez_error why = {0};
      assert_int_equal(bez_merkle_root(leaf, i, n, path, m + 1, have, &why), BEZ_FORMAT);
      if (m) {
        bez_error_clear(&why);
        assert_int_equal(bez_merkle_root(leaf, i, n, path, m - 1, have, &why), BEZ_FORMAT);
      }
    }
    bez_error why = {0};
    assert_int_equal(bez_merkle_root(leaf, n, n, path, 0, have, &why), BEZ_FORMAT);
  }
  bez_error why = {0};
  assert_int_equal(bez_merkle_root(leaf, 0, 0, path, 0, have, &why), BEZ_FORMAT);
}

/* ---- checkpoints ---- */

static void test_checkpoints(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "\n\n",
                                    "log\n\n",
                                    "log\n12\n\n",
                                    "log\n012\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n",
                                    "log\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n",
                                    "log\n12345678901234567890\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n",
                                    "log\n12\nAAAA\n\n",
                                    "\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"};
  bez_checkpoint c;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    bez_error err = {0};
    if (bez_checkpoint_parse(bad[i], "t", &c, &err) != BEZ_FORMAT) fail_msg("taken: %s", bad[i]);
  }
  static const char good[] = "log\n12\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nmore\n\n"
                             "\xE2\x80\x94 a AQIDBAU=\n- b AQIDBAU=\n\xE2\x80\x94 c AQID\n\xE2\x80\x94 d e AAAA\n"
                             "\xE2\x80\x94 f CQgHBgUE";
  bez_error err = {0};
  assert_ok(bez_checkpoint_parse(good, "t", &c, &err));
  assert_int_equal(c.size, 12);
  assert_int_equal(c.len, strstr(good, "more\n") + 5 - good);
  bez_note_signature line;
  const char *at = c.signatures;
  assert_true(bez_note_next(&at, &line));
  assert_true(line.len == 1 && line.bytes[0] == 5 && line.hint[3] == 4 && *line.name == 'a');
  assert_true(bez_note_next(&at, &line)); /* what has no room for a key hint, or three words, is passed over */
  assert_true(line.len == 2 && *line.name == 'f');
  assert_false(bez_note_next(&at, &line));
}

/* ---- whole signatures ---- */

typedef struct pair {
  json_t *root, *bundle;
} pair;

static pair load(const char *name) {
  char path[512];
  bez_buf text = {0};
  bez_error err = {0};
  pair p = {0};
  snprintf(path, sizeof path, CORPUS "%s", name);
  assert_ok(bez_file_read(path, 1 << 20, &text, &err));
  char *end = strchr(text.data, '\n');
  assert_non_null(end);
  assert_ok(bez_json_parse(text.data, (size_t)(end - text.data), name, &p.root, &err));
  assert_ok(bez_json_parse(end + 1, strlen(end + 1), name, &p.bundle, &err));
  bez_buf_free(&text);
  return p;
}

static void drop(pair *p) {
  json_decref(p->root);
  json_decref(p->bundle);
}

static bez_status check_as(const pair *p, const char *identity, const char *issuer, bez_sigstore_proof *proof,
                           bez_error *err) {
  bez_trusted_root root = {0};
  bez_bundle bundle = {0};
  char *a = json_dumps(p->root, JSON_COMPACT), *b = json_dumps(p->bundle, JSON_COMPACT);
  const bez_sigstore_options options = {.identity = identity, .issuer = issuer};
  bez_status st = bez_trusted_root_parse(a, strlen(a), "root", &root, err);
  if (st == BEZ_OK) st = bez_bundle_parse(b, strlen(b), "bundle", &bundle, err);
  if (st == BEZ_OK) st = bez_sigstore_check(&bundle, &root, &options, "bundle", proof, err);
  bez_bundle_free(&bundle);
  bez_trusted_root_free(&root);
  free(a);
  free(b);
  return st;
}

#define WHO "signer@example.org"
#define VOUCHER "https://accounts.example.org"

static void test_signatures_hold(void **state) {
  (void)state;
  static const struct {
    const char *name, *identity;
    bool stamped;
  } seeds[] = {{"dsse-1", WHO, false},
               {"intoto-2", "https://ci.example.org/build", false},
               {"hashedrekord-1", WHO, false},
               {"hashedrekord-2", WHO, false},
               {"dsse-2-stamped", WHO, true}};
  for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
    pair p = load(seeds[i].name);
    bez_sigstore_proof proof = {0};
    bez_error err = {0};
    if (check_as(&p, seeds[i].identity, VOUCHER, &proof, &err) != BEZ_OK)
      fail_msg("%s: %s", seeds[i].name, err.message);
    assert_int_equal(proof.stamped, seeds[i].stamped);
    assert_true(proof.signed_at > 0);
    /* The entry's own number, from 1000 on, where the log promised it; else the leaf's, which is proven. */
    assert_true((proof.log_index >= 1000) == !seeds[i].stamped);
    bez_error why = {0};
    assert_int_equal(check_as(&p, "other@example.org", VOUCHER, NULL, &why), BEZ_FORMAT);
    assert_non_null(strstr(why.message, "was signed by"));
    bez_error_clear(&why);
    assert_int_equal(check_as(&p, seeds[i].identity, "https://other.example.org", NULL, &why), BEZ_FORMAT);
    assert_non_null(strstr(why.message, "vouched for"));
    drop(&p);
  }
}

/* Bundles of versions 0.1 and 0.2 hold the certificate at the head of a chain. */
static void test_older_bundles(void **state) {
  (void)state;
  pair p = load("dsse-1");
  json_t *material = json_object_get(p.bundle, "verificationMaterial");
  json_t *chain = json_pack("{s:[O]}", "certificates", json_object_get(material, "certificate"));
  bez_error err = {0};
  json_object_set_new(p.bundle, "mediaType", json_string("application/vnd.dev.sigstore.bundle+json;version=0.2"));
  assert_int_equal(check_as(&p, WHO, VOUCHER, NULL, &err), BEZ_FORMAT);
  json_object_del(material, "certificate");
  json_object_set_new(material, "x509CertificateChain", chain);
  bez_error_clear(&err);
  assert_ok(check_as(&p, WHO, VOUCHER, NULL, &err));
  json_object_set_new(p.bundle, "mediaType", json_string("application/vnd.dev.sigstore.bundle+json;version=0.4"));
  assert_int_equal(check_as(&p, WHO, VOUCHER, NULL, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "known version"));
  bez_error_clear(&err);
  json_object_set_new(p.bundle, "mediaType", json_string("application/vnd.dev.sigstore.bundle+json;version=0.1"));
  json_array_clear(json_object_get(material, "tlogEntries"));
  assert_int_equal(check_as(&p, WHO, VOUCHER, NULL, &err), BEZ_FORMAT);
  drop(&p);
}

/* The value at "a.0.b". */
static json_t *at_path(json_t *document, const char *path, char last[64]) {
  char part[64];
  for (const char *at = path;;) {
    size_t len = strcspn(at, ".");
    assert_true(len && len < sizeof part);
    memcpy(part, at, len);
    part[len] = '\0';
    if (!at[len]) {
      memcpy(last, part, len + 1);
      return document;
    }
    document =
        json_is_array(document) ? json_array_get(document, strtoul(part, NULL, 10)) : json_object_get(document, part);
    assert_non_null(document);
    at += len + 1;
  }
}

static void put_at(json_t *document, const char *path, json_t *value) {
  char last[64];
  json_t *parent = at_path(document, path, last);
  if (json_is_array(parent))
    assert_int_equal(json_array_set_new(parent, strtoul(last, NULL, 10), value), 0);
  else
    assert_int_equal(json_object_set_new(parent, last, value), 0);
}

/* Another byte of what a base64 text stands for: in its middle, or in the signature at its end. */
static json_t *flipped(const json_t *text, bool at_end) {
  uint8_t bytes[8192];
  size_t size = 0, len = json_string_length(text);
  assert_true(bez_base64_size(json_string_value(text), len, &size) && size < sizeof bytes);
  assert_true(bez_base64_get(json_string_value(text), len, bytes, size));
  bytes[at_end ? size - 3 : size / 2] ^= 1;
  bez_buf out = {0};
  bez_base64_put(&out, bytes, size);
  json_t *value = json_string(out.data);
  bez_buf_free(&out);
  return value;
}

static void flip_at(json_t *document, const char *path, bool at_end) {
  char last[64];
  json_t *parent = at_path(document, path, last);
  json_t *old = json_is_array(parent) ? json_array_get(parent, strtoul(last, NULL, 10)) : json_object_get(parent, last);
  put_at(document, path, flipped(old, at_end));
}

#define ENTRY "verificationMaterial.tlogEntries.0."

static void test_each_piece_counts(void **state) {
  (void)state;
  static const struct {
    bool root;
    const char *path, *says;
  } pieces[] = {{false, "dsseEnvelope.payload", "another signature, signer or payload"},
                {false, "dsseEnvelope.signatures.0.sig", "another signature, signer or payload"},
                {false, "verificationMaterial.certificate.rawBytes", "another signature, signer or payload"},
                {false, ENTRY "canonicalizedBody", ""},
                {false, ENTRY "logId.keyId", "no transparency log of the trusted root"},
                {false, ENTRY "inclusionProof.hashes.0", "does not lead to the log's checkpoint"},
                {false, ENTRY "inclusionPromise.signedEntryTimestamp", "signed entry time is not the log's"},
                {true, "tlogs.0.logId.keyId", "no transparency log of the trusted root"},
                {true, "ctlogs.0.logId.keyId", "no certificate log of the trusted root"},
                {true, "certificateAuthorities.0.certChain.certificates.0.rawBytes", ""},
                {true, "certificateAuthorities.0.certChain.certificates.1.rawBytes", ""}};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    pair p = load("dsse-1");
    bez_error err = {0};
    flip_at(pieces[i].root ? p.root : p.bundle, pieces[i].path, false);
    bez_status st = check_as(&p, WHO, VOUCHER, NULL, &err);
    if (st != BEZ_FORMAT || !strstr(err.message, pieces[i].says))
      fail_msg("%s: %d %s", pieces[i].path, (int)st, err.message);
    drop(&p);
  }
}

/* Members that are words and numbers. */
static void test_each_word_counts(void **state) {
  (void)state;
  static const struct {
    bool root;
    const char *path, *value, *says;
  } words[] = {{false, ENTRY "integratedTime", "1903867501", "signed entry time is not the log's"},
               {false, ENTRY "logIndex", "1006", "signed entry time is not the log's"},
               {false, ENTRY "logIndex", "-1", "no index"},
               {false, ENTRY "inclusionProof.logIndex", "6", ""},
               {false, ENTRY "inclusionProof.logIndex", "11", "has no entry"},
               {false, ENTRY "inclusionProof.treeSize", "12", "does not lead to"},
               {false, ENTRY "inclusionProof.treeSize", "99999999", "too short"},
               {false, ENTRY "kindVersion.version", "0.0.2", "another kind than the bundle says"},
               {false, ENTRY "inclusionProof.checkpoint.envelope", "log\n\n", "no size and root"},
               {true, "tlogs.0.publicKey.validFor.start", "2031-01-01T00:00:00Z", "not trusted at the time"},
               {true, "tlogs.0.publicKey.validFor.start", "2031-02", "a time that is none"},
               {true, "ctlogs.0.publicKey.validFor.start", "2031-01-01T00:00:00Z", "no certificate log"},
               {true, "certificateAuthorities.0.validFor.start", "2031-01-01T00:00:00Z", "not trusted at the time"},
               {true, "mediaType", "application/json", "no trusted root"}};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    pair p = load("dsse-1");
    bez_error err = {0};
    put_at(words[i].root ? p.root : p.bundle, words[i].path, json_string(words[i].value));
    bez_status st = check_as(&p, WHO, VOUCHER, NULL, &err);
    if (st != BEZ_FORMAT || !strstr(err.message, words[i].says))
      fail_msg("%s: %d %s", words[i].path, (int)st, err.message);
    drop(&p);
  }
}

/* What nobody vouches for has no time. */
static void test_without_a_time(void **state) {
  (void)state;
  pair p = load("dsse-1");
  bez_error err = {0};
  char last[64];
  json_t *entry = at_path(p.bundle, ENTRY "integratedTime", last);
  json_object_del(entry, "inclusionPromise");
  assert_int_equal(check_as(&p, WHO, VOUCHER, NULL, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "nobody trusted says when"));
  json_object_del(entry, "inclusionProof");
  bez_error_clear(&err);
  assert_int_equal(check_as(&p, WHO, VOUCHER, NULL, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "no inclusion proof"));
  drop(&p);
  p = load("dsse-2-stamped");
  flip_at(p.bundle, "verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp", true);
  bez_error_clear(&err);
  assert_int_equal(check_as(&p, WHO, VOUCHER, NULL, &err), BEZ_FORMAT);
  assert_non_null(strstr(err.message, "nobody trusted says when"));
  drop(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_trees),
      cmocka_unit_test(test_checkpoints),
      cmocka_unit_test(test_signatures_hold),
      cmocka_unit_test(test_each_piece_counts),
      cmocka_unit_test(test_each_word_counts),
      cmocka_unit_test(test_without_a_time),
      cmocka_unit_test(test_older_bundles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
