/* Comparing versions: hunks lead from the old rows to the new ones, are small where the change is, and are found
 * without reading what is equal. */
#include "content/align.h"
#include "content/diff.h"
#include "vault_memory.h"
#include "vault_rows.h"

typedef struct seen {
  const rows *before, *after;
  uint64_t old_row, new_row; /* so far */
  uint64_t same, minus, plus, hunks, others[2];
  bez_hunk_kind last;
} seen;

static bez_status take_hunk(void *ctx, const bez_hunk *h, bez_error *err) {
  seen *s = ctx;
  (void)err;
  assert_int_equal(h->old_row, s->old_row);
  assert_int_equal(h->new_row, s->new_row);
  if (h->kind == BEZ_HUNK_SAME) {
    assert_true(h->n_old == h->n_new && h->n_old > 0);
    if (s->hunks) assert_int_not_equal(s->last, BEZ_HUNK_SAME);
    for (uint64_t i = 0; i < h->n_old; i++)
      assert_int_equal(s->before->ids[h->old_row + i], s->after->ids[h->new_row + i]);
    s->same += h->n_old;
  } else {
    assert_true(h->n_old + h->n_new > 0);
    assert_true(h->n_old <= BEZ_DIFF_ROWS && h->n_new <= BEZ_DIFF_ROWS);
    for (int k = 0; k < 2; k++) {
      const bez_diff_row *r = k ? h->new_rows : h->old_rows;
      for (uint64_t i = 0; i < (k ? h->n_new : h->n_old); i++) {
        uint64_t row = (k ? h->new_row : h->old_row) + i, id = (k ? s->after : s->before)->ids[row];
        char text[64];
        uint8_t raw[32];
        assert_int_equal(r[i].row, row);
        assert_int_equal(r[i].item.body_len, row_text(id, text));
        assert_memory_equal(r[i].item.body, text, r[i].item.body_len);
        row_raw(id, raw);
        assert_memory_equal(r[i].raw, raw, 32);
      }
    }
    s->minus += h->n_old;
    s->plus += h->n_new;
  }
  s->old_row += h->n_old;
  s->new_row += h->n_new;
  s->last = h->kind;
  s->hunks++;
  return BEZ_OK;
}

static void take_other(void *ctx, bool of_new, const bez_item *item) {
  seen *s = ctx;
  assert_false(bez_item_is_row(item->type));
  s->others[of_new]++;
}

static seen compare(bez_objects *objects, const rows *before, const rows *after) {
  bez_error err = {0};
  bez_pack pack = {objects};
  bez_tree a = rows_tree(&pack, before, NULL), b = rows_tree(&pack, after, NULL);
  seen s = {.before = before, .after = after};
  objects->gets = 0;
  assert_ok(bez_tree_diff(objects, &a, &b, take_hunk, take_other, &s, &err));
  assert_int_equal(s.old_row, before->n);
  assert_int_equal(s.new_row, after->n);
  return s;
}

static void test_one_change(void **state) {
  (void)state;
  bez_objects objects = {0};
  rows before = rows_count(30000, 0);
  static const size_t places[] = {0, 1, 17, 15000, 29998, 29999};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    for (int how = 0; how < 3; how++) { /* changed, inserted, removed */
      rows after = rows_copy(&before);
      if (how != 1) rows_remove(&after, places[i]);
      if (how != 2) rows_insert(&after, places[i], 1000000);
      seen s = compare(&objects, &before, &after);
      assert_int_equal(s.minus, how != 1);
      assert_int_equal(s.plus, how != 2);
      assert_int_equal(s.others[0] + s.others[1], 0);
      assert_true(objects.gets <= 60);
      free(after.ids);
    }
  }
  rows after = rows_copy(&before);
  seen s = compare(&objects, &before, &after);
  assert_true(s.same == before.n && s.hunks == 1 && objects.gets == 0);
  free(after.ids);
  free(before.ids);
  memory_free(&objects);
}

