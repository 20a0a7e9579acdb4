/* Claims of row proofs: they hold for every row and every digest, and no other text of theirs does. */
#include "base/base64.h"
#include "base/rng.h"
#include "content/digests.h"
#include "content/sorted_leaf.h"
#include "crypto/merkle.h"
#include "crypto/sha256.h"
#include "vault/row_claim.h"
#include "vault_store.h"

/* A table of rows that are told apart by number; the last is twice there. */
static void write_table(const char *path, size_t n) {
  bez_buf text = {0};
  bez_buf_puts(&text, "id,word\n");
  for (size_t i = 0; i < n; i++) bez_buf_printf(&text, "%zu,word %zu\n", i, i * 31);
  if (n) bez_buf_printf(&text, "%zu,word %zu\n", n - 1, (n - 1) * 31);
  write_file(path, text.data, text.len);
  bez_buf_free(&text);
}

static bez_ingest_result add_table(store *s, size_t n) {
  bez_error err = {0};
  char path[256];
  bez_ingest_result out;
  bez_ingest_options options = {.key = store_key, .threads = 2};
  write_table(store_path(s, "table.csv", path), n);
  assert_ok(store_add(s, path, &options, &out, &err));
  return out;
}

static void assert_checks(const bez_buf *text, const bez_row_claim *want) {
  bez_error err = {0};
  bez_row_claim got;
  const char *at = text->data;
  assert_ok(bez_claim_check(&at, &got, &err));
  assert_true(at == text->data + text->len);
  assert_int_equal(got.kind, want->kind);
  assert_memory_equal(&got.tree, &want->tree, sizeof got.tree);
  assert_memory_equal(got.canonical, want->canonical, 32);
  assert_memory_equal(got.raw, want->raw, 32);
  assert_int_equal(got.count, want->count);
  assert_int_equal(got.type, want->type);
}

static void test_every_row(void **state) {
  (void)state;
  bez_error err = {0};
  static const size_t sizes[] = {1, 10, 100, 700};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    store s;
    store_open(&s);
    bez_ingest_result r = add_table(&s, sizes[k]);
    for (uint64_t row = 0; row < r.rows.top.rows; row++) {
      bez_buf text = {0};
      bez_row_claim claim, there;
      assert_ok(bez_claim_row(s.objects, &r.rows, 1, row, &text, &claim, &err));
      assert_memory_equal(&claim.tree, &r.rows.id, sizeof claim.tree);
      assert_checks(&text, &claim);
      bez_buf_clear(&text);
      assert_ok(bez_claim_digest(s.sorted, &r.sorted, claim.canonical, &text, &there, &err));
      assert_int_equal(there.kind, BEZ_CLAIM_PRESENT);
      assert_int_equal(there.count, row + 2 >= r.rows.top.rows ? 2 : 1);
      assert_checks(&text, &there);
      bez_buf_free(&text);
    }
    bez_buf text = {0};
    bez_row_claim claim;
    assert_int_equal(bez_claim_row(s.objects, &r.rows, 1, r.rows.top.rows, &text, &claim, &err), BEZ_USAGE);
    bez_buf_free(&text);
    store_close(&s);
  }
}

static void test_absence(void **state) {
  (void)state;
  bez_error err = {0};
  static const size_t sizes[] = {0, 1, 2, 20, 500, 5000};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    store s;
    store_open(&s);
    bez_ingest_result r = add_table(&s, sizes[k]);
    bez_rng rng = bez_rng_make(k, 0);
    for (int i = 0; i < 500; i++) {
      uint8_t digest[32];
      for (size_t b = 0; b < 32; b++) digest[b] = (uint8_t)bez_rng_u32(&rng);
      if (i == 0) memset(digest, 0, 32);
      if (i == 1) memset(digest, 255, 32);
      bez_buf text = {0};
      bez_row_claim claim;
      assert_ok(bez_claim_digest(s.sorted, &r.sorted, digest, &text, &claim, &err));
      assert_int_equal(claim.kind, BEZ_CLAIM_ABSENT);
      assert_memory_equal(&claim.tree, &r.sorted.id, sizeof claim.tree);
      assert_memory_equal(claim.canonical, digest, 32);
      assert_checks(&text, &claim);
      bez_buf_free(&text);
    }
    store_close(&s);
  }
}

/* No other byte anywhere leads to the same tree. */
static void flip_every_byte(const bez_buf *text, const bez_row_claim *claim) {
  for (size_t i = 0; i < text->len; i++) {
    for (unsigned bit = 0; bit < 8; bit++) {
      bez_error err = {0};
      bez_row_claim got;
      text->data[i] = (char)(text->data[i] ^ (1 << bit));
      const char *at = text->data;
      if (bez_claim_check(&at, &got, &err) == BEZ_OK) {
        bool same_tree = memcmp(&got.tree, &claim->tree, sizeof got.tree) == 0;
        bool same_digest = memcmp(got.canonical, claim->canonical, 32) == 0;
        assert_false(same_tree && same_digest); /* that another digest is absent, too, may be true */
        assert_true(!same_tree || got.kind == BEZ_CLAIM_ABSENT);
      }
      text->data[i] = (char)(text->data[i] ^ (1 << bit));
    }
  }
}

