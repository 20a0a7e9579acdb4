/* Trees: the same rows give the same tree, whatever came before; a change touches few nodes; what does not fit the
 * entry above is refused. */
#include "vault_memory.h"
#include "vault_rows.h"

static bez_buf bytes_of(const bez_objects *objects, const bez_tree *tree, uint64_t *n_rows, uint64_t *n_leaves) {
  bez_error err = {0};
  bez_buf all = {0}, leaf = {0};
  bez_tree_walk *walk;
  bez_tree_entry entry;
  bez_tree_place place, want = {0};
  bool end;
  *n_rows = *n_leaves = 0;
  assert_ok(bez_tree_walk_begin(objects, tree, &walk, &err));
  for (;;) {
    assert_ok(bez_tree_walk_next(walk, &entry, &place, &end, &err));
    if (end) break;
    assert_memory_equal(&place, &want, sizeof place);
    assert_ok(bez_objects_get(objects, BEZ_OBJECT_LEAF, &entry.id, &leaf, &err));
    bez_cursor c = {(const uint8_t *)leaf.data, leaf.len, 0};
    bez_item item;
    while (bez_cursor_left(&c)) {
      assert_true(bez_item_next(&c, &item));
      if (item.type != BEZ_ITEM_FILE) bez_buf_write(&all, item.body, item.body_len);
      want.item++;
      want.row += bez_item_is_row(item.type);
      want.byte += bez_item_file_bytes(&item);
    }
    (*n_leaves)++;
  }
  *n_rows = want.row;
  bez_tree_walk_end(walk);
  bez_buf_free(&leaf);
  return all;
}

static void test_empty(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  bez_tree_writer *writer;
  bez_tree tree, again, known;
  assert_ok(bez_tree_begin(&pack, BEZ_TREE_SORTED, test_key, &writer, &err));
  assert_ok(bez_tree_finish(writer, &tree, &err));
  assert_int_equal(tree.height, 0);
  bez_tree_empty(BEZ_TREE_SORTED, &known);
  assert_memory_equal(&known.id, &tree.id, sizeof known.id);
  assert_ok(bez_tree_open(&objects, BEZ_TREE_SORTED, &tree.id, &again, &err));
  assert_int_equal(again.height, 0);
  bez_tree_walk *walk;
  bez_tree_entry entry;
  bez_tree_place place;
  bool end;
  assert_ok(bez_tree_walk_begin(&objects, &tree, &walk, &err));
  assert_ok(bez_tree_walk_next(walk, &entry, &place, &end, &err));
  assert_true(end);
  assert_int_equal(bez_tree_walk_to_row(walk, 0, &err), BEZ_USAGE);
  bez_tree_walk_end(walk);
  memory_free(&objects);
}

static void test_all_sizes(void **state) {
  (void)state;
  bez_error err = {0};
  for (size_t n = 0; n < 400; n += n < 40 ? 1 : 37) {
    bez_objects objects = {0};
    bez_pack pack = {&objects};
    rows r = rows_count(n, 1000 * n);
    bez_tree tree = rows_tree(&pack, &r, NULL), again;
    bez_buf want = {0};
    uint64_t n_rows, n_leaves;
    bez_buf_puts(&want, "id,text\n");
    for (size_t i = 0; i < n; i++) {
      char text[64];
      bez_buf_write(&want, text, row_text(r.ids[i], text));
    }
    assert_ok(bez_tree_open(&objects, BEZ_TREE_ROWS, &tree.id, &again, &err));
    bez_buf got = bytes_of(&objects, &again, &n_rows, &n_leaves);
    assert_int_equal(n_rows, n);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.data, want.data, want.len);
    bez_buf_free(&got);
    bez_buf_free(&want);
    free(r.ids);
    memory_free(&objects);
  }
}

