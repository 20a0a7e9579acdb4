/* Tokens, features, and n-gram counts that merge. */
#include <math.h>

#include "text_help.h"

#include "fit/kept_docs.h"
#include "fit/naive_bayes.h"

static void tokens_are_what_people_see(void **state) {
  (void)state;
  static const char text[] = "Don't call 0871-2300 NOW!!! \u4f60\u597d \u00a35 win2nite";
  static const char *const want[] = {"Don't", "call",   "0871",   "-",      "2300", "NOW",
                                     "!!!",   "\u4f60", "\u597d", "\u00a3", "5",    "win2nite"};
  bez_token t[64];
  size_t n = bez_tokenize(text, sizeof text - 1, t, 64);
  assert_int_equal(n, 12);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(t[i].end - t[i].begin, strlen(want[i]));
    assert_memory_equal(text + t[i].begin, want[i], strlen(want[i]));
  }
  assert_int_equal(t[2].shape, t[4].shape); /* numbers of equal length */
  assert_int_not_equal(t[2].literal, t[4].literal);
  bez_token lower[1];
  assert_int_equal(bez_tokenize("dont", 4, lower, 1), 1);
  assert_int_equal(lower[0].literal, t[0].literal);
}

static void features_are_distinct(void **state) {
  (void)state;
  bez_doc doc = {0};
  assert_int_equal(bez_doc_load(&doc, "a b a b a b", 11, NULL), BEZ_OK);
  assert_int_equal(doc.n_tokens, 6);
  assert_int_equal(doc.n_features, 5); /* a, b, a b, b a, length */
  assert_int_equal(bez_doc_load(&doc, "", 0, NULL), BEZ_OK);
  assert_int_equal(doc.n_features, 1);
  bez_doc_free(&doc);
}

static void unseen_says_nothing_and_seen_tells(void **state) {
  (void)state;
  bez_nb *nb = NULL;
  bez_doc doc = {0};
  assert_int_equal(bez_nb_create(2, 12, &nb, NULL), BEZ_OK);
  for (unsigned i = 0; i < 100; i++) {
    const char *text = i < 20 ? "win cash" : "see you";
    assert_int_equal(bez_doc_load(&doc, text, strlen(text), NULL), BEZ_OK);
    bez_nb_add(nb, doc.features, doc.n_features, i < 20, 1);
    bez_nb_rows(nb, i < 20, 1);
  }
  assert_int_equal(bez_nb_prepare(nb, NULL), BEZ_OK);
  assert_true(fabs(bez_nb_weight(nb, 1, 0, 0)) < 0.02);
  assert_int_equal(bez_doc_load(&doc, "win", 3, NULL), BEZ_OK);
  double loud = bez_nb_margin(nb, doc.features, 1, 1, UINT32_MAX, NULL);
  assert_true(loud > 2.0);
  assert_true(fabs(loud + bez_nb_margin(nb, doc.features, 1, 0, UINT32_MAX, NULL)) < 1e-9);
  assert_true(bez_nb_margin(nb, doc.features, 1, 1, 1, NULL) < loud); /* without itself it knows less */
  bez_doc_free(&doc);
  bez_nb_destroy(nb);
}

