/* Every version of every data set: its trees, and whether they say the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "vault/gc.h"
#include "vault/index.h"
#include "vault/provenance_check.h"
#include "vault/stage.h"
#include "vault/verify.h"

typedef struct checks {
  bez_verify *v;
  bez_tree_check *rows, *sorted;
  bez_pruned pruned;
} checks;

static void tell_version(bez_verify *v, const bez_snapshot *s, const char *what) {
  const bez_verify_place place = {s->dataset, s->version, 0, s->rows.top.rows};
  bez_verify_tell(v, "", -1, 0, what, NULL, &place);
}

typedef struct runs {
  bez_vault *vault;
  bez_batch last; /* known */
  bool any, unknown;
  uint64_t rows;
} runs;

/* A run of rows came with a submission that is in the log. */
static bez_status check_run(void *ctx, const bez_run *run, bez_error *err) {
  runs *r = ctx;
  r->rows += run->n_rows;
  if (r->any && memcmp(&r->last, &run->batch, sizeof run->batch) == 0) return BEZ_OK;
  bez_query query = {0};
  bool more = false;
  bez_status st = bez_query_begin(r->vault->index, &query, err, "SELECT 1 FROM submissions WHERE batch=?", "b",
                                  (const void *)run->batch.bytes, sizeof run->batch.bytes);
  if (st == BEZ_OK) st = bez_query_next(&query, &more, err);
  bez_query_end(&query);
  r->unknown = r->unknown || !more;
  r->last = run->batch;
  r->any = more;
  return st;
}

static bez_status check_provenance(bez_verify *v, const bez_snapshot *s, bez_error *err) {
  runs r = {.vault = v->vault};
  bez_error why = {.line = -1, .offset = -1};
  const bez_verify_place place = {s->dataset, s->version, 0, s->rows.top.rows};
  bez_status st = bez_provenance_each(v->vault->objects, &s->provenance, check_run, &r, &why);
  if (st != BEZ_OK) return bez_verify_tell_error(v, st, &why, &s->provenance.id, &place, err);
  if (r.unknown) tell_version(v, s, "rows are said to come from a submission that is not in the log");
  if (r.rows != s->rows.top.rows) tell_version(v, s, "where rows come from is told for another number of rows");
  if (!v->full || r.unknown || r.rows != s->rows.top.rows) return BEZ_OK;
  bool good = true;
  st = bez_provenance_verify(v->vault, s, &good, &why);
  if (st != BEZ_OK) return bez_verify_tell_error(v, st, &why, NULL, &place, err);
  if (!good)
    tell_version(v, s,
                 "rows are said to come from another submission than they do, or a revert brought in rows of its own");
  return BEZ_OK;
}

static uint64_t said_number(const bez_snapshot *s, const char *key) {
  return (uint64_t)json_integer_value(json_object_get(s->entry.body, key));
}

/* What stands before the first file is written by no checkout. A leaf that cannot be read is told with its tree. */
static bez_status check_begin(bez_verify *v, const bez_snapshot *s, bez_error *err) {
  bez_tree_walk *walk = NULL;
  bez_tree_entry leaf;
  bez_tree_place place;
  bez_buf bytes = {0};
  bez_item item;
  bool end = false;
  bez_error why = {.line = -1, .offset = -1};
  bez_status st = bez_tree_walk_begin(v->vault->objects, &s->rows, &walk, &why);
  if (st == BEZ_OK) st = bez_tree_walk_next(walk, &leaf, &place, &end, &why);
  if (st == BEZ_OK && !end) st = bez_objects_get(v->vault->objects, BEZ_OBJECT_LEAF, &leaf.id, &bytes, &why);
  if (st == BEZ_OK && !end) {
    bez_cursor at = {.data = (const uint8_t *)bytes.data, .len = bytes.len};
    if (!bez_item_next(&at, &item) || (item.type != BEZ_ITEM_FILE && item.type != BEZ_ITEM_FILE_ROW))
      tell_version(v, s, "its first item does not begin a file");
  }
  bez_tree_walk_end(walk);
  bez_buf_free(&bytes);
  return st == BEZ_MEMORY ? bez_fail_memory(err, 0) : BEZ_OK;
}

static bez_status check_snapshot(checks *c, const bez_snapshot *s, bez_error *err) {
  const bez_verify_place place = {s->dataset, s->version, 0, 0};
  bez_verify *v = c->v;
  uint64_t rows = 0, sorted = 0;
  bool whole = true, sorted_whole = true;
  if (said_number(s, "n_rows") != s->rows.top.rows || said_number(s, "bytes") != s->rows.top.bytes)
    tell_version(v, s, "the submission says another number of rows or bytes than its tree");
  bez_status st = bez_tree_check_version(c->rows, &s->rows, &place, &rows, &whole, err);
  if (st == BEZ_OK && whole) st = check_begin(v, s, err);
  if (st == BEZ_OK) st = check_provenance(v, s, err);
  if (st != BEZ_OK) return st;
  if (s->sorted.height == UINT8_MAX) { /* cannot be opened: it can be made again */
    v->index_damaged = true;
    return BEZ_OK;
  }
  v->of_index = true;
  st = bez_tree_check_version(c->sorted, &s->sorted, &place, &sorted, &sorted_whole, err);
  v->of_index = false;
  if (st != BEZ_OK || !sorted_whole) return st;
  if (s->sorted.top.rows != s->rows.top.rows || (whole && v->full && sorted != rows))
    tell_version(v, s, "the sorted tree that was signed holds other rows than the version");
  return BEZ_OK;
}