static void test_walk_to(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(20000, 5);
  bez_tree tree = rows_tree(&pack, &r, NULL);
  bez_tree_walk *walk;
  bez_tree_entry entry;
  bez_tree_place place;
  bool end;
  bez_rng rng = bez_rng_make(3, 0);
  assert_ok(bez_tree_walk_begin(&objects, &tree, &walk, &err));
  for (int i = 0; i < 300; i++) {
    uint64_t row = i ? bez_rng_below(&rng, r.n) : r.n - 1;
    objects.gets = 0;
    assert_ok(bez_tree_walk_to_row(walk, row, &err));
    assert_ok(bez_tree_walk_next(walk, &entry, &place, &end, &err));
    assert_false(end);
    assert_true(place.row <= row && row < place.row + entry.rows);
    assert_true(objects.gets <= tree.height);
    assert_ok(bez_tree_walk_to_item(walk, row, &err));
    assert_ok(bez_tree_walk_next(walk, &entry, &place, &end, &err));
    assert_true(place.item <= row && row < place.item + entry.items);
  }
  assert_int_equal(bez_tree_walk_to_row(walk, r.n, &err), BEZ_USAGE);
  bez_tree_walk_end(walk);
  free(r.ids);
  memory_free(&objects);
}

/* One row more or less costs a few nodes, wherever it is. */
static void test_changes_are_small(void **state) {
  (void)state;
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(30000, 77);
  bez_rng rng = bez_rng_make(4, 0);
  bez_tree before = rows_tree(&pack, &r, NULL);
  uint64_t fresh = 0;
  enum { TIMES = 30 };
  for (int i = 0; i < TIMES; i++) {
    size_t n = objects.n, at = i == 0 ? 0 : i == 1 ? r.n : (size_t)bez_rng_below(&rng, r.n);
    if (i % 2 && at < r.n)
      rows_remove(&r, at);
    else
      rows_insert(&r, at, bez_rng_u64(&rng));
    bez_tree after = rows_tree(&pack, &r, NULL);
    assert_memory_not_equal(&after.id, &before.id, sizeof after.id);
    assert_true(objects.n - n <= 40);
    fresh += objects.n - n;
    before = after;
  }
  assert_true(fresh <= (uint64_t)TIMES * 20); /* of some 2,300 objects */
  assert_true(before.height >= 4 && before.height <= 9);
  free(r.ids);
  memory_free(&objects);
}

/* Rows that are all alike cut always or never: neither may make the tree a list. */
static void test_equal_rows(void **state) {
  (void)state;
  for (uint64_t id = 0; id < 40; id++) {
    bez_objects objects = {0};
    bez_pack pack = {&objects};
    rows r = {0};
    for (size_t i = 0; i < (id < 2 ? 100000 : 3000); i++) rows_insert(&r, i, id);
    bez_tree tree = rows_tree(&pack, &r, NULL);
    uint64_t n_rows, n_leaves;
    bez_buf got = bytes_of(&objects, &tree, &n_rows, &n_leaves);
    assert_int_equal(n_rows, r.n);
    assert_true(tree.height <= 20);
    assert_true(objects.n < 400); /* equal nodes are kept once */
    bez_buf_free(&got);
    free(r.ids);
    memory_free(&objects);
  }
}

/* A subtree that lay left of the right edge is taken over whole: the tree is that of a fresh build. */
static void test_subtrees(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(3000, 9);
  bez_tree old = rows_tree(&pack, &r, NULL), tree;
  bez_tree_node top, below;
  bez_buf scratch = {0};
  assert_true(old.height >= 3);
  assert_ok(bez_tree_node_read(&objects, BEZ_TREE_ROWS, &old.top, &scratch, &top, &err));
  bez_tree_writer *writer;
  assert_ok(bez_tree_begin(&pack, BEZ_TREE_ROWS, test_key, &writer, &err));
  for (size_t i = 0; i + 1 < top.n; i++) {
    assert_true(bez_tree_takes(writer, old.height - 1));
    assert_ok(bez_tree_subtree(writer, old.height - 1u, &top.entries[i], &err));
  }
  assert_ok(bez_tree_node_read(&objects, BEZ_TREE_ROWS, &top.entries[top.n - 1], &scratch, &below, &err));
  bez_tree part = {.kind = BEZ_TREE_ROWS, .height = (uint8_t)(old.height - 1), .top = top.entries[top.n - 1]};
  bez_tree_walk *walk;
  bez_tree_entry entry;
  bez_tree_place place;
  bool end = false;
  assert_ok(bez_tree_walk_begin(&objects, &part, &walk, &err));
  for (;;) {
    assert_ok(bez_tree_walk_next(walk, &entry, &place, &end, &err));
    if (end) break;
    assert_ok(bez_tree_leaf(writer, &entry, &err));
  }
  bez_tree_walk_end(walk);
  assert_ok(bez_tree_finish(writer, &tree, &err));
  assert_memory_equal(&tree.id, &old.id, sizeof tree.id);
  bez_buf_free(&scratch);
  free(r.ids);
  memory_free(&objects);
}

