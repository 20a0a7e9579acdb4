/* Where rows come from, over many versions: what stays or moves keeps its origin, what comes is new. */
#include "content/provenance_runs.h"
#include "vault_memory.h"
#include "vault_rows.h"

static bez_batch batch_of(unsigned version) {
  bez_batch batch = {{0}};
  memcpy(batch.bytes, &version, sizeof version);
  return batch;
}

typedef struct history {
  unsigned *first; /* version with which an id came, 0 none */
  const rows *r;
  uint64_t next;
  bez_run last;
} history;

static bez_status check_run(void *ctx, const bez_run *run, bez_error *err) {
  history *h = ctx;
  (void)err;
  assert_int_equal(run->row, h->next);
  if (run->row) assert_memory_not_equal(&run->batch, &h->last.batch, sizeof run->batch);
  for (uint64_t i = 0; i < run->n_rows; i++) {
    bez_batch want = batch_of(h->first[h->r->ids[run->row + i]]);
    assert_memory_equal(&run->batch, &want, sizeof want);
  }
  h->next += run->n_rows;
  h->last = *run;
  return BEZ_OK;
}

enum { IDS = 200000 };

static void edit(rows *r, bez_rng *rng, uint64_t *fresh, unsigned version, unsigned *first) {
  size_t n = (size_t)bez_rng_below(rng, 60);
  for (size_t i = 0; i < n; i++) {
    unsigned what = (unsigned)bez_rng_below(rng, 4);
    size_t at = (size_t)bez_rng_below(rng, r->n);
    if (what == 0 && r->n > 100) rows_remove(r, at);
    if (what == 1) { /* moved */
      uint64_t id = r->ids[at];
      rows_remove(r, at);
      rows_insert(r, (size_t)bez_rng_below(rng, r->n + 1), id);
    }
    if (what < 2) continue;
    if (what == 3) rows_remove(r, at);
    first[*fresh] = version;
    rows_insert(r, what == 3 ? at : (size_t)bez_rng_below(rng, r->n + 1), (*fresh)++);
  }
  if (version % 5 == 0) bez_rng_shuffle(rng, r->ids, r->n / 3);
}

static void test_versions(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  bez_rng rng = bez_rng_make(11, 0);
  uint64_t fresh = 5000;
  rows r = rows_count(fresh, 0);
  unsigned *first = calloc(IDS, sizeof *first);
  assert_non_null(first);
  bez_tree old_rows, old, next;
  bez_tree_empty(BEZ_TREE_ROWS, &old_rows);
  bez_tree_empty(BEZ_TREE_PROVENANCE, &old);
  for (unsigned version = 1; version <= 15; version++) {
    if (version > 1) edit(&r, &rng, &fresh, version, first);
    for (uint64_t i = 0; version == 1 && i < fresh; i++) first[i] = 1;
    bez_tree now = rows_tree(&pack, &r, NULL);
    bez_changes changes;
    assert_ok(bez_provenance_make(&objects, &pack, test_key, &old_rows, &old, &now, batch_of(version), &next, &changes,
                                  &err));
    uint64_t n_before = old_rows.height ? old_rows.top.rows : 0;
    assert_int_equal(n_before + changes.added - changes.removed, r.n);
    assert_int_equal(next.top.rows, r.n);
    history h = {.first = first, .r = &r};
    assert_ok(bez_provenance_each(&objects, &next, check_run, &h, &err));
    assert_int_equal(h.next, r.n);
    for (int i = 0; i < 50; i++) {
      uint64_t row = bez_rng_below(&rng, r.n);
      bez_run run;
      assert_ok(bez_provenance_of(&objects, &next, row, &run, &err));
      bez_batch want = batch_of(first[r.ids[row]]);
      assert_true(run.row <= row && row < run.row + run.n_rows);
      assert_memory_equal(&run.batch, &want, sizeof want);
    }
    old_rows = now;
    old = next;
  }
  bez_run run;
  assert_int_equal(bez_provenance_of(&objects, &old, r.n, &run, &err), BEZ_USAGE);
  free(first);
  free(r.ids);
  memory_free(&objects);
}

static void test_counts(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(1000, 0);
  bez_tree none_rows, none, a = rows_tree(&pack, &r, NULL), pa, pb;
  bez_changes changes;
  bez_tree_empty(BEZ_TREE_ROWS, &none_rows);
  bez_tree_empty(BEZ_TREE_PROVENANCE, &none);
  assert_ok(bez_provenance_make(&objects, &pack, test_key, &none_rows, &none, &a, batch_of(1), &pa, &changes, &err));
  assert_true(changes.added == 1000 && !changes.removed && !changes.changed && !changes.moved);
  r.ids[10] = 5000;           /* changed */
  rows_remove(&r, 500);       /* removed */
  rows_insert(&r, 700, 5001); /* added */
  uint64_t moved = r.ids[100];
  rows_remove(&r, 100);
  rows_insert(&r, 900, moved);
  bez_tree b = rows_tree(&pack, &r, NULL);
  assert_ok(bez_provenance_make(&objects, &pack, test_key, &a, &pa, &b, batch_of(2), &pb, &changes, &err));
  assert_int_equal(changes.changed, 1);
  assert_int_equal(changes.removed, 1);
  assert_int_equal(changes.added, 1);
  assert_int_equal(changes.moved, 1);
  assert_int_equal(pb.top.items, 5); /* 1, changed, 1, added, 1: the moved row fits in */
  bez_tree wrong = pb;
  assert_int_equal(bez_provenance_make(&objects, &pack, test_key, &b, &none, &a, batch_of(3), &wrong, &changes, &err),
                   BEZ_FORMAT);
  free(r.ids);
  memory_free(&objects);
}

static void test_damaged_leaves(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  bez_run_writer writer;
  bez_tree tree;
  assert_ok(bez_run_writer_begin(&writer, &pack, test_key, &err));
  for (unsigned i = 0; i < 5; i++) assert_ok(bez_run_writer_add(&writer, 100 + i, batch_of(i), &err));
  assert_ok(bez_run_writer_finish(&writer, &tree, &err));
  bez_run_writer_free(&writer);
  bez_tree_walk *walk;
  bez_tree_entry leaf;
  bez_tree_place place;
  bool end;
  assert_ok(bez_tree_walk_begin(&objects, &tree, &walk, &err));
  assert_ok(bez_tree_walk_next(walk, &leaf, &place, &end, &err));
  bez_tree_walk_end(walk);
  bez_buf bytes = {0};
  bez_run_leaf out;
  assert_ok(bez_objects_get(&objects, BEZ_OBJECT_LEAF, &leaf.id, &bytes, &err));
  assert_ok(bez_run_leaf_parse(bytes.data, bytes.len, &leaf, &out, &err));
  for (size_t i = 0; i < bytes.len; i++) {
    bez_error why = {0};
    bytes.data[i] ^= 1;
    assert_int_equal(bez_run_leaf_parse(bytes.data, bytes.len, &leaf, &out, &why), BEZ_FORMAT);
    bytes.data[i] ^= 1;
    assert_int_equal(bez_run_leaf_parse(bytes.data, i, &leaf, &out, &why), BEZ_FORMAT);
  }
  bez_buf_free(&bytes);
  memory_free(&objects);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_versions), cmocka_unit_test(test_counts),
                                     cmocka_unit_test(test_damaged_leaves)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
