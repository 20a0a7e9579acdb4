/* The rows of a version without what an earlier commit did: what the commit brought leaves, what it took away comes
 * back, what it changed is as before, all else stays.
 *
 * The commit is the difference between `before` and `after`. Rows of the last version that are of it are found by two
 * marks: their provenance, and their place in the comparison of `after` with the last version (for a commit that itself
 * brought old rows back). Where a row it took away stood follows from the same comparison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "content/checkout_target.h"
#include "content/ingest.h"
#include "content/provenance_runs.h"
#include "content/sweep.h"
#include "crypto/sha256.h"
#include "vault/rewind.h"

#define MOST_BYTES (256u << 20) /* of the rows that come back */

/* A row that the commit brought, and the one that it replaced. */
typedef struct brought {
  uint8_t key[32]; /* of the item: type, head and body */
  size_t at, len;  /* the replaced item in `bytes`; len 0: none */
  bool used;
} brought;

/* A row that the commit took away. */
typedef struct taken {
  uint64_t row; /* of `after`, then of the last version: it stood before this one */
  size_t at, len;
} taken;

typedef struct stretch { /* rows of `after` that the commit brought */
  uint64_t row, n;
} stretch;

typedef struct reverting {
  bez_buf bytes, brought, taken, stretches; /* arrays of the above */
  bez_buf since;                            /* keys (32 bytes) of rows that came after the commit */
  uint8_t *leaves;                          /* a bit per row of the last version */
  uint64_t n_rows;                          /* of it */
  size_t next_taken, next_stretch;
  bez_target *target;
  bez_buf labels; /* JSON lines for pictures */
  bool open_row;  /* what was written last is a row without a line end */
} reverting;

static void reverting_free(reverting *r) {
  bez_buf_free(&r->bytes);
  bez_buf_free(&r->brought);
  bez_buf_free(&r->taken);
  bez_buf_free(&r->stretches);
  bez_buf_free(&r->since);
  bez_buf_free(&r->labels);
  bez_target_abandon(r->target);
  free(r->leaves);
}

static void key_of(const bez_item *item, uint8_t out[32]) {
  bez_sha256_state s;
  const uint64_t head_len = item->head_len;
  const uint8_t type = (uint8_t)item->type;
  bez_sha256_begin(&s);
  bez_sha256_add(&s, &type, 1);
  bez_sha256_add(&s, &head_len, sizeof head_len);
  bez_sha256_add(&s, item->head, item->head_len);
  bez_sha256_add(&s, item->body, item->body_len);
  bez_sha256_end(&s, out);
}

static bez_status keep(reverting *r, const bez_item *item, size_t *at, size_t *len, bez_error *err) {
  if (item->type == BEZ_ITEM_DIGEST)
    return bez_fail(
        err, BEZ_UNSUPPORTED, NULL,
        "rows of packed and columnar files cannot be put back one by one: roll back, or add the data again");
  *at = r->bytes.len;
  bez_item_write(&r->bytes, item);
  *len = r->bytes.len - *at;
  if (r->bytes.failed == BEZ_LIMIT)
    return bez_fail(err, BEZ_LIMIT, NULL, "the commit took away more than %u bytes: roll back instead", MOST_BYTES);
  return bez_buf_status(&r->bytes, err);
}

static bez_status take_commit(void *ctx, const bez_hunk *h, bez_error *err) {
  reverting *r = ctx;
  bez_status st = BEZ_OK;
  if (h->kind == BEZ_HUNK_SAME) return BEZ_OK;
  const stretch s = {h->new_row, h->n_new};
  bez_buf_write(&r->stretches, &s, sizeof s);
  for (uint64_t i = 0; i < h->n_new && st == BEZ_OK; i++) {
    brought b = {0};
    key_of(&h->new_rows[i].item, b.key);
    if (i < h->n_old) st = keep(r, &h->old_rows[i].item, &b.at, &b.len, err);
    bez_buf_write(&r->brought, &b, sizeof b);
  }
  for (uint64_t i = h->n_new; i < h->n_old && st == BEZ_OK; i++) {
    taken t = {.row = h->new_row + h->n_new};
    st = keep(r, &h->old_rows[i].item, &t.at, &t.len, err);
    bez_buf_write(&r->taken, &t, sizeof t);
  }
  if (st == BEZ_OK) st = bez_buf_status(&r->brought, err);
  if (st == BEZ_OK) st = bez_buf_status(&r->taken, err);
  return st == BEZ_OK ? bez_buf_status(&r->stretches, err) : st;
}

