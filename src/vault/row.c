/* Rows of a version, one or all. */
#include "vault/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/sha256.h"

bez_form_use bez_file_row_form(void) {
  for (size_t i = 0; bez_forms[i]; i++)
    if (bez_forms[i]->file_row) return (bez_form_use){bez_forms[i], NULL};
  return (bez_form_use){0};
}

bez_status bez_row_canonical(const bez_form_use *form, const bez_item *item, bez_canonical *c, uint8_t out[32],
                             bez_error *err) {
  const bez_form_use pictures = bez_file_row_form();
  const bez_form_use *use = item->type == BEZ_ITEM_FILE_ROW ? &pictures : form;
  if (item->type == BEZ_ITEM_DIGEST && item->body_len == 32) {
    memcpy(out, item->body, 32);
    return BEZ_OK;
  }
  if (!use->form || !use->form->canonical)
    return bez_fail(err, BEZ_FORMAT, NULL, "a row stands in front of every file of the data set");
  return use->form->canonical(use->state, item, c, out, err);
}

void bez_row_free(bez_row *row) {
  bez_form_close(&row->form);
  bez_buf_free(&row->leaf);
  bez_buf_free(&row->file);
  free(row->name);
  *row = (bez_row){0};
}

static bez_status read_leaf(const bez_objects *objects, bez_tree_walk *walk, bez_buf *leaf, bez_tree_place *place,
                            bool *end, bez_error *err) {
  bez_tree_entry entry;
  bez_status st = bez_tree_walk_next(walk, &entry, place, end, err);
  return st == BEZ_OK && !*end ? bez_objects_get(objects, BEZ_OBJECT_LEAF, &entry.id, leaf, err) : st;
}

static bez_status fail_leaf(bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, NULL, "a leaf of the vault is malformed");
}

/* The last FILE item before item `before` of a leaf; its bytes are in `leaf`. */
static bez_status last_file(const bez_buf *leaf, uint64_t first, uint64_t before, bez_item *file, bool *found,
                            bez_error *err) {
  bez_cursor cursor = {.data = (const uint8_t *)leaf->data, .len = leaf->len};
  bez_item item;
  for (uint64_t i = first; i < before && bez_cursor_left(&cursor); i++) {
    if (!bez_item_next(&cursor, &item)) return fail_leaf(err);
    if (item.type != BEZ_ITEM_FILE) continue;
    *file = item;
    *found = true;
  }
  return BEZ_OK;
}

static bez_status take_file(bez_row *out, const bez_item *file, bez_error *err) {
  bez_form_close(&out->form);
  free(out->name);
  out->name = strndup(file->head, bez_item_name_len(file));
  if (!out->name) return bez_fail_memory(err, file->head_len + 1);
  return bez_form_open_json(file->body, file->body_len, &out->form, err);
}

/* The file that a row is in begins somewhere before it: leaves are read backwards until there. */
static bez_status find_file(const bez_objects *objects, bez_tree_walk *walk, uint64_t n_files, uint64_t leaf_first,
                            bez_row *out, bez_error *err) {
  bez_item file;
  bez_tree_place place = {.item = leaf_first};
  bool found = false, end = false;
  bez_status st = last_file(&out->leaf, leaf_first, out->item_number, &file, &found, err);
  while (st == BEZ_OK && !found && place.item) {
    BEZ_TRY(bez_tree_walk_to_item(walk, n_files == 1 ? 0 : place.item - 1, err));
    BEZ_TRY(read_leaf(objects, walk, &out->file, &place, &end, err));
    BEZ_TRY(last_file(&out->file, 0, UINT64_MAX, &file, &found, err));
  }
  if (st == BEZ_OK && !found)
    st = bez_fail(err, BEZ_FORMAT, NULL, "a row stands in front of every file of the data set");
  if (st == BEZ_OK) st = take_file(out, &file, err);
cleanup:
  return st;
}

