/* bezoar vault revert: which versions a commit made, and new ones without what it did. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "crypto/digest.h"
#include "vault/index.h"
#include "vault/rewind.h"

/* The versions that one commit made. */
typedef struct made {
  bez_id commit;
  bez_snapshot *after;
  size_t n;
} made;

static void made_free(made *m) {
  for (size_t i = 0; i < m->n; i++) bez_snapshot_free(&m->after[i]);
  free(m->after);
}

static bez_status add_version(bez_vault *vault, const bez_query *row, const char *digits, made *out, bez_error *err) {
  size_t len;
  bez_id id = {0};
  const void *commit = bez_query_blob(row, 2, &len);
  if (len == BEZ_ID) memcpy(id.bytes, commit, BEZ_ID);
  if (out->n && bez_id_compare(&id, &out->commit) != 0)
    return bez_fail(err, BEZ_USAGE, digits, "stands for several commits: more digits");
  out->commit = id;
  bez_snapshot *grown = realloc(out->after, (out->n + 1) * sizeof *grown);
  if (!grown) return bez_fail_memory(err, (out->n + 1) * sizeof *grown);
  out->after = grown;
  bez_status st =
      bez_snapshot_get(vault, bez_query_text(row, 0), (uint64_t)bez_query_int(row, 1), &out->after[out->n], err);
  out->n += st == BEZ_OK;
  return st;
}

static bez_status find_commit(bez_vault *vault, const char *digits, made *out, bez_error *err) {
  bez_query query = {0};
  bool more = false;
  const size_t len = strlen(digits);
  bez_status st = BEZ_OK;
  if (len < 7 || len > 64 || strspn(digits, "0123456789abcdefABCDEF") != len)
    return bez_fail(err, BEZ_USAGE, digits,
                    "a commit is named by 7 digits or more of its id (bezoar vault log --type commit)");
  BEZ_TRY(bez_query_begin(vault->index, &query, err,
                          "SELECT dataset, version, commit_id FROM versions WHERE "
                          "substr(lower(hex(commit_id)),1,?)=lower(?) ORDER BY dataset",
                          "it", (int64_t)len, digits));
  for (;;) {
    BEZ_TRY(bez_query_next(&query, &more, err));
    if (!more) break;
    BEZ_TRY(add_version(vault, &query, digits, out, err));
  }
  if (!out->n) BEZ_TRY(bez_fail(err, BEZ_USAGE, digits, "no commit begins with these digits"));
cleanup:
  bez_query_end(&query);
  return st;
}

static bez_status revert_one(bez_vault *vault, const bez_snapshot *after, bez_remade *out, bez_error *err) {
  bez_snapshot before = {
      .rows.kind = BEZ_TREE_ROWS, .sorted.kind = BEZ_TREE_SORTED, .provenance.kind = BEZ_TREE_PROVENANCE};
  bez_snapshot last = {0};
  bool found = false;
  bez_status st = BEZ_OK;
  if (after->version > 1) BEZ_TRY(bez_snapshot_get(vault, after->dataset, after->version - 1, &before, err));
  BEZ_TRY(bez_snapshot_last(vault, after->dataset, &last, &found, err));
  if (last.version == after->version && before.version)
    BEZ_TRY(bez_rewind_take_over(vault, &before, out, err));
  else
    BEZ_TRY(bez_revert_rows(vault, &before, after, &last, out, err));
  if (!bez_id_compare(&out->rows.id, &out->parent.rows.id))
    BEZ_TRY(bez_fail(err, BEZ_USAGE, after->dataset, "nothing of what this commit did is left: nothing to revert"));
cleanup:
  bez_snapshot_free(&last);
  bez_snapshot_free(&before);
  return st;
}

static void write_revert(bez_json *j, const void *ctx) {
  const made *m = ctx;
  bez_json_key(j, "revert");
  bez_json_open(j, '{');
  bez_json_khex(j, "commit", m->commit.bytes, BEZ_ID);
  bez_json_close(j, '}');
}

bez_status bez_vault_revert(bez_vault *vault, const char *commit, const char *message, const bez_vault_who *who,
                            char **json, bez_error *err) {
  made m = {0};
  bez_remade *items = NULL;
  bez_signer *signer = NULL;
  char usual[64];
  size_t n = 0;
  bez_status st = BEZ_OK;
  BEZ_TRY(bez_vault_signer(vault, who, &signer, err));
  BEZ_TRY(find_commit(vault, commit, &m, err));
  items = calloc(m.n, sizeof *items);
  if (!items) BEZ_TRY(bez_fail_memory(err, m.n * sizeof *items));
  for (; n < m.n; n++) BEZ_TRY(revert_one(vault, &m.after[n], &items[n], err));
  snprintf(usual, sizeof usual, "revert of %.12s", commit);
  const bez_rewind rewind = {.op = "revert",
                             .message = message ? message : usual,
                             .items = items,
                             .n = m.n,
                             .extra = write_revert,
                             .ctx = &m,
                             .signer = signer};
  BEZ_TRY(bez_rewind_commit(vault, &rewind, json, err));
cleanup:
  bez_vault_act(vault, NULL);
  bez_signer_close(signer);
  for (size_t i = 0; items && i < m.n; i++) bez_remade_free(&items[i]);
  free(items);
  made_free(&m);
  return st;
}