static int by_key(const void *a, const void *b) {
  const brought *x = a, *y = b;
  int order = memcmp(x->key, y->key, sizeof x->key);
  return order ? order : (x->at > y->at) - (x->at < y->at);
}

static void mark(reverting *r, uint64_t row, uint64_t n) {
  for (uint64_t i = row; i < row + n && i < r->n_rows; i++) r->leaves[i / 8] |= (uint8_t)(1u << (i % 8));
}

/* Places in `after` become places in the last version. */
static bez_status take_since(void *ctx, const bez_hunk *h, bez_error *err) {
  reverting *r = ctx;
  taken *all = (taken *)(void *)r->taken.data;
  const stretch *stretches = (const stretch *)(const void *)r->stretches.data;
  const uint64_t end = h->old_row + h->n_old;
  const size_t n_taken = r->taken.len / sizeof *all, n_stretches = r->stretches.len / sizeof *stretches;
  for (uint64_t i = 0; n_taken && h->kind == BEZ_HUNK_CHANGE && i < h->n_new; i++) {
    uint8_t key[32];
    key_of(&h->new_rows[i].item, key);
    bez_buf_write(&r->since, key, sizeof key);
  }
  for (; r->next_taken < n_taken && all[r->next_taken].row < end; r->next_taken++) {
    uint64_t within = all[r->next_taken].row - h->old_row;
    all[r->next_taken].row = h->new_row + (within < h->n_new ? within : h->n_new);
  }
  for (size_t i = r->next_stretch; i < n_stretches && stretches[i].row < end; i++) {
    const uint64_t to = stretches[i].row + stretches[i].n < end ? stretches[i].row + stretches[i].n : end;
    const uint64_t from = stretches[i].row > h->old_row ? stretches[i].row : h->old_row;
    if (h->kind == BEZ_HUNK_SAME && from < to) mark(r, h->new_row + (from - h->old_row), to - from);
    if (stretches[i].row + stretches[i].n <= end) r->next_stretch = i + 1;
  }
  return bez_buf_status(&r->since, err);
}

static int compare_keys(const void *a, const void *b) {
  return memcmp(a, b, 32);
}

/* What somebody has put back already is not put back again. */
static void drop_returned(reverting *r) {
  taken *all = (taken *)(void *)r->taken.data;
  uint8_t key[32];
  bez_item item;
  if (!r->since.len) return;
  qsort(r->since.data, r->since.len / 32, 32, compare_keys);
  for (size_t i = 0; i < r->taken.len / sizeof *all; i++) {
    bez_cursor c = {.data = (const uint8_t *)r->bytes.data + all[i].at, .len = all[i].len};
    if (!bez_item_next(&c, &item)) continue;
    key_of(&item, key);
    if (bsearch(key, r->since.data, r->since.len / 32, 32, compare_keys)) all[i].len = 0;
  }
}

typedef struct marker {
  reverting *r;
  bez_batch batch;
} marker;

static bez_status take_run(void *ctx, const bez_run *run, bez_error *err) {
  const marker *m = ctx;
  (void)err;
  if (!memcmp(run->batch.bytes, m->batch.bytes, sizeof m->batch.bytes)) mark(m->r, run->row, run->n_rows);
  return BEZ_OK;
}

