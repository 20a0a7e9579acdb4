/* Finding versions of data sets by what people write. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/gc.h"
#include "vault/index.h"
#include "vault/vault.h"

void bez_snapshot_free(bez_snapshot *s) {
  free(s->dataset);
  bez_entry_free(&s->entry);
  *s = (bez_snapshot){0};
}

static bez_status open_trees(bez_vault *vault, bez_snapshot *s, bez_error *err) {
  bez_id id;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_entry_hex(&s->entry, "rows", id.bytes, BEZ_ID, err));
  BEZ_TRY(bez_tree_open(vault->objects, BEZ_TREE_ROWS, &id, &s->rows, err));
  BEZ_TRY(bez_entry_hex(&s->entry, "provenance", id.bytes, BEZ_ID, err));
  BEZ_TRY(bez_tree_open(vault->objects, BEZ_TREE_PROVENANCE, &id, &s->provenance, err));
  /* The sorted tree can be made again; what needs it opens its nodes and says so where they are missing. */
  BEZ_TRY(bez_entry_hex(&s->entry, "sorted", id.bytes, BEZ_ID, err));
  bez_error missing = {0};
  if (bez_tree_open(vault->sorted, BEZ_TREE_SORTED, &id, &s->sorted, &missing) != BEZ_OK)
    s->sorted = (bez_tree){.id = id, .kind = BEZ_TREE_SORTED, .height = UINT8_MAX};
cleanup:
  return st;
}

/* The row of the index is a hint: the entries it points to say the same, or it is no version. */
static bez_status load(bez_vault *vault, const char *dataset, const bez_query *row, bool trees, bez_snapshot *out,
                       bez_error *err) {
  size_t len;
  const void *commit = bez_query_blob(row, 3, &len);
  bez_status st = BEZ_OK;
  *out = (bez_snapshot){.version = (uint64_t)bez_query_int(row, 0),
                        .commit_index = (uint64_t)bez_query_int(row, 1),
                        .submission_index = (uint64_t)bez_query_int(row, 2)};
  if (len == BEZ_ID) memcpy(out->commit.bytes, commit, BEZ_ID);
  out->dataset = strdup(dataset);
  if (!out->dataset) BEZ_TRY(bez_fail_memory(err, strlen(dataset) + 1));
  BEZ_TRY(bez_vault_entry(vault, out->submission_index, &out->entry, err));
  out->submission = out->entry.id;
  BEZ_TRY(bez_entry_hex(&out->entry, "batch", out->batch.bytes, sizeof out->batch.bytes, err));
  if (strcmp(out->entry.type, "submission") != 0 || strcmp(bez_entry_text(&out->entry, "dataset"), dataset) != 0 ||
      !out->entry.n_keys)
    BEZ_TRY(bez_fail(err, BEZ_FORMAT, dataset, "the index does not fit the log: bezoar vault reindex makes it anew"));
  if (trees) BEZ_TRY(open_trees(vault, out, err));
cleanup:
  if (st != BEZ_OK) bez_snapshot_free(out);
  return st;
}

#define COLUMNS "SELECT version, commit_i, submission_i, commit_id FROM versions WHERE dataset=? "

static bez_status get(bez_vault *vault, const char *dataset, uint64_t version, bool trees, bez_snapshot *out,
                      bez_error *err) {
  bez_query query = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err, COLUMNS "AND version=?", "ti", dataset, (int64_t)version));
  BEZ_TRY(bez_query_next(&query, &more, err));
  if (!more)
    BEZ_TRY(bez_fail(err, BEZ_USAGE, dataset,
                     "there is no version %llu: bezoar vault log --data %s shows what there is",
                     (unsigned long long)version, dataset));
  BEZ_TRY(load(vault, dataset, &query, trees, out, err));
cleanup:
  bez_query_end(&query);
  return st;
}

bez_status bez_snapshot_get(bez_vault *vault, const char *dataset, uint64_t version, bez_snapshot *out,
                            bez_error *err) {
  return get(vault, dataset, version, true, out, err);
}

bez_status bez_snapshot_said(bez_vault *vault, const char *dataset, uint64_t version, bez_snapshot *out,
                             bez_error *err) {
  return get(vault, dataset, version, false, out, err);
}