static bez_status find_item(bez_row *out, const bez_tree_place *place, uint64_t row, bez_error *err) {
  bez_cursor cursor = {.data = (const uint8_t *)out->leaf.data, .len = out->leaf.len};
  uint64_t at = place->row;
  for (uint64_t i = place->item; bez_cursor_left(&cursor); i++) {
    if (!bez_item_next(&cursor, &out->item)) return fail_leaf(err);
    if (!bez_item_is_row(out->item.type)) continue;
    out->item_number = i;
    if (at++ == row) return BEZ_OK;
  }
  return fail_leaf(err);
}

bez_status bez_row_read(const bez_objects *objects, const bez_tree *rows, uint64_t n_files, uint64_t row, bez_row *out,
                        bez_error *err) {
  bez_tree_walk *walk = NULL;
  bez_canonical *c = NULL;
  bez_tree_place place;
  bool end = false;
  char number[32];
  bez_status st = BEZ_OK;
  *out = (bez_row){.row = row};
  snprintf(number, sizeof number, "row %llu", (unsigned long long)row);
  if (row >= rows->top.rows)
    BEZ_TRY(
        bez_fail(err, BEZ_USAGE, number, "there are %llu rows, counted from 0", (unsigned long long)rows->top.rows));
  BEZ_TRY(bez_tree_walk_begin(objects, rows, &walk, err));
  BEZ_TRY(bez_tree_walk_to_row(walk, row, err));
  BEZ_TRY(read_leaf(objects, walk, &out->leaf, &place, &end, err));
  if (end) BEZ_TRY(fail_leaf(err));
  BEZ_TRY(find_item(out, &place, row, err));
  if (out->item.type == BEZ_ITEM_FILE_ROW) {
    out->name = strndup(out->item.head, bez_item_name_len(&out->item));
    if (!out->name) BEZ_TRY(bez_fail_memory(err, out->item.head_len));
  } else {
    BEZ_TRY(find_file(objects, walk, n_files, place.item, out, err));
  }
  BEZ_TRY(bez_canonical_create(&c, err));
  BEZ_TRY(bez_row_canonical(&out->form, &out->item, c, out->canonical, err));
  bez_sha256(out->item.body, out->item.body_len, out->raw);
  if (out->item.type == BEZ_ITEM_DIGEST) memcpy(out->raw, out->canonical, sizeof out->raw);
cleanup:
  bez_canonical_free(c);
  bez_tree_walk_end(walk);
  if (st != BEZ_OK) bez_row_free(out);
  return st;
}

typedef struct row_walk {
  bez_row_fn fn;
  bez_other_fn other;
  void *ctx;
  bez_form_use form;
  uint64_t row;
} row_walk;

static bez_status each_of_leaf(row_walk *w, const bez_buf *leaf, bez_error *err) {
  bez_cursor cursor = {.data = (const uint8_t *)leaf->data, .len = leaf->len};
  bez_item item;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && bez_cursor_left(&cursor)) {
    if (!bez_item_next(&cursor, &item)) return fail_leaf(err);
    if (item.type == BEZ_ITEM_FILE) {
      bez_form_close(&w->form);
      st = bez_form_open_json(item.body, item.body_len, &w->form, err);
    }
    if (bez_item_is_row(item.type))
      st = w->fn(w->ctx, w->row++, &w->form, &item, err);
    else if (st == BEZ_OK && w->other)
      st = w->other(w->ctx, &w->form, &item, err);
  }
  return st;
}

bez_status bez_rows_each(const bez_objects *objects, const bez_tree *rows, bez_row_fn fn, void *ctx, bez_error *err) {
  return bez_items_each(objects, rows, fn, NULL, ctx, err);
}

bez_status bez_items_each(const bez_objects *objects, const bez_tree *rows, bez_row_fn fn, bez_other_fn other,
                          void *ctx, bez_error *err) {
  row_walk w = {.fn = fn, .other = other, .ctx = ctx};
  bez_tree_walk *walk = NULL;
  bez_tree_place place;
  bez_buf leaf = {0};
  bool end = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_tree_walk_begin(objects, rows, &walk, err));
  for (;;) {
    BEZ_TRY(read_leaf(objects, walk, &leaf, &place, &end, err));
    if (end) break;
    BEZ_TRY(each_of_leaf(&w, &leaf, err));
  }
cleanup:
  bez_form_close(&w.form);
  bez_tree_walk_end(walk);
  bez_buf_free(&leaf);
  return st;
}