static bez_status compare(bez_vault *vault, reverting *r, const bez_snapshot *before, const bez_snapshot *after,
                          const bez_snapshot *last, bez_error *err) {
  marker m = {r, after->batch};
  bez_status st = BEZ_OK;
  r->bytes.ceiling = MOST_BYTES;
  r->n_rows = last->rows.top.rows;
  r->leaves = calloc(r->n_rows / 8 + 1, 1);
  if (!r->leaves) return bez_fail_memory(err, r->n_rows / 8 + 1);
  BEZ_TRY(bez_tree_diff(vault->objects, &before->rows, &after->rows, take_commit, NULL, r, err));
  BEZ_TRY(bez_tree_diff(vault->objects, &after->rows, &last->rows, take_since, NULL, r, err));
  taken *all = (taken *)(void *)r->taken.data;
  for (size_t i = r->next_taken; i < r->taken.len / sizeof *all; i++) all[i].row = r->n_rows; /* at the end */
  r->next_taken = 0;
  drop_returned(r);
  BEZ_TRY(bez_provenance_each(vault->objects, &last->provenance, take_run, &m, err));
  if (r->brought.len) qsort(r->brought.data, r->brought.len / sizeof(brought), sizeof(brought), by_key);
cleanup:
  return st;
}

/* The first unused record of what was brought as this item; NULL. */
static brought *find_brought(reverting *r, const bez_item *item) {
  brought *all = (brought *)(void *)r->brought.data;
  uint8_t key[32];
  size_t low = 0, high = r->brought.len / sizeof *all, n = high;
  key_of(item, key);
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    if (memcmp(all[mid].key, key, sizeof key) < 0)
      low = mid + 1;
    else
      high = mid;
  }
  for (; low < n && !memcmp(all[low].key, key, sizeof key); low++)
    if (!all[low].used) return &all[low];
  return NULL;
}

static void put_label(reverting *r, const bez_item *item) {
  const size_t name = bez_item_name_len(item);
  if (item->type != BEZ_ITEM_FILE_ROW || name >= item->head_len) return;
  bez_json j = bez_json_make(&r->labels, false);
  bez_json_open(&j, '{');
  bez_json_key(&j, "file");
  bez_json_strn(&j, item->head, name);
  bez_json_key(&j, "label");
  bez_json_strn(&j, item->head + name + 1, item->head_len - name - 1);
  bez_json_close(&j, '}');
  bez_buf_putc(&r->labels, '\n');
}

/* A row that came to stand behind one without a line end must not become part of it. */
static bez_status put(reverting *r, const bez_item *item, bez_error *err) {
  static const bez_item line_end = {.type = BEZ_ITEM_BYTES, .head = "", .body = "\n", .body_len = 1};
  bez_status st = BEZ_OK;
  if (item->type == BEZ_ITEM_ROW && r->open_row) st = bez_target_put(r->target, &line_end, err);
  r->open_row = item->type == BEZ_ITEM_ROW && item->body_len && item->body[item->body_len - 1] != '\n';
  put_label(r, item);
  return st == BEZ_OK ? bez_target_put(r->target, item, err) : st;
}

static bez_status put_kept(reverting *r, size_t at, size_t len, bez_error *err) {
  bez_cursor c = {.data = (const uint8_t *)r->bytes.data + at, .len = len};
  bez_item item;
  if (!bez_item_next(&c, &item)) return bez_fail(err, BEZ_INTERNAL, NULL, "a row was not kept whole");
  return put(r, &item, err);
}

static bez_status put_taken(reverting *r, uint64_t row, bez_error *err) {
  const taken *all = (const taken *)(const void *)r->taken.data;
  bez_status st = BEZ_OK;
  for (; r->next_taken < r->taken.len / sizeof *all && all[r->next_taken].row <= row && st == BEZ_OK; r->next_taken++)
    if (all[r->next_taken].len) st = put_kept(r, all[r->next_taken].at, all[r->next_taken].len, err);
  return st;
}

static bez_status put_row(reverting *r, uint64_t row, const bez_item *item, bez_error *err) {
  bez_status st = put_taken(r, row, err);
  if (st != BEZ_OK) return st;
  if (item->type == BEZ_ITEM_DIGEST)
    return bez_fail(
        err, BEZ_UNSUPPORTED, NULL,
        "rows of packed and columnar files cannot be put back one by one: roll back, or add the data again");
  if (!(r->leaves[row / 8] & (1u << (row % 8)))) return put(r, item, err);
  brought *b = find_brought(r, item);
  if (!b) return BEZ_OK;
  b->used = true;
  return b->len ? put_kept(r, b->at, b->len, err) : BEZ_OK;
}