static void test_many_changes(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(6, 0);
  for (int round = 0; round < 10; round++) {
    bez_objects objects = {0};
    rows before = rows_count((size_t)bez_rng_below(&rng, 20000), 0), after = rows_copy(&before);
    size_t n = (size_t)bez_rng_below(&rng, 300);
    for (size_t i = 0; i < n; i++) {
      if (after.n && bez_rng_below(&rng, 2))
        rows_remove(&after, (size_t)bez_rng_below(&rng, after.n));
      else
        rows_insert(&after, (size_t)bez_rng_below(&rng, after.n + 1), bez_rng_below(&rng, 40000));
    }
    seen s = compare(&objects, &before, &after);
    assert_true(s.minus + s.plus <= 2 * n + 4);
    s = compare(&objects, &after, &before);
    assert_true(s.minus + s.plus <= 2 * n + 4);
    free(before.ids);
    free(after.ids);
    memory_free(&objects);
  }
}

static void test_from_and_to_nothing(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows some = rows_count(5000, 0), none = {0};
  bez_tree a = rows_tree(&pack, &some, NULL), empty;
  bez_tree_empty(BEZ_TREE_ROWS, &empty);
  for (int k = 0; k < 2; k++) {
    seen s = {.before = k ? &some : &none, .after = k ? &none : &some};
    assert_ok(bez_tree_diff(&objects, k ? &a : &empty, k ? &empty : &a, take_hunk, take_other, &s, &err));
    assert_int_equal(k ? s.minus : s.plus, some.n);
    assert_int_equal(s.others[!k], 2);
  }
  seen s = {.before = &none, .after = &none};
  assert_ok(bez_tree_diff(&objects, &empty, &empty, take_hunk, take_other, &s, &err));
  assert_int_equal(s.hunks, 0);
  free(some.ids);
  memory_free(&objects);
}

/* Trees of other heights: a few rows of many, at the front, amid, at the end. */
static void test_heights(void **state) {
  (void)state;
  bez_objects objects = {0};
  rows many = rows_count(40000, 0);
  static const size_t from[] = {0, 20000, 39900};
  for (size_t i = 0; i < 3; i++) {
    rows few = rows_count(100, from[i]);
    seen s = compare(&objects, &many, &few);
    assert_true(s.same >= 40); /* the file's head takes the place of rows in the first leaf */
    s = compare(&objects, &few, &many);
    assert_true(s.same >= 40);
    free(few.ids);
  }
  free(many.ids);
  memory_free(&objects);
}

static void test_shuffled(void **state) {
  (void)state;
  bez_objects objects = {0};
  bez_rng rng = bez_rng_make(7, 0);
  rows before = rows_count(60000, 0), after = rows_copy(&before);
  bez_rng_shuffle(&rng, after.ids, after.n);
  seen s = compare(&objects, &before, &after);
  assert_true(s.same > 100); /* what patience leaves in order: about 2 √n a piece */
  free(before.ids);
  free(after.ids);
  memory_free(&objects);
}

static void test_in_pieces(void **state) {
  (void)state;
  bez_objects objects = {0};
  rows before = rows_count(BEZ_DIFF_ROWS + 100000, 0), after = rows_count(BEZ_DIFF_ROWS + 50000, 1u << 30);
  rows_insert(&after, 1000, 1000); /* one in common */
  seen s = compare(&objects, &before, &after);
  assert_true(s.hunks >= 2 && s.same <= 1);
  free(before.ids);
  free(after.ids);
  memory_free(&objects);
}

static void test_equal_rows(void **state) {
  (void)state;
  for (uint64_t id = 0; id < 4; id++) {
    bez_objects objects = {0};
    rows before = {0};
    for (size_t i = 0; i < 20000; i++) rows_insert(&before, i, id);
    rows after = rows_copy(&before);
    rows_insert(&after, 15000, 99);
    rows_insert(&after, 5000, 98);
    rows_remove(&after, 10000);
    seen s = compare(&objects, &before, &after);
    assert_true(s.plus == s.minus + 1 && s.minus <= 64 * 64); /* at worst a node is paired with its twin */
    free(before.ids);
    free(after.ids);
    memory_free(&objects);
  }
}

