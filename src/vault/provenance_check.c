/* Provenance, made again from what is signed. */
#include "vault/provenance_check.h"

#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/gc.h"
#include "vault/index.h"
#include "vault/rewind.h"
#include "vault/row.h"

typedef struct own {
  bez_batch batch;
  bool only;
} own;

static bez_status take_run(void *ctx, const bez_run *run, bez_error *err) {
  own *o = ctx;
  (void)err;
  o->only = o->only && !memcmp(run->batch.bytes, o->batch.bytes, sizeof o->batch.bytes);
  return BEZ_OK;
}

/* Of the first version, all rows are the submission's own. */
static bez_status check_first(bez_vault *vault, const bez_snapshot *s, bool *good, bez_error *err) {
  own o = {s->batch, true};
  bez_status st = bez_provenance_each(vault->objects, &s->provenance, take_run, &o, err);
  *good = o.only;
  return st;
}

static bez_status check_usual(bez_vault *vault, const bez_snapshot *s, const bez_snapshot *before, bool *good,
                              bez_error *err) {
  bez_pack *pack = NULL;
  bez_tree made;
  bez_changes changes;
  bez_status st = bez_pack_begin(vault->objects, &pack, err);
  if (st == BEZ_OK)
    st = bez_provenance_make(vault->objects, pack, vault->key, &before->rows, &before->provenance, &s->rows, s->batch,
                             &made, &changes, err);
  if (st == BEZ_OK) *good = !bez_id_compare(&made.id, &s->provenance.id);
  bez_pack_abandon(pack);
  return st;
}

/* The version of the same data set that a commit made; 0: none. */
static bez_status version_of(bez_vault *vault, const char *dataset, const bez_id *commit, uint64_t *version,
                             bez_error *err) {
  bez_query query = {0};
  bool more = false;
  bez_status st =
      bez_query_begin(vault->index, &query, err, "SELECT version FROM versions WHERE dataset=? AND commit_id=?", "tb",
                      dataset, (const void *)commit->bytes, (size_t)BEZ_ID);
  if (st == BEZ_OK) st = bez_query_next(&query, &more, err);
  *version = st == BEZ_OK && more ? (uint64_t)bez_query_int(&query, 0) : 0;
  bez_query_end(&query);
  return st;
}

/* False: its data were pruned, or cannot be opened, which is told where that version itself is verified. */
static bool find_whole(bez_vault *vault, const char *dataset, uint64_t version, bez_snapshot *out) {
  bez_error ignored = {0};
  if (bez_snapshot_get(vault, dataset, version, out, &ignored) != BEZ_OK) return false;
  if (bez_pruned_refuse(vault, out, &ignored) == BEZ_OK) return true;
  bez_snapshot_free(out);
  return false;
}

/* A revert brings in nothing: rows that are its own by provenance (whose line end changed, say) are such that a version
 * before had. */
typedef struct reverted_rows {
  bez_vault *vault;
  const bez_snapshot *version, *before, *last;
  bool known;
} reverted_rows;

static bez_status find_in(bez_vault *vault, const bez_snapshot *s, const uint8_t canonical[32], bool *known,
                          bez_error *err) {
  uint64_t count = 0;
  if (*known || !s->version || !s->sorted.top.rows) return BEZ_OK;
  bez_status st = bez_sorted_find(vault->sorted, &s->sorted, canonical, &count, err);
  *known = count > 0;
  return st;
}

static bez_status check_own(void *ctx, const bez_run *run, bez_error *err) {
  reverted_rows *r = ctx;
  const uint64_t n_files = (uint64_t)json_integer_value(json_object_get(r->version->entry.body, "n_files"));
  if (memcmp(run->batch.bytes, r->version->batch.bytes, sizeof run->batch.bytes) != 0) return BEZ_OK;
  for (uint64_t i = run->row; i < run->row + run->n_rows && r->known; i++) {
    bez_row row = {0};
    bool known = false;
    bez_status st = bez_row_read(r->vault->objects, &r->version->rows, n_files, i, &row, err);
    if (st == BEZ_OK) st = find_in(r->vault, r->last, row.canonical, &known, err);
    if (st == BEZ_OK) st = find_in(r->vault, r->before, row.canonical, &known, err);
    bez_row_free(&row);
    if (st != BEZ_OK) return st;
    r->known = known;
  }
  return BEZ_OK;
}

static bez_status check_rows(bez_vault *vault, const bez_snapshot *s, const bez_snapshot *before,
                             const bez_snapshot *last, bool *good, bez_error *err) {
  reverted_rows r = {vault, s, before, last, true};
  /* a sorted tree that cannot be opened is made again by reindex; until then nothing can be said */
  if (last->sorted.height == UINT8_MAX || before->sorted.height == UINT8_MAX) return BEZ_OK;
  bez_status st = bez_provenance_each(vault->objects, &s->provenance, check_own, &r, err);
  *good = *good && r.known;
  return st;
}

/* Of a revert: rows keep what they had in the version before it, or have again what they had before the commit. */
static bez_status check_revert(bez_vault *vault, const bez_snapshot *s, const bez_snapshot *last, const char *hex,
                               bool *good, bez_error *err) {
  bez_snapshot before = {.rows.kind = BEZ_TREE_ROWS, .provenance.kind = BEZ_TREE_PROVENANCE};
  bez_tree made;
  bez_changes changes;
  bez_id commit;
  uint64_t reverted = 0;
  bez_status st = BEZ_OK;
  *good = hex && strlen(hex) == 64 && bez_unhex(hex, commit.bytes, BEZ_ID);
  if (*good) BEZ_TRY(version_of(vault, s->dataset, &commit, &reverted, err));
  *good = reverted > 0 && reverted < s->version;
  if (!*good) return BEZ_OK;
  if (reverted > 1 && !find_whole(vault, s->dataset, reverted - 1, &before)) return BEZ_OK;
  *good = reverted == last->version && before.version && !bez_id_compare(&before.rows.id, &s->rows.id) &&
          !bez_id_compare(&before.provenance.id, &s->provenance.id);
  if (*good) goto cleanup;
  BEZ_TRY(bez_revert_origins(vault, &before, last, &s->rows, s->batch, &made, &changes, err));
  *good = !bez_id_compare(&made.id, &s->provenance.id);
  if (*good) BEZ_TRY(check_rows(vault, s, &before, last, good, err));
cleanup:
  bez_snapshot_free(&before);
  return st;
}

bez_status bez_provenance_verify(bez_vault *vault, const bez_snapshot *s, bool *good, bez_error *err) {
  bez_snapshot before = {0};
  bez_entry commit = {0};
  bez_status st = BEZ_OK;
  *good = true;
  if (s->version <= 1) return check_first(vault, s, good, err);
  BEZ_TRY(bez_vault_entry(vault, s->commit_index, &commit, err));
  if (json_object_get(commit.body, "rollback")) goto cleanup; /* the same trees, or the commit had no effect */
  if (!find_whole(vault, s->dataset, s->version - 1, &before)) goto cleanup;
  const json_t *revert = json_object_get(commit.body, "revert");
  if (revert)
    st = check_revert(vault, s, &before, json_string_value(json_object_get(revert, "commit")), good, err);
  else
    st = check_usual(vault, s, &before, good, err);
cleanup:
  bez_snapshot_free(&before);
  bez_entry_free(&commit);
  return st;
}