/* What is staged will be a version; it is looked at as one. */
static bez_status check_staged(checks *c, const bez_staged *staged, bez_error *err) {
  bez_error why = {.line = -1, .offset = -1};
  const bez_verify_place place = {staged->dataset, 0, 0, 0};
  bez_tree tree;
  bez_id id;
  uint64_t sum;
  bool whole;
  bez_status st = bez_entry_hex(&staged->submission, "rows", id.bytes, BEZ_ID, &why);
  if (st == BEZ_OK) st = bez_tree_open(c->v->vault->objects, BEZ_TREE_ROWS, &id, &tree, &why);
  if (st != BEZ_OK) return bez_verify_tell_error(c->v, st, &why, NULL, &place, err);
  st = bez_tree_check_version(c->rows, &tree, &place, &sum, &whole, err);
  if (st != BEZ_OK) return st;
  st = bez_entry_hex(&staged->submission, "provenance", id.bytes, BEZ_ID, &why);
  if (st == BEZ_OK) st = bez_tree_open(c->v->vault->objects, BEZ_TREE_PROVENANCE, &id, &tree, &why);
  runs r = {.vault = c->v->vault};
  if (st == BEZ_OK) st = bez_provenance_each(c->v->vault->objects, &tree, check_run, &r, &why);
  return st == BEZ_OK ? BEZ_OK : bez_verify_tell_error(c->v, st, &why, &id, &place, err);
}

static bez_status check_stage(checks *c, bez_error *err) {
  bez_stage stage = {0};
  bez_error why = {.line = -1, .offset = -1};
  bez_status st = bez_stage_read(c->v->vault, &stage, &why);
  if (st != BEZ_OK) st = st == BEZ_MEMORY ? bez_fail_memory(err, 0) : BEZ_OK;        /* told by bez_verify_files */
  if (st == BEZ_OK && stage.n) st = bez_objects_refresh(c->v->vault->objects, &why); /* it may have come just now */
  if (st == BEZ_FORMAT) st = BEZ_OK; /* a damaged pack was told before */
  for (size_t i = 0; i < stage.n && st == BEZ_OK; i++) st = check_staged(c, &stage.items[i], err);
  bez_stage_free(&stage);
  return st;
}

static bez_status check_version(checks *c, const char *dataset, uint64_t version, bez_error *err) {
  bez_snapshot s = {0};
  bez_error why = {.line = -1, .offset = -1};
  const bez_verify_place place = {dataset, version, 0, 0};
  if (bez_pruned_find(&c->pruned, dataset, version)) {
    c->v->n_pruned++;
    return BEZ_OK;
  }
  c->v->n_versions++;
  bez_status st = bez_snapshot_get(c->v->vault, dataset, version, &s, &why);
  if (st != BEZ_OK) return bez_verify_tell_error(c->v, st, &why, NULL, &place, err);
  st = check_snapshot(c, &s, err);
  bez_snapshot_free(&s);
  return st;
}

/* The names and numbers first: each is looked up again while the others are checked. */
typedef struct named_version {
  char *dataset;
  uint64_t version;
} named_version;

static bez_status list_versions(bez_vault *vault, named_version **out, size_t *n, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  size_t cap = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err, "SELECT version, dataset FROM versions ORDER BY dataset, version",
                          ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    if (*n == cap) {
      cap = cap ? cap * 2 : 64;
      named_version *grown = realloc(*out, cap * sizeof *grown);
      if (!grown) BEZ_TRY(bez_fail_memory(err, cap * sizeof *grown));
      *out = grown;
    }
    named_version *one = &(*out)[*n];
    *one = (named_version){strdup(bez_query_text(&query, 1)), (uint64_t)bez_query_int(&query, 0)};
    if (!one->dataset) BEZ_TRY(bez_fail_memory(err, 64));
    (*n)++;
  }
cleanup:
  bez_query_end(&query);
  return st;
}

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bez_status bez_verify_versions(bez_verify *v, bez_error *err) {
  bez_status st = BEZ_OK;
  checks c = {.v = v};
  named_version *versions = NULL;
  size_t n = 0;
  double begin = seconds_now();
  BEZ_TRY(bez_tree_check_create(v, v->vault->objects, BEZ_TREE_ROWS, &c.rows, err));
  BEZ_TRY(bez_tree_check_create(v, v->vault->sorted, BEZ_TREE_SORTED, &c.sorted, err));
  BEZ_TRY(bez_pruned_read(v->vault, &c.pruned, err));
  BEZ_TRY(list_versions(v->vault, &versions, &n, err));
  for (size_t i = 0; i < n; i++) BEZ_TRY(check_version(&c, versions[i].dataset, versions[i].version, err));
  BEZ_TRY(check_stage(&c, err));
  v->row_seconds = seconds_now() - begin;
cleanup:
  for (size_t i = 0; i < n; i++) free(versions[i].dataset);
  free(versions);
  bez_pruned_free(&c.pruned);
  bez_tree_check_free(c.rows);
  bez_tree_check_free(c.sorted);
  return st;
}