static bez_status last(bez_vault *vault, const char *dataset, bool trees, bez_snapshot *out, bool *found,
                       bez_error *err) {
  bez_query query = {0};
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err, COLUMNS "ORDER BY version DESC LIMIT 1", "t", dataset));
  BEZ_TRY(bez_query_next(&query, found, err));
  if (*found) {
    BEZ_TRY(load(vault, dataset, &query, trees, out, err));
  } else {
    *out = (bez_snapshot){
        .rows.kind = BEZ_TREE_ROWS, .sorted.kind = BEZ_TREE_SORTED, .provenance.kind = BEZ_TREE_PROVENANCE};
  }
cleanup:
  bez_query_end(&query);
  return st;
}

bez_status bez_snapshot_last(bez_vault *vault, const char *dataset, bez_snapshot *out, bool *found, bez_error *err) {
  return last(vault, dataset, true, out, found, err);
}

bez_status bez_snapshot_last_said(bez_vault *vault, const char *dataset, bez_snapshot *out, bool *found,
                                  bez_error *err) {
  return last(vault, dataset, false, out, found, err);
}

/* By the first digits of a commit's id. */
static bez_status find_commit(bez_vault *vault, const char *dataset, const char *digits, bez_snapshot *out,
                              bez_error *err) {
  bez_query query = {0};
  bool more = false;
  int64_t version = 0;
  unsigned n = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT version FROM versions WHERE dataset=? AND substr(lower(hex(commit_id)),1,?)=lower(?)",
                          "tit", dataset, (int64_t)strlen(digits), digits));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    version = bez_query_int(&query, 0);
    n++;
  }
  if (n != 1)
    BEZ_TRY(
        bez_fail(err, BEZ_USAGE, dataset, n ? "%s stands for several commits" : "no commit begins with %s", digits));
  BEZ_TRY(bez_snapshot_get(vault, dataset, (uint64_t)version, out, err));
cleanup:
  bez_query_end(&query);
  return st;
}

static bez_status fail_unknown(bez_vault *vault, const char *dataset, bez_error *err) {
  bez_query query = {0};
  bez_buf names = {0};
  bool more = false;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_query_begin(vault->index, &query, err, "SELECT DISTINCT dataset FROM versions ORDER BY 1 LIMIT 8", ""));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    bez_buf_printf(&names, "%s%s", names.len ? ", " : "", bez_query_text(&query, 0));
  }
  st = bez_fail(err, BEZ_USAGE, dataset, names.len ? "there is no such data set: there are %s" : "the vault is empty%s",
                names.data ? names.data : "");
cleanup:
  bez_buf_free(&names);
  bez_query_end(&query);
  return st;
}

static bez_status find_words(bez_vault *vault, const char *text, bez_snapshot *out, bez_error *err) {
  const char *at = strrchr(text, '@');
  bool found = false;
  size_t len = at ? (size_t)(at - text) : strlen(text);
  char *dataset = strndup(text, len);
  bez_status st = BEZ_OK;
  if (!dataset) return bez_fail_memory(err, len + 1);
  /* an earlier version is found whether or not the last one can be opened */
  BEZ_TRY(bez_snapshot_last_said(vault, dataset, out, &found, err));
  if (!found) BEZ_TRY(fail_unknown(vault, dataset, err));
  const uint64_t newest = out->version;
  bez_snapshot_free(out);
  if (!at || !strcmp(at + 1, "latest")) {
    BEZ_TRY(bez_snapshot_get(vault, dataset, newest, out, err));
    goto cleanup;
  }
  size_t digits = strspn(at + 1, "0123456789"), hex = strspn(at + 1, "0123456789abcdefABCDEF"), all = strlen(at + 1);
  if (all && digits == all && digits < 7) /* longer numbers are the first digits of a commit's id */
    BEZ_TRY(bez_snapshot_get(vault, dataset, strtoull(at + 1, NULL, 10), out, err));
  else if (hex == all && all >= 7 && all <= 64)
    BEZ_TRY(find_commit(vault, dataset, at + 1, out, err));
  else
    BEZ_TRY(bez_fail(err, BEZ_USAGE, text, "a version is a number, \"latest\", or 7 digits or more of a commit's id"));
cleanup:
  free(dataset);
  return st;
}

bez_status bez_snapshot_find(bez_vault *vault, const char *text, bez_snapshot *out, bez_error *err) {
  bez_status st = find_words(vault, text, out, err);
  if (st == BEZ_OK) st = bez_pruned_refuse(vault, out, err);
  if (st != BEZ_OK) bez_snapshot_free(out);
  return st;
}