static bez_status write_leaf(reverting *r, const char *path, const bez_buf *leaf, uint64_t *row, bez_error *err) {
  bez_cursor c = {.data = (const uint8_t *)leaf->data, .len = leaf->len};
  bez_item item;
  bez_status st = BEZ_OK;
  while (st == BEZ_OK && bez_cursor_left(&c)) {
    if (!bez_item_next(&c, &item)) return bez_fail(err, BEZ_FORMAT, path, "a leaf of the vault is malformed");
    if (!r->target) {
      bool folder = item.type == BEZ_ITEM_FILE_ROW || bez_item_name_len(&item) > 0;
      st = bez_target_open(path, folder, &r->target, err);
    }
    if (st == BEZ_OK) st = bez_item_is_row(item.type) ? put_row(r, (*row)++, &item, err) : put(r, &item, err);
  }
  return st;
}

static bez_status write_files(bez_vault *vault, reverting *r, const bez_snapshot *last, const char *path,
                              bez_error *err) {
  bez_tree_walk *walk = NULL;
  bez_tree_entry entry;
  bez_tree_place place;
  bez_buf leaf = {0};
  bool end = false;
  uint64_t row = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_tree_walk_begin(vault->objects, &last->rows, &walk, err));
  for (;;) {
    BEZ_TRY(bez_tree_walk_next(walk, &entry, &place, &end, err));
    if (end) break;
    BEZ_TRY(bez_objects_get(vault->objects, BEZ_OBJECT_LEAF, &entry.id, &leaf, err));
    BEZ_TRY(write_leaf(r, path, &leaf, &row, err));
  }
  if (!r->target) BEZ_TRY(bez_target_open(path, false, &r->target, err));
  BEZ_TRY(put_taken(r, UINT64_MAX, err));
  st = bez_target_commit(r->target, err);
  r->target = NULL;
cleanup:
  bez_tree_walk_end(walk);
  bez_buf_free(&leaf);
  return st;
}

/* Reads the files that were written; path: of the data, labels: beside it. */
static bez_status read_back(bez_vault *vault, const char *path, const char *labels, const bez_snapshot *last,
                            bez_remade *out, bez_error *err) {
  const bez_ingest_options options = {.key = vault->key, .parent = &last->rows, .labels = labels};
  bez_ingest_result result;
  bez_pack *rows = NULL, *sorted = NULL;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_pack_begin(vault->objects, &rows, err));
  BEZ_TRY(bez_pack_begin(vault->sorted, &sorted, err));
  BEZ_TRY(bez_ingest(vault->objects, rows, vault->sorted, sorted, path, &options, &result, err));
  st = bez_pack_finish(rows, NULL, err);
  rows = NULL;
  if (st != BEZ_OK) goto cleanup;
  st = bez_pack_finish(sorted, NULL, err);
  sorted = NULL;
  out->rows = result.rows;
  out->sorted = result.sorted;
  out->n_files = result.n_files;
  out->bytes = result.bytes;
  out->has_sha256 = result.has_sha256;
  memcpy(out->sha256, result.sha256, sizeof out->sha256);
  snprintf(out->form, sizeof out->form, "%s", result.form);
cleanup:
  bez_pack_abandon(rows);
  bez_pack_abandon(sorted);
  return st;
}

static bez_status list_run(void *ctx, const bez_run *run, bez_error *err) {
  bez_buf *runs = ctx;
  bez_buf_write(runs, run, sizeof *run);
  return bez_buf_status(runs, err);
}

