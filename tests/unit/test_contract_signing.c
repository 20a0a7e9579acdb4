/* Signing and verifying through the public interface: one list whatever the threads, and no allocation whose failure
 * does harm: BEZ_MEMORY and nothing left behind, or all of it. */
#include "crypto_help.h"

#include <sys/stat.h>

#include "bezoar/signing.h"
#include "failing_allocations.h"

typedef struct scene {
  char folder[64], model[96], key[96], public[96], signature[112];
} scene;

static void set_scene(scene *s) {
  snprintf(s->folder, sizeof s->folder, "/tmp/bez-signing-XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  snprintf(s->model, sizeof s->model, "%s/model", s->folder);
  snprintf(s->key, sizeof s->key, "%s/k.pem", s->folder);
  snprintf(s->public, sizeof s->public, "%s/k.pub", s->folder);
  snprintf(s->signature, sizeof s->signature, "%s/model.sig", s->model);
  EVP_PKEY *pkey = EVP_EC_gen("P-256");
  write_key(pkey, s->key, s->public, NULL);
  EVP_PKEY_free(pkey);
  assert_int_equal(mkdir(s->model, 0700), 0);
  for (unsigned i = 0; i < 20; i++) {
    char path[128], text[64];
    snprintf(path, sizeof path, "%s/part-%u", s->model, i);
    snprintf(text, sizeof text, "%060u", i);
    write_text(path, text, i * 3);
  }
}

static void strike_scene(const scene *s) {
  for (unsigned i = 0; i < 20; i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/part-%u", s->model, i);
    unlink(path);
  }
  unlink(s->signature);
  assert_int_equal(rmdir(s->model), 0); /* nothing else was left there */
  unlink(s->key);
  unlink(s->public);
  rmdir(s->folder);
}

static bez_verification verify(const scene *s, unsigned threads) {
  bez_error err = {0};
  bez_verification v;
  const bez_verify_options o = {.key = s->public, .threads = threads};
  assert_ok(bez_model_verify(s->model, &o, &v, &err));
  return v;
}

static void test_threads(void **state) {
  (void)state;
  scene s;
  bez_error err = {0};
  bez_sign_result one, many;
  set_scene(&s);
  for (unsigned shards = 0; shards < 2; shards++) {
    const bez_sign_options o = {.key = s.key, .threads = 1, .shards = shards, .shard_size = shards ? 7 : 0};
    assert_ok(bez_model_sign(s.model, &o, &one, &err));
    bez_sign_options other = o;
    other.threads = 5;
    assert_ok(bez_model_sign(s.model, &other, &many, &err));
    assert_string_equal(one.digest, many.digest);
    assert_int_equal(one.bytes, 570);
    assert_int_equal(one.n_files, shards ? 19 : 20); /* the empty one has no shard */
    bez_verification v = verify(&s, 3);
    assert_true(v.holds && !v.n_problems);
    assert_int_equal(v.n_files, shards ? 19 : 20);
    assert_int_equal(v.bytes, 570);
    assert_string_equal(v.digest, one.digest);
    bez_verification_free(&v);
  }
  strike_scene(&s);
}

static bool refuses(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  (void)ctx, (void)stage, (void)unit, (void)done, (void)total;
  return false;
}

static void test_stopped(void **state) {
  (void)state;
  scene s;
  bez_error err = {0};
  bez_sign_result result;
  set_scene(&s);
  const bez_sign_options o = {.key = s.key, .threads = 1, .progress = refuses};
  assert_int_equal(bez_model_sign(s.model, &o, &result, &err), BEZ_CANCELLED);
  assert_int_not_equal(access(s.signature, F_OK), 0);
  strike_scene(&s);
}

static void test_failing_allocations(void **state) {
  (void)state;
  scene s;
  set_scene(&s);
  for (long k = 0; k < 5000; k++) {
    bez_error err = {0};
    bez_sign_result result;
    const bez_sign_options o = {.key = s.key, .threads = 1};
    atomic_store(&until_failure, k);
    bez_status st = bez_model_sign(s.model, &o, &result, &err);
    const bool reached = atomic_load(&until_failure) < 0;
    atomic_store(&until_failure, -1);
    if (st != BEZ_OK && st != BEZ_MEMORY) fail_msg("signing, allocation %ld: %s", k, err.message);
    assert_true(st == BEZ_OK || access(s.signature, F_OK) != 0);
    if (st == BEZ_OK && reached) { /* it went without: then it must be whole */
      bez_verification v = verify(&s, 1);
      assert_true(v.holds);
      bez_verification_free(&v);
    }
    if (!reached) break;
    unlink(s.signature);
  }
  strike_scene(&s);
}

static void test_failing_allocations_of_verifying(void **state) {
  (void)state;
  scene s;
  bez_error err = {0};
  bez_sign_result result;
  set_scene(&s);
  assert_ok(bez_model_sign(s.model, &(bez_sign_options){.key = s.key, .threads = 1}, &result, &err));
  const bez_verify_options o = {.key = s.public, .threads = 1};
  for (unsigned changed = 0; changed < 2; changed++) {
    char path[128];
    snprintf(path, sizeof path, "%s/part-7", s.model);
    if (changed) write_text(path, "other", 5);
    for (long k = 0; k < 5000; k++) {
      bez_verification v;
      atomic_store(&until_failure, k);
      bez_status st = bez_model_verify(s.model, &o, &v, &err);
      const bool reached = atomic_load(&until_failure) < 0;
      atomic_store(&until_failure, -1);
      if (st != BEZ_OK && st != BEZ_MEMORY) fail_msg("verifying, allocation %ld: %s", k, err.message);
      if (st == BEZ_OK) assert_int_equal(v.holds, !changed); /* memory never decides */
      bez_verification_free(&v);
      if (!reached) break;
    }
  }
  strike_scene(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads), cmocka_unit_test(test_stopped),
                                     cmocka_unit_test(test_failing_allocations),
                                     cmocka_unit_test(test_failing_allocations_of_verifying)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