static void flip_each(const bez_buf *node, const bez_tree_entry *above, bez_tree_kind kind) {
  bez_tree_node out;
  for (size_t i = 0; i < node->len; i++) {
    bez_error err = {0};
    node->data[i] ^= 1;
    /* Ids of what lies below are no part of the Merkle root: the object's own digest guards them. */
    if (bez_tree_node_parse(kind, node->data, node->len, above, &out, &err) == BEZ_OK)
      assert_memory_not_equal(out.entries[0].root, above->root, 32);
    node->data[i] ^= 1;
  }
  bez_error err = {0};
  assert_ok(bez_tree_node_parse(kind, node->data, node->len, above, &out, &err));
  for (size_t cut = 0; cut < node->len; cut++)
    assert_int_equal(bez_tree_node_parse(kind, node->data, cut, above, &out, &err), BEZ_FORMAT);
}

static void test_damaged_nodes(void **state) {
  (void)state;
  bez_error err = {0};
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(2000, 1);
  bez_tree tree = rows_tree(&pack, &r, NULL);
  bez_buf node = {0};
  assert_ok(bez_objects_get(&objects, BEZ_OBJECT_NODE, &tree.top.id, &node, &err));
  flip_each(&node, &tree.top, BEZ_TREE_ROWS);
  bez_tree_entry other = tree.top;
  bez_tree_node out;
  other.rows++;
  assert_int_equal(bez_tree_node_parse(BEZ_TREE_ROWS, node.data, node.len, &other, &out, &err), BEZ_FORMAT);
  other = tree.top;
  other.root[31] ^= 1;
  assert_int_equal(bez_tree_node_parse(BEZ_TREE_ROWS, node.data, node.len, &other, &out, &err), BEZ_FORMAT);
  bez_buf_free(&node);
  free(r.ids);
  memory_free(&objects);
}

static void test_roots(void **state) {
  (void)state;
  bez_objects objects = {0};
  bez_pack pack = {&objects};
  rows r = rows_count(200, 1);
  bez_tree tree = rows_tree(&pack, &r, NULL), out = {0};
  bez_buf root = {0};
  bez_tree_root_write(&root, &tree);
  assert_true(bez_tree_root_parse(BEZ_TREE_ROWS, root.data, root.len, &out));
  assert_int_equal(out.height, tree.height);
  assert_memory_equal(&out.top, &tree.top, sizeof out.top);
  assert_false(bez_tree_root_parse(BEZ_TREE_SORTED, root.data, root.len, &out));
  for (size_t cut = 0; cut < root.len; cut++) assert_false(bez_tree_root_parse(BEZ_TREE_ROWS, root.data, cut, &out));
  bez_buf_putc(&root, 0);
  assert_false(bez_tree_root_parse(BEZ_TREE_ROWS, root.data, root.len, &out));
  root.data[4] = BEZ_TREE_HEIGHT + 1;
  assert_false(bez_tree_root_parse(BEZ_TREE_ROWS, root.data, root.len - 1, &out));
  bez_buf_free(&root);
  free(r.ids);
  memory_free(&objects);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_empty),         cmocka_unit_test(test_all_sizes),
                                     cmocka_unit_test(test_walk_to),       cmocka_unit_test(test_changes_are_small),
                                     cmocka_unit_test(test_equal_rows),    cmocka_unit_test(test_subtrees),
                                     cmocka_unit_test(test_damaged_nodes), cmocka_unit_test(test_roots)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