static void saved_parts_merge_to_the_whole(void **state) {
  (void)state;
  static const char *const text[] = {"win cash now", "see you later", "free prize", "love you", "call now to claim"};
  size_t len[5];
  uint32_t label[] = {1, 0, 1, 0, 1};
  for (size_t i = 0; i < 5; i++) len[i] = strlen(text[i]);
  bez_nb_params params = {2, 12};
  void *all = NULL, *left = NULL, *right = NULL;
  assert_int_equal(bez_nb_summary.create(&params, &all, NULL), BEZ_OK);
  assert_int_equal(bez_nb_summary.create(&params, &left, NULL), BEZ_OK);
  assert_int_equal(bez_nb_summary.create(&params, &right, NULL), BEZ_OK);
  assert_int_equal(bez_nb_summary.update(all, &(bez_nb_batch){text, len, label, 5}, NULL), BEZ_OK);
  assert_int_equal(bez_nb_summary.update(left, &(bez_nb_batch){text, len, label, 2}, NULL), BEZ_OK);
  assert_int_equal(bez_nb_summary.update(right, &(bez_nb_batch){text + 2, len + 2, label + 2, 3}, NULL), BEZ_OK);
  bez_buf saved = {0}, sealed = {0}, whole = {0}, merged = {0};
  assert_int_equal(bez_nb_summary.save(right, &saved, NULL), BEZ_OK);
  assert_int_equal(bez_summary_seal(&bez_nb_summary, bez_nb_digest(&params), &saved, &sealed, NULL), BEZ_OK);
  bez_cursor body;
  assert_int_equal(
      bez_summary_open(&bez_nb_summary, bez_nb_digest(&params), (const uint8_t *)sealed.data, sealed.len, &body, NULL),
      BEZ_OK);
  for (size_t cut = 0; cut < body.len; cut++) { /* cut short anywhere: refused, nothing added */
    bez_cursor shorter = {body.data, cut, 0};
    bez_error err = {0};
    assert_int_equal(bez_nb_summary.merge(left, &shorter, &err), BEZ_FORMAT);
  }
  assert_int_equal(bez_nb_summary.merge(left, &body, NULL), BEZ_OK);
  assert_int_equal(bez_nb_summary.save(all, &whole, NULL), BEZ_OK);
  assert_int_equal(bez_nb_summary.save(left, &merged, NULL), BEZ_OK);
  assert_int_equal(whole.len, merged.len);
  assert_memory_equal(whole.data, merged.data, whole.len);
  bez_buf_free(&saved);
  bez_buf_free(&sealed);
  bez_buf_free(&whole);
  bez_buf_free(&merged);
  bez_nb_summary.destroy(all);
  bez_nb_summary.destroy(left);
  bez_nb_summary.destroy(right);
}

static void kept_texts_are_as_if_read_again(void **state) {
  (void)state;
  bez_error err = {0};
  bez_kept_docs *kept = NULL;
  bez_doc fresh = {0}, again = {0};
  bez_buf text = {0};
  assert_int_equal(bez_kept_docs_create(70, 16, &kept, &err), BEZ_OK);
  for (int pass = 0; pass < 2; pass++) {
    bez_rng rng = bez_rng_make(3, 3);
    for (uint64_t r = 0; r < 70; r++) {
      bez_buf_clear(&text);
      if (r % 9) put_message(&text, &rng, r % 2);
      assert_int_equal(bez_doc_load(&fresh, text.len ? text.data : "", text.len, &err), BEZ_OK);
      if (!pass) assert_int_equal(bez_kept_docs_add(kept, r / 16, &fresh, &err), BEZ_OK);
      if (!pass) continue;
      assert_int_equal(bez_kept_docs_load(kept, r, &again, &err), BEZ_OK);
      assert_int_equal(again.n_tokens, fresh.n_tokens);
      assert_int_equal(again.n_features, fresh.n_features);
      for (size_t i = 0; i < fresh.n_tokens; i++) assert_int_equal(again.tokens[i].literal, fresh.tokens[i].literal);
      for (size_t i = 0; i < fresh.n_features; i++) assert_int_equal(again.features[i].id, fresh.features[i].id);
    }
  }
  bez_kept_docs_destroy(kept);
  bez_doc_free(&fresh);
  bez_doc_free(&again);
  bez_buf_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tokens_are_what_people_see),      cmocka_unit_test(features_are_distinct),
      cmocka_unit_test(kept_texts_are_as_if_read_again), cmocka_unit_test(unseen_says_nothing_and_seen_tells),
      cmocka_unit_test(saved_parts_merge_to_the_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
