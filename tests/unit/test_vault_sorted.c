/* Sorted trees: the same digests give the same tree, by whatever edits, threads and memory; what does not change is not
 * read. */
#include "content/digests.h"
#include "content/sorted_leaf.h"
#include "vault_memory.h"
#include "vault_rows.h"

static bez_digests *digests_of(const rows *r, uint64_t memory) {
  bez_error err = {0};
  bez_digests *d;
  assert_ok(bez_digests_create(memory, &d, &err));
  for (size_t i = 0; i < r->n; i++) {
    uint8_t one[1][32];
    row_canonical(r->ids[i], one[0]);
    assert_ok(bez_digests_add(d, (const uint8_t(*)[32])one, 1, &err));
  }
  return d;
}

static bez_tree edited(bez_objects *objects, const bez_tree *old, const rows *minus, const rows *plus,
                       unsigned threads) {
  bez_error err = {0};
  bez_pack pack = {objects};
  bez_tree none, out;
  bez_digests *removed = minus ? digests_of(minus, 0) : NULL, *added = plus ? digests_of(plus, 0) : NULL;
  bez_tree_empty(BEZ_TREE_SORTED, &none);
  assert_ok(bez_sorted_edit(objects, &pack, test_key, old ? old : &none, removed, added, threads, &out, &err));
  bez_digests_free(removed);
  bez_digests_free(added);
  return out;
}

/* One item after the other, as the definition has it. */
static bez_tree by_definition(bez_objects *objects, const rows *r) {
  bez_error err = {0};
  bez_pack pack = {objects};
  bez_digests *d = digests_of(r, 0);
  bez_digest_window window = {0};
  bez_tree_writer *writer;
  bez_leaf leaf = {0};
  bez_tree tree;
  assert_ok(bez_tree_begin(&pack, BEZ_TREE_SORTED, test_key, &writer, &err));
  for (;;) {
    assert_ok(bez_digests_next(d, 1, &window, &err));
    if (!window.n_tiles) break;
    for (size_t t = 0; t < window.n_tiles; t++) {
      const bez_digest_run *run = &window.tiles[t];
      for (size_t i = 0; i < run->n; i++)
        if (bez_sorted_add(&leaf, test_key, run->digests[i], run->counts[i]))
          assert_ok(bez_leaf_flush(&leaf, &pack, writer, &err));
    }
  }
  assert_ok(bez_leaf_flush(&leaf, &pack, writer, &err));
  assert_ok(bez_tree_finish(writer, &tree, &err));
  bez_leaf_free(&leaf);
  bez_digest_window_free(&window);
  bez_digests_free(d);
  return tree;
}

static void assert_same_tree(const bez_tree *a, const bez_tree *b) {
  assert_memory_equal(&a->id, &b->id, sizeof a->id);
}

static void test_build_is_the_definition(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 2, 15, 64, 65, 1000, 20000, 300000};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    bez_objects objects = {0};
    rows r = rows_count(sizes[s], s << 32);
    bez_tree want = by_definition(&objects, &r), one = edited(&objects, NULL, NULL, &r, 1);
    bez_tree four = edited(&objects, NULL, NULL, &r, 4);
    assert_same_tree(&want, &one);
    assert_same_tree(&want, &four);
    assert_int_equal(want.top.rows, r.n);
    free(r.ids);
    memory_free(&objects);
  }
}

/* The digests' order is known without us: qsort. */
static int by_bytes(const void *a, const void *b) {
  return memcmp(a, b, 32);
}

static void test_order_and_counts(void **state) {
  (void)state;
  bez_error err = {0};
  enum { N = 50000 };
  rows r = {0};
  bez_rng rng = bez_rng_make(8, 0);
  uint8_t(*want)[32] = calloc(N, sizeof *want);
  assert_non_null(want);
  for (size_t i = 0; i < N; i++) {
    rows_insert(&r, r.n, bez_rng_below(&rng, N / 3));
    row_canonical(r.ids[i], want[i]);
  }
  qsort(want, N, sizeof *want, by_bytes);
  bez_digests *d = digests_of(&r, 0);
  bez_digest_window window = {0};
  size_t at = 0;
  for (;;) {
    assert_ok(bez_digests_next(d, 2, &window, &err));
    if (!window.n_tiles) break;
    for (size_t t = 0; t < window.n_tiles; t++)
      for (size_t i = 0; i < window.tiles[t].n; i++)
        for (uint64_t k = 0; k < window.tiles[t].counts[i]; k++, at++)
          assert_memory_equal(window.tiles[t].digests[i], want[at], 32);
  }
  assert_int_equal(at, N);
  bez_digest_window_free(&window);
  bez_digests_free(d);
  free(want);
  free(r.ids);
}