static void test_other_items(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(3000, 0);
  bez_tree a = rows_tree(&pack, &r, NULL), b = rows_tree(&pack, &r, "id,words\n");
  seen s = {.before = &r, .after = &r};
  assert_ok(bez_tree_diff(&objects, &a, &b, take_hunk, take_other, &s, &err));
  assert_true(s.same == r.n && s.others[0] == 1 && s.others[1] == 1);
  s = (seen){.before = &r, .after = &r};
  assert_ok(bez_tree_diff(&objects, &a, &b, take_hunk, NULL, &s, &err));
  assert_true(s.same == r.n);
  free(r.ids);
  memory_free(&objects);
}

static void digest_of(unsigned value, uint8_t out[32]) {
  bez_sha256(&value, sizeof value, out);
}

/* Longest common subsequence by the book. */
static size_t longest_common(const unsigned *a, size_t na, const unsigned *b, size_t nb) {
  size_t best[64][64] = {{0}};
  for (size_t i = 1; i <= na; i++)
    for (size_t j = 1; j <= nb; j++) {
      size_t up = best[i - 1][j], left = best[i][j - 1];
      best[i][j] = a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1 : up > left ? up : left;
    }
  return best[na][nb];
}

static size_t aligned(const unsigned *a, size_t na, const unsigned *b, size_t nb) {
  bez_error err = {0};
  uint8_t da[64][32], db[64][32];
  bez_match *matches;
  size_t n, sum = 0, i = 0, j = 0;
  for (size_t k = 0; k < na; k++) digest_of(a[k], da[k]);
  for (size_t k = 0; k < nb; k++) digest_of(b[k], db[k]);
  assert_ok(bez_digests_align((const uint8_t(*)[32])da, na, (const uint8_t(*)[32])db, nb, BEZ_ALIGN_EDITS, &matches, &n,
                              &err));
  for (size_t m = 0; m < n; m++) {
    assert_true(matches[m].n > 0 && matches[m].a >= i && matches[m].b >= j);
    for (size_t k = 0; k < matches[m].n; k++) assert_int_equal(a[matches[m].a + k], b[matches[m].b + k]);
    i = matches[m].a + matches[m].n;
    j = matches[m].b + matches[m].n;
    sum += matches[m].n;
  }
  assert_true(i <= na && j <= nb);
  free(matches);
  return sum;
}

static void test_align(void **state) {
  (void)state;
  bez_rng rng = bez_rng_make(9, 0);
  for (int round = 0; round < 3000; round++) {
    unsigned a[63], b[63], names = 1 + (unsigned)bez_rng_below(&rng, 40);
    size_t na = (size_t)bez_rng_below(&rng, 63), nb = (size_t)bez_rng_below(&rng, 63);
    for (size_t i = 0; i < na; i++) a[i] = (unsigned)bez_rng_below(&rng, names);
    for (size_t i = 0; i < nb; i++) b[i] = (unsigned)bez_rng_below(&rng, names);
    size_t got = aligned(a, na, b, nb), best = longest_common(a, na, b, nb);
    assert_true(got <= best);
    if (names <= 3) assert_true(got + 6 >= best); /* nothing unique: Myers alone, but for what the ends took */
    if (na == nb && memcmp(a, b, na * sizeof *a) == 0) assert_int_equal(got, na);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_change),
                                     cmocka_unit_test(test_many_changes),
                                     cmocka_unit_test(test_from_and_to_nothing),
                                     cmocka_unit_test(test_heights),
                                     cmocka_unit_test(test_shuffled),
                                     cmocka_unit_test(test_in_pieces),
                                     cmocka_unit_test(test_equal_rows),
                                     cmocka_unit_test(test_other_items),
                                     cmocka_unit_test(test_align)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