static void test_tampered(void **state) {
  (void)state;
  bez_error err = {0};
  store s;
  store_open(&s);
  bez_ingest_result r = add_table(&s, 3000);
  bez_rng rng = bez_rng_make(99, 0);
  for (int i = 0; i < 12; i++) {
    bez_buf text = {0};
    bez_row_claim claim;
    uint8_t digest[32];
    for (size_t b = 0; b < 32; b++) digest[b] = i == 10 ? 0 : i == 11 ? 255 : (uint8_t)bez_rng_u32(&rng);
    if (i < 4)
      assert_ok(bez_claim_row(s.objects, &r.rows, 1, bez_rng_below(&rng, 3000), &text, &claim, &err));
    else
      assert_ok(bez_claim_digest(s.sorted, &r.sorted, digest, &text, &claim, &err));
    flip_every_byte(&text, &claim);
    for (size_t len = 0; len < text.len; len++) { /* cut short */
      char was = text.data[len];
      const char *at = text.data;
      bez_row_claim got;
      text.data[len] = '\0';
      bez_error why = {0};
      assert_int_equal(bez_claim_check(&at, &got, &why), BEZ_FORMAT);
      text.data[len] = was;
    }
    bez_buf_free(&text);
  }
  store_close(&s);
}

/* What a liar would try: neighbours that are none. Each is a true text of another claim with one lie. */
static void test_lies(void **state) {
  (void)state;
  bez_error err = {0};
  store s;
  store_open(&s);
  bez_ingest_result r = add_table(&s, 3000);
  for (uint64_t row = 0; row < 200; row++) {
    bez_buf text = {0};
    bez_row_claim claim, got;
    assert_ok(bez_claim_row(s.objects, &r.rows, 1, row, &text, &claim, &err));
    uint8_t before[32], behind[32];
    memcpy(before, claim.canonical, 32);
    memcpy(behind, claim.canonical, 32);
    before[31]--;
    behind[31]++;
    /* The proofs around a row that is there, told of that row. */
    for (int k = 0; k < 2; k++) {
      bez_buf lie = {0};
      bez_buf_clear(&text);
      assert_ok(bez_claim_digest(s.sorted, &r.sorted, k ? behind : before, &text, &got, &err));
      assert_int_equal(got.kind, BEZ_CLAIM_ABSENT);
      bez_buf digest = {0};
      bez_base64_put(&digest, claim.canonical, 32);
      bez_buf_puts(&lie, "claim absent\ndigest ");
      bez_buf_write(&lie, digest.data, digest.len);
      bez_buf_puts(&lie, strchr(strchr(text.data, '\n') + 1, '\n'));
      const char *at = lie.data;
      bez_error why = {0};
      assert_int_equal(bez_claim_check(&at, &got, &why), BEZ_FORMAT);
      bez_buf_free(&digest);
      bez_buf_free(&lie);
    }
    bez_buf_free(&text);
  }
  store_close(&s);
}

/* The empty tree's id depends on no hash, so nothing is in it, whatever stands before its line. */
static void test_nothing_is_in_an_empty_tree(void **state) {
  (void)state;
#define DIGEST "d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c="
#define LARGER "93d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3c="
  static const char *const lies[] = {"claim included\nitem 3 " DIGEST " " DIGEST "\ntop 0\n",
                                     "claim present\nitem " DIGEST " 7\ntop 0\n",
                                     "claim absent\ndigest " DIGEST "\nitem " LARGER " 1\ntop 0\n"};
  bez_row_claim claim;
  for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
    bez_error err = {0};
    const char *at = lies[i];
    assert_int_equal(bez_claim_check(&at, &claim, &err), BEZ_FORMAT);
  }
  bez_error err = {0};
  const char *truth = "claim absent\ndigest " DIGEST "\ntop 0\n";
  assert_ok(bez_claim_check(&truth, &claim, &err));
#undef DIGEST
#undef LARGER
}

/* Two neighbours in leaves of all sizes: the lines for a pair lead to the root. */
static void test_pairs(void **state) {
  (void)state;
  for (size_t n = 2; n <= 64; n++) {
    for (size_t at = 1; at < n; at++) {
      uint8_t hashes[64][32], scratch[64][32], root[32], value[32], left[32];
      for (size_t i = 0; i < n; i++) bez_sha256(&i, sizeof i, hashes[i]);
      memcpy(scratch, hashes, sizeof scratch);
      bez_merkle_fold(scratch, n, root);
      memcpy(value, hashes[at], 32);
      memcpy(left, hashes[at - 1], 32);
      bez_buf text = {0};
      memcpy(scratch, hashes, sizeof scratch);
      bez_path_put_pair(&text, scratch, n, at);
      bool met = false;
      for (const char *p = text.data; *p; p = strchr(p, '\n') + 1) {
        uint8_t hash[32];
        if (*p == '=') {
          assert_false(met);
          met = true;
          bez_merkle_node(left, value, value);
          continue;
        }
        assert_true(bez_base64_get(p + 2, 44, hash, 32));
        if (*p == 'r')
          bez_merkle_node(value, hash, value);
        else if (met)
          bez_merkle_node(hash, value, value);
        else
          bez_merkle_node(hash, left, left);
      }
      assert_true(met);
      assert_memory_equal(value, root, 32);
      bez_buf_free(&text);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_row), cmocka_unit_test(test_absence),
      cmocka_unit_test(test_tampered),  cmocka_unit_test(test_lies),
      cmocka_unit_test(test_pairs),     cmocka_unit_test(test_nothing_is_in_an_empty_tree)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