/* Beyond the memory, digests go to a file: the tree is the same. */
static void test_spilled(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  enum { N = 900000 }; /* 29 MB; the least memory is 8 MiB */
  bez_digests *small, *large;
  bez_tree none, a, b;
  bez_tree_empty(BEZ_TREE_SORTED, &none);
  assert_ok(bez_digests_create(1, &small, &err));
  assert_ok(bez_digests_create(1u << 30, &large, &err));
  for (uint64_t i = 0; i < N; i++) {
    uint8_t one[1][32];
    row_canonical(i % 10 ? i : 77, one[0]); /* one row in ten is the same */
    assert_ok(bez_digests_add(small, (const uint8_t(*)[32])one, 1, &err));
    assert_ok(bez_digests_add(large, (const uint8_t(*)[32])one, 1, &err));
  }
  assert_ok(bez_sorted_edit(&objects, &pack, test_key, &none, NULL, small, 2, &a, &err));
  assert_ok(bez_sorted_edit(&objects, &pack, test_key, &none, NULL, large, 1, &b, &err));
  assert_same_tree(&a, &b);
  assert_int_equal(a.top.rows, N);
  uint64_t count;
  uint8_t digest[32];
  row_canonical(77, digest);
  assert_ok(bez_sorted_find(&objects, &a, digest, &count, &err));
  assert_int_equal(count, N / 10 + 1);
  bez_digests_free(small);
  bez_digests_free(large);
  memory_free(&objects);
}

static void test_any_edits(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(5, 0);
  for (int round = 0; round < 12; round++) {
    bez_objects objects = {0};
    rows r = rows_count((size_t)bez_rng_below(&rng, 5000), 0);
    bez_tree tree = edited(&objects, NULL, NULL, &r, 1);
    for (int step = 0; step < 8; step++) {
      rows plus = {0}, minus = {0};
      size_t n = (size_t)bez_rng_below(&rng, step % 2 ? 5 : 700);
      for (size_t i = 0; i < n; i++) {
        bool less = r.n && (step == 6 || bez_rng_below(&rng, 2)); /* step 6: mostly gone */
        if (less) {
          size_t at = (size_t)bez_rng_below(&rng, r.n);
          rows_insert(&minus, minus.n, r.ids[at]);
          rows_remove(&r, at);
        } else {
          rows_insert(&plus, plus.n, bez_rng_below(&rng, 10000));
          rows_insert(&r, r.n, plus.ids[plus.n - 1]);
        }
      }
      bez_tree next = edited(&objects, &tree, &minus, &plus, 1 + step % 2);
      bez_tree fresh = edited(&objects, NULL, NULL, &r, 2);
      assert_same_tree(&next, &fresh);
      tree = next;
      free(plus.ids);
      free(minus.ids);
    }
    rows none = {0};
    bez_tree gone = edited(&objects, &tree, &r, &none, 1), empty;
    bez_tree_empty(BEZ_TREE_SORTED, &empty);
    assert_same_tree(&gone, &empty);
    free(r.ids);
    memory_free(&objects);
  }
}

static void test_reads_what_changes(void **state) {
  (void)state;
  bez_objects objects = {0};
  rows r = rows_count(100000, 0), plus = rows_count(3, 1u << 30), minus = rows_count(3, 5000);
  bez_tree tree = edited(&objects, NULL, NULL, &r, 2);
  objects.gets = 0;
  size_t n = objects.n;
  (void)edited(&objects, &tree, &minus, &plus, 1);
  assert_true(objects.gets <= 6 * 12 + 10);
  assert_true(objects.n - n <= 6 * 12);
  free(r.ids);
  free(plus.ids);
  free(minus.ids);
  memory_free(&objects);
}

static void test_removing_what_is_not_there(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(1000, 0), twice = rows_count(2, 5), other = rows_count(1, 9999);
  twice.ids[1] = twice.ids[0];
  bez_tree tree = edited(&objects, NULL, NULL, &r, 1), out, none;
  bez_tree_empty(BEZ_TREE_SORTED, &none);
  const rows *bad[] = {&twice, &other};
  for (size_t i = 0; i < 2; i++) {
    bez_digests *removed = digests_of(bad[i], 0);
    assert_int_equal(bez_sorted_edit(&objects, &pack, test_key, &tree, removed, NULL, 1, &out, &err), BEZ_FORMAT);
    assert_non_null(strstr(err.message, "is to be removed"));
    bez_digests_free(removed);
    bez_error_clear(&err);
    removed = digests_of(bad[i], 0);
    assert_int_equal(bez_sorted_edit(&objects, &pack, test_key, &none, removed, NULL, 1, &out, &err), BEZ_FORMAT);
    bez_digests_free(removed);
    bez_error_clear(&err);
  }
  free(r.ids);
  free(twice.ids);
  free(other.ids);
  memory_free(&objects);
}

static void test_find(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  rows r = rows_count(10000, 0);
  for (size_t i = 0; i < 500; i++) rows_insert(&r, r.n, i);
  bez_tree tree = edited(&objects, NULL, NULL, &r, 2);
  for (uint64_t id = 0; id < 11000; id++) {
    uint8_t digest[32];
    uint64_t count;
    row_canonical(id, digest);
    assert_ok(bez_sorted_find(&objects, &tree, digest, &count, &err));
    assert_int_equal(count, id < 500 ? 2 : id < 10000);
  }
  free(r.ids);
  memory_free(&objects);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_build_is_the_definition),
                                     cmocka_unit_test(test_order_and_counts),
                                     cmocka_unit_test(test_spilled),
                                     cmocka_unit_test(test_any_edits),
                                     cmocka_unit_test(test_reads_what_changes),
                                     cmocka_unit_test(test_removing_what_is_not_there),
                                     cmocka_unit_test(test_find)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