/* Rows keep their origin in the last version; those that came back have that of the version before the commit. */
static bez_status merge(bez_pack *pack, bez_sipkey key, const bez_buf *kept, const bez_buf *back, bez_batch fresh,
                        bez_tree *out, bez_error *err) {
  const bez_run *a = (const bez_run *)(const void *)kept->data, *b = (const bez_run *)(const void *)back->data;
  const size_t n_a = kept->len / sizeof *a, n_b = back->len / sizeof *b;
  bez_run_writer writer = {0};
  bez_status st = bez_run_writer_begin(&writer, pack, key, err);
  for (size_t i = 0, k = 0; i < n_a && st == BEZ_OK; i++) {
    const uint64_t end = a[i].row + a[i].n_rows;
    if (memcmp(a[i].batch.bytes, fresh.bytes, sizeof fresh.bytes) != 0) {
      st = bez_run_writer_add(&writer, a[i].n_rows, a[i].batch, err);
      continue;
    }
    for (uint64_t row = a[i].row; row < end && st == BEZ_OK;) {
      while (k + 1 < n_b && b[k].row + b[k].n_rows <= row) k++;
      uint64_t to = k < n_b && b[k].row + b[k].n_rows < end ? b[k].row + b[k].n_rows : end;
      st = bez_run_writer_add(&writer, to - row, k < n_b ? b[k].batch : fresh, err);
      row = to;
    }
  }
  if (st == BEZ_OK) st = bez_run_writer_finish(&writer, out, err);
  bez_run_writer_free(&writer);
  return st;
}

bez_status bez_revert_origins(bez_vault *vault, const bez_snapshot *before, const bez_snapshot *last,
                              const bez_tree *rows, bez_batch batch, bez_tree *out, bez_changes *changes,
                              bez_error *err) {
  bez_pack *pack = NULL;
  bez_tree kept, back;
  bez_changes unused;
  bez_buf kept_runs = {0}, back_runs = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_pack_begin(vault->objects, &pack, err));
  BEZ_TRY(bez_provenance_make(vault->objects, pack, vault->key, &last->rows, &last->provenance, rows, batch, &kept,
                              changes, err));
  BEZ_TRY(bez_provenance_make(vault->objects, pack, vault->key, &before->rows, &before->provenance, rows, batch, &back,
                              &unused, err));
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
  if (st != BEZ_OK) goto cleanup;
  BEZ_TRY(bez_provenance_each(vault->objects, &kept, list_run, &kept_runs, err));
  BEZ_TRY(bez_provenance_each(vault->objects, &back, list_run, &back_runs, err));
  BEZ_TRY(bez_pack_begin(vault->objects, &pack, err));
  BEZ_TRY(merge(pack, vault->key, &kept_runs, &back_runs, batch, out, err));
  st = bez_pack_finish(pack, NULL, err);
  pack = NULL;
cleanup:
  bez_pack_abandon(pack);
  bez_buf_free(&kept_runs);
  bez_buf_free(&back_runs);
  return st;
}

bez_status bez_revert_rows(bez_vault *vault, const bez_snapshot *before, const bez_snapshot *after, bez_snapshot *last,
                           bez_remade *out, bez_error *err) {
  reverting r = {0};
  char *folder = NULL, *path = NULL, *labels = NULL;
  const char *slash = strrchr(last->dataset, '/');
  bez_status st = BEZ_OK;
  BEZ_TRY(compare(vault, &r, before, after, last, err));
  BEZ_TRY(bez_vault_path(vault, "tmp/revert.XXXXXX", &folder, err));
  if (!mkdtemp(folder)) BEZ_TRY(bez_fail_errno(err, folder, "cannot create"));
  if (asprintf(&path, "%s/%s", folder, slash ? slash + 1 : last->dataset) < 0) path = NULL;
  if (asprintf(&labels, "%s/.labels.jsonl", folder) < 0) labels = NULL;
  if (!path || !labels) BEZ_TRY(bez_fail_memory(err, strlen(folder)));
  BEZ_TRY(write_files(vault, &r, last, path, err));
  BEZ_TRY(bez_buf_status(&r.labels, err));
  if (r.labels.len) BEZ_TRY(bez_file_write(labels, r.labels.data, r.labels.len, err));
  BEZ_TRY(read_back(vault, path, r.labels.len ? labels : NULL, last, out, err));
  BEZ_TRY(bez_batch_draw(&out->batch, err));
  BEZ_TRY(bez_revert_origins(vault, before, last, &out->rows, out->batch, &out->provenance, &out->changes, err));
  out->mixed = true;
  out->parent = *last;
  *last = (bez_snapshot){0};
cleanup:
  if (folder) bez_remove_folder(folder);
  free(labels);
  free(path);
  free(folder);
  reverting_free(&r);
  return st;
}
